"""Pictures and tables of the digits' half of the unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.gan_or_vae.codes import PROPERTIES, Turned, bits_of, bits_without_a_code, turn
from genssl_utils.gan_or_vae.codes import midpoints as halves
from genssl_utils.gan_or_vae.makers import Gan, Maker, Vae, VaeAnswers
from genssl_utils.gan_or_vae.reader import FrechetDistance, Reader
from genssl_utils.kit import plots
from genssl_utils.kit.data import Split
from genssl_utils.kit.samples import Scores
from genssl_utils.kit.sheets import named_rows, rows_figure
from genssl_utils.kit.tables import Table, table

__all__ = [
    "all_bits",
    "all_midpoints",
    "bits_table",
    "budget_table",
    "features_picture",
    "few_picture",
    "few_pictures",
    "heaps",
    "lengths_picture",
    "midpoint_table",
    "moved_noise_picture",
    "probe_table",
    "quality_table",
    "samples_picture",
    "turn_all",
    "turns_picture",
    "turns_table",
    "walks_picture",
]

PAPER = {"cmap": "gray_r", "vmin": 0.0, "vmax": 1.0}
ROLES = {"VAE": "model", "GAN": "teacher", "squared error": "baseline", "true digits": "data"}

Slerp = Callable[[Tensor, Tensor, float], Tensor]


def _pictures(x: Tensor) -> Tensor:
    return x.view(-1, 1, 8, 8)


def moved_noise_picture() -> Figure:
    """The same draws of noise at three codes: one cross and its way through them."""
    draw = torch.Generator().manual_seed(7)
    noise = torch.randn(300, 2, generator=draw)
    noise[0] = torch.tensor([1.3, 0.9])
    codes = [("μ = (0, 0), s = (1, 1)", (0, 0), (1, 1)),
             ("μ = (2, 1), s = (0.4, 0.4)", (2, 1), (0.4, 0.4)),
             ("μ = (−1, −1), s = (1.2, 0.2)", (-1, -1), (1.2, 0.2))]  # fmt: skip
    figure, panels = plots.panels(3, size=(2.9, 2.9), sharex=True, sharey=True)
    for axes, (name, middle, spread) in zip(panels, codes, strict=True):
        moved = torch.tensor(middle) + torch.tensor(spread) * noise
        axes.scatter(*moved.T, s=4, alpha=0.5, color=plots.COLOURS["model"])
        axes.plot(*moved[0], "X", color=plots.INK, markersize=9)
        axes.set_title(name, fontsize=9)
        axes.set(xlim=(-4.5, 4.5), ylim=(-4.5, 4.5), aspect="equal")
    return figure


# --- quality --------------------------------------------------------------------------------------


def samples_picture(
    makers: Sequence[Maker], true: Tensor, *, columns: int = 14, seed: int = 0
) -> Figure:
    """Draws of each maker under true digits; of a VAE also what its model draws, dot by dot."""
    rows = [("true", true[:columns])]
    for maker in makers:
        rows.append((maker.name, maker.draw(columns, seed)))
        if isinstance(maker, Vae):
            rows.append((f"{maker.name}, dots", maker.with_dots(maker.codes(columns, seed), seed)))
    return rows_figure("Digits that nobody wrote, under digits that somebody did", rows)


def budget_table(makers: Sequence[Maker]) -> Table:
    """What each maker had: weights, steps and seconds."""
    rows = [
        {
            "trained by": maker.name, "weights of the decoder": maker.weights,
            "weights beside it": maker.others, "steps": maker.steps, "seconds": maker.seconds,
        }
        for maker in makers
    ]  # fmt: skip
    return table("What each had: 64 true digits a step, and one move of each network", rows)


def heaps(
    regression: Maker, vae: Vae, gan: Gan, digits: Split, *, seed: int = 0
) -> dict[str, Tensor]:
    """As many pictures of each kind as there are test digits; first of all training digits."""
    n = len(digits.x_test)
    draw = torch.Generator().manual_seed(seed)
    some = torch.randperm(len(digits.x_train), generator=draw)[:n].to(digits.x_train.device)
    return {
        "training digits": digits.x_train[some],
        regression.name: regression.draw(n, seed),
        vae.name: vae.draw(n, seed),
        f"{vae.name}, dots": vae.with_dots(vae.codes(n, seed), seed),
        gan.name: gan.draw(n, seed),
    }


def quality_table(judged: Mapping[str, tuple[float, Scores]], reader: Reader) -> Table:
    """All scores, one row a heap."""
    rows = [
        {
            "heap": name, "Fréchet distance ↓": distance, "precision ↑": found.precision,
            "recall ↑": found.recall, "coverage ↑": found.coverage,
            "energy distance ↓": found.energy,
        }
        for name, (distance, found) in judged.items()
    ]  # fmt: skip
    return table(
        "540 pictures against the 540 test digits, in 128 features of a classifier "
        f"({reader.accuracy:.1%} of the test digits right)",
        rows,
    )


def few_pictures(
    vae: Vae, gan: Gan, digits: Split, reader: Reader, frechet_distance: FrechetDistance, *,
    numbers: Sequence[int] = (60, 90, 140, 220, 340, 540), seed: int = 0,
) -> dict[str, list]:  # fmt: skip
    """The distance from test digits with fewer pictures on each side; means over four draws."""
    seen = {
        "true digits": reader.features(digits.x_train),
        vae.name: reader.features(vae.draw(1200, seed)),
        gan.name: reader.features(gan.draw(1200, seed)),
    }
    right = reader.features(digits.x_test)
    draw = torch.Generator().manual_seed(seed)

    def some(rows: Tensor, n: int) -> Tensor:
        return rows[torch.randperm(len(rows), generator=draw)[:n].to(rows.device)]

    found = {"numbers": list(numbers)}
    for name, rows in seen.items():
        found[name] = [
            sum(float(frechet_distance(some(right, n), some(rows, n))) for _ in range(4)) / 4
            for n in numbers
        ]
    return found


def few_picture(found: Mapping[str, list]) -> Figure:
    """The distance against the number of pictures."""
    figure, (axes,) = plots.panels(1, size=(5.8, 3.1))
    for name, values in found.items():
        if name == "numbers":
            continue
        axes.plot(found["numbers"], values, "o-", color=plots.COLOURS[ROLES[name]], markersize=4)
        plots.label_line(axes, found["numbers"][-1], values[-1], name, ROLES[name])
    axes.set(
        title="Fewer pictures look worse, true ones too", xlabel="pictures on each side",
        ylabel="Fréchet distance", xlim=(40, 680), ylim=(0, None),
    )  # fmt: skip
    return figure


def features_picture(heaps: Mapping[str, Tensor], true: Tensor, reader: Reader) -> Figure:
    """The first two principal directions of the true digits' features, one panel a heap."""
    right = reader.features(true)
    mean = right.mean(0)
    _, _, ways = torch.linalg.svd(right - mean, full_matrices=False)
    figure, panels = plots.panels(len(heaps), size=(2.1, 2.3), sharex=True, sharey=True)
    for axes, (name, heap) in zip(panels, heaps.items(), strict=True):
        for rows, role, size in ((right, "data", 3), (reader.features(heap), "model", 4)):
            at = ((rows - mean) @ ways[:2].T).cpu()
            axes.scatter(*at.T, s=size, alpha=0.5, color=plots.COLOURS[role])
        axes.set_title(name, fontsize=9)
        axes.set(xticks=[], yticks=[])
    panels[0].set_ylabel("blue: test digits")
    return figure


