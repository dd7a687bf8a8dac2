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
    return x + f * dt + g * torch.randn_like(x) * dt.sqrt()


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


@mistake("forward_step", "g √Δt is added, but not multiplied by the noise that is given.")
def noise_not_used(x, f, g, dt, noise):
    return x + f * dt + g * dt.sqrt() + 0 * noise


@mistake("forward_step", "You multiply by ½ g². The noise has the size g.")
def half_of_g_squared(x, f, g, dt, noise):
    return x + f * dt + 0.5 * g**2 * noise * dt.sqrt()


@mistake("forward_step", "½ g² is taken off the drift. This step has f Δt alone.")
def ito_term_taken_off(x, f, g, dt, noise):
    return x + (f - 0.5 * g**2) * dt + g * noise * dt.sqrt()


@mistake("forward_step", "g² is taken off the drift. This step has f Δt alone.")
def variance_taken_off(x, f, g, dt, noise):
    return x + (f - g**2) * dt + g * noise * dt.sqrt()


@mistake("forward_step", "x is multiplied by Δt as well: only the drift is.")
def x_times_the_length(x, f, g, dt, noise):
    return (x + f) * dt + g * noise * dt.sqrt()


@mistake("forward_step", "The drift's own value is missing: you add Δt, where f Δt is asked for.")
def length_for_drift(x, f, g, dt, noise):
    return x + dt + g * noise * dt.sqrt() + 0 * f


@mistake("forward_step", "g and f are exchanged: g is the size of the noise, f the drift.")
def g_and_f_exchanged(x, f, g, dt, noise):
    return x + g * dt + f * noise * dt.sqrt()


@mistake("forward_step", "x and the noise are exchanged: the step starts at x.")
def x_and_noise_exchanged(x, f, g, dt, noise):
    return noise + f * dt + g * x * dt.sqrt()


@mistake("forward_step", "The root stands around all of the noise's term. Only Δt is under it.")
def root_around_all(x, f, g, dt, noise):
    return x + f * dt + (g * noise * dt).sqrt()


@mistake("forward_step", "There is no ½ before the noise.")
def half_the_noise(x, f, g, dt, noise):
    return x + f * dt + 0.5 * g * noise * dt.sqrt()


@mistake("forward_step", "The drift is no rate of growth: f Δt is added to x.")
def x_grows_by_an_exponential(x, f, g, dt, noise):
    return x * torch.exp(f * dt) + g * noise * dt.sqrt()


@mistake("forward_step", "The drift is multiplied by x. f holds its values already: f Δt is added.")
def x_in_the_drift(x, f, g, dt, noise):
    return x + f * x * dt + g * noise * dt.sqrt()


@mistake("forward_step", "The drift multiplies the noise. Its size is g.")
def drift_in_the_noise(x, f, g, dt, noise):
    return x + f * dt + f * g * noise * dt.sqrt()


@mistake("forward_step", "The noise takes the root of Δt, not its square.")
def length_squared(x, f, g, dt, noise):
    return x + f * dt + g * noise * dt**2


@mistake("forward_step", "The noise is divided by g. It is multiplied by it.")
def noise_divided_by_g(x, f, g, dt, noise):
    return x + f * dt + noise * dt.sqrt() / g


@mistake("forward_step", "The root is taken of g as well, and not of Δt.")
def root_of_g_alone(x, f, g, dt, noise):
    return x + f * dt + g.sqrt() * noise * dt


@mistake("forward_step", "That is a step of another way: forth, drift and noise are both added.")
def all_taken_off(x, f, g, dt, noise):
    return x - f * dt - g * noise * dt.sqrt()


@mistake("forward_step", "x is not shrunk: in this formula it stands as it is.")
def scaled_like_a_diffusion(x, f, g, dt, noise):
    return x * (1 - dt).sqrt() + f * dt + g * noise * dt.sqrt()


@mistake(
    "forward_step",
    "math.sqrt and float() take one number alone. Use torch's functions: g and dt may have any shape.",
)
def root_of_one_number(x, f, g, dt, noise):
    return x + f * dt + g * noise * math.sqrt(dt)


@mistake(
    "forward_step",
    ".item() takes one number alone, but g and dt may have any shape that broadcasts.",
)
def length_as_an_item(x, f, g, dt, noise):
    dt = dt.item()
    return x + f * dt + g * noise * dt**0.5


@mistake("forward_step", "g and dt may be single numbers, with no axis to index: use them whole.")
def first_entries(x, f, g, dt, noise):
    return x + f * dt[0] + g[0] * noise * dt[0].sqrt()


@mistake("forward_step", "g and dt broadcast as they are: give them no axis of your own.")
def new_axes(x, f, g, dt, noise):
    return x + f * dt[:, None] + g[:, None] * noise * dt[:, None].sqrt()


@mistake(
    "forward_step",
    "You bring g and dt to two axes. They may have as many as x, and x may have more.",
)
def two_axes_only(x, f, g, dt, noise):
    g, dt = g.view(-1, 1), dt.view(-1, 1)
    return x + f * dt + g * noise * dt.sqrt()


