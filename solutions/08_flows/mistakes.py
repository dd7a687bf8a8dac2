"""What students write for the exercises of 08_flows: wrong, or right and unusual."""

import math

import torch

from genssl_utils.course.catalogue import mistake, oracle, variant

LN2 = math.log(2)


# --- affine_log_det -----------------------------------------------------------------------------


@oracle("affine_log_det")
def determinant_by_lu(scale):
    """By the LU decomposition of each whole matrix."""
    return torch.linalg.slogdet(torch.diag_embed(scale.double())).logabsdet.float()


@mistake(
    "affine_log_det", "A negative factor has no logarithm. The volume change is an absolute value."
)
def no_absolute_value(scale):
    return scale.log().sum(-1)


@mistake(
    "affine_log_det",
    "You sum over the batch. Each row is a matrix of its own: sum over its D factors.",
)
def summed_over_batch(scale):
    return scale.abs().log().sum(0)


@mistake(
    "affine_log_det", "You return one number for the whole batch. One for each row is asked for."
)
def summed_over_all(scale):
    return scale.abs().log().sum()


@mistake("affine_log_det", "You average the logarithms. A product of factors becomes their sum.")
def averaged_logs(scale):
    return scale.abs().log().mean(-1)


@mistake("affine_log_det", "This is the determinant itself. Its logarithm is asked for.")
def plain_determinant(scale):
    return scale.prod(-1).abs()


@mistake("affine_log_det", "You add up the factors. A determinant multiplies them.")
def sum_then_log(scale):
    return scale.abs().sum(-1).log()


@mistake(
    "affine_log_det", "You add up the factors without a logarithm, as if they were log-scales."
)
def scales_as_logs(scale):
    return scale.sum(-1)


@mistake(
    "affine_log_det",
    "The product of two thousand factors leaves the range of a float. Take logarithms first.",
)
def product_underflows(scale):
    return scale.prod(-1).abs().log()


@mistake(
    "affine_log_det",
    "The absolute value comes too late: take it of the factor, not of the logarithm.",
)
def absolute_log(scale):
    return scale.abs().log().abs().sum(-1)


@mistake("affine_log_det", "The squares of the factors are counted: that is twice the log-det.")
def log_of_squares(scale):
    return scale.square().log().sum(-1)


@mistake("affine_log_det", "The sign is wrong. A layer that stretches has a positive log-det.")
def minus_sign(scale):
    return -scale.abs().log().sum(-1)


@mistake("affine_log_det", "You use the logarithm to base 2. Nats are asked for: the natural one.")
def base_two(scale):
    return scale.abs().log2().sum(-1)


@mistake("affine_log_det", "The shape is (B, 1). Drop keepdim: one number a row.")
def kept_dimension(scale):
    return scale.abs().log().sum(-1, keepdim=True)


@mistake(
    "affine_log_det", "The numbers are right, but no gradient reaches the factors. Do not detach."
)
def factors_detached(scale):
    return scale.detach().abs().log().sum(-1)


@mistake(
    "affine_log_det",
    "You changed the factors in place (a method that ends in _ does). Make a new tensor.",
)
def in_place_abs(scale):
    return scale.data.abs_().log().sum(-1) + 0 * scale.sum(-1)


@variant("affine_log_det")
def by_slogdet(scale):
    return torch.linalg.slogdet(torch.diag_embed(scale)).logabsdet


@variant("affine_log_det")
def half_log_of_squares(scale):
    return 0.5 * scale.double().square().log().sum(1)


@variant("affine_log_det")
def row_by_row(scale):
    return torch.stack([sum(torch.log(torch.abs(s)) for s in row.unbind()) for row in scale])


# --- coupling_forward ---------------------------------------------------------------------------


def _free(mask):
    return 1 - mask


