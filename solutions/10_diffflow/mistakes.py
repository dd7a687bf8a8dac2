"""What students write for the exercises of 10_diffflow: wrong, or right and unusual."""

import math

import torch

from genssl_utils.course.catalogue import mistake, oracle, variant

# --- forward_step -------------------------------------------------------------------------------


@oracle("forward_step")
def step_as_a_gaussian(x, f, g, dt, noise):
    """The quantile of the step's Gaussian at the noise's own level, in float64."""
    x, f, g, dt, noise = (part.double() for part in (x, f, g, dt, noise))
    return (torch.addcmul(x, f, dt) + noise * (g.square() * dt) ** 0.5).float()


@mistake(
    "forward_step", "The noise is multiplied by Δt. Its spread grows with the root of the time."
)
def noise_by_dt(x, f, g, dt, noise):
    return x + f * dt + g * noise * dt


@mistake(
    "forward_step",
    "The drift is multiplied by √Δt. A drift moves points in proportion to the time.",
)
def drift_by_root(x, f, g, dt, noise):
    return x + (f + g * noise) * dt.sqrt()


@mistake("forward_step", "The noise is not scaled by the time at all.")
def noise_without_time(x, f, g, dt, noise):
    return x + f * dt + g * noise


@mistake("forward_step", "The drift is not multiplied by the length of the step.")
def drift_without_time(x, f, g, dt, noise):
    return x + f + g * noise * dt.sqrt()


@mistake(
    "forward_step", "You use g². The variance has the square; a draw is multiplied by g itself."
)
def squared_g(x, f, g, dt, noise):
    return x + f * dt + g**2 * noise * dt.sqrt()


@mistake("forward_step", "The drift points the wrong way: forth, it is added.")
def drift_subtracted(x, f, g, dt, noise):
    return x - f * dt + g * noise * dt.sqrt()


@mistake(
    "forward_step",
    "The noise has the wrong sign. The formula adds it; later steps need it as given.",
)
def noise_subtracted(x, f, g, dt, noise):
    return x + f * dt - g * noise * dt.sqrt()


@mistake("forward_step", "This is how far the points move. The points themselves are missing.")
def only_the_move(x, f, g, dt, noise):
    return f * dt + g * noise * dt.sqrt()


@mistake("forward_step", "The size g of the noise is missing.")
def g_forgotten(x, f, g, dt, noise):
    return x + f * dt + noise * dt.sqrt()


@mistake("forward_step", "The drift is missing: points only diffuse.")
def drift_forgotten(x, f, g, dt, noise):
    return x + g * noise * dt.sqrt()


@mistake("forward_step", "The noise is missing. Without it this is a step of a flow.")
def noise_forgotten(x, f, g, dt, noise):
    return x + f * dt + 0 * noise


@mistake(
    "forward_step",
    "You drew noise of your own. Use the noise that is given, or nobody can explain it.",
)
def own_noise(x, f, g, dt, noise):
    fresh = torch.randn(x.shape, generator=torch.Generator().manual_seed(9))
    return x + f * dt + g * fresh.to(x) * dt.sqrt()


@mistake("forward_step", "You changed an input in place (+= does). Make a new tensor.")
def in_place(x, f, g, dt, noise):
    x += f * dt + g * noise * dt.sqrt()
    return x


@mistake("forward_step", "Δt and √Δt are exchanged: the drift takes Δt, the noise its root.")
def spans_exchanged(x, f, g, dt, noise):
    return x + f * dt.sqrt() + g * noise * dt


@mistake(
    "forward_step", "The noise is multiplied by g² Δt, its variance. A draw takes the root of it."
)
def by_the_variance(x, f, g, dt, noise):
    return x + f * dt + g**2 * dt * noise


@mistake("forward_step", "The root is taken of g as well. Only Δt stands under it.")
def root_of_g(x, f, g, dt, noise):
    return x + f * dt + (g * dt).sqrt() * noise


@mistake("forward_step", "g multiplies the drift. It is the size of the noise.")
def g_on_the_drift(x, f, g, dt, noise):
    return x + g * f * dt + noise * dt.sqrt()


@mistake("forward_step", "The noise is divided by √Δt. A shorter step has less noise.")
def divided_by_root(x, f, g, dt, noise):
    return x + f * dt + g * noise / dt.sqrt()


