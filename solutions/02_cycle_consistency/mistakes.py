"""What students write for the exercises of 02_cycle_consistency: wrong, or right and unusual."""

import random

import torch
from torch.nn import functional as F

from genssl_utils.course.catalogue import mistake, oracle, variant

# --- cycle_loss ---------------------------------------------------------------------------------


@oracle("cycle_loss")
def by_l1_loss(x, f, g):
    return F.l1_loss(g(f(x)), x)


@mistake(
    "cycle_loss", "You go there and not back: f(x) has nothing to do with x. Send it home by g."
)
def there_alone(x, f, g):
    return (f(x) - x).abs().mean()


@mistake("cycle_loss", "You go back first. x belongs to X, so f comes first.")
def wrong_order(x, f, g):
    return (f(g(x)) - x).abs().mean()


@mistake("cycle_loss", "You compare the two journeys. The round trip is compared with x itself.")
def compares_there_with_back(x, f, g):
    there = f(x)
    return (g(there) - there).abs().mean()


@mistake("cycle_loss", "You square the differences. The paper takes their absolute values.")
def squared(x, f, g):
    return ((g(f(x)) - x) ** 2).mean()


@mistake("cycle_loss", "You add up. A mean over all numbers does not grow with the batch.")
def added_up(x, f, g):
    return (g(f(x)) - x).abs().sum()


@mistake("cycle_loss", "You add up in each example and take the mean over these alone.")
def summed_inside(x, f, g):
    return (g(f(x)) - x).abs().flatten(1).sum(1).mean()


@mistake("cycle_loss", "No gradient reaches f: something cuts it off between the two maps.")
def first_map_cut_off(x, f, g):
    return (g(f(x).detach()) - x).abs().mean()


@mistake("cycle_loss", "Without absolute values, errors up and errors down cancel.")
def signed(x, f, g):
    return (g(f(x)) - x).mean()


@mistake(
    "cycle_loss", "You take a mean over the batch, then add up. Take one mean over all numbers."
)
def mean_over_the_batch(x, f, g):
    return (g(f(x)) - x).abs().mean(0).sum()


@mistake("cycle_loss", "You add up the means of the examples. Take one mean over all numbers.")
def means_added_up(x, f, g):
    return (g(f(x)) - x).abs().reshape(len(x), -1).mean(1).sum()


@mistake("cycle_loss", "You add the trip that begins with g. One way is asked for: f, then g.")
def both_ways(x, f, g):
    return (g(f(x)) - x).abs().mean() + (f(g(x)) - x).abs().mean()


@variant("cycle_loss")
def by_the_norm(x, f, g):
    home = g(f(x))
    return torch.linalg.vector_norm((home - x).reshape(-1), ord=1) / x.numel()


@variant("cycle_loss")
def by_two_hinges(x, f, g):
    gap = g(f(x)) - x
    return (F.relu(gap) + F.relu(-gap)).mean()


# --- lsgan_losses -------------------------------------------------------------------------------


@oracle("lsgan_losses")
def by_mse_loss(real, fake):
    one, nothing = torch.ones_like(real), torch.zeros_like(fake)
    judge = F.mse_loss(real, one) / 2 + F.mse_loss(fake, nothing) / 2
    return judge, F.mse_loss(fake, torch.ones_like(fake))


def _squares(real, fake):
    return ((real - 1) ** 2).mean(), (fake**2).mean(), ((fake - 1) ** 2).mean()


@mistake("lsgan_losses", "The half is missing in the discriminator's loss.")
def no_half(real, fake):
    right, wrong, fooled = _squares(real, fake)
    return right + wrong, fooled


@mistake("lsgan_losses", "The generator's loss has a half too many.")
def half_for_both(real, fake):
    right, wrong, fooled = _squares(real, fake)
    return (right + wrong) / 2, fooled / 2


@mistake(
    "lsgan_losses", "Your discriminator wants 0 for real and 1 for fake: the targets are swapped."
)
def targets_swapped(real, fake):
    return ((real**2).mean() + ((fake - 1) ** 2).mean()) / 2, ((fake - 1) ** 2).mean()