@oracle("coupling_forward")
def entry_by_entry(x, mask, net):
    """Row by row and coordinate by coordinate, in plain Python."""
    masked = torch.stack([torch.stack([v * m for v, m in zip(row, mask)]) for row in x])
    log_s, t = net(masked)
    rows, logs = [], []
    for b in range(x.shape[0]):
        total, out = x.new_zeros(()), []
        for d in range(x.shape[1]):
            if mask[d] == 1:
                out.append(x[b, d])
            else:
                out.append(x[b, d] * math.e ** log_s[b, d] + t[b, d])
                total = total + log_s[b, d]
        rows.append(torch.stack(out))
        logs.append(total)
    return torch.stack(rows), torch.stack(logs)


@mistake(
    "coupling_forward",
    "Your log_det counts the log-scales of coordinates that pass. Only free ones stretch.",
)
def log_det_of_all(x, mask, net):
    log_s, t = net(mask * x)
    return mask * x + _free(mask) * (x * log_s.exp() + t), log_s.sum(-1)


@mistake(
    "coupling_forward",
    "Your log_det counts the coordinates that pass, and leaves out the free ones.",
)
def log_det_of_passing(x, mask, net):
    log_s, t = net(mask * x)
    return mask * x + _free(mask) * (x * log_s.exp() + t), (mask * log_s).sum(-1)


@mistake(
    "coupling_forward",
    "The net saw all of x. Then nobody can undo the layer: show it the masked x.",
)
def net_sees_everything(x, mask, net):
    log_s, t = net(x)
    return mask * x + _free(mask) * (x * log_s.exp() + t), (_free(mask) * log_s).sum(-1)


@mistake(
    "coupling_forward",
    "The mask is the wrong way round: 1 means that a coordinate passes unchanged.",
)
def mask_flipped(x, mask, net):
    return entry_by_entry(x, _free(mask), net)


@mistake("coupling_forward", "The net saw the free coordinates. Show it those that pass.")
def net_sees_the_free(x, mask, net):
    log_s, t = net(_free(mask) * x)
    return mask * x + _free(mask) * (x * log_s.exp() + t), (_free(mask) * log_s).sum(-1)


@mistake("coupling_forward", "You multiply by log_s. The factor is its exponential.")
def exp_forgotten(x, mask, net):
    log_s, t = net(mask * x)
    return mask * x + _free(mask) * (x * log_s + t), (_free(mask) * log_s).sum(-1)


@mistake("coupling_forward", "You add up the scales. log_det is the sum of their logarithms.")
def scales_summed(x, mask, net):
    log_s, t = net(mask * x)
    return mask * x + _free(mask) * (x * log_s.exp() + t), (_free(mask) * log_s.exp()).sum(-1)


@mistake("coupling_forward", "You divide by the scale. Going forward, multiply by it.")
def divided(x, mask, net):
    log_s, t = net(mask * x)
    return mask * x + _free(mask) * (x * (-log_s).exp() + t), (_free(mask) * log_s).sum(-1)


@mistake("coupling_forward", "This is the determinant. Its logarithm is the sum of the log-scales.")
def determinant_itself(x, mask, net):
    y, log_det = entry_by_entry(x, mask, net)
    return y, log_det.exp()


@mistake("coupling_forward", "log_det is always 0 here. The free coordinates stretch.")
def log_det_zero(x, mask, net):
    y, log_det = entry_by_entry(x, mask, net)
    return y, torch.zeros_like(log_det)


@mistake("coupling_forward", "log_det has one number a coordinate. Sum them in each row.")
def log_det_not_summed(x, mask, net):
    log_s, _ = net(mask * x)
    return entry_by_entry(x, mask, net)[0], _free(mask) * log_s


@mistake("coupling_forward", "log_det has shape (B, 1). Drop keepdim: one number a row.")
def log_det_keepdim(x, mask, net):
    y, log_det = entry_by_entry(x, mask, net)
    return y, log_det[:, None]


@mistake("coupling_forward", "log 0 is −inf: mask the log-scales, not the scales.")
def log_of_masked_scale(x, mask, net):
    log_s, _ = net(mask * x)
    return entry_by_entry(x, mask, net)[0], (_free(mask) * log_s.exp()).log().sum(-1)