@mistake("forward_step", "Only the first of all g and dt is used. They may have many entries.")
def first_length_alone(x, f, g, dt, noise):
    g, dt = g.flatten()[0], dt.flatten()[0]
    return x + f * dt + g * noise * dt.sqrt()


@mistake("forward_step", "g and dt are averaged. Each point may have its own.")
def lengths_averaged(x, f, g, dt, noise):
    g, dt = g.mean(), dt.mean()
    return x + f * dt + g * noise * dt.sqrt()


@mistake("forward_step", "You cut the points off. They may lie anywhere.")
def step_clipped(x, f, g, dt, noise):
    return (x + f * dt + g * noise * dt.sqrt()).clamp(-3, 3)


@mistake("forward_step", "The numbers are right, but no slope comes to x: it, or all, is detached.")
def start_detached(x, f, g, dt, noise):
    return (x + f * dt + g * noise * dt.sqrt()).detach()


@mistake(
    "forward_step", "The numbers are right, but the drift is detached: nothing could train it."
)
def drift_detached(x, f, g, dt, noise):
    return x + f.detach() * dt + g * noise * dt.sqrt()


@mistake("forward_step", "You average over the points. Each of them makes its own step.")
def mean_of_points(x, f, g, dt, noise):
    return (x + f * dt + g * noise * dt.sqrt()).mean(0)


@mistake("forward_step", "You sum over the coordinates. The next points have the shape of x.")
def summed_coordinates(x, f, g, dt, noise):
    return (x + f * dt + g * noise * dt.sqrt()).sum(1)


@mistake("forward_step", "Axes of length 1 are squeezed away. The shape is that of x.")
def step_squeezed(x, f, g, dt, noise):
    return (x + f * dt + g * noise * dt.sqrt()).squeeze()


@mistake("forward_step", "You return two things. The next points alone are asked for.")
def mean_and_spread(x, f, g, dt, noise):
    return x + f * dt, g * dt.sqrt()


@mistake("forward_step", "f holds numbers, the drift at x. It is no function here.")
def f_called(x, f, g, dt, noise):
    return x + f(x) * dt + g * noise * dt.sqrt()


@mistake("forward_step", "In Python ^ is no power. Write ** or use torch's functions.")
def caret_for_root(x, f, g, dt, noise):
    return x + f * dt + g * noise * dt ^ 0.5


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
    "The numbers are right, but no slope comes to x_next: it, or all, is detached.",
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


@mistake("backward_step_noise", "You divide by √(g Δt). Only Δt stands under the root.")
def divided_by_root_of_both(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, (g * dt).sqrt())


@mistake("backward_step_noise", "The score is squared with its g. Only g is.")
def score_times_g_squared_twice(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - (g * s) ** 2) * dt, g * dt.sqrt())


@mistake(
    "backward_step_noise",
    "Only the end of the step back is divided. A bracket around the whole difference is missing.",
)
def only_the_mean_divided(x, x_next, f, s, g, dt):
    return x - (x_next - (f - g**2 * s) * dt) / (g * dt.sqrt())


@mistake("backward_step_noise", "x and x_next are added. What is missing to x is a difference.")
def points_added(x, x_next, f, s, g, dt):
    return (x + x_next - (f - g**2 * s) * dt) / (g * dt.sqrt())


@mistake("backward_step_noise", "The drift is not multiplied by Δt: the bracket holds both.")
def drift_without_time_back(x, x_next, f, s, g, dt):
    return _explained(x, x_next, f - g**2 * s * dt, g * dt.sqrt())


@mistake("backward_step_noise", "The score is taken off twice. The formula has g² s once.")
def twice_the_score(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - 2 * g**2 * s) * dt, g * dt.sqrt())


@mistake("backward_step_noise", "The score is divided by g². It is multiplied by it.")
def score_over_g_squared(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - s / g**2) * dt, g * dt.sqrt())


@mistake("backward_step_noise", "In Python ^ is no power. Write ** for it.")
def caret_for_power(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g ^ 2 * s) * dt, g * dt.sqrt())


@mistake("backward_step_noise", "The sign is lost: the noise itself is asked for, not its size.")
def size_of_the_noise(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, g * dt.sqrt()).abs()


@mistake("backward_step_noise", "You square the noise already. Exercise 3 does that.")
def noise_squared(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, g * dt.sqrt()) ** 2


@mistake(
    "backward_step_noise",
    "You return its length, one number a row. A noise for each coordinate is asked for.",
)
def length_of_the_noise(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, g * dt.sqrt()).norm(dim=-1)


@mistake("backward_step_noise", "You average over the points. Each step has its own noise.")
def mean_of_noises(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, g * dt.sqrt()).mean(0)


@mistake(
    "backward_step_noise", "You draw noise and step back. The question is which noise leads to x."
)
def a_step_with_own_noise(x, x_next, f, s, g, dt):
    made = x_next - (f - g**2 * s) * dt
    return made + g * torch.randn_like(x) * dt.sqrt()


@mistake(
    "backward_step_noise", "This takes a step. The question is which noise the step back needs."
)
def a_step_forth(x, x_next, f, s, g, dt):
    return x + f * dt + g * x_next * dt.sqrt() + 0 * s