@mistake(
    "lsgan_losses", "Your generator wants its fakes to be scored 0. It wants to pass for real."
)
def generator_helps(real, fake):
    right, wrong, _ = _squares(real, fake)
    return (right + wrong) / 2, wrong


@mistake("lsgan_losses", "The two losses come in the other order: the discriminator's comes first.")
def order_swapped(real, fake):
    right, wrong, fooled = _squares(real, fake)
    return fooled, (right + wrong) / 2


@mistake(
    "lsgan_losses",
    "This is the cross-entropy of the first GANs. Least squares are asked for.",
)
def cross_entropy(real, fake):
    judge = F.softplus(-real).mean() / 2 + F.softplus(fake).mean() / 2
    return judge, F.softplus(-fake).mean()


@mistake("lsgan_losses", "You take absolute values. Least squares are asked for.")
def absolute(real, fake):
    judge = ((real - 1).abs().mean() + fake.abs().mean()) / 2
    return judge, (fake - 1).abs().mean()


@mistake(
    "lsgan_losses",
    "You take one mean over all scores. There may be more of one kind: take a mean for each.",
)
def one_mean(real, fake):
    targets = torch.cat([(real.reshape(-1) - 1), fake.reshape(-1)])
    return (targets**2).mean(), ((fake - 1) ** 2).mean()


@mistake(
    "lsgan_losses",
    "You detach the fakes' scores. Detach nothing here: the caller detaches the picture, not its score.",
)
def detached(real, fake):
    right, _, fooled = _squares(real, fake)
    return (right + (fake.detach() ** 2).mean()) / 2, fooled


@mistake("lsgan_losses", "You square the mean. Take the mean of the squares.")
def square_of_the_mean(real, fake):
    judge = ((real - 1).mean() ** 2 + fake.mean() ** 2) / 2
    return judge, (fake - 1).mean() ** 2


@mistake("lsgan_losses", "You add up. Take a mean over the scores of each kind.")
def scores_added_up(real, fake):
    judge = (((real - 1) ** 2).sum() + (fake**2).sum()) / 2
    return judge, ((fake - 1) ** 2).sum()


@variant("lsgan_losses")
def by_inner_products(real, fake):
    r, f = real.reshape(-1) - 1, fake.reshape(-1)
    judge = 0.5 * (r @ r / r.numel() + f @ f / f.numel())
    return judge, (f - 1) @ (f - 1) / f.numel()


@variant("lsgan_losses")
def by_moments(real, fake):
    def off(scores, target):
        return scores.var(correction=0) + (scores.mean() - target) ** 2

    return [(off(real, 1.0) + off(fake, 0.0)) / 2, off(fake, 1.0)]


# --- identity_loss ------------------------------------------------------------------------------


@oracle("identity_loss")
def by_two_l1_losses(x, y, f, g):
    return F.l1_loss(f(y), y) + F.l1_loss(g(x), x)


def _gap(out, kept):
    return (out - kept).abs().mean()


@mistake(
    "identity_loss",
    "f gets x here. It should leave alone what is in Y already, so it gets y; and g gets x.",
)
def the_usual_input(x, y, f, g):
    return _gap(f(x), x) + _gap(g(y), y)


@mistake("identity_loss", "This compares f(x) with y: pairs, which we do not have.")
def as_if_paired(x, y, f, g):
    n = min(len(x), len(y))
    return _gap(f(x)[:n], y[:n]) + _gap(g(y)[:n], x[:n])


@mistake("identity_loss", "This is the cycle loss, both ways. Here each map is used once.")
def cycle_instead(x, y, f, g):
    return _gap(g(f(x)), x) + _gap(f(g(y)), y)


@mistake("identity_loss", "You look at f alone. The part of g is missing.")
def one_way(x, y, f, g):
    return _gap(f(y), y)


@mistake("identity_loss", "You look at g alone. The part of f is missing.")
def other_way(x, y, f, g):
    return _gap(g(x), x)


