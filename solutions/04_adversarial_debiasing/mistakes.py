"""What students write for the exercises of 04_adversarial_debiasing: wrong, or right and unusual."""

import numpy as np
import torch
from sklearn.linear_model import LinearRegression
from torch import Tensor

from genssl_utils.course.catalogue import mistake, oracle, variant

# --- demographic_parity_gap ---------------------------------------------------------------------


def _shares(y_hat: Tensor, s: Tensor) -> list[float]:
    """The share of yes in each group, by counting."""
    pairs = list(zip(y_hat.tolist(), s.tolist(), strict=True))
    shares = []
    for group in sorted({g for _, g in pairs}):
        inside = [d for d, g in pairs if g == group]
        shares.append(sum(inside) / len(inside))
    return shares


@oracle("demographic_parity_gap")
def by_counting(y_hat, s):
    shares = _shares(y_hat, s)
    return torch.tensor(max(shares) - min(shares))


@mistake("demographic_parity_gap", "You compare numbers of yes. Divide by the size of each group.")
def counts_not_shares(y_hat, s):
    counts = torch.stack([y_hat[s == g].float().sum() for g in s.unique()])
    return counts.max() - counts.min()


@mistake("demographic_parity_gap", "You divide by all rows. A share is taken inside its own group.")
def divided_by_all(y_hat, s):
    shares = torch.stack([y_hat[s == g].float().sum() / len(s) for g in s.unique()])
    return shares.max() - shares.min()


@mistake(
    "demographic_parity_gap",
    "Your gap can be negative. Take the largest share minus the smallest, whichever group it is.",
)
def signed(y_hat, s):
    shares = _shares(y_hat, s)
    return torch.tensor(shares[0] - shares[-1])


@mistake(
    "demographic_parity_gap",
    "You compare the first group with the last. With more than two, another may lie further out.",
)
def first_and_last(y_hat, s):
    shares = _shares(y_hat, s)
    return torch.tensor(abs(shares[0] - shares[-1]))


@mistake("demographic_parity_gap", "You look for groups 0 and 1. A group may have any name.")
def names_assumed(y_hat, s):
    def share(group):
        inside = y_hat[s == group].float()
        return inside.mean() if len(inside) else torch.tensor(0.0)

    return (share(1) - share(0)).abs()


@mistake(
    "demographic_parity_gap",
    "You take the spread of the shares. The largest minus the smallest is asked for.",
)
def spread(y_hat, s):
    return torch.tensor(_shares(y_hat, s)).std()


@mistake(
    "demographic_parity_gap", "You compare each group with all rows. Compare groups with groups."
)
def against_everyone(y_hat, s):
    overall = float(y_hat.float().mean())
    return torch.tensor(max(abs(share - overall) for share in _shares(y_hat, s)))


@mistake(
    "demographic_parity_gap",
    "The mean of an empty group is no number: groups need not be 0 and 1. Take those that occur.",
)
def empty_groups(y_hat, s):
    shares = torch.stack([y_hat[s == g].float().mean() for g in (0, 1)])
    return shares.max() - shares.min()


@variant("demographic_parity_gap")
def one_hot_matrix(y_hat, s):
    member = (s[:, None] == s.unique()).double()
    shares = (y_hat.double() @ member) / member.sum(0)
    return (shares.amax() - shares.amin()).float()


@variant("demographic_parity_gap")
def numpy_and_a_float(y_hat, s):
    decisions, groups = y_hat.numpy(), s.numpy()
    shares = [decisions[groups == g].mean() for g in np.unique(groups)]
    return float(np.ptp(shares))


@variant("demographic_parity_gap")
def every_pair(y_hat, s):
    shares = torch.tensor(_shares(y_hat, s))
    return (shares[:, None] - shares).abs().max()


# --- equalized_odds_gap -------------------------------------------------------------------------


def _odds(y_hat: Tensor, y: Tensor, s: Tensor) -> list[float]:
    """The gap among y = 0 and the gap among y = 1."""
    gaps = []
    for label in (0, 1):
        shares = _shares(y_hat[y == label], s[y == label])
        gaps.append(max(shares) - min(shares))
    return gaps


@oracle("equalized_odds_gap")
def odds_by_counting(y_hat, y, s):
    return torch.tensor(max(_odds(y_hat, y, s)))


@mistake("equalized_odds_gap", "The label plays no part: this is the demographic-parity gap.")
def parity_instead(y_hat, y, s):
    shares = _shares(y_hat, s)
    return torch.tensor(max(shares) - min(shares))