# --- walks and control ----------------------------------------------------------------------------


def lengths_picture(latent: int = 16, n: int = 5000) -> Figure:
    """How long codes are, and how long the middles of straight walks between two of them."""
    draw = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, n, latent, generator=draw)
    figure, (axes,) = plots.panels(1, size=(5.6, 2.8))
    for rows, name, role, at in (
        (one, "codes", "data", 4.2),
        ((one + other) / 2, "middles of straight walks", "baseline", 0.6),
    ):  # fmt: skip
        axes.hist(rows.norm(dim=1).numpy(), bins=60, alpha=0.6, color=plots.COLOURS[role])
        axes.text(at, 0.07 * n, name, color=plots.COLOURS[role], fontsize=9)
    axes.set(
        title=f"Lengths of {n} codes of {latent} numbers", xlabel="length", ylabel="how many",
        xlim=(0, 7), ylim=(0, 0.08 * n),
    )  # fmt: skip
    return figure


def walks_picture(
    makers: Sequence[Maker], slerp: Slerp, *, walks: int = 3, seed: int = 0
) -> Figure:
    """A few walks from code to code, one row each, seven pictures a row and maker."""
    figure, panels = plots.panels(len(makers), size=(4.0, 0.52 * walks + 0.5))
    for axes, maker in zip(panels, makers, strict=True):
        a, b = maker.codes(walks, seed=31 + seed), maker.codes(walks, seed=41 + seed)
        along = torch.stack([maker(slerp(a, b, k / 6)) for k in range(7)], 1)  # (walks, 7, 64)
        rows = [(f"{k + 1}", _pictures(row)) for k, row in enumerate(along)]
        named_rows(axes, rows, gap=0.12, **PAPER)
        axes.set_title(f"{maker.name}: walks along the arc", fontsize=10)
    return figure