@mistake("identity_loss", "You halve the sum. The two parts are added.")
def halved(x, y, f, g):
    return (_gap(f(y), y) + _gap(g(x), x)) / 2


@mistake("identity_loss", "You square the differences. Absolute values are asked for.")
def identity_squared(x, y, f, g):
    return ((f(y) - y) ** 2).mean() + ((g(x) - x) ** 2).mean()


@mistake("identity_loss", "You add up. Take a mean over the numbers of each side.")
def identity_added_up(x, y, f, g):
    return (f(y) - y).abs().sum() + (g(x) - x).abs().sum()


@mistake(
    "identity_loss",
    "You take one mean over the numbers of both sides. Take one for each, and add the two.",
)
def pooled(x, y, f, g):
    gaps = [(f(y) - y).abs().reshape(-1), (g(x) - x).abs().reshape(-1)]
    return torch.cat(gaps).mean()


@mistake("identity_loss", "Without absolute values, changes up and changes down cancel.")
def identity_signed(x, y, f, g):
    return (f(y) - y).mean() + (g(x) - x).mean()


@mistake("identity_loss", "No gradient reaches the maps: something cuts it off (no_grad, detach).")
def maps_cut_off(x, y, f, g):
    with torch.no_grad():
        return _gap(f(y), y) + _gap(g(x), x)


@variant("identity_loss")
def by_norms(x, y, f, g):
    def mean_gap(one, other):
        return torch.linalg.vector_norm((one - other).reshape(-1), ord=1) / one.numel()

    return mean_gap(g(x), x) + mean_gap(f(y), y)


@variant("identity_loss")
def by_larger_minus_smaller(x, y, f, g):
    total = 0.0
    for leaves, points in ((g, x), (f, y)):
        out = leaves(points)
        total = total + (torch.maximum(out, points) - torch.minimum(out, points)).mean()
    return total


# --- replay -------------------------------------------------------------------------------------


def _played(buffer, new, generator, chance=0.5, store=True, swap=True):
    """The rule, with parts that can be left out."""
    kept, shown = buffer.clone(), []
    for row in new:
        if torch.rand((), generator=generator) < chance:
            shown.append(row)
            continue
        place = int(torch.randint(len(kept), (), generator=generator))
        shown.append(kept[place].clone())
        if store:
            kept[place] = row
    return torch.stack(shown), kept


@oracle("replay")
def in_turn(buffer, new, generator):
    return _played(buffer, new, generator)


@mistake("replay", "Every new picture is shown at once, and the buffer plays no part.")
def no_replay(buffer, new, generator):
    return new.clone(), buffer.clone()


@mistake(
    "replay", "The buffer never changes: a new picture takes the place of the one it sends out."
)
def never_stored(buffer, new, generator):
    return _played(buffer, new, generator, store=False)


@mistake("replay", "Each new picture goes into the buffer. Half of them should be shown at once.")
def always_swapped(buffer, new, generator):
    return _played(buffer, new, generator, chance=0.0)


@mistake("replay", "Your coin is not fair: about three in four new pictures are shown at once.")
def unfair_coin(buffer, new, generator):
    return _played(buffer, new, generator, chance=0.75)


@mistake(
    "replay",
    "What is shown was put into the buffer just before: look at the place before you fill it.",
)
def filled_too_early(buffer, new, generator):
    kept, shown = buffer.clone(), []
    for row in new:
        if torch.rand((), generator=generator) >= 0.5:
            place = int(torch.randint(len(kept), (), generator=generator))
            kept[place] = row
            shown.append(kept[place].clone())
        else:
            shown.append(row)
    return torch.stack(shown), kept


@mistake("replay", "You always swap with the first place. Any place should be as likely.")
def first_place(buffer, new, generator):
    kept, shown = buffer.clone(), []
    for row in new:
        if torch.rand((), generator=generator) < 0.5:
            shown.append(row)
        else:
            shown.append(kept[0].clone())
            kept[0] = row
    return torch.stack(shown), kept