@mistake(
    "equalized_odds_gap", "You look at y = 1 alone: that is equal opportunity. y = 0 counts, too."
)
def opportunity_only(y_hat, y, s):
    return torch.tensor(_odds(y_hat, y, s)[1])


@mistake("equalized_odds_gap", "You look at y = 0 alone. The gap among y = 1 counts, too.")
def false_positives_only(y_hat, y, s):
    return torch.tensor(_odds(y_hat, y, s)[0])


@mistake("equalized_odds_gap", "You average the two gaps. The larger of them is asked for.")
def averaged(y_hat, y, s):
    return torch.tensor(sum(_odds(y_hat, y, s)) / 2)


@mistake("equalized_odds_gap", "You add the two gaps. The larger of them is asked for.")
def added(y_hat, y, s):
    return torch.tensor(sum(_odds(y_hat, y, s)))


@mistake("equalized_odds_gap", "You return the smaller gap. The larger of the two is asked for.")
def smaller(y_hat, y, s):
    return torch.tensor(min(_odds(y_hat, y, s)))


@mistake(
    "equalized_odds_gap",
    "You take one largest and one smallest share over both labels. Each label has its own gap.",
)
def one_gap_of_all(y_hat, y, s):
    shares = [x for k in (0, 1) for x in _shares(y_hat[y == k], s[y == k])]
    return torch.tensor(max(shares) - min(shares))


@mistake(
    "equalized_odds_gap",
    "You divide by the whole group. Divide by those of the group that have the label.",
)
def divided_by_group(y_hat, y, s):
    gaps = []
    for label in (0, 1):
        shares = _shares(y_hat * (y == label), s)
        gaps.append(max(shares) - min(shares))
    return torch.tensor(max(gaps))


@mistake(
    "equalized_odds_gap",
    "You compare how often each group is decided rightly. Look at the shares of yes for each label.",
)
def accuracy_gap(y_hat, y, s):
    shares = _shares((y_hat == y).long(), s)
    return torch.tensor(max(shares) - min(shares))


@mistake(
    "equalized_odds_gap",
    "You condition on the decision and look at the label. It is the other way round.",
)
def calibration(y_hat, y, s):
    return torch.tensor(max(_odds(y, y_hat, s)))


@variant("equalized_odds_gap")
def a_table(y_hat, y, s):
    groups, place = s.unique(return_inverse=True)
    yes, size = torch.zeros(2, 2, len(groups), dtype=torch.float64)
    yes.index_put_((y, place), y_hat.double(), accumulate=True)
    size.index_put_((y, place), torch.ones(len(y), dtype=torch.float64), accumulate=True)
    shares = yes / size
    return (shares.amax(1) - shares.amin(1)).max().float()


@variant("equalized_odds_gap")
def plain_loops(y_hat, y, s):
    return max(_odds(y_hat, y, s))


# --- reverse_gradient ---------------------------------------------------------------------------


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, lam):
        ctx.lam = lam
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -ctx.lam * grad, None


@oracle("reverse_gradient")
def by_its_own_rule(x, lam):
    return _Reverse.apply(x, lam)


@mistake(
    "reverse_gradient",
    "The value changes on the way forward. It should be x; only the slope turns.",
)
def negated_forward(x, lam):
    return -lam * x


@mistake("reverse_gradient", "The gradient keeps its sign. It should come back with a minus.")
def not_reversed(x, lam):
    return lam * x + ((1 - lam) * x).detach()


@mistake("reverse_gradient", "The weight λ is not used: the gradient is only turned round.")
def weight_ignored(x, lam):
    return -x + (2 * x).detach()


@mistake("reverse_gradient", "No gradient comes back at all. One part must stay without detach().")
def all_detached(x, lam):
    return x.detach().requires_grad_() if not x.requires_grad else x.detach() + 0 * x


@mistake("reverse_gradient", "This is the identity: its gradient goes through as it is.")
def identity(x, lam):
    return x.clone()


@mistake(
    "reverse_gradient", "The gradient is 1 − λ times. The part that carries the value has one, too."
)
def half_detached(x, lam):
    return x + (lam * x).detach() - lam * x


@mistake(
    "reverse_gradient",
    "The slope is right and the value is not: the part −λx changes it, too. Which multiple of "
    "x.detach() makes up for that?",
)
def value_not_made_up(x, lam):
    return x.detach() - lam * x