def all_midpoints(makers: Sequence[Maker], slerp: Slerp, n: int) -> dict[str, Tensor]:
    """`midpoints` of each maker, in one heap of names."""
    return {
        f"{maker.name}, {way}": made
        for maker in makers
        for way, made in halves(maker, slerp, n).items()
    }


def midpoint_table(judged: Mapping[str, tuple[float, Scores]]) -> Table:
    """Scores of pictures halfway, one row a maker and a way."""
    rows = [
        {
            "halfway on the": name, "Fréchet distance ↓": distance,
            "precision ↑": found.precision, "recall ↑": found.recall,
            "coverage ↑": found.coverage,
        }
        for name, (distance, found) in judged.items()
    ]  # fmt: skip
    return table("Pictures halfway between 540 pairs of codes, against the test digits", rows)


def turn_all(
    makers: Sequence[Maker], reader: Reader, real: Tensor
) -> dict[tuple[str, str], Turned]:
    """Each property of each maker: (maker, property) → what its direction does."""
    return {
        (maker.name, name): turn(maker, name, reader, real)
        for name in PROPERTIES
        for maker in makers
    }


def turns_picture(
    makers: Sequence[Maker], turned: Mapping[tuple[str, str], Turned], *, seed: int = 0
) -> Figure:
    """Two digits of each maker on their way along each direction, from −2 to 2."""
    kinds = list(PROPERTIES)
    figure, panels = plots.panels(len(makers), size=(4.4, 0.52 * 2 * len(kinds) + 0.5))
    steps = torch.linspace(-2, 2, 7)
    for axes, maker in zip(panels, makers, strict=True):
        z = maker.codes(2, seed=51 + seed)
        rows = []
        for kind in kinds:
            way = turned[maker.name, kind].way
            for k, code in enumerate(z):
                along = code + steps.to(z)[:, None] * way
                rows.append((kind if k == 0 else "", _pictures(maker(along))))
        named_rows(axes, rows, gap=0.12, **PAPER)
        axes.set_title(f"{maker.name}: less ← → more", fontsize=10)
    return figure


def turns_table(turned: Mapping[tuple[str, str], Turned]) -> Table:
    """What the directions do, one row a property and a maker."""
    rows = [
        {
            "turned": what, "by": name, "linear in the code (R²)": found.told,
            "step each way": found.step, "moved, sd of true digits": found.moved,
            "same digit at both ends": found.kept,
        }
        for (name, what), found in turned.items()
    ]  # fmt: skip
    return table("Back and forth along a direction, by one standard deviation of true digits", rows)


# --- codes and likelihood -------------------------------------------------------------------------


def probe_table(rows: Sequence[Mapping[str, object]]) -> Table:
    """Accuracies of linear classifiers of codes."""
    return table("A linear classifier of codes: test digits that it reads right", rows)


def all_bits(vae: Vae, digits: Split, answers: VaeAnswers) -> dict[str, float]:
    """What test digits cost in bits a pixel, in several ways; and what training digits cost."""
    test = bits_of(vae, digits.x_test, answers)
    return {
        "each count equally likely": float(torch.tensor(17.0).log2()),
        "a probability for each pixel, no code": bits_without_a_code(
            digits.x_train, digits.x_test, answers.elbo
        ),
        "VAE, bound": test.bound,
        **{f"VAE, {k} weights": bits for k, bits in test.weighted.items() if k > 1},
        "VAE, training digits": bits_of(vae, digits.x_train, answers, samples=(10,)).bound,
    }


def bits_table(costs: Mapping[str, float]) -> Table:
    """What pictures cost; the last row says what a GAN knows of it."""
    rows = [{"by": name, "bits a pixel, at most": f"{bits:.3f}"} for name, bits in costs.items()]
    rows.append({"by": "GAN", "bits a pixel, at most": "none: it draws, and knows no probability"})
    return table("What a new digit costs; the row of training digits shows the overfit", rows)