@variant("forward_step")
def by_power(x, f, g, dt, noise):
    return torch.add(x + dt * f, noise * g * dt**0.5)


@variant("forward_step")
def by_lerp_of_logs(x, f, g, dt, noise):
    deviation = torch.exp(0.5 * torch.log(g * g * dt))
    return (x.clone() + torch.mul(f, dt)).add_(noise * deviation)


# --- backward_step_noise ------------------------------------------------------------------------


@oracle("backward_step_noise")
def in_the_papers_form(x, x_next, f, s, g, dt):
    """The paper's own arrangement, in float64."""
    x, x_next, f, s, g, dt = (part.double() for part in (x, x_next, f, s, g, dt))
    root = dt**0.5
    return (((x - x_next) / root + root * (f - g * g * s)) / g).float()


def _explained(x, x_next, away, scale):
    return (x - x_next + away) / scale


@mistake(
    "backward_step_noise", "The score is added to the drift. On the way back g² s is taken off it."
)
def score_added(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f + g**2 * s) * dt, g * dt.sqrt())


@mistake("backward_step_noise", "The score is multiplied by g; the formula has its square.")
def score_by_g(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g * s) * dt, g * dt.sqrt())


@mistake(
    "backward_step_noise", "The score is missing: a way back without it does not lead to the data."
)
def score_forgotten(x, x_next, f, s, g, dt):
    return _explained(x, x_next, f * dt + 0 * s, g * dt.sqrt())


@mistake("backward_step_noise", "g² multiplies the score alone, not the drift.")
def g_on_both(x, x_next, f, s, g, dt):
    return _explained(x, x_next, g**2 * (f - s) * dt, g * dt.sqrt())


@mistake("backward_step_noise", "The drift has the wrong sign: a step back takes it off.")
def drift_the_other_way(x, x_next, f, s, g, dt):
    return _explained(x, x_next, -(f - g**2 * s) * dt, g * dt.sqrt())


@mistake(
    "backward_step_noise",
    "The sign of the noise is wrong: it leads from x_next to x, not the other way.",
)
def sign_turned(x, x_next, f, s, g, dt):
    return -_explained(x, x_next, (f - g**2 * s) * dt, g * dt.sqrt())


@mistake("backward_step_noise", "x and x_next are exchanged. The step back starts at x_next.")
def ends_exchanged(x, x_next, f, s, g, dt):
    return _explained(x_next, x, (f - g**2 * s) * dt, g * dt.sqrt())


@mistake(
    "backward_step_noise", "You divide by g Δt. The noise was multiplied by g and the root of Δt."
)
def divided_by_dt(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, g * dt)


@mistake(
    "backward_step_noise", "What is missing must be divided by g √Δt, to be in units of the noise."
)
def not_divided(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, 1.0)


@mistake("backward_step_noise", "The division by g is missing.")
def not_divided_by_g(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, dt.sqrt())


@mistake("backward_step_noise", "The division by √Δt is missing.")
def not_divided_by_root(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, g)


@mistake(
    "backward_step_noise", "You divide by g², the variance's factor. The noise was multiplied by g."
)
def divided_by_g_squared(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, g**2 * dt.sqrt())


@mistake("backward_step_noise", "Drift and score are not multiplied by Δt.")
def away_without_time(x, x_next, f, s, g, dt):
    return _explained(x, x_next, f - g**2 * s, g * dt.sqrt())


@mistake(
    "backward_step_noise",
    "Half of the score is taken off: that is the flow of a diffusion, not its way back with noise.",
)
def half_the_score(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - 0.5 * g**2 * s) * dt, g * dt.sqrt())


@mistake(
    "backward_step_noise",
    "This is where the step back leads without noise. Which noise is missing to x?",
)
def the_mean_itself(x, x_next, f, s, g, dt):
    return x_next - (f - g**2 * s) * dt + 0 * x


@mistake(
    "backward_step_noise",
    "The numbers are right, but x_next is detached: the path carries no slope.",
)
def path_detached(x, x_next, f, s, g, dt):
    return _explained(x, x_next.detach(), (f - g**2 * s) * dt, g * dt.sqrt())


@mistake(
    "backward_step_noise",
    "This is the noise of the way forth, which led from x to x_next. Solve the step *back*.",
)
def noise_of_the_way_forth(x, x_next, f, s, g, dt):
    return (x_next - x - f * dt) / (g * dt.sqrt()) + 0 * s