@mistake("reverse_gradient", "The gradient is divided by λ, which should multiply it.")
def divided(x, lam):
    through = -x / max(lam, 1e-6)
    return through + (x - through).detach()


@variant("reverse_gradient")
def a_function_of_its_own(x, lam):
    return _Reverse.apply(x, lam)


@variant("reverse_gradient")
def a_hook(x, lam):
    out = x * 1.0
    if out.requires_grad:
        out.register_hook(lambda grad: -lam * grad)
    return out


@variant("reverse_gradient")
def weights_that_add_to_one(x, lam):
    return (1 + lam) * x.detach() - lam * x


# --- project_out --------------------------------------------------------------------------------


@oracle("project_out")
def by_least_squares(g_task, g_adversary, alpha):
    g, h = g_task.double(), g_adversary.double()
    coefficient = torch.linalg.lstsq(h[:, None], g[:, None], driver="gelsd").solution[0, 0]
    return (g - coefficient * h - alpha * h).to(g_task)


def _projection(g, h):
    length = h @ h
    return (g @ h) / length * h if length > 0 else torch.zeros_like(h)


@mistake("project_out", "You project without dividing by the squared length of h.")
def not_normalised(g_task, g_adversary, alpha):
    return g_task - (g_task @ g_adversary) * g_adversary - alpha * g_adversary


@mistake("project_out", "You divide by the length of h. Its square belongs there.")
def divided_by_length(g_task, g_adversary, alpha):
    h = g_adversary
    part = (g_task @ h) / h.norm().clamp(min=1e-12) * h
    return g_task - part - alpha * h


@mistake("project_out", "The adversary's gradient has the wrong sign: its loss should go up.")
def adversary_added(g_task, g_adversary, alpha):
    return g_task - _projection(g_task, g_adversary) + alpha * g_adversary


def _one_sided(g, h, sign):
    along = sign * (g @ h) > 0
    return _projection(g, h) if along else torch.zeros_like(h)


@mistake("project_out", "You project only where g·h is positive. Take the part out for both signs.")
def only_where_they_agree(g_task, g_adversary, alpha):
    return g_task - _one_sided(g_task, g_adversary, 1) - alpha * g_adversary


@mistake("project_out", "You project only where g·h is negative. Take the part out for both signs.")
def only_where_they_fight(g_task, g_adversary, alpha):
    return g_task - _one_sided(g_task, g_adversary, -1) - alpha * g_adversary


@mistake(
    "project_out", "All signs are turned. The optimiser descends what you return, as it does g."
)
def turned_round(g_task, g_adversary, alpha):
    return _projection(g_task, g_adversary) + alpha * g_adversary - g_task


@mistake("project_out", "The projection is missing: only α h was taken off.")
def no_projection(g_task, g_adversary, alpha):
    return g_task - alpha * g_adversary


@mistake("project_out", "You return what lies along h. Take it off g.")
def projection_kept(g_task, g_adversary, alpha):
    return _projection(g_task, g_adversary) - alpha * g_adversary


@mistake("project_out", "The push is missing: take α h off as well.")
def no_push(g_task, g_adversary, alpha):
    return g_task - _projection(g_task, g_adversary)


@mistake("project_out", "You projected h on g. It is g that is projected, on h.")
def wrong_way_round(g_task, g_adversary, alpha):
    return g_task - _projection(g_adversary, g_task) - alpha * g_adversary


@mistake("project_out", "Where h is zero you divide 0 by 0. There the answer is g.")
def nan_at_zero(g_task, g_adversary, alpha):
    h = g_adversary
    return g_task - (g_task @ h) / (h @ h) * h - alpha * h


@variant("project_out")
def by_the_unit_vector(g_task, g_adversary, alpha):
    unit = torch.nn.functional.normalize(g_adversary, dim=0)  # zero stays zero
    return g_task - (g_task * unit).sum() * unit - alpha * g_adversary


@variant("project_out")
def by_the_projector(g_task, g_adversary, alpha):
    projector = torch.outer(g_adversary, g_adversary)
    size = projector.trace()
    flat = torch.eye(len(g_task)).to(g_task) - projector / (size if size > 0 else 1)
    return flat @ g_task - alpha * g_adversary


# --- leakage ------------------------------------------------------------------------------------


def _guess(z, s, fit=slice(None), judge=slice(None), intercept=True) -> tuple[Tensor, Tensor]:
    """Guesses of scikit-learn's least squares, and the truth, both bool."""
    model = LinearRegression(fit_intercept=intercept)
    model.fit(z[fit].double().numpy(), 2.0 * s[fit].numpy() - 1)
    guess = torch.from_numpy(model.predict(z[judge].double().numpy()) > 0)
    return guess, s[judge] == 1