@mistake("coupling_forward", "The shift t is missing.")
def shift_forgotten(x, mask, net):
    log_s, _ = net(mask * x)
    return mask * x + _free(mask) * x * log_s.exp(), (_free(mask) * log_s).sum(-1)


@mistake("coupling_forward", "You shift before you scale. The shift comes last and is not scaled.")
def shift_first(x, mask, net):
    log_s, t = net(mask * x)
    return mask * x + _free(mask) * (x + t) * log_s.exp(), (_free(mask) * log_s).sum(-1)


@mistake("coupling_forward", "The coordinates that should pass have become 0.")
def passing_part_lost(x, mask, net):
    log_s, t = net(mask * x)
    return _free(mask) * (x * log_s.exp() + t), (_free(mask) * log_s).sum(-1)


@mistake(
    "coupling_forward", "All coordinates are changed. Those with mask 1 must pass as they are."
)
def everything_changed(x, mask, net):
    log_s, t = net(mask * x)
    return x * log_s.exp() + t, log_s.sum(-1)


@mistake("coupling_forward", "The shift reaches the coordinates that pass, too. Mask it as well.")
def shift_unmasked(x, mask, net):
    log_s, t = net(mask * x)
    return x * (_free(mask) * log_s).exp() + t, (_free(mask) * log_s).sum(-1)


@mistake("coupling_forward", "The sign of log_det is wrong: stretching makes it positive.")
def log_det_negated(x, mask, net):
    y, log_det = entry_by_entry(x, mask, net)
    return y, -log_det


@mistake(
    "coupling_forward", "log_det is one number for the whole batch. One for each row is asked for."
)
def log_det_of_batch(x, mask, net):
    y, log_det = entry_by_entry(x, mask, net)
    return y, log_det.sum()


@mistake(
    "coupling_forward", "log_det is summed over the batch. Sum over the coordinates of each row."
)
def log_det_over_rows(x, mask, net):
    log_s, t = net(mask * x)
    return mask * x + _free(mask) * (x * log_s.exp() + t), (_free(mask) * log_s).sum(0)


@mistake("coupling_forward", "You average the log-scales. A determinant needs their sum.")
def log_det_averaged(x, mask, net):
    log_s, t = net(mask * x)
    return mask * x + _free(mask) * (x * log_s.exp() + t), (_free(mask) * log_s).mean(-1)


@mistake("coupling_forward", "You took log_s for t and t for log_s. The net returns log_s first.")
def answers_swapped(x, mask, net):
    return entry_by_entry(x, mask, lambda h: tuple(reversed(net(h))))


@mistake("coupling_forward", "You return log_det first. The order is y, log_det.")
def parts_swapped(x, mask, net):
    return tuple(reversed(entry_by_entry(x, mask, net)))


@mistake("coupling_forward", "You return y alone. The log-determinant is asked for as well.")
def y_alone(x, mask, net):
    return entry_by_entry(x, mask, net)[0]


@mistake(
    "coupling_forward",
    "The values are right, but the net's answers were detached: it could not learn.",
)
def net_detached(x, mask, net):
    with torch.no_grad():
        log_s, t = net(mask * x)
    y = mask * x + _free(mask) * (x * log_s.exp() + t)
    return y, (_free(mask) * log_s).sum(-1)


@mistake(
    "coupling_forward", "You wrote into x. Whoever called you still needs it: build a new tensor."
)
def x_overwritten(x, mask, net):
    y, log_det = entry_by_entry(x, mask, net)
    x.data.copy_(y.detach())
    return y, log_det


@variant("coupling_forward")
def by_index(x, mask, net):
    """Only the free columns are computed, in float64."""
    log_s, t = (part.double() for part in net(x * mask))
    free = (mask == 0).nonzero().squeeze(-1)
    y = x.double().index_copy(-1, free, x.double()[:, free] * log_s[:, free].exp() + t[:, free])
    return y, log_s[:, free].sum(-1)


@variant("coupling_forward")
def with_where(x, mask, net):
    passes = mask.bool()
    log_s, t = net(torch.where(passes, x, torch.zeros_like(x)))
    log_s = log_s.masked_fill(passes, 0.0)
    return torch.where(passes, x, x * log_s.exp() + t), log_s.sum(1)


