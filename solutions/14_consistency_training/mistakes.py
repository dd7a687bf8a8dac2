"""What students write for the exercises of 14_consistency_training: wrong, or right and unusual."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Categorical

from genssl_utils.course.catalogue import mistake, oracle, variant

# --- kl_consistency -----------------------------------------------------------------------------


@oracle("kl_consistency")
def by_log_partition_functions(teacher_logits, student_logits):
    """KL = p · (t − s) − log Z(t) + log Z(s) for logits t and s."""
    t, s = teacher_logits.detach().double(), student_logits.double()
    return ((t.softmax(1) * (t - s)).sum(1) - t.logsumexp(1) + s.logsumexp(1)).mean()


@mistake("kl_consistency", "This is KL(student ‖ teacher). The teacher's probabilities weigh.")
def reversed_kl(teacher_logits, student_logits):
    log_p, log_q = teacher_logits.detach().log_softmax(1), student_logits.log_softmax(1)
    return (log_q.exp() * (log_q - log_p)).sum(1).mean()


@mistake("kl_consistency", "A gradient flows into the teacher. Its logits are a constant: detach.")
def teacher_learns_too(teacher_logits, student_logits):
    log_p, log_q = teacher_logits.log_softmax(1), student_logits.log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).sum(1).mean()


@mistake("kl_consistency", "You detached the student, so nothing can learn. Detach the teacher.")
def student_detached(teacher_logits, student_logits):
    log_p, log_q = teacher_logits.log_softmax(1), student_logits.detach().log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).sum(1).mean()


@mistake("kl_consistency", "You average over the classes too. Sum over K, then average over B.")
def mean_of_all(teacher_logits, student_logits):
    log_p, log_q = teacher_logits.detach().log_softmax(1), student_logits.log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).mean()


@mistake("kl_consistency", "You sum over the batch. Take the mean, or the step grows with B.")
def sum_of_all(teacher_logits, student_logits):
    log_p, log_q = teacher_logits.detach().log_softmax(1), student_logits.log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).sum()


@mistake("kl_consistency", "The sign is wrong: minimising this drives the student away.")
def minus_kl(teacher_logits, student_logits):
    log_p, log_q = teacher_logits.detach().log_softmax(1), student_logits.log_softmax(1)
    return (log_p.exp() * (log_q - log_p)).sum(1).mean()


@mistake(
    "kl_consistency",
    "This is the cross-entropy. The KL is 0 for equal logits: the teacher's log is missing.",
)
def cross_entropy(teacher_logits, student_logits):
    return -(teacher_logits.detach().softmax(1) * student_logits.log_softmax(1)).sum(1).mean()


@mistake("kl_consistency", "The log of a softmax that rounds to 0 is infinite. Take log_softmax.")
def log_of_softmax(teacher_logits, student_logits):
    p, q = teacher_logits.detach().softmax(1), student_logits.softmax(1)
    return (p * (p.log() - q.log())).sum(1).mean()


@mistake("kl_consistency", "A small constant inside the log keeps it finite, and wrong.")
def log_with_epsilon(teacher_logits, student_logits):
    p, q = teacher_logits.detach().softmax(1), student_logits.softmax(1)
    return (p * ((p + 1e-8).log() - (q + 1e-8).log())).sum(1).mean()


@mistake("kl_consistency", "The softmax runs over the batch. It should run over the K classes.")
def softmax_over_batch(teacher_logits, student_logits):
    log_p, log_q = teacher_logits.detach().log_softmax(0), student_logits.log_softmax(0)
    return (log_p.exp() * (log_p - log_q)).sum(1).mean()


@mistake("kl_consistency", "You return one number an example. Average them to a scalar.")
def kl_not_reduced(teacher_logits, student_logits):
    log_p, log_q = teacher_logits.detach().log_softmax(1), student_logits.log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).sum(1)


@mistake("kl_consistency", "You subtract logits, not log-probabilities: normalise both first.")
def raw_logits(teacher_logits, student_logits):
    teacher = teacher_logits.detach()
    return (teacher.softmax(1) * (teacher - student_logits)).sum(1).mean()


@mistake("kl_consistency", "kl_div wants the student's log-probabilities first, not probabilities.")
def kl_div_of_probabilities(teacher_logits, student_logits):
    p, q = teacher_logits.detach().softmax(1), student_logits.softmax(1)
    return F.kl_div(q, p, reduction="batchmean")


@mistake("kl_consistency", "This is the squared distance of the probabilities. Take the KL.")
def squared_distance(teacher_logits, student_logits):
    return F.mse_loss(student_logits.softmax(1), teacher_logits.detach().softmax(1))


@mistake(
    "kl_consistency", "You return a Python number, which carries no gradient. Keep the tensor."
)
def plain_number(teacher_logits, student_logits):
    log_p, log_q = teacher_logits.detach().log_softmax(1), student_logits.log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).sum(1).mean().item()


@variant("kl_consistency")
def by_kl_div(teacher_logits, student_logits):
    log_p = teacher_logits.detach().log_softmax(-1)
    return F.kl_div(student_logits.log_softmax(-1), log_p, reduction="batchmean", log_target=True)


@variant("kl_consistency")
def row_by_row_in_float64(teacher_logits, student_logits):
    total = 0
    for t, s in zip(teacher_logits.detach().double(), student_logits.double(), strict=True):
        log_p, log_q = t - t.logsumexp(0), s - s.logsumexp(0)
        total = total + sum(a.exp() * (a - b) for a, b in zip(log_p, log_q, strict=True))
    return total / len(teacher_logits)


@variant("kl_consistency")
def with_no_grad(teacher_logits, student_logits):
    with torch.no_grad():
        log_p = F.log_softmax(teacher_logits, dim=-1)
    return torch.einsum("bk,bk->", log_p.exp(), log_p - student_logits.log_softmax(-1)) / len(log_p)


# --- sharpen ------------------------------------------------------------------------------------


@oracle("sharpen")
def in_plain_numbers(p, temperature):
    """Powers of each entry over the row's largest, in Python's own numbers."""
    rows = []
    for row in p.tolist():
        powered = [(x / max(row)) ** (1 / temperature) for x in row]
        rows.append([x / sum(powered) for x in powered])
    return torch.tensor(rows)


@mistake("sharpen", "The power is 1 / T, not T: a small temperature must sharpen.")
def power_t(p, temperature):
    return (p.log() * temperature).softmax(1)


@mistake("sharpen", "The rows do not sum to 1. Divide each by its sum.")
def not_normalised(p, temperature):
    return p ** (1 / temperature)


@mistake("sharpen", "This is a softmax of p / T. p holds probabilities, and 0 must stay 0.")
def softmax_of_p(p, temperature):
    return (p / temperature).softmax(1)


@mistake("sharpen", "The powers underflow at a small T, and 0 / 0 follows. Work with logarithms.")
def underflow(p, temperature):
    powered = p ** (1 / temperature)
    return powered / powered.sum(1, keepdim=True)


@mistake("sharpen", "You normalise the columns. Each row is one example and must sum to 1.")
def normalised_over_batch(p, temperature):
    return (p.log() / temperature).softmax(0)


@mistake("sharpen", "You divide by the sum over everything. Each row has its own sum.")
def one_sum_for_all(p, temperature):
    powered = (p.log() / temperature).exp()
    return powered / powered.sum()


@mistake("sharpen", "This is one-hot at every temperature. It should be so only as T goes to 0.")
def always_one_hot(p, temperature):
    return F.one_hot(p.argmax(1), p.shape[1]).to(p)


@mistake("sharpen", "You return log-probabilities. The rows should sum to 1.")
def log_rows(p, temperature):
    return (p.log() / temperature).log_softmax(1)


@mistake("sharpen", "You changed p in place. The step still needs it: make a new tensor.")
def sharpened_in_place(p, temperature):
    return p.copy_((p.log() / temperature).softmax(1))


@mistake("sharpen", "The temperature is not used.")
def temperature_forgotten(p, temperature):
    return p / p.sum(1, keepdim=True)


@mistake("sharpen", "The rows have length 1, not sum 1. Divide by the sum, not by the norm.")
def scaled_by_norm(p, temperature):
    return F.normalize(p ** (1 / temperature), dim=1)


@mistake("sharpen", "You lift small entries before the logarithm, so a 0 does not stay 0.")
def zeros_clamped(p, temperature):
    return (p.clamp(min=1e-6).log() / temperature).softmax(1)


@mistake("sharpen", "You add a constant before the logarithm, so a 0 does not stay 0.")
def zeros_lifted(p, temperature):
    return ((p + 1e-8).log() / temperature).softmax(1)


@variant("sharpen")
def over_the_largest(p, temperature):
    powered = (p / p.amax(-1, keepdim=True)) ** (1 / temperature)
    return powered / powered.sum(-1, keepdim=True)


@variant("sharpen")
def by_logsumexp_in_float64(p, temperature):
    scaled = p.double().log() / temperature
    return torch.stack([(row - row.logsumexp(0)).exp() for row in scaled])


# --- pseudo_label_loss --------------------------------------------------------------------------


@oracle("pseudo_label_loss")
def example_by_example(weak_logits, strong_logits, threshold):
    """One example after the other, with `Categorical`."""
    terms, mask = [], []
    for weak, strong in zip(weak_logits.detach(), strong_logits, strict=True):
        p = Categorical(logits=weak).probs.tolist()
        sure = max(p) >= threshold
        mask.append(sure)
        label = torch.tensor(p.index(max(p)))
        terms.append(float(sure) * -Categorical(logits=strong).log_prob(label))
    return sum(terms) / len(terms), torch.tensor(mask)


def _parts(weak_logits, strong_logits, threshold):
    confidence, label = weak_logits.detach().softmax(1).max(1)
    mask = (confidence >= threshold).float()
    return mask, label, F.cross_entropy(strong_logits, label, reduction="none")


@mistake("pseudo_label_loss", "You average over those that pass. The mean is over the whole batch.")
def mean_of_passing(weak_logits, strong_logits, threshold):
    mask, _, loss = _parts(weak_logits, strong_logits, threshold)
    return (mask * loss).sum() / mask.sum(), mask


@mistake("pseudo_label_loss", "The mask is not used in the loss: unsure labels count too.")
def mask_forgotten(weak_logits, strong_logits, threshold):
    mask, _, loss = _parts(weak_logits, strong_logits, threshold)
    return loss.mean(), mask


@mistake("pseudo_label_loss", "You compare logits with the threshold. Take probabilities.")
def threshold_on_logits(weak_logits, strong_logits, threshold):
    best, label = weak_logits.detach().max(1)
    mask = (best >= threshold).float()
    return (mask * F.cross_entropy(strong_logits, label, reduction="none")).mean(), mask


@mistake("pseudo_label_loss", "The strong view decides what counts here. That is the weak view's.")
def mask_from_strong(weak_logits, strong_logits, threshold):
    _, _, loss = _parts(weak_logits, strong_logits, threshold)
    mask = (strong_logits.detach().softmax(1).amax(1) >= threshold).float()
    return (mask * loss).mean(), mask


@mistake("pseudo_label_loss", "The label comes from the strong view. Take the weak view's.")
def label_from_strong(weak_logits, strong_logits, threshold):
    mask, _, _ = _parts(weak_logits, strong_logits, threshold)
    loss = F.cross_entropy(strong_logits, strong_logits.argmax(1), reduction="none")
    return (mask * loss).mean(), mask


@mistake("pseudo_label_loss", "Your target is soft. The label is the largest class alone.")
def soft_target(weak_logits, strong_logits, threshold):
    mask, _, _ = _parts(weak_logits, strong_logits, threshold)
    p = weak_logits.detach().softmax(1)
    loss = F.cross_entropy(strong_logits, p, reduction="none")
    return (mask * loss).mean(), mask


@mistake("pseudo_label_loss", "A probability that equals the threshold must count.")
def strictly_above(weak_logits, strong_logits, threshold):
    confidence, label = weak_logits.detach().softmax(1).max(1)
    mask = (confidence > threshold).float()
    return (mask * F.cross_entropy(strong_logits, label, reduction="none")).mean(), mask


@mistake("pseudo_label_loss", "The mask is upside down: it keeps the unsure labels.")
def mask_inverted(weak_logits, strong_logits, threshold):
    mask, _, loss = _parts(weak_logits, strong_logits, threshold)
    return ((1 - mask) * loss).mean(), 1 - mask


@mistake("pseudo_label_loss", "You sum over the batch. Take the mean.")
def summed(weak_logits, strong_logits, threshold):
    mask, _, loss = _parts(weak_logits, strong_logits, threshold)
    return (mask * loss).sum(), mask


@mistake("pseudo_label_loss", "You weigh by the probability. The mask is 0 or 1, and a constant.")
def weighted_by_confidence(weak_logits, strong_logits, threshold):
    mask, label, loss = _parts(weak_logits, strong_logits, threshold)
    confidence = weak_logits.softmax(1).gather(1, label[:, None])[:, 0]
    return (mask * confidence * loss).mean(), mask


@mistake("pseudo_label_loss", "Views swapped: the loss belongs to the strong view.")
def views_swapped(weak_logits, strong_logits, threshold):
    mask, label, _ = _parts(weak_logits, strong_logits, threshold)
    return (mask * F.cross_entropy(weak_logits, label, reduction="none")).mean(), mask


@mistake("pseudo_label_loss", "Return both, the loss and the mask.")
def loss_alone(weak_logits, strong_logits, threshold):
    mask, _, loss = _parts(weak_logits, strong_logits, threshold)
    return (mask * loss).mean()


@mistake("pseudo_label_loss", "The order is loss, then mask.")
def mask_first(weak_logits, strong_logits, threshold):
    mask, _, loss = _parts(weak_logits, strong_logits, threshold)
    return mask, (mask * loss).mean()


@mistake("pseudo_label_loss", "The loss is averaged before the mask. Keep one loss an example.")
def averaged_before_the_mask(weak_logits, strong_logits, threshold):
    mask, label, _ = _parts(weak_logits, strong_logits, threshold)
    return (F.cross_entropy(strong_logits, label) * mask).mean(), mask


@mistake("pseudo_label_loss", "cross_entropy takes logits: you put a softmax before it.")
def softmax_twice(weak_logits, strong_logits, threshold):
    mask, label, _ = _parts(weak_logits, strong_logits, threshold)
    loss = F.cross_entropy(strong_logits.softmax(1), label, reduction="none")
    return (mask * loss).mean(), mask


@mistake("pseudo_label_loss", "The softmax runs over the batch. It should run over the K classes.")
def weak_softmax_over_batch(weak_logits, strong_logits, threshold):
    confidence, label = weak_logits.detach().softmax(0).max(1)
    mask = (confidence >= threshold).float()
    return (mask * F.cross_entropy(strong_logits, label, reduction="none")).mean(), mask


@mistake("pseudo_label_loss", "You return the confidence. The mask says 0 or 1.")
def confidence_for_the_mask(weak_logits, strong_logits, threshold):
    mask, _, loss = _parts(weak_logits, strong_logits, threshold)
    return (mask * loss).mean(), weak_logits.detach().softmax(1).amax(1)


@variant("pseudo_label_loss")
def a_loop_with_integers(weak_logits, strong_logits, threshold):
    with torch.no_grad():
        p = weak_logits.double().softmax(-1)
    total, mask = strong_logits.double().sum() * 0, []
    for guess, strong in zip(p, strong_logits.double(), strict=True):
        mask.append(int(guess.max() >= threshold))
        total = total + mask[-1] * (strong.logsumexp(0) - strong[guess.argmax()])
    return total / len(mask), torch.tensor(mask)


@variant("pseudo_label_loss")
def by_selection(weak_logits, strong_logits, threshold):
    p = torch.softmax(weak_logits.detach(), dim=-1)
    mask = p.amax(-1).ge(threshold)
    chosen = F.cross_entropy(strong_logits[mask], p.argmax(-1)[mask], reduction="sum")
    return [chosen / mask.numel(), mask]


# --- ema_update ---------------------------------------------------------------------------------


@oracle("ema_update")
def by_lerp(teacher, student, decay):
    return {
        k: torch.lerp(v.detach(), teacher[k], decay) if v.is_floating_point() else v + 0
        for k, v in student.items()
    }


@mistake("ema_update", "The decay is on the wrong side: α is the share of the teacher that stays.")
def decay_swapped(teacher, student, decay):
    new = {}
    for k, v in student.items():
        mean = (1 - decay) * teacher[k] + decay * v if v.is_floating_point() else v
        new[k] = mean.detach().clone()
    return new


@mistake("ema_update", "You changed the teacher in place. Return a new dict of new tensors.")
def teacher_in_place(teacher, student, decay):
    with torch.no_grad():
        for k, v in student.items():
            if v.is_floating_point():
                teacher[k].mul_(decay).add_(v, alpha=1 - decay)
            else:
                teacher[k].copy_(v)
    return dict(teacher)


@mistake("ema_update", "A counter is averaged too. What is not floating point is copied.")
def counters_averaged(teacher, student, decay):
    return {k: (decay * teacher[k] + (1 - decay) * v).detach() for k, v in student.items()}


@mistake("ema_update", "The counters are the teacher's. Copy the student's.")
def teachers_counters(teacher, student, decay):
    new = {}
    for k, v in student.items():
        mean = decay * teacher[k] + (1 - decay) * v if v.is_floating_point() else teacher[k]
        new[k] = mean.detach().clone()
    return new


@mistake("ema_update", "The counters are missing: every name of the student's must come back.")
def counters_dropped(teacher, student, decay):
    return {
        k: (decay * teacher[k] + (1 - decay) * v).detach()
        for k, v in student.items()
        if v.is_floating_point()
    }


@mistake("ema_update", "A gradient hangs on the new weights. Detach them, or the graph grows.")
def gradient_kept(teacher, student, decay):
    new = {}
    for k, v in student.items():
        new[k] = decay * teacher[k] + (1 - decay) * v if v.is_floating_point() else v.clone()
    return new


@mistake("ema_update", "The counters in your dict are the student's own tensors. Clone them.")
def memory_shared(teacher, student, decay):
    new = {}
    for k, v in student.items():
        new[k] = decay * teacher[k] + (1 - decay) * v.detach() if v.is_floating_point() else v
    return new


@mistake("ema_update", "The shares do not add up to 1: the student weighs 1 − α.")
def student_whole(teacher, student, decay):
    new = {}
    for k, v in student.items():
        new[k] = (decay * teacher[k] + v if v.is_floating_point() else v).detach().clone()
    return new


@mistake("ema_update", "You return the student's weights. The teacher's past must stay in them.")
def only_student(teacher, student, decay):
    return {k: v.detach().clone() for k, v in student.items()}


@mistake("ema_update", "You put new tensors into the teacher's own dict. Return a new dict.")
def teacher_s_dict_refilled(teacher, student, decay):
    for k, v in student.items():
        teacher[k] = (decay * teacher[k] + (1 - decay) * v).to(v.dtype).detach()
    return teacher


@variant("ema_update")
def teacher_plus_step(teacher, student, decay):
    new = {k: v.detach().clone() for k, v in teacher.items()}
    with torch.no_grad():
        for k in new:
            if torch.is_floating_point(new[k]):
                new[k] += (1 - decay) * (student[k] - new[k])
            else:
                new[k] = student[k].clone()
    return new


@variant("ema_update")
@torch.no_grad()
def in_float64(teacher, student, decay):
    def next_value(a: Tensor, b: Tensor) -> Tensor:
        if a.dtype in (torch.int64, torch.bool):
            return b * 1 if a.dtype == torch.int64 else b.logical_and(b)
        return (a.double() * decay + b.double() * (1 - decay)).to(a.dtype)

    return {k: next_value(teacher[k], student[k]) for k in sorted(teacher)}


# --- ramp_up ------------------------------------------------------------------------------------


def _t(step, length):
    return min(max(step / length, 0), 1)


@oracle("ramp_up")
def by_torch(step, length):
    t = torch.tensor(step / length if length else 1.0, dtype=torch.float64).clamp(0, 1)
    return torch.exp(-5 * (t - 1).square())


@mistake("ramp_up", "This is a straight line. The ramp is exp(−5 (1 − t)²).")
def straight(step, length):
    return _t(step, length) if length else 1.0


@mistake("ramp_up", "The square is missing: 1 − t is squared before it meets −5.")
def square_forgotten(step, length):
    return math.exp(-5 * (1 - _t(step, length))) if length else 1.0


@mistake("ramp_up", "It rises above 1: the exponent needs its minus sign.")
def sign_lost(step, length):
    return math.exp(5 * (1 - _t(step, length)) ** 2) if length else 1.0


@mistake("ramp_up", "It goes down: t and 1 − t are swapped.")
def ramp_down(step, length):
    return math.exp(-5 * _t(step, length) ** 2) if length else 1.0


@mistake("ramp_up", "After the ramp it falls again. Clip t at 1.")
def not_clipped_above(step, length):
    return math.exp(-5 * (1 - max(step / length, 0)) ** 2) if length else 1.0


@mistake("ramp_up", "Before step 0 it is too small. Clip t at 0 too.")
def not_clipped_below(step, length):
    return math.exp(-5 * (1 - min(step / length, 1)) ** 2) if length else 1.0


@mistake("ramp_up", "t is not clipped at all: from 0 to 1, on both sides.")
def never_clipped(step, length):
    return math.exp(-5 * (1 - step / length) ** 2) if length else 1.0


@mistake("ramp_up", "A ramp of length 0 divides by zero. Return 1 there, before you divide.")
def divides_by_zero(step, length):
    return math.exp(-5 * (1 - _t(step, length)) ** 2)


@mistake("ramp_up", "Without a ramp everything counts from the start: 1, not 0.")
def zero_without_ramp(step, length):
    return math.exp(-5 * (1 - _t(step, length)) ** 2) if length else 0.0


@mistake("ramp_up", "−5 is inside the square, where its sign is lost. Square 1 − t alone.")
def five_squared(step, length):
    return math.exp(-((5 * (1 - _t(step, length))) ** 2)) if length else 1.0


@mistake("ramp_up", "The whole exponential is squared. Square 1 − t alone.")
def exponential_squared(step, length):
    return math.exp(-5 * (1 - _t(step, length))) ** 2 if length else 1.0


@mistake("ramp_up", "step // length drops the fraction, so t jumps from 0 to 1. Use /.")
def whole_division(step, length):
    return math.exp(-5 * (1 - min(max(step // length, 0), 1)) ** 2) if length else 1.0


@mistake("ramp_up", "A tiny number added to length 0 makes t 0 at step 0. Return 1 there.")
def length_made_positive(step, length):
    return math.exp(-5 * (1 - _t(step, length + 1e-8)) ** 2)


@variant("ramp_up")
def as_a_tensor(step, length):
    return torch.tensor(math.exp(-5 * (1 - _t(step, length)) ** 2) if length else 1.0)


@variant("ramp_up")
def by_cases(step, length):
    if step >= length:
        return 1
    return math.e ** (-5 * (1 - step / length) ** 2) if step > 0 else math.exp(-5)


# --- vat_direction ------------------------------------------------------------------------------


def _unit(d: Tensor) -> Tensor:
    return F.normalize(d.flatten(1)).view_as(d)


def _slope(f, x, d, xi, p):
    d = d.detach().requires_grad_()
    loss = -(p * f(x + xi * d).log_softmax(1)).sum()
    return torch.autograd.grad(loss, d)[0]


def _noise(x: Tensor, generator) -> Tensor:
    return torch.randn(x.shape, generator=generator, dtype=x.dtype)


def _iterate(f, x, xi, n_iter, d, scale=_unit):
    p = f(x).softmax(1).detach()
    for _ in range(n_iter):
        d = scale(_slope(f, x, d, xi, p))
    return d.detach()


@oracle("vat_direction")
def by_the_fisher_matrix(f, x, xi, n_iter, generator):
    """Power iteration with the matrix itself: Jᵀ (diag p − p pᵀ) J, one example at a time."""
    d = _noise(x, generator).double()
    d = d / d.norm(dim=1, keepdim=True)
    for i, row in enumerate(x.detach()):
        slope = torch.autograd.functional.jacobian(lambda v: f(v[None])[0], row).double()
        p = f(row[None])[0].softmax(0).detach().double()
        fisher = slope.t() @ (torch.diag(p) - torch.outer(p, p)) @ slope
        for _ in range(n_iter):
            if (fisher @ d[i]).norm() > 0:
                d[i] = fisher @ d[i] / (fisher @ d[i]).norm()
    return d


@mistake("vat_direction", "You return the noise: no iteration changes it.")
def noise_alone(f, x, xi, n_iter, generator):
    return _unit(_noise(x, generator))


@mistake("vat_direction", "The length is not 1 at the end. Scale after every gradient.")
def never_scaled(f, x, xi, n_iter, generator):
    return _iterate(f, x, xi, n_iter, _unit(_noise(x, generator)), scale=lambda d: d)


@mistake("vat_direction", "You scale the whole batch to one unit. Each example has its own length.")
def scaled_as_one(f, x, xi, n_iter, generator):
    return _iterate(f, x, xi, n_iter, _unit(_noise(x, generator)), lambda d: d / (d.norm() + 1e-12))


@mistake("vat_direction", "At d = 0 the KL has its minimum and no slope. Start from noise.")
def starts_at_zero(f, x, xi, n_iter, generator):
    return _iterate(f, x, xi, n_iter, torch.zeros_like(x))


@mistake("vat_direction", "ξ is not used: you step by d itself, far beyond the local curvature.")
def xi_forgotten(f, x, xi, n_iter, generator):
    return _iterate(f, x, 1.0, n_iter, _unit(_noise(x, generator)))


@mistake("vat_direction", "One iteration is done, whatever n_iter says.")
def one_iteration(f, x, xi, n_iter, generator):
    return _iterate(f, x, xi, min(n_iter, 1), _unit(_noise(x, generator)))


@mistake("vat_direction", "Uniform noise from 0 to 1 points into one corner. Use normal noise.")
def uniform_noise(f, x, xi, n_iter, generator):
    return _iterate(f, x, xi, n_iter, _unit(torch.rand(x.shape, generator=generator)))


@mistake("vat_direction", "The start is not scaled to unit length.")
def start_not_scaled(f, x, xi, n_iter, generator):
    return _iterate(f, x, xi, n_iter, _noise(x, generator))


@mistake("vat_direction", "The generator is not used. Pass it to the function that draws.")
def generator_ignored(f, x, xi, n_iter, generator):
    return _iterate(f, x, xi, n_iter, _unit(_noise(x, None)))


@mistake("vat_direction", "backward() filled the weights' .grad. Use torch.autograd.grad.")
def fills_the_gradients(f, x, xi, n_iter, generator):
    p, d = f(x).softmax(1).detach(), _unit(_noise(x, generator))
    for _ in range(n_iter):
        d = d.detach().requires_grad_()
        (-(p * f(x + xi * d).log_softmax(1)).sum() + 0 * d.sum()).backward()
        d = _unit(d.grad)
    return d.detach()


@mistake("vat_direction", "The direction still carries a gradient. Return it detached.")
def still_on_the_graph(f, x, xi, n_iter, generator):
    p, d = f(x).softmax(1), _unit(_noise(x, generator))
    for _ in range(n_iter):
        d = d.requires_grad_() if d.is_leaf else d
        loss = -(p.detach() * f(x + xi * d).log_softmax(1)).sum()
        d = _unit(torch.autograd.grad(loss, d, create_graph=True)[0])
    return d


@mistake("vat_direction", "Where f is flat you divide 0 by 0. Keep the length off 0.")
def not_finite_where_flat(f, x, xi, n_iter, generator):
    def divide(d: Tensor) -> Tensor:
        return d / d.flatten(1).norm(dim=1).view(-1, *[1] * (d.ndim - 1))

    return _iterate(f, x, xi, n_iter, divide(_noise(x, generator)), divide)


@mistake("vat_direction", "You return the step ξ d. The direction itself is asked for.")
def returns_the_step(f, x, xi, n_iter, generator):
    return xi * _iterate(f, x, xi, n_iter, _unit(_noise(x, generator)))


@mistake(
    "vat_direction",
    "A constant added to the length swamps a small gradient. Take the larger of the two.",
)
def constant_in_the_length(f, x, xi, n_iter, generator):
    def divide(d: Tensor) -> Tensor:
        return d / (d.flatten(1).norm(dim=1).view(-1, *[1] * (d.ndim - 1)) + 1e-8)

    return _iterate(f, x, xi, n_iter, _unit(_noise(x, generator)), divide)


@mistake("vat_direction", "You add the gradient to d. The gradient itself is the next direction.")
def gradient_added(f, x, xi, n_iter, generator):
    p, d = f(x).softmax(1).detach(), _unit(_noise(x, generator))
    for _ in range(n_iter):
        d = _unit(d + _slope(f, x, d, xi, p))
    return d.detach()


@mistake("vat_direction", "You keep the signs of the gradient alone. Keep its entries, and scale.")
def sign_of_the_gradient(f, x, xi, n_iter, generator):
    return _iterate(f, x, xi, n_iter, _unit(_noise(x, generator)), lambda d: _unit(d.sign()))


@variant("vat_direction")
def by_kl_div_with_gradient_in_both(f, x, xi, n_iter, generator):
    d = torch.randn(x.shape, generator=generator).to(x)
    log_p = f(x).log_softmax(-1)
    for i in range(n_iter + 1):
        length = d.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, *[1] * (x.ndim - 1))
        d = (d / length).detach()
        if i == n_iter:
            return d
        d.requires_grad_()
        kl = F.kl_div(f(x + xi * d).log_softmax(-1), log_p, reduction="batchmean", log_target=True)
        (d,) = torch.autograd.grad(kl, d)


@variant("vat_direction")
def one_example_at_a_time(f, x, xi, n_iter, generator):
    noise = torch.empty(x.shape, dtype=x.dtype).normal_(generator=generator)
    found = []
    for row, d in zip(x.split(1), noise.split(1), strict=True):
        p = f(row).detach().softmax(1)
        d = d / d.norm()
        for _ in range(n_iter):
            slope = _slope(f, row, d, xi, p)
            d = slope / slope.norm() if slope.norm() > 0 else d
        found.append(d)
    return torch.cat(found)


# --- mixup --------------------------------------------------------------------------------------


@oracle("mixup")
def element_by_element(x1, y1, x2, y2, lam):
    big, small = sorted((lam, 1 - lam), reverse=True)

    def mix(a: list, b: list):
        if isinstance(a, list):
            return [mix(p, q) for p, q in zip(a, b, strict=True)]
        return big * a + small * b

    return torch.tensor(mix(x1.tolist(), x2.tolist())), torch.tensor(mix(y1.tolist(), y2.tolist()))


def _mix(a: Tensor, b: Tensor, share: float) -> Tensor:
    return share * a + (1 - share) * b


@mistake("mixup", "λ can fall below one half here, and then the second part wins.")
def lambda_as_it_is(x1, y1, x2, y2, lam):
    return _mix(x1, x2, lam), _mix(y1, y2, lam)


@mistake("mixup", "You took the smaller share. The first part must weigh at least one half.")
def smaller_share(x1, y1, x2, y2, lam):
    return _mix(x1, x2, min(lam, 1 - lam)), _mix(y1, y2, min(lam, 1 - lam))


@mistake("mixup", "The labels are not mixed. They need the same shares as the inputs.")
def labels_not_mixed(x1, y1, x2, y2, lam):
    return _mix(x1, x2, max(lam, 1 - lam)), y1 * 1.0


@mistake("mixup", "Inputs and labels are mixed with different shares.")
def labels_with_raw_lambda(x1, y1, x2, y2, lam):
    return _mix(x1, x2, max(lam, 1 - lam)), _mix(y1, y2, lam)


@mistake("mixup", "The labels have their two shares swapped.")
def labels_swapped(x1, y1, x2, y2, lam):
    return _mix(x1, x2, max(lam, 1 - lam)), _mix(y2, y1, max(lam, 1 - lam))


@mistake("mixup", "The second part weighs 1 − λ′. You take it whole, or with another share.")
def second_part_whole(x1, y1, x2, y2, lam):
    share = max(lam, 1 - lam)
    return share * x1 + x2, share * y1 + y2


@mistake("mixup", "You changed an input in place. Make new tensors.")
def mixed_in_place(x1, y1, x2, y2, lam):
    share = max(lam, 1 - lam)
    return x1.mul_(share).add_(x2, alpha=1 - share), y1.mul_(share).add_(y2, alpha=1 - share)


@mistake("mixup", "The mixed label became hard. Keep the mixture.")
def hard_labels(x1, y1, x2, y2, lam):
    share = max(lam, 1 - lam)
    mixed = _mix(y1, y2, share)
    return _mix(x1, x2, share), F.one_hot(mixed.argmax(1), y1.shape[1]).to(y1)


@mistake("mixup", "Return both, the mixed inputs and the mixed labels.")
def inputs_alone(x1, y1, x2, y2, lam):
    return _mix(x1, x2, max(lam, 1 - lam))


@mistake("mixup", "You mix inputs with labels. The order is x1, y1, x2, y2.")
def arguments_mixed_up(x1, y1, x2, y2, lam):
    return _mix(x1, y1, max(lam, 1 - lam)), _mix(x2, y2, max(lam, 1 - lam))


@variant("mixup")
def by_lerp_in_float64(x1, y1, x2, y2, lam):
    share = 0.5 + abs(lam - 0.5)
    return torch.lerp(x2.double(), x1.double(), share), torch.lerp(y2.double(), y1.double(), share)


@variant("mixup")
def swap_when_below(x1, y1, x2, y2, lam):
    if lam < 0.5:
        lam = 1.0 - lam
    return [x2 + lam * (x1 - x2), torch.stack([q + lam * (p - q) for p, q in zip(y1, y2)])]


_NOISE = "torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)"
_LOSS = "(p * f(x + xi * d).log_softmax(1)).sum()"
SURVIVORS: dict[str, str] = {
    f"vat_direction: drop dtype= of `{_NOISE}`": "float32 noise gives the same directions",
    f"vat_direction: drop device= of `{_NOISE}`": "on the CPU, where checks run, it changes nothing",
    f"vat_direction: drop the sign of `-{_LOSS}`": "d and −d are the same direction of curvature",
    f"vat_direction: sum becomes mean in `{_LOSS}`": "the slope is scaled to unit length anyway",
    "vat_direction: swap operator in `x + xi * d`": "the KL is even in d for a small step",
}
"""Mutants that no check has to reject, because they do the same: name → reason."""