def _rescaled(guess, truth):
    right = (guess == truth).double()
    return float(right[truth].mean() + right[~truth].mean() - 1)


def _halves(z):
    half = len(z) // 2
    return slice(None, half), slice(half, None)


@oracle("leakage")
def by_scikit_learn(z, s):
    first, second = _halves(z)
    return torch.tensor(_rescaled(*_guess(z, s, first, second)))


@mistake("leakage", "You judge on the rows that you fitted to. Judge on the second half.")
def judged_on_its_own(z, s):
    first, _ = _halves(z)
    return _rescaled(*_guess(z, s, first, first))


@mistake("leakage", "You fit to all rows. The second half must be new to the probe.")
def fitted_to_all(z, s):
    _, second = _halves(z)
    return _rescaled(*_guess(z, s, slice(None), second))


@mistake("leakage", "The halves are swapped: fit to the first, judge on the second.")
def halves_swapped(z, s):
    first, second = _halves(z)
    return _rescaled(*_guess(z, s, second, first))


@mistake("leakage", "The intercept is missing: codes may lie far from zero.")
def no_intercept(z, s):
    first, second = _halves(z)
    return _rescaled(*_guess(z, s, first, second, intercept=False))


@mistake(
    "leakage", "You take the plain accuracy. With a rare group, guessing the other one looks good."
)
def not_balanced(z, s):
    first, second = _halves(z)
    guess, truth = _guess(z, s, first, second)
    return float(2 * (guess == truth).double().mean() - 1)


@mistake("leakage", "Guessing gives ½ here. Put the scale so that guessing is 0 and knowing is 1.")
def not_rescaled(z, s):
    first, second = _halves(z)
    return (_rescaled(*_guess(z, s, first, second)) + 1) / 2


@mistake("leakage", "Guessing gives 1 here: take 1 off the sum of the two shares.")
def one_not_taken_off(z, s):
    first, second = _halves(z)
    return _rescaled(*_guess(z, s, first, second)) + 1


@mistake(
    "leakage", "This is the plain accuracy: ½ is guessing, and a rare group hardly counts in it."
)
def accuracy(z, s):
    first, second = _halves(z)
    guess, truth = _guess(z, s, first, second)
    return float((guess == truth).double().mean())


@mistake("leakage", "A probe that is worse than guessing is below 0. Do not cut it off there.")
def cut_at_zero(z, s):
    first, second = _halves(z)
    return max(0.0, _rescaled(*_guess(z, s, first, second)))


@mistake("leakage", "The targets are 0 and 1, so zero is no middle. Take −1 and 1.")
def targets_without_middle(z, s):
    first, second = _halves(z)
    model = LinearRegression().fit(z[first].double().numpy(), s[first].double().numpy())
    guess = torch.from_numpy(model.predict(z[second].double().numpy()) > 0)
    return _rescaled(guess, s[second] == 1)


@mistake("leakage", "A probe that is worse than guessing is below 0. Leave the sign as it is.")
def sign_dropped(z, s):
    first, second = _halves(z)
    return abs(_rescaled(*_guess(z, s, first, second)))


@variant("leakage")
def normal_equations(z, s):
    first, second = _halves(z)
    x = torch.cat([torch.ones(len(z), 1), z], 1).double()
    t = torch.where(s == 1, 1.0, -1.0).double()
    w = torch.linalg.solve(x[first].T @ x[first], x[first].T @ t[first])
    return torch.tensor(_rescaled(x[second] @ w > 0, s[second] == 1)).float()


@variant("leakage")
def centred(z, s):
    first, second = _halves(z)
    t = 2.0 * s.double() - 1
    mean, middle = z[first].double().mean(0), t[first].mean()
    w = torch.linalg.pinv(z[first].double() - mean) @ (t[first] - middle)
    guess = (z[second].double() - mean) @ w + middle > 0
    return _rescaled(guess, s[second] == 1)


SURVIVORS: dict[str, str] = {
    "equalized_odds_gap: swap comparison in `y == label`": "it only takes the two labels in turn",
    "leakage: swap comparison in `(inputs[half:] @ w)[:, 0] > 0`": "no score is exactly zero",
    "leakage: move the constant 1": "a second column of ones says what the first one says",
}
"""Mutants that no check has to reject, because they do the same: name → reason."""