@variant("coupling_forward")
def as_a_list(x, mask, net):
    """The masked log-scale and shift do nothing where a coordinate passes."""
    log_s, t = net(x * mask)
    log_s, t = log_s * (1 - mask), t * (1 - mask)
    return [x.T.contiguous().T * torch.exp(log_s) + t, log_s @ torch.ones_like(mask)]


# --- coupling_inverse ---------------------------------------------------------------------------


@oracle("coupling_inverse")
def solved_entry_by_entry(y, mask, net):
    """Row by row in plain Python: (y − t) / s where a coordinate was changed."""
    log_s, t = net(torch.stack([torch.stack([v * m for v, m in zip(row, mask)]) for row in y]))
    return torch.stack([
        torch.stack([
            y[b, d] if mask[d] == 1 else (y[b, d] - t[b, d]) / math.e ** log_s[b, d]
            for d in range(y.shape[1])
        ])
        for b in range(y.shape[0])
    ])  # fmt: skip


@mistake("coupling_inverse", "You multiply by the scale again. Going back, divide by it.")
def scaled_again(y, mask, net):
    log_s, t = net(mask * y)
    return mask * y + _free(mask) * (y - t) * log_s.exp()


@mistake(
    "coupling_inverse",
    "You take off the scale first and then the shift. Undo in the reverse order.",
)
def wrong_order(y, mask, net):
    log_s, t = net(mask * y)
    return mask * y + _free(mask) * (y * (-log_s).exp() - t)


@mistake("coupling_inverse", "You add the shift once more. Going back, subtract it.")
def shift_added(y, mask, net):
    log_s, t = net(mask * y)
    return mask * y + _free(mask) * (y + t) * (-log_s).exp()


@mistake("coupling_inverse", "This is the forward layer again. It has to be undone.")
def forward_again(y, mask, net):
    return entry_by_entry(y, mask, net)[0]


@mistake(
    "coupling_inverse",
    "The net saw all of y, and its changed part is not what it saw before. Mask y.",
)
def inverse_net_sees_everything(y, mask, net):
    log_s, t = net(y)
    return mask * y + _free(mask) * (y - t) * (-log_s).exp()


@mistake(
    "coupling_inverse",
    "The mask is the wrong way round: 1 means that a coordinate passed unchanged.",
)
def inverse_mask_flipped(y, mask, net):
    return solved_entry_by_entry(y, _free(mask), net)


@mistake("coupling_inverse", "The net saw the coordinates that changed. Show it those that passed.")
def inverse_net_sees_the_free(y, mask, net):
    log_s, t = net(_free(mask) * y)
    return mask * y + _free(mask) * (y - t) * (-log_s).exp()


@mistake("coupling_inverse", "You took log_s for t and t for log_s. The net returns log_s first.")
def inverse_answers_swapped(y, mask, net):
    return solved_entry_by_entry(y, mask, lambda h: tuple(reversed(net(h))))


@mistake("coupling_inverse", "Every coordinate is changed. Those with mask 1 passed as they are.")
def everything_undone(y, mask, net):
    log_s, t = net(mask * y)
    return (y - t) * (-log_s).exp()


@mistake("coupling_inverse", "You divide by log_s. The factor was its exponential.")
def divided_by_log(y, mask, net):
    log_s, t = net(mask * y)
    return mask * y + _free(mask) * (y - t) / log_s


@mistake("coupling_inverse", "The scale is still there: you took off the shift alone.")
def scale_kept(y, mask, net):
    _, t = net(mask * y)
    return mask * y + _free(mask) * (y - t)


@mistake("coupling_inverse", "The shift is still there: you took off the scale alone.")
def shift_kept(y, mask, net):
    log_s, _ = net(mask * y)
    return mask * y + _free(mask) * y * (-log_s).exp()


@mistake("coupling_inverse", "The coordinates that passed have become 0.")
def inverse_passing_part_lost(y, mask, net):
    log_s, t = net(mask * y)
    return _free(mask) * (y - t) * (-log_s).exp()