@mistake(
    "backward_step_noise",
    "You divide by g² Δt, the variance. The noise was multiplied by its root.",
)
def divided_by_variance(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, g**2 * dt)


@mistake("backward_step_noise", "You multiply by g √Δt. To get the noise alone, divide by it.")
def multiplied(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, 1 / (g * dt.sqrt()))


@mistake(
    "backward_step_noise",
    "√Δt multiplies, where it should divide: a / g * b is (a / g) · b in Python.",
)
def brackets_forgotten(x, x_next, f, s, g, dt):
    return (x - x_next + (f - g**2 * s) * dt) / g * dt.sqrt()


@mistake(
    "backward_step_noise",
    "Only drift and score are divided by g √Δt: a bracket around the whole difference is missing.",
)
def only_the_move_divided(x, x_next, f, s, g, dt):
    return x - x_next + (f - g**2 * s) * dt / (g * dt.sqrt())


@mistake("backward_step_noise", "The score enters without its g².")
def score_alone(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - s) * dt, g * dt.sqrt())


@mistake("backward_step_noise", "The drift is missing: the way back undoes it.")
def drift_forgotten_back(x, x_next, f, s, g, dt):
    return _explained(x, x_next, 0 * f - g**2 * s * dt, g * dt.sqrt())


@mistake("backward_step_noise", "The drift alone has the wrong sign: a step back takes it off.")
def drift_added(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (-f - g**2 * s) * dt, g * dt.sqrt())


@mistake("backward_step_noise", "Drift and score are multiplied by √Δt. A drift takes Δt itself.")
def away_by_root(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt.sqrt(), g * dt.sqrt())


@mistake("backward_step_noise", "The score is not multiplied by Δt: the bracket holds both.")
def score_without_time(x, x_next, f, s, g, dt):
    return _explained(x, x_next, f * dt - g**2 * s, g * dt.sqrt())


@variant("backward_step_noise")
def by_pieces(x, x_next, f, s, g, dt):
    root = torch.sqrt(dt)
    return (x - x_next) / (g * root) + root * f / g - root * g * s


@variant("backward_step_noise")
def all_in_float64(x, x_next, f, s, g, dt):
    x, x_next, f, s, g, dt = (part.double() for part in (x, x_next, f, s, g, dt))
    return (x - (x_next - (f - g**2 * s) * dt)) / (g**2 * dt).sqrt()


@variant("backward_step_noise")
def row_of_sums(x, x_next, f, s, g, dt):
    scale = (g.square() * dt).pow(-0.5)
    return torch.stack([x, -x_next, dt * f, -dt * g.square() * s]).sum(0) * scale


# --- path_log_ratio -----------------------------------------------------------------------------


@oracle("path_log_ratio")
def gaussian_by_gaussian(noise_forward, noise_backward, g):
    """Log-densities of both noises at their scales, coordinate by coordinate, in float64."""
    unit, g = torch.distributions.Normal(0.0, 1.0), g.double()
    forth = unit.log_prob(noise_forward.double()) - g[:-1, None, None].log()
    back = unit.log_prob(noise_backward.double()) - g[1:, None, None].log()
    return (forth - back).sum(2).sum(0).float()


def _parts(noise_forward, noise_backward, g):
    squares = (noise_backward.square() - noise_forward.square()).sum((0, 2)) / 2
    return squares, noise_forward.shape[-1] * (g[-1].log() - g[0].log())


@mistake(
    "path_log_ratio",
    "The widths are missing. Where g changes, the two Gaussians of a step are not equally wide.",
)
def widths_forgotten(noise_forward, noise_backward, g):
    return _parts(noise_forward, noise_backward, g)[0] + 0 * g.sum()