@mistake(
    "backward_step_noise",
    "math.sqrt and float() take one number alone. Use torch's functions: g and dt may have any shape.",
)
def root_of_one_number_back(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, g * math.sqrt(dt))


@mistake(
    "backward_step_noise",
    ".item() takes one number alone, but g and dt may have any shape that broadcasts.",
)
def g_as_an_item(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, g.item() * dt.sqrt())


@mistake("backward_step_noise", "g and dt broadcast as they are: give them no axis of your own.")
def new_axes_back(x, x_next, f, s, g, dt):
    g, dt = g[:, None], dt[:, None]
    return _explained(x, x_next, (f - g**2 * s) * dt, g * dt.sqrt())


@mistake(
    "backward_step_noise",
    "You bring g and dt to two axes. They may have as many as x, and x may have more.",
)
def two_axes_back(x, x_next, f, s, g, dt):
    g, dt = g.view(-1, 1), dt.view(-1, 1)
    return _explained(x, x_next, (f - g**2 * s) * dt, g * dt.sqrt())


@mistake(
    "backward_step_noise",
    "You cut the noise off. A step that fits badly may need a very large one.",
)
def noise_clipped(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, g * dt.sqrt()).clamp(-5, 5)


@mistake("backward_step_noise", "You cut the noise off at ±3. A step that fits badly needs more.")
def noise_clipped_early(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s) * dt, g * dt.sqrt()).clamp(-3, 3)


@mistake(
    "backward_step_noise",
    "The numbers are right, but x is detached: the steps before get no slope.",
)
def point_detached(x, x_next, f, s, g, dt):
    return _explained(x.detach(), x_next, (f - g**2 * s) * dt, g * dt.sqrt())


@mistake(
    "backward_step_noise",
    "The numbers are right, but the drift is detached: the way back trains it, too.",
)
def drift_detached_back(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f.detach() - g**2 * s) * dt, g * dt.sqrt())


@mistake(
    "backward_step_noise",
    "The numbers are right, but the score is detached: nothing could train it.",
)
def score_detached(x, x_next, f, s, g, dt):
    return _explained(x, x_next, (f - g**2 * s.detach()) * dt, g * dt.sqrt())


@mistake("backward_step_noise", "You changed an input in place (-= does). Make a new tensor.")
def input_changed(x, x_next, f, s, g, dt):
    x_next -= (f - g**2 * s) * dt
    return (x - x_next) / (g * dt.sqrt())


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
    "The widths are missing, or cancel. Where g changes, the two Gaussians of a step are not equally wide.",
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
    "The widths are multiplied by D twice. They come once for each of D coordinates.",
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


@mistake("path_log_ratio", "Only the last step's widths count. Each step has its own.")
def last_width_alone(noise_forward, noise_backward, g):
    squares = _parts(noise_forward, noise_backward, g)[0]
    return squares + noise_forward.shape[2] * (g[-1] / g[-2]).log()


@mistake("path_log_ratio", "Only the first step's widths count. Each step has its own.")
def first_width_alone(noise_forward, noise_backward, g):
    squares = _parts(noise_forward, noise_backward, g)[0]
    return squares + noise_forward.shape[2] * (g[1] / g[0]).log()


@mistake("path_log_ratio", "The ½ stands before δᶠ's squares only. It belongs to the difference.")
def half_of_forward(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward**2 - 0.5 * noise_forward**2).sum((0, 2)) + widths


@mistake("path_log_ratio", "You average the squares over steps and coordinates. They add up.")
def mean_of_squares(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward**2 - noise_forward**2).mean((0, 2)) / 2 + widths


@mistake("path_log_ratio", "You average the squares over the steps. They add up.")
def mean_of_squares_over_steps(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward**2 - noise_forward**2).sum(2).mean(0) / 2 + widths


@mistake("path_log_ratio", "You average the squares over the coordinates. They add up.")
def mean_of_squares_over_coordinates(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward**2 - noise_forward**2).mean(2).sum(0) / 2 + widths