@mistake(
    "coupling_inverse",
    "The net is called more than once. One call with the whole batch gives both answers.",
)
def two_calls(y, mask, net):
    return mask * y + _free(mask) * (y - net(mask * y)[1]) * (-net(mask * y)[0]).exp()


@mistake("coupling_inverse", "You return two things. Here only x is asked for.")
def with_a_log_det(y, mask, net):
    log_s, t = net(mask * y)
    return mask * y + _free(mask) * (y - t) * (-log_s).exp(), -(_free(mask) * log_s).sum(-1)


@mistake(
    "coupling_inverse",
    "The values are right, but no gradient flows through the net. Do not detach.",
)
def inverse_detached(y, mask, net):
    with torch.no_grad():
        log_s, t = net(mask * y)
    return mask * y + _free(mask) * (y - t) * (-log_s).exp()


@mistake(
    "coupling_inverse", "You wrote into y. Whoever called you still needs it: build a new tensor."
)
def y_overwritten(y, mask, net):
    x = solved_entry_by_entry(y, mask, net)
    y.data.copy_(x.detach())
    return x


@variant("coupling_inverse")
def inverse_by_index(y, mask, net):
    log_s, t = (part.double() for part in net(y * mask))
    free = (mask == 0).nonzero().squeeze(-1)
    return y.double().index_copy(
        -1, free, (y.double()[:, free] - t[:, free]) / log_s[:, free].exp()
    )


@variant("coupling_inverse")
def inverse_with_where(y, mask, net):
    passes = mask.bool()
    log_s, t = net(torch.where(passes, y, torch.zeros_like(y)))
    return torch.where(passes, y, (y - t) / log_s.exp())


# --- chain --------------------------------------------------------------------------------------


@oracle("chain")
def one_point_at_a_time(x, layers):
    """Recursion over the layers; the log-dets are kept apart and added at the end."""
    if not layers:
        return x * 1.0, torch.zeros_like(x[:, 0])
    made, first = layers[0](x)
    z, rest = one_point_at_a_time(made, layers[1:])
    return z, torch.stack([first, rest]).sum(0)


@mistake("chain", "Only the last layer's log-det is left. Add up those of all layers.")
def last_log_det(x, layers):
    log_det = x.new_zeros(len(x))
    for layer in layers:
        x, log_det = layer(x)
    return x, log_det


@mistake("chain", "Each layer got the first x. It should get what the layer before it made.")
def always_the_first_x(x, layers):
    z, log_det = x, x.new_zeros(len(x))
    for layer in layers:
        z, step = layer(x)
        log_det = log_det + step
    return z, log_det


@mistake("chain", "The layers run in reverse order. Take them as they stand in the list.")
def reversed_order(x, layers):
    return one_point_at_a_time(x, list(reversed(layers)))


@mistake("chain", "You multiply the log-dets. Determinants multiply, so their logarithms add.")
def log_dets_multiplied(x, layers):
    log_det = x.new_ones(len(x)) if layers else x.new_zeros(len(x))
    for layer in layers:
        x, step = layer(x)
        log_det = log_det * step
    return x, log_det


@mistake("chain", "You average the log-dets over the layers. Their sum is asked for.")
def log_dets_averaged(x, layers):
    z, log_det = one_point_at_a_time(x, layers)
    return z, log_det / max(1, len(layers))


@mistake("chain", "The log-dets are subtracted. Here they add up; a minus comes in elsewhere.")
def log_dets_subtracted(x, layers):
    z, log_det = one_point_at_a_time(x, layers)
    return z, -log_det


@mistake("chain", "You sum over the batch as well. Each row keeps its own total.")
def summed_over_rows(x, layers):
    z, log_det = one_point_at_a_time(x, layers)
    return z, log_det.sum()


@mistake("chain", "The last layer never ran.")
def one_layer_short(x, layers):
    return one_point_at_a_time(x, layers[:-1])