@mistake("replay", "The last place is never used: randint leaves out its upper end already.")
def last_place_left_out(buffer, new, generator):
    kept, shown = buffer.clone(), []
    for row in new:
        if torch.rand((), generator=generator) < 0.5:
            shown.append(row)
        else:
            place = int(torch.randint(len(kept) - 1, (), generator=generator))
            shown.append(kept[place].clone())
            kept[place] = row
    return torch.stack(shown), kept


@mistake(
    "replay",
    "`buffer[k]` is a view: when you overwrite the place, what you kept changes with it. Use .clone().",
)
def kept_a_view(buffer, new, generator):
    kept, shown = buffer.clone(), []
    for row in new:
        if torch.rand((), generator=generator) < 0.5:
            shown.append(row)
        else:
            place = int(torch.randint(len(kept), (), generator=generator))
            old = kept[place]
            kept[place] = row
            shown.append(old)
    return torch.stack(shown), kept


@mistake(
    "replay",
    "Two swaps of one batch can meet at the same place: go one new picture after the other.",
)
def all_at_once(buffer, new, generator):
    kept, shown = buffer.clone(), new.clone()
    tails = torch.rand(len(new), generator=generator) < 0.5
    places = torch.randint(len(buffer), (len(new),), generator=generator)
    shown[tails] = buffer[places[tails]]
    kept[places[tails]] = new[tails]
    return shown, kept


@mistake(
    "replay", "What is shown at once goes into the buffer, too. At heads the buffer stays as it is."
)
def stored_at_heads_too(buffer, new, generator):
    kept, shown = buffer.clone(), []
    for row in new:
        place = int(torch.randint(len(kept), (), generator=generator))
        tails = torch.rand((), generator=generator) < 0.5
        shown.append(kept[place].clone() if tails else row)
        kept[place] = row
    return torch.stack(shown), kept


@mistake("replay", "You toss one coin for the whole batch. Each new picture has a coin of its own.")
def one_coin_for_all(buffer, new, generator):
    heads = torch.rand((), generator=generator) < 0.5
    return _played(buffer, new, generator, chance=1.0 if heads else 0.0)


@mistake("replay", "Your coins do not come from the generator: two calls with equal seeds differ.")
def chance_from_elsewhere(buffer, new, generator):
    kept, shown = buffer.clone(), []
    for row in new:
        if random.random() < 0.5:
            shown.append(row)
        else:
            place = random.randrange(len(kept))
            shown.append(kept[place].clone())
            kept[place] = row
    return torch.stack(shown), kept


@variant("replay")
def coins_and_places_first(buffer, new, generator):
    n, k = len(new), len(buffer)
    swaps = torch.randint(2, (n,), generator=generator).bool().tolist()
    places = torch.randint(k, (n,), generator=generator).tolist()
    rows = list(buffer)
    shown = []
    for row, swap, place in zip(new, swaps, places, strict=True):
        if swap:
            rows[place], row = row, rows[place]
        shown.append(row)
    return torch.stack(shown), torch.stack(rows)


@variant("replay")
def by_numbers_of_rows(buffer, new, generator):
    rows = torch.cat([buffer, new])
    where = list(range(len(buffer)))  # which row stands at each place
    order = []
    for i in range(len(new)):
        u = float(torch.rand((), generator=generator, dtype=torch.float64)) * 2
        now = len(buffer) + i
        if u >= 1:
            place = int((u - 1) * len(where))
            where[place], now = now, where[place]
        order.append(now)
    return rows[order], rows[where]


_COIN = "torch.rand((), generator=generator, device=generator.device)"
_PLACE = "torch.randint(len(buffer), (), generator=generator, device=generator.device)"
SURVIVORS: dict[str, str] = {
    f"replay: swap comparison in `{_COIN} < 0.5`": "a draw that is exactly ½ comes once in millions",
    f"replay: drop device= of `{_COIN}`": "the checks draw on the CPU alone",
    f"replay: drop device= of `{_PLACE}`": "the checks draw on the CPU alone",
}
"""Mutants that no check has to reject, because they do the same: name → reason."""