@mistake(
    "path_log_ratio", "The widths count once a step. There are D coordinates, and each has them."
)
def widths_once(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + widths / noise_forward.shape[-1]


@mistake(
    "path_log_ratio",
    "The widths have the wrong sign. A wide Gaussian is low: g_i lowers p_F, g_{i+1} lowers p_B.",
)
def widths_turned(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares - widths


@mistake(
    "path_log_ratio",
    "The squares have the wrong sign: a large δᴮ makes the way back unlikely, and the ratio large.",
)
def squares_turned(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return widths - squares


@mistake("path_log_ratio", "The whole ratio has the wrong sign: this is log p_B − log p_F.")
def ratio_turned(noise_forward, noise_backward, g):
    return -sum(_parts(noise_forward, noise_backward, g))


@mistake("path_log_ratio", "The ½ before the squares is missing.")
def half_forgotten(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return 2 * squares + widths


@mistake("path_log_ratio", "The ½ belongs to the squares alone, not to the widths.")
def half_of_all(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + widths / 2


@mistake(
    "path_log_ratio",
    "δᶠ is missing. On average it counts N · D / 2; without it this is no log-ratio.",
)
def only_backward(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return noise_backward.square().sum((0, 2)) / 2 + widths + 0 * noise_forward.sum()


@mistake(
    "path_log_ratio",
    "You square the difference of the noises. Take the difference of their squares.",
)
def squared_difference(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward - noise_forward).square().sum((0, 2)) / 2 + widths


@mistake("path_log_ratio", "The noises enter as they are. A Gaussian's exponent has their squares.")
def not_squared(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward - noise_forward).sum((0, 2)) / 2 + widths


@mistake(
    "path_log_ratio", "You average the steps. The log-density of a path is a sum over its steps."
)
def mean_over_steps(noise_forward, noise_backward, g):
    return sum(_parts(noise_forward, noise_backward, g)) / len(noise_forward)


@mistake("path_log_ratio", "You average the coordinates. Their log-densities add up.")
def mean_over_coordinates(noise_forward, noise_backward, g):
    return sum(_parts(noise_forward, noise_backward, g)) / noise_forward.shape[-1]


@mistake("path_log_ratio", "You sum over the batch as well. One number a path is asked for.")
def summed_over_paths(noise_forward, noise_backward, g):
    return sum(_parts(noise_forward, noise_backward, g)).sum()


@mistake("path_log_ratio", "You average over the batch. One number a path is asked for, (B,).")
def mean_over_paths(noise_forward, noise_backward, g):
    return sum(_parts(noise_forward, noise_backward, g)).mean()


@mistake("path_log_ratio", "The steps are summed, the coordinates not: the shape is (B, D).")
def coordinates_left(noise_forward, noise_backward, g):
    squares = (noise_backward.square() - noise_forward.square()).sum(0) / 2
    return squares + (g[1:] / g[:-1]).log().sum()


@mistake("path_log_ratio", "The coordinates are summed, the steps not: the shape is (N, B).")
def steps_left(noise_forward, noise_backward, g):
    squares = (noise_backward.square() - noise_forward.square()).sum(2) / 2
    return squares + noise_forward.shape[-1] * (g[1:] / g[:-1]).log()[:, None]


@mistake("path_log_ratio", "The ratio of the widths enters without its logarithm.")
def log_forgotten(noise_forward, noise_backward, g):
    squares, _ = _parts(noise_forward, noise_backward, g)
    return squares + noise_forward.shape[-1] * (g[1:] / g[:-1]).sum()


@mistake("path_log_ratio", "The noises are divided by g. They are standard normal already.")
def divided_by_g(noise_forward, noise_backward, g):
    wide, widths = g[1:, None, None], _parts(noise_forward, noise_backward, g)[1]
    narrow = g[:-1, None, None]
    return ((noise_backward / wide) ** 2 - (noise_forward / narrow) ** 2).sum((0, 2)) / 2 + widths


@mistake(
    "path_log_ratio", "The numbers are right, but δᶠ is detached: the loss loses part of its slope."
)
def forward_detached(noise_forward, noise_backward, g):
    return sum(_parts(noise_forward.detach(), noise_backward, g))


@mistake(
    "path_log_ratio",
    "The widths count too often. They come D times a step: not B times, and not D times in each of D coordinates.",
)
def widths_too_often(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + widths * noise_forward.shape[-1]


@mistake(
    "path_log_ratio", "The widths are multiplied by N, the steps. They come once for each of D."
)
def widths_by_steps(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + widths / noise_forward.shape[-1] * noise_forward.shape[0]


@mistake("path_log_ratio", "The widths are averaged over the steps. They add up.")
def mean_of_widths(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + widths / noise_forward.shape[0]


@mistake("path_log_ratio", "The ½ stands before δᴮ's squares only. It belongs to the difference.")
def half_of_one(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (0.5 * noise_backward.square() - noise_forward.square()).sum((0, 2)) + widths


@mistake("path_log_ratio", "The squares are added. One density is divided by the other: subtract.")
def squares_added(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward.square() + noise_forward.square()).sum((0, 2)) / 2 + widths


@mistake("path_log_ratio", "The lengths of the noises enter as they are. Square them.")
def lengths_not_squared(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward.norm(dim=2) - noise_forward.norm(dim=2)).sum(0) / 2 + widths


@variant("path_log_ratio")
def by_telescope(noise_forward, noise_backward, g):
    together = torch.einsum("nbd,nbd->b", noise_backward, noise_backward)
    together = together - torch.einsum("nbd,nbd->b", noise_forward, noise_forward)
    return 0.5 * together + noise_forward.shape[-1] * torch.log(g[-1] / g[0])


@variant("path_log_ratio")
def step_by_step(noise_forward, noise_backward, g):
    total = 0
    for i in range(noise_forward.shape[0]):
        squares = noise_backward[i].pow(2).sum(-1) - noise_forward[i].pow(2).sum(-1)
        total = total + 0.5 * squares
        for _ in range(noise_forward.shape[2]):
            total = total + g[i + 1].log() - g[i].log()
    return total


# --- nll_bound ----------------------------------------------------------------------------------


def _walk(
    x, times, g, noise, drift, score, *, field=1, back=1, when=1, cut=False, spans=None, late=(0, 0)
):
    """A path by the formulas; which end of a step each way looks at can be chosen."""
    spans, squares = times.diff() if spans is None else spans, 0.0
    for i in range(noise.shape[0]):
        span, root = spans[i], spans[i].sqrt()
        after = x + drift(x, times[i + late[0]]) * span + g[i + late[1]] * root * noise[i]
        if cut:
            after = after.detach()
        here, moment = (x, after)[field], times[i + when]
        away = drift(here, moment) - g[i + back] ** 2 * score(here, moment)
        told = (x - after + away * span) / (g[i + back] * root)
        squares = squares + (told.square() - noise[i].square()).sum(1) / 2
        x = after
    return x, squares


def _gauss(x):
    return (x.square().sum(1) + x.shape[1] * math.log(2 * math.pi)) / 2


def _widths(x, g):
    return x.shape[1] * (g[-1] / g[0]).log()


@oracle("nll_bound")
def densities_of_a_walk(x, times, g, noise, drift, score):
    """The densities of every step's Gaussians, in float64."""
    normal, total = torch.distributions.Normal, 0.0
    x, times, g, noise = x.double(), times.double(), g.double(), noise.double()
    for i in range(len(noise)):
        span = times[i + 1] - times[i]
        forth = normal(x + drift(x, times[i]) * span, g[i] * span.sqrt())
        after = forth.loc + forth.scale * noise[i]
        later = times[i + 1]
        away = drift(after, later) - g[i + 1] ** 2 * score(after, later)
        back = normal(after - away * span, g[i + 1] * span.sqrt())
        total = total + (forth.log_prob(after) - back.log_prob(x)).sum(1)
        x = after
    return (total - normal(0.0, 1.0).log_prob(x).sum(1)).float()


@mistake("nll_bound", "The latent is missing: add −log N(x_N; 0, I).")
def latent_forgotten(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score)
    return squares + _widths(x, g) + 0 * end.sum(1)


@mistake("nll_bound", "The latent has the wrong sign: minus its log-density is added.")
def latent_turned(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score)
    return squares + _widths(x, g) - _gauss(end)


@mistake(
    "nll_bound",
    "The latent's density is taken at the data x_0. It belongs to the end of the path, x_N.",
)
def latent_at_the_start(x, times, g, noise, drift, score):
    return _walk(x, times, g, noise, drift, score)[1] + _widths(x, g) + _gauss(x)


@mistake("nll_bound", "The Gaussian of the latent lacks D/2 · log 2π: without it this is no bound.")
def constant_forgotten(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score)
    return squares + _widths(x, g) + end.square().sum(1) / 2


@mistake("nll_bound", "log 2π counts once. There are D coordinates.")
def constant_once(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score)
    return squares + _widths(x, g) + end.square().sum(1) / 2 + math.log(2 * math.pi) / 2


@mistake("nll_bound", "The ratio of the path has the wrong sign.")
def path_turned(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score)
    return _gauss(end) - squares - _widths(x, g)


@mistake("nll_bound", "The path's ratio is missing: this is the latent alone.")
def path_forgotten(x, times, g, noise, drift, score):
    return _gauss(_walk(x, times, g, noise, drift, score)[0])


@mistake("nll_bound", "The widths are missing: g_{i+1} / g_i counts in each coordinate.")
def no_widths(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score)
    return squares + _gauss(end)


@mistake(
    "nll_bound", "The way back uses g_i. Its step starts at x_{i+1}, where the size is g_{i+1}."
)
def early_g(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score, back=0)
    return squares + _widths(x, g) + _gauss(end)


@mistake("nll_bound", "Drift and score of the way back are asked at x_i. They belong to x_{i+1}.")
def early_points(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score, field=0)
    return squares + _widths(x, g) + _gauss(end)


@mistake(
    "nll_bound",
    "Drift and score of the way back are asked at time t_i. The step back starts at t_{i+1}.",
)
def early_times(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score, when=0)
    return squares + _widths(x, g) + _gauss(end)


@mistake(
    "nll_bound",
    "Everything of the way back is taken at the start of the step. It belongs to its end.",
)
def all_early(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score, field=0, when=0, back=0)
    return squares + _widths(x, g) + _gauss(end)


@mistake("nll_bound", "The walk goes from the last time to the first. Data are at times[0].")
def reversed_times(x, times, g, noise, drift, score):
    gone = (times[0] + times[-1] - times).flip(0)
    end, squares = _walk(x, gone, g.flip(0), noise.flip(0), drift, score)
    return squares + _widths(x, g) + _gauss(end)


@mistake("nll_bound", "You return a mean over the batch. One number a point is asked for, (B,).")
def mean_over_batch(x, times, g, noise, drift, score):
    return densities_of_a_walk(x, times, g, noise, drift, score).mean()


@mistake("nll_bound", "You average over the coordinates. Their log-densities add up.")
def mean_over_dims(x, times, g, noise, drift, score):
    return densities_of_a_walk(x, times, g, noise, drift, score) / x.shape[1]


@mistake("nll_bound", "Only the last step's ratio is counted. Sum over all steps of the path.")
def only_the_last_step(x, times, g, noise, drift, score):
    before = _walk(x, times[:-1], g[:-1], noise[:-1], drift, score)[0] if len(noise) > 1 else x
    end, squares = _walk(before, times[-2:], g[-2:], noise[-1:], drift, score)
    return squares + x.shape[1] * (g[-1] / g[-2]).log() + _gauss(end)


@mistake(
    "nll_bound", "Every step starts at the data: the points were not handed on from step to step."
)
def points_not_handed_on(x, times, g, noise, drift, score):
    squares, spans = 0.0, times.diff()
    for i in range(noise.shape[0]):
        end, more = _walk(x, times[i : i + 2], g[i : i + 2], noise[i : i + 1], drift, score)
        squares = squares + more
    return squares + _widths(x, g) + _gauss(end) + 0 * spans.sum()


@mistake(
    "nll_bound",
    "The numbers are right, but the points are detached on the way: the drift gets no slope of later steps.",
)
def detached_path(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score, cut=True)
    return squares + _widths(x, g) + _gauss(end)


@mistake("nll_bound", "You changed the points in place (+= does). Make new ones.")
def moved_in_place(x, times, g, noise, drift, score):
    told = densities_of_a_walk(x.clone(), times, g, noise, drift, score).to(x)
    x.data += 0.1
    return told


@mistake(
    "nll_bound", "The sign is wrong: this bounds log p from below. Asked for is −log p, from above."
)
def bound_turned(x, times, g, noise, drift, score):
    return -densities_of_a_walk(x, times, g, noise, drift, score)


@mistake("nll_bound", "You sum over the batch. One number a point is asked for, (B,).")
def sum_over_batch(x, times, g, noise, drift, score):
    return densities_of_a_walk(x, times, g, noise, drift, score).sum()


@mistake("nll_bound", "The latent's squares lack their ½: −log N is ½ (x² + log 2π) a coordinate.")
def latent_not_halved(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score)
    return squares + _widths(x, g) + _gauss(end) + end.square().sum(1) / 2


@mistake("nll_bound", "The ½ of the latent is missing altogether.")
def latent_twice(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score)
    return squares + _widths(x, g) + 2 * _gauss(end)


@mistake("nll_bound", "log 2π counts ½ a coordinate; you count it whole.")
def constant_not_halved(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score)
    return squares + _widths(x, g) + _gauss(end) + x.shape[1] * math.log(2 * math.pi) / 2


@mistake(
    "nll_bound", "The two noises are exchanged: the noise that was given is that of the way forth."
)
def noises_exchanged(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score)
    return _gauss(end) + _widths(x, g) - squares


@mistake("nll_bound", "The path's ratio is averaged over the steps. It is a sum.")
def mean_of_steps(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score)
    return _gauss(end) + (squares + _widths(x, g)) / len(noise)


@mistake("nll_bound", "Each step has the same length here. Take Δt from the times.")
def even_steps(x, times, g, noise, drift, score):
    even = torch.full_like(noise[:, 0, 0], 1 / len(noise))
    end, squares = _walk(x, times, g, noise, drift, score, spans=even)
    return squares + _widths(x, g) + _gauss(end)


@mistake("nll_bound", "You take a time for the length of a step. That is t_{i+1} − t_i.")
def time_for_length(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score, spans=times[1:])
    return squares + _widths(x, g) + _gauss(end)


@mistake("nll_bound", "The way forth asks the drift at time t_{i+1}. It starts at t_i.")
def late_drift(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score, late=(1, 0))
    return squares + _widths(x, g) + _gauss(end)


@mistake("nll_bound", "The way forth uses g_{i+1}. Its step starts at x_i, where the size is g_i.")
def late_g(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score, late=(0, 1))
    return squares + _widths(x, g) + _gauss(end)


@mistake("nll_bound", "Drift and score are exchanged.")
def fields_exchanged(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, score, drift)
    return squares + _widths(x, g) + _gauss(end)


@mistake(
    "nll_bound",
    "Drift and score of the way back are asked at x_i and t_i: both one step too early.",
)
def early_place_and_time(x, times, g, noise, drift, score):
    end, squares = _walk(x, times, g, noise, drift, score, field=0, when=0)
    return squares + _widths(x, g) + _gauss(end)


@mistake(
    "nll_bound",
    "The numbers are right, but each step starts at detached points: the path carries no slope.",
)
def detached_starts(x, times, g, noise, drift, score):
    squares = 0.0
    for i in range(noise.shape[0]):
        end, more = _walk(x, times[i : i + 2], g[i : i + 2], noise[i : i + 1], drift, score)
        squares, x = squares + more, end.detach()
    return squares + _widths(x, g) + _gauss(end)


@variant("nll_bound")
def all_steps_at_once(x, times, g, noise, drift, score):
    spans, path = times.diff(), [x]
    for i in range(noise.shape[0]):
        now = path[-1]
        path.append(now + spans[i] * drift(now, times[i]) + g[i] * noise[i] * spans[i] ** 0.5)
    pairs = list(zip(path[1:], times[1:], strict=True))
    away = torch.stack([drift(p, t) for p, t in pairs])
    pull = torch.stack([score(p, t) for p, t in pairs])
    path, wide, span = torch.stack(path), g[1:, None, None], spans[:, None, None]
    told = (path[:-1] - path[1:] + span * (away - wide**2 * pull)) / (wide * span.sqrt())
    ratio = 0.5 * (told**2 - noise**2).sum(-1).sum(0) + x.shape[-1] * (g[-1].log() - g[0].log())
    return ratio - torch.distributions.Normal(0.0, 1.0).log_prob(path[-1]).sum(-1)


@variant("nll_bound")
def densities_in_float32(x, times, g, noise, drift, score):
    cost = torch.zeros_like(x[:, 0])
    for i, unit in enumerate(noise):
        root = (times[i + 1] - times[i]).sqrt()
        after = x + drift(x, times[i]) * root**2 + g[i] * root * unit
        back = after - root**2 * (
            drift(after, times[i + 1]) - g[i + 1] ** 2 * score(after, times[i + 1])
        )
        law = torch.distributions.Normal(back, g[i + 1] * root)
        forth = torch.distributions.Normal(after - g[i] * root * unit, g[i] * root)
        cost = cost + (forth.log_prob(after) - law.log_prob(x)).sum(1)
        x = after
    return cost + 0.5 * (x * x).sum(1) + 0.5 * x.shape[1] * math.log(2 * math.pi)


SURVIVORS = {}