@mistake("chain", "With no layers your sum is the number 0. B zeros are asked for, one a row.")
def zero_for_no_layers(x, layers):
    log_det = 0
    for layer in layers:
        x, step = layer(x)
        log_det = log_det + step
    return x, log_det


@mistake("chain", "It stops when the list is empty. Then z is x and log_det is B zeros.")
def no_answer_for_no_layers(x, layers):
    x, log_det = layers[0](x)
    for layer in layers[1:]:
        x, step = layer(x)
        log_det = log_det + step
    return x, log_det


@mistake("chain", "You added into a tensor that a layer had returned. Add without changing it.")
def added_in_place(x, layers):
    log_det = x.new_zeros(len(x))
    for k, layer in enumerate(layers):
        x, step = layer(x)
        if k == 0:
            log_det = step
        else:
            log_det += step
    return x, log_det


@mistake(
    "chain",
    "The values are right, but no gradient flows through log_det. Keep tensors, do not detach.",
)
def log_det_detached(x, layers):
    z, log_det = one_point_at_a_time(x, layers)
    return z, log_det.detach()


@mistake("chain", "Your log_det is always 0. Add up what the layers return.")
def log_dets_ignored(x, layers):
    z, log_det = one_point_at_a_time(x, layers)
    return z, torch.zeros_like(log_det)


@mistake(
    "chain", "You sum the stacked log-dets over the wrong axis: one number a row, not a layer."
)
def summed_over_the_rows(x, layers):
    steps = []
    for layer in layers:
        x, step = layer(x)
        steps.append(step)
    return x, torch.stack(steps).sum(-1) if steps else x.new_zeros(len(x))


@mistake("chain", "log_det starts with a number a coordinate. It has one number a row, shape (B,).")
def zeros_like_x(x, layers):
    log_det = torch.zeros_like(x)
    for layer in layers:
        x, step = layer(x)
        log_det = log_det + step[:, None]
    return x, log_det


@mistake("chain", "You return a list of log-dets. Add them up to one tensor, shape (B,).")
def all_log_dets(x, layers):
    steps = []
    for layer in layers:
        x, step = layer(x)
        steps.append(step)
    return x, steps


@mistake("chain", "You return z alone. The sum of the log-dets is asked for as well.")
def z_alone(x, layers):
    return one_point_at_a_time(x, layers)[0]


@variant("chain")
def stacked(x, layers):
    steps = [torch.zeros(len(x), dtype=torch.float64)]
    for layer in layers:
        x, step = layer(x)
        steps.append(step.double())
    return x, torch.stack(steps).sum(0)


@variant("chain")
def recursive(x, layers):
    if len(layers) == 0:
        return [x, x.new_zeros(len(x))]
    before, total = recursive(x, layers[:-1])
    z, step = layers[-1](before)
    return z, total + step


# --- flow_log_prob ------------------------------------------------------------------------------


@oracle("flow_log_prob")
def density_as_a_product(x, layers, base_log_prob):
    """The density itself is multiplied by each volume factor; its logarithm comes last."""
    factor = torch.ones(len(x), dtype=torch.float64)
    for layer in layers:
        x, step = layer(x)
        factor = factor * step.double().exp()
    return (base_log_prob(x).double().exp() * factor).log().float()


@mistake(
    "flow_log_prob",
    "You subtract log_det. These layers go from data to latent, so the minus of the formula turns round.",
)
def log_det_subtracted(x, layers, base_log_prob):
    z, log_det = one_point_at_a_time(x, layers)
    return base_log_prob(z) - log_det


@mistake("flow_log_prob", "The volume is not counted: log_det is missing.")
def log_det_missing(x, layers, base_log_prob):
    return base_log_prob(one_point_at_a_time(x, layers)[0]) + 0 * x.sum(-1)


@mistake("flow_log_prob", "You ask the base for the density of x. It knows the latent z only.")
def base_of_x(x, layers, base_log_prob):
    return base_log_prob(x) + one_point_at_a_time(x, layers)[1]


@mistake("flow_log_prob", "This is the negative log-likelihood. log p(x) itself is asked for.")
def negative(x, layers, base_log_prob):
    return -density_in_logs(x, layers, base_log_prob)