@mistake("path_log_ratio", "You average over steps and coordinates. The log-densities add up.")
def mean_of_all(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return (squares + widths) / (noise_forward.shape[0] * noise_forward.shape[2])


@mistake("path_log_ratio", "The squares of all paths are summed: leave the axis B alone.")
def squares_summed_over_paths(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward**2 - noise_forward**2).sum() / 2 + widths


@mistake(
    "path_log_ratio", "You sum over steps and paths. Steps and coordinates are the axes to sum."
)
def summed_over_steps_and_paths(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward**2 - noise_forward**2).sum((0, 1)) / 2 + widths


@mistake(
    "path_log_ratio",
    "You sum over paths and coordinates. Steps and coordinates are the axes to sum.",
)
def summed_over_paths_and_coordinates(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward**2 - noise_forward**2).sum((1, 2)) / 2 + widths


@mistake("path_log_ratio", "The widths are not summed over the steps.")
def widths_not_summed(noise_forward, noise_backward, g):
    squares = _parts(noise_forward, noise_backward, g)[0]
    return squares + noise_forward.shape[2] * (g[1:] / g[:-1]).log()


@mistake("path_log_ratio", "The widths of all steps are added at each step, so they count N times.")
def widths_each_step_again(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + noise_forward.shape[0] * widths


@mistake(
    "path_log_ratio",
    "The sum of the widths is added at each step and coordinate, before these are summed: it counts N · D times.",
)
def widths_everywhere_again(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + noise_forward[:, 0].numel() * widths


@mistake(
    "path_log_ratio", "The widths are multiplied by B, the paths. They come once for each of D."
)
def widths_by_paths(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + widths / noise_forward.shape[2] * noise_forward.shape[1]


@mistake("path_log_ratio", "Each width is compared with g_0. Compare it with the one before, g_i.")
def widths_from_the_start(noise_forward, noise_backward, g):
    squares = _parts(noise_forward, noise_backward, g)[0]
    return squares + noise_forward.shape[2] * (g[1:] / g[0]).log().sum()


@mistake("path_log_ratio", "You take the logarithm of a sum. Sum the logarithms.")
def log_of_the_sum(noise_forward, noise_backward, g):
    squares = _parts(noise_forward, noise_backward, g)[0]
    return squares + noise_forward.shape[2] * (g[1:] / g[:-1]).sum().log()


@mistake(
    "path_log_ratio", "You take the difference of the widths. Take the logarithm of their ratio."
)
def widths_subtracted(noise_forward, noise_backward, g):
    squares = _parts(noise_forward, noise_backward, g)[0]
    return squares + noise_forward.shape[2] * (g[1:] - g[:-1]).sum()


@mistake(
    "path_log_ratio",
    "You take the logarithm of a difference. The ratio of the widths stands in it.",
)
def log_of_a_difference(noise_forward, noise_backward, g):
    squares = _parts(noise_forward, noise_backward, g)[0]
    return squares + noise_forward.shape[2] * (g[1:] - g[:-1]).log().sum()


@mistake(
    "path_log_ratio",
    "You multiply the widths by the number of axes, or by 3. D is the length of the last axis.",
)
def widths_by_axes(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + widths / noise_forward.shape[2] * noise_forward.ndim


@mistake("path_log_ratio", "You multiply the widths by 2. D is the length of the last axis.")
def widths_by_two(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + widths / noise_forward.shape[2] * 2


@mistake("path_log_ratio", "The way forth's widths are missing: only the last g is there.")
def last_g_alone(noise_forward, noise_backward, g):
    squares = _parts(noise_forward, noise_backward, g)[0]
    return squares + noise_forward.shape[2] * g[-1].log()


@mistake("path_log_ratio", "The logarithm has base 10. Nats are to base e.")
def log_to_ten(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + widths / math.log(10)


@mistake("path_log_ratio", "The logarithm has base 2. Nats are to base e.")
def log_to_two(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + widths / math.log(2)


@mistake("path_log_ratio", "A width that shrinks counts as well, with its sign.")
def widths_made_positive(noise_forward, noise_backward, g):
    squares = _parts(noise_forward, noise_backward, g)[0]
    return squares + noise_forward.shape[2] * (g[1:] / g[:-1]).log().abs().sum()


@mistake("path_log_ratio", "You sum log g over all times. The ratio g_{i+1} / g_i stands in it.")
def logs_of_all_g(noise_forward, noise_backward, g):
    squares = _parts(noise_forward, noise_backward, g)[0]
    return squares + noise_forward.shape[2] * g.log().sum()


@mistake("path_log_ratio", "Only log g_{i+1} is there; the way forth's width, g_i, is missing.")
def logs_of_later_g(noise_forward, noise_backward, g):
    squares = _parts(noise_forward, noise_backward, g)[0]
    return squares + noise_forward.shape[2] * g[1:].log().sum()


@mistake("path_log_ratio", "The widths are squared, the ½ that variances would need is missing.")
def widths_squared(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + 2 * widths


@mistake("path_log_ratio", "The ratio of the widths enters as a product, without its logarithm.")
def product_of_widths(noise_forward, noise_backward, g):
    squares = _parts(noise_forward, noise_backward, g)[0]
    return squares + (g[-1] / g[0]) ** noise_forward.shape[2]


@mistake(
    "path_log_ratio", "You sum the coordinates first and square then. Square each number, then sum."
)
def squares_of_sums(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward.sum(2) ** 2 - noise_forward.sum(2) ** 2).sum(0) / 2 + widths


@mistake(
    "path_log_ratio", "You sum everything first and square then. Square each number, then sum."
)
def square_of_the_whole_sum(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    back, forth = noise_backward.sum((0, 2)), noise_forward.sum((0, 2))
    return (back**2 - forth**2) / 2 + widths


@mistake("path_log_ratio", "The length of a whole path's noise enters as it is. Square it.")
def length_of_a_path(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward.norm(dim=(0, 2)) - noise_forward.norm(dim=(0, 2))) / 2 + widths


@mistake("path_log_ratio", "The noises are multiplied by g. They are standard normal as they are.")
def multiplied_by_g(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    back, forth = noise_backward * g[1:, None, None], noise_forward * g[:-1, None, None]
    return (back**2 - forth**2).sum((0, 2)) / 2 + widths


@mistake("path_log_ratio", "Both noises are divided by g. They are standard normal already.")
def divided_by_later_g(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    squares = (noise_backward**2 - noise_forward**2) / g[1:, None, None] ** 2
    return squares.sum((0, 2)) / 2 + widths


@mistake("path_log_ratio", "δᴮ is missing: only the noise of the way forth is counted.")
def only_forward(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return widths - noise_forward.square().sum((0, 2)) / 2 + 0 * noise_backward.sum()


@mistake("path_log_ratio", "The noises are multiplied with each other. Square each of them.")
def noises_multiplied(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward * noise_forward).sum((0, 2)) / 2 + widths


@mistake("path_log_ratio", "The sizes of the noises enter as they are. Square them.")
def sizes_not_squared(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward.abs() - noise_forward.abs()).sum((0, 2)) / 2 + widths


@mistake("path_log_ratio", "log 2π is added. Both Gaussians have it, so it cancels.")
def extra_constant(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares + widths + noise_forward[:, 0].numel() / 2 * math.log(2 * math.pi)


@mistake("path_log_ratio", "You return the ratio. Its logarithm is asked for.")
def not_the_log(noise_forward, noise_backward, g):
    return sum(_parts(noise_forward, noise_backward, g)).exp()


@mistake("path_log_ratio", "You return squares and widths apart. Their sum is asked for.")
def ratio_as_a_pair(noise_forward, noise_backward, g):
    squares, widths = _parts(noise_forward, noise_backward, g)
    return squares, widths


@mistake("path_log_ratio", "The summed axes are kept. The shape is (B,): leave out keepdim.")
def axes_kept(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    return (noise_backward**2 - noise_forward**2).sum((0, 2), keepdim=True) / 2 + widths


@mistake("path_log_ratio", "That is a column. The shape is (B,).")
def ratio_as_a_column(noise_forward, noise_backward, g):
    return sum(_parts(noise_forward, noise_backward, g))[:, None]


@mistake(
    "path_log_ratio", "An axis of length 1 is squeezed away: the shape is (B,), for one path, too."
)
def ratio_squeezed(noise_forward, noise_backward, g):
    return sum(_parts(noise_forward, noise_backward, g)).squeeze()


@mistake("path_log_ratio", "The numbers are right, but δᴮ is detached: nothing could be trained.")
def backward_detached(noise_forward, noise_backward, g):
    return sum(_parts(noise_forward, noise_backward.detach(), g))


@mistake("path_log_ratio", "You changed an input in place (**= does). Make a new tensor.")
def squared_in_place(noise_forward, noise_backward, g):
    widths = _parts(noise_forward, noise_backward, g)[1]
    noise_backward **= 2
    return (noise_backward - noise_forward**2).sum((0, 2)) / 2 + widths


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


def _bound(
    x, times, g, noise, drift, score, *, forth=None, explain=None, when=None, squares=None,
    latent=None, widths=None, fed=None, length=None,
):  # fmt: skip
    """The bound as most people write it; one part of it can be put wrong.

    `explain(x, y, at)` gives the noise of a step back, where `at` has all that belongs to it.
    """
    told, start = [], x
    given = noise if fed is None else fed(noise)
    for i in range(noise.shape[0]):
        dt = times[i + 1] - times[i] if length is None else length(times, i)
        g0, g1, t0, t1 = g[i], g[i + 1], times[i], times[i + 1]
        ft = t0 if when is None else when(t0, t1)
        if forth is None:
            y = x + drift(x, ft) * dt + g0 * given[i] * dt.sqrt()
        else:
            y = forth(x, drift(x, ft), g0, g1, dt, given[i])
        if explain is None:
            away = drift(y, t1) - g1**2 * score(y, t1)
            told.append((x - y + away * dt) / (g1 * dt.sqrt()))
        else:
            told.append(explain(x, y, t0, t1, g0, g1, dt, drift, score))
        before, x = x, y
    told = torch.stack(told)
    path = (told**2 - noise**2).sum((0, 2)) / 2 if squares is None else squares(told, noise)
    path = path + (_widths(x, g) if widths is None else widths(x, g))
    return path + (_gauss(x) if latent is None else latent(start, before, x))


def _step_back(x, y, away, scale):
    return (x - y + away) / scale


@mistake(
    "nll_bound",
    "The drift of the step forth is used again for the way back. Ask it anew, at x_{i+1} and t_{i+1}.",
)
def drift_of_the_way_forth(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(x, t0) - g1**2 * score(y, t1)) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake("nll_bound", "The score is asked at x_i and t_i. It belongs to x_{i+1} and t_{i+1}.")
def early_score(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t1) - g1**2 * score(x, t0)) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake("nll_bound", "The score is asked at x_i. It belongs to x_{i+1}.")
def early_score_in_place(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t1) - g1**2 * score(x, t1)) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake("nll_bound", "The score is asked at time t_i. It belongs to t_{i+1}.")
def early_score_in_time(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t1) - g1**2 * score(y, t0)) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake("nll_bound", "The drift of the way back is asked at x_i. It belongs to x_{i+1}.")
def early_drift_in_place(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(x, t1) - g1**2 * score(y, t1)) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake("nll_bound", "The drift of the way back is asked at time t_i. It belongs to t_{i+1}.")
def early_drift_in_time(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t0) - g1**2 * score(y, t1)) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake(
    "nll_bound",
    "x is overwritten by the next point before the noise of the step is asked: keep both, x_i and x_{i+1}.",
)
def overwritten(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(y, y, (drift(y, t1) - g1**2 * score(y, t1)) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake(
    "nll_bound",
    "g and the times of the way back are those of the step's start. They belong to its end.",
)
def early_g_and_time(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t0) - g0**2 * score(y, t0)) * dt, g0 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake(
    "nll_bound",
    "g and the points of the way back are those of the step's start. They belong to its end.",
)
def early_g_and_place(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(x, t1) - g0**2 * score(x, t1)) * dt, g0 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake("nll_bound", "You divide by g_i. The noise of the step back has the size g_{i+1}.")
def early_g_in_the_scale(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t1) - g1**2 * score(y, t1)) * dt, g0 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake("nll_bound", "The score is multiplied by g_i². At the end of the step it is g_{i+1}.")
def early_g_at_the_score(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t1) - g0**2 * score(y, t1)) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake("nll_bound", "The step forth uses g and time of its end. It starts at t_i, with g_i.")
def late_g_and_time(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score, when=lambda t0, t1: t1,
        forth=lambda x, f, g0, g1, dt, e: x + f * dt + g1 * e * dt.sqrt(),
    )  # fmt: skip


@mistake(
    "nll_bound",
    "In the step forth Δt stands where its root should. Finish Exercises 1 and 2 first, then call them.",
)
def root_forgotten_forth(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score, forth=lambda x, f, g0, g1, dt, e: x + f * dt + g0 * e * dt
    )


@mistake(
    "nll_bound",
    "In the noise of the step back Δt stands where its root should. Finish Exercises 1 and 2 first, then call them.",
)
def root_forgotten_back(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t1) - g1**2 * score(y, t1)) * dt, g1 * dt)

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake(
    "nll_bound",
    "Forth and back Δt stands where its root should. Finish Exercises 1 and 2 first, then call them.",
)
def roots_forgotten(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score,
        forth=lambda x, f, g0, g1, dt, e: x + f * dt + g0 * e * dt,
        explain=lambda x, y, t0, t1, g0, g1, dt, f, s: (
            (x - y + (f(y, t1) - g1**2 * s(y, t1)) * dt) / (g1 * dt)
        ),
    )  # fmt: skip


@mistake(
    "nll_bound",
    "The step forth multiplies the noise by g². Finish Exercises 1 and 2 first, then call them.",
)
def variance_forth(x, times, g, noise, drift, score):
    return _bound(
        x,
        times,
        g,
        noise,
        drift,
        score,
        forth=lambda x, f, g0, g1, dt, e: x + f * dt + g0**2 * e * dt.sqrt(),
    )


@mistake(
    "nll_bound",
    "The score is multiplied by g, where its square belongs. Finish Exercises 1 and 2 first, then call them.",
)
def g_at_the_score(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t1) - g1 * score(y, t1)) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake(
    "nll_bound",
    "The score is added to the drift; g² s is taken off it. Finish Exercises 1 and 2 first, then call them.",
)
def score_added_back(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t1) + g1**2 * score(y, t1)) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake(
    "nll_bound",
    "The score is missing: this is the noise of a way back, or forth, without it. Finish Exercises 1 and 2 first, then call them.",
)
def no_score(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t1) - 0 * score(y, t1)) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake(
    "nll_bound",
    "x and x_next are exchanged in the noise of the step back, or drift and score have the wrong sign.",
)
def points_swapped(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(y, x, (drift(y, t1) - g1**2 * score(y, t1)) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake("nll_bound", "The widths count once a step. There are D coordinates.")
def widths_once_here(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score, widths=lambda x, g: (g[-1] / g[0]).log())


@mistake("nll_bound", "The widths have the wrong sign.")
def widths_turned_here(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score, widths=lambda x, g: -_widths(x, g))


@mistake("nll_bound", "The widths are multiplied by B, the points. They come once for each of D.")
def widths_by_points(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score, widths=lambda x, g: len(x) * (g[-1] / g[0]).log()
    )


@mistake("nll_bound", "The ½ before the squares of the path is missing.")
def path_not_halved(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score, squares=lambda b, e: (b**2 - e**2).sum((0, 2)))


@mistake("nll_bound", "δᶠ is missing in the path's ratio: half of its squares is taken off.")
def forward_noise_forgotten(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score, squares=lambda b, e: b.square().sum((0, 2)) / 2)


@mistake(
    "nll_bound", "The squares of the path are averaged over steps and coordinates. They add up."
)
def squares_averaged(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score, squares=lambda b, e: (b**2 - e**2).mean((0, 2)) / 2
    )


@mistake("nll_bound", "The squares of the path are averaged over the steps. They add up.")
def squares_averaged_over_steps(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score, squares=lambda b, e: (b**2 - e**2).sum(2).mean(0) / 2
    )


@mistake(
    "nll_bound",
    "All of g belongs into the path's ratio. One entry is cut off, so a width is missing.",
)
def later_g_to_the_ratio(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score, widths=lambda x, g: _widths(x, g[1:]))


@mistake("nll_bound", "You drew noise of your own. The way forth uses the one that is given.")
def own_noise_each_step(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score,
        forth=lambda x, f, g0, g1, dt, e: x + f * dt + g0 * torch.randn_like(x) * dt.sqrt(),
    )  # fmt: skip


@mistake("nll_bound", "You drew noise of your own, for all steps. Use the one that is given.")
def own_noise_for_all(x, times, g, noise, drift, score):
    return _bound(x, times, g, torch.randn_like(noise), drift, score)


@mistake(
    "nll_bound", "The noise is taken from the last to the first. noise[0] makes the first step."
)
def noise_reversed(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score, fed=lambda e: e.flip(0))


@mistake("nll_bound", "A step takes the noise of the step before. noise[i] makes step i.")
def noise_one_early(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score, fed=lambda e: e.roll(1, 0))


@mistake("nll_bound", "Δt is that of the next step. It is t_{i+1} − t_i.")
def length_of_the_next(x, times, g, noise, drift, score):
    def length(t, i):
        i = min(i + 1, len(t) - 2)
        return t[i + 1] - t[i]

    return _bound(x, times, g, noise, drift, score, length=length)


@mistake("nll_bound", "Δt is that of the step before. It is t_{i+1} − t_i.")
def length_of_the_one_before(x, times, g, noise, drift, score):
    def length(t, i):
        i = max(i, 1)
        return t[i] - t[i - 1]

    return _bound(x, times, g, noise, drift, score, length=length)


@mistake("nll_bound", "Δt is 0 or below. It is t_{i+1} − t_i.")
def length_below_0(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score, length=lambda t, i: t[i] - t[i + 1])


@mistake("nll_bound", "log 2π has the wrong sign in −log N.")
def constant_turned(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score,
        latent=lambda a, b, z: _gauss(z) - z.shape[1] * math.log(2 * math.pi),
    )  # fmt: skip


@mistake("nll_bound", "log 2π counts whole, and once. It is ½ log 2π in each of D coordinates.")
def constant_whole_once(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score,
        latent=lambda a, b, z: z.square().sum(1) / 2 + math.log(2 * math.pi),
    )  # fmt: skip


@mistake("nll_bound", "log 2π is multiplied by B, the points. It comes once for each of D.")
def constant_by_points(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score,
        latent=lambda a, b, z: z.square().sum(1) / 2 + len(z) * math.log(2 * math.pi) / 2,
    )  # fmt: skip


@mistake("nll_bound", "That is (log 2) · π. The logarithm is of 2π.")
def logarithm_of_two_times_pi(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score,
        latent=lambda a, b, z: z.square().sum(1) / 2 + z.shape[1] * math.log(2) * math.pi / 2,
    )  # fmt: skip


@mistake("nll_bound", "The latent's length enters as it is. Square it.")
def latent_by_its_length(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score,
        latent=lambda a, b, z: z.norm(dim=1) / 2 + z.shape[1] * math.log(2 * math.pi) / 2,
    )  # fmt: skip


@mistake("nll_bound", "The latent's log-density is averaged over the coordinates. It adds up.")
def latent_averaged(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score, latent=lambda a, b, z: _gauss(z) / z.shape[1])


@mistake("nll_bound", "The latent's log-density is summed over all points. Each has its own.")
def latent_of_all_points(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score, latent=lambda a, b, z: _gauss(z).sum())


@mistake(
    "nll_bound", "The latent is not summed over its coordinates. One number a point is asked for."
)
def latent_not_summed(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score,
        latent=lambda a, b, z: (z**2 + math.log(2 * math.pi)) / 2,
    )  # fmt: skip


@mistake(
    "nll_bound",
    "The latent's density is taken one step before the end, at x_{N−1}. It belongs to x_N.",
)
def latent_one_step_early(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score, latent=lambda a, b, z: _gauss(b))


@mistake("nll_bound", "The latent is divided by g. It is standard normal.")
def latent_divided_by_g(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score, latent=lambda a, b, z: _gauss(z / g[-1]))


@mistake("nll_bound", "The last step is missing: the walk has N steps.")
def one_step_too_few(x, times, g, noise, drift, score):
    return _bound(x, times[:-1], g[:-1], noise[:-1], drift, score)


@mistake("nll_bound", "The last step is missing: the walk has N steps.")
def one_step_too_few_all_widths(x, times, g, noise, drift, score):
    return _bound(x, times[:-1], g, noise[:-1], drift, score)


@mistake("nll_bound", "The walk has N steps, one fewer than there are times.")
def too_many_steps(x, times, g, noise, drift, score):
    y = x
    for i in range(len(times)):
        dt = times[i + 1] - times[i]
        y = y + drift(y, times[i]) * dt + g[i] * noise[i] * dt.sqrt()
    return _gauss(y)


@mistake("nll_bound", "The explained noises are a list. Stack them to one tensor, (N, B, D).")
def noises_in_a_list(x, times, g, noise, drift, score):
    told = []
    for i in range(noise.shape[0]):
        dt = times[i + 1] - times[i]
        y = x + drift(x, times[i]) * dt + g[i] * noise[i] * dt.sqrt()
        away = drift(y, times[i + 1]) - g[i + 1] ** 2 * score(y, times[i + 1])
        told.append((x - y + away * dt) / (g[i + 1] * dt.sqrt()))
        x = y
    return _gauss(x) + (told**2 - noise**2).sum((0, 2)) / 2


@mistake("nll_bound", "All steps are of one length here. Take each Δt from the times.")
def even_steps_to_the_end(x, times, g, noise, drift, score):
    return _bound(
        x, times, g, noise, drift, score, length=lambda t, i: (t[-1] - t[0]) / (len(t) - 1)
    )


@mistake("nll_bound", "drift takes the points first, then the time.")
def time_before_points(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, *fields):
        away = drift(y, t1) - g1**2 * score(y, t1)
        return _step_back(x, y, away * dt, g1 * dt.sqrt())

    turned = lambda y, t: drift(t, y)  # noqa: E731
    return _bound(x, times, g, noise, turned, score, explain=explain)


@mistake("nll_bound", "The networks take one time, a single number, for all points.")
def a_time_for_each_point(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, lambda y, t: drift(y, t.expand(len(y))), score)


@mistake(
    "nll_bound",
    "You cut the noise of the way back off. A step that fits badly may need a very large one.",
)
def back_clipped(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t1) - g1**2 * score(y, t1)) * dt, g1 * dt.sqrt()).clamp(
            -5, 5
        )

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake(
    "nll_bound",
    "Shapes do not fit. Are the explained noises stacked to (N, B, D), steps in front? Is the latent summed over its last axis?",
)
def noises_in_a_row(x, times, g, noise, drift, score):
    told = []
    for i in range(noise.shape[0]):
        dt = times[i + 1] - times[i]
        y = x + drift(x, times[i]) * dt + g[i] * noise[i] * dt.sqrt()
        away = drift(y, times[i + 1]) - g[i + 1] ** 2 * score(y, times[i + 1])
        told.append((x - y + away * dt) / (g[i + 1] * dt.sqrt()))
        x = y
    return _gauss(x) + sum(_parts(noise, torch.cat(told), g))


@mistake("nll_bound", "The numbers are right, but the noise of the way back is detached.")
def back_detached(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t1) - g1**2 * score(y, t1)) * dt, g1 * dt.sqrt()).detach()

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake("nll_bound", "The numbers are right, but the score is detached.")
def score_detached_here(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(x, y, (drift(y, t1) - g1**2 * score(y, t1).detach()) * dt, g1 * dt.sqrt())

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake(
    "nll_bound",
    "The numbers are right, but drift and score of the way back are asked at detached points.",
)
def fields_asked_at_detached(x, times, g, noise, drift, score):
    def explain(x, y, t0, t1, g0, g1, dt, drift, score):
        return _step_back(
            x, y, (drift(y.detach(), t1) - g1**2 * score(y.detach(), t1)) * dt, g1 * dt.sqrt()
        )

    return _bound(x, times, g, noise, drift, score, explain=explain)


@mistake("nll_bound", "The numbers are right, but no slope comes to x: it, or all, is detached.")
def start_detached_here(x, times, g, noise, drift, score):
    return _bound(x.detach(), times, g, noise, drift, score)


@mistake("nll_bound", "drift and score take the points first, then the time.")
def time_and_points_exchanged(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, lambda y, t: drift(t, y), lambda y, t: score(t, y))


@mistake(
    "nll_bound", "The networks are asked with the step's number. They take the time, times[i]."
)
def number_of_the_step(x, times, g, noise, drift, score):
    number = torch.arange(len(times)).to(x)
    spans = times.diff()
    return _bound(x, number, g, noise, drift, score, length=lambda t, i: spans[i])


@mistake("nll_bound", "The networks are asked with i / N. They take the time, times[i].")
def share_of_the_steps(x, times, g, noise, drift, score):
    share = torch.linspace(0, 1, len(times)).to(x)
    spans = times.diff()
    return _bound(x, share, g, noise, drift, score, length=lambda t, i: spans[i])


@mistake("nll_bound", "This is in bits. Nats are asked for.")
def in_bits(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score) / math.log(2)


@mistake("nll_bound", "You return 1 / p. Its logarithm is asked for.")
def density_itself(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score).exp()


@mistake("nll_bound", "You return latent and path apart. Their sum is asked for.")
def bound_as_a_pair(x, times, g, noise, drift, score):
    return x.sum(1), _bound(x, times, g, noise, drift, score)


@mistake(
    "nll_bound", "You cut the bound off at 0. A density may be above 1, so −log p may be below 0."
)
def never_below_0(x, times, g, noise, drift, score):
    return _bound(x, times, g, noise, drift, score).clamp(min=0)


@mistake(
    "nll_bound",
    "The points are not handed on at the end of a step: each step, and the latent too, starts from the data.",
)
def not_handed_on_nor_the_latent(x, times, g, noise, drift, score):
    squares = 0.0
    for i in range(noise.shape[0]):
        given = times[i : i + 2], g[i : i + 2], noise[i : i + 1], drift, score
        squares = squares + _walk(x, *given)[1]
    return squares + _widths(x, g) + _gauss(x)


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