@mistake("flow_log_prob", "You average over the batch. One number for each row is asked for.")
def averaged(x, layers, base_log_prob):
    return density_in_logs(x, layers, base_log_prob).mean()


@mistake("flow_log_prob", "This is the density. Its logarithm is asked for.")
def density(x, layers, base_log_prob):
    return density_in_logs(x, layers, base_log_prob).exp()


@mistake("flow_log_prob", "You divide by D. The log-density of the whole point is asked for.")
def for_each_dimension(x, layers, base_log_prob):
    return density_in_logs(x, layers, base_log_prob) / x.shape[1] + 0.0 * x.sum(-1)


@mistake("flow_log_prob", "You sum over the batch. One number for each row is asked for.")
def summed_log_prob(x, layers, base_log_prob):
    return density_in_logs(x, layers, base_log_prob).sum()


@mistake("flow_log_prob", "The 2π of the Gaussian is missing. Use the base that is given.")
def base_by_hand(x, layers, base_log_prob):
    z, log_det = one_point_at_a_time(x, layers)
    return -0.5 * z.square().sum(-1) + log_det


@mistake("flow_log_prob", "These are bits. Nats are asked for: leave out the log 2.")
def log_prob_in_bits(x, layers, base_log_prob):
    return density_in_logs(x, layers, base_log_prob) / LN2


@mistake("flow_log_prob", "You return two things. Only the log-density is asked for.")
def latent_too(x, layers, base_log_prob):
    return one_point_at_a_time(x, layers)[0], density_in_logs(x, layers, base_log_prob)


@mistake("flow_log_prob", "No gradient flows at all: then nothing can learn. Drop no_grad.")
def without_gradient(x, layers, base_log_prob):
    return density_in_logs(x, layers, base_log_prob).detach()


@mistake("flow_log_prob", "Only the last layer's log-det is counted.")
def last_layer_only(x, layers, base_log_prob):
    z, log_det = last_log_det(x, layers)
    return base_log_prob(z) + log_det


@mistake("flow_log_prob", "The log-det of the whole batch is added to each row. Keep one a row.")
def log_det_of_the_batch(x, layers, base_log_prob):
    z, log_det = one_point_at_a_time(x, layers)
    return base_log_prob(z) + log_det.sum()


@mistake("flow_log_prob", "You multiply by log_det. In logarithms the two parts add.")
def multiplied(x, layers, base_log_prob):
    z, log_det = one_point_at_a_time(x, layers)
    return base_log_prob(z) * log_det


@mistake(
    "flow_log_prob",
    "You add the determinant itself. Its logarithm is already what the layers give.",
)
def determinant_added(x, layers, base_log_prob):
    z, log_det = one_point_at_a_time(x, layers)
    return base_log_prob(z) + log_det.exp()


@mistake("flow_log_prob", "The layers run in reverse. From data to latent they run as they stand.")
def from_the_other_end(x, layers, base_log_prob):
    return density_in_logs(x, list(reversed(layers)), base_log_prob)


@mistake(
    "flow_log_prob",
    "The values are right, but log_det was detached. Then the flow cannot learn its volume.",
)
def volume_detached(x, layers, base_log_prob):
    z, log_det = one_point_at_a_time(x, layers)
    return base_log_prob(z) + log_det.detach()


@variant("flow_log_prob")
def density_in_logs(x, layers, base_log_prob):
    z, log_det = one_point_at_a_time(x, layers)
    return base_log_prob(z) + log_det


@variant("flow_log_prob")
def step_by_step_in_float64(x, layers, base_log_prob):
    total = torch.zeros(x.shape[:1], dtype=torch.float64)
    for layer in layers:
        x, step = layer(x)
        total = total + step
    return total.add(base_log_prob(x))


# --- bits_per_dim -------------------------------------------------------------------------------


@oracle("bits_per_dim")
def in_powers_of_two(log_prob, dims, bins=256):
    """−log₂ of the probability of a cell of the grid, shared out to the dimensions."""
    return torch.stack([math.log2(bins) - lp * math.log2(math.e) / dims
                        for lp in log_prob.reshape(-1)]).reshape(log_prob.shape)  # fmt: skip


@mistake("bits_per_dim", "The sign of log_prob is wrong: what is likelier must cost fewer bits.")
def likely_costs_more(log_prob, dims, bins=256):
    return (log_prob / dims + math.log(bins)) / LN2


@mistake("bits_per_dim", "These are nats. Divide by log 2 at the end.")
def still_nats(log_prob, dims, bins=256):
    return -log_prob / dims + math.log(bins)


@mistake(
    "bits_per_dim",
    "The number of levels is not counted. The finer the grid, the more bits a cell costs.",
)
def bins_forgotten(log_prob, dims, bins=256):
    return -log_prob / dims / LN2


@mistake(
    "bits_per_dim",
    "You subtract log(bins). Adding it turns the density into a probability of a cell.",
)
def bins_subtracted(log_prob, dims, bins=256):
    return (-log_prob / dims - math.log(bins)) / LN2


@mistake(
    "bits_per_dim",
    "You divide log(bins) by the dimensions too. It is a cost of each dimension already.",
)
def bins_divided(log_prob, dims, bins=256):
    return (-log_prob + math.log(bins)) / dims / LN2


@mistake("bits_per_dim", "These are bits for the whole picture. Divide log_prob by the dimensions.")
def whole_picture(log_prob, dims, bins=256):
    return (-log_prob + math.log(bins)) / LN2


@mistake("bits_per_dim", "You turn log(bins) into bits and then divide by log 2 once more.")
def divided_twice(log_prob, dims, bins=256):
    return (-log_prob / dims + math.log2(bins)) / LN2


@mistake("bits_per_dim", "Only log(bins) is turned into bits. Divide both parts by log 2.")
def one_part_in_bits(log_prob, dims, bins=256):
    return -log_prob / dims + math.log(bins) / LN2


@mistake("bits_per_dim", "You multiply by log 2. Bits are nats divided by it.")
def multiplied_by_log_two(log_prob, dims, bins=256):
    return (-log_prob / dims + math.log(bins)) * LN2


@mistake("bits_per_dim", "Your number of levels is fixed at 256. Use the argument.")
def always_256(log_prob, dims, bins=256):
    return (-log_prob / dims + math.log(256)) / LN2


@mistake("bits_per_dim", "You add the number of levels itself. Its logarithm is needed.")
def bins_without_log(log_prob, dims, bins=256):
    return (-log_prob / dims + bins) / LN2


@mistake("bits_per_dim", "You average over the pictures. The shape of log_prob stays.")
def averaged_bits(log_prob, dims, bins=256):
    return ((-log_prob / dims + math.log(bins)) / LN2).mean()


@mistake("bits_per_dim", "The numbers are right, but no gradient flows. Do not detach log_prob.")
def bits_detached(log_prob, dims, bins=256):
    return (-log_prob.detach() / dims + math.log(bins)) / LN2


@mistake("bits_per_dim", "You changed log_prob in place. Make a new tensor.")
def bits_in_place(log_prob, dims, bins=256):
    bits = (-log_prob / dims + math.log(bins)) / LN2
    log_prob.data.div_(-dims)
    return bits


@variant("bits_per_dim")
def by_log_base_two(log_prob, dims, bins=256):
    return -log_prob.double() / (dims * LN2) + math.log2(bins)


@variant("bits_per_dim")
def with_tensors_throughout(log_prob, dims, bins=256):
    levels = torch.full_like(log_prob, float(bins)).log()
    return torch.sub(levels, log_prob, alpha=1 / dims) / torch.tensor(2.0).log()


_LAST = "rows are (B, D), so the axes -1 and 1 are the same"
SURVIVORS: dict[str, str] = {
    "affine_log_det: drop the sign of `-1`": _LAST,
    "coupling_forward: drop the sign of `-1`": _LAST,
}
"""Mutants that no check has to reject, because they do the same: name → reason."""
