"""How the part on captions shows its data, its losses and what its painters painted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from genssl_utils.conditional_gans.captions import (
    COLOURS,
    RELATIONS,
    SHAPES,
    SIZES,
    pictures,
    render,
    say,
    scene_of,
)
from genssl_utils.conditional_gans.reading import (
    Faithfulness,
    distance,
    enlarged,
    faithfulness,
    read_pictures,
)
from genssl_utils.conditional_gans.stacked import Painter
from genssl_utils.kit import plots
from genssl_utils.kit.explore import Explorer, explore
from genssl_utils.kit.tables import Table, table

__all__ = [
    "caption_explorer",
    "captions_picture",
    "faithfulness_table",
    "judge_painters",
    "paintings",
    "pull_explorer",
    "told_apart",
    "told_apart_table",
]


def captions_picture() -> Figure:
    """Three captions, each with three pictures of it."""
    spoken = [
        "a small red circle above a large blue square",
        "a large yellow triangle left of a small green square",
        "a small blue triangle below a large red circle",
    ]
    scenes = torch.stack([scene_of(s) for s in spoken])
    draw = torch.Generator().manual_seed(4)
    shown = render(scenes.repeat_interleave(3, 0), draw)
    figure, axes = plots.panels(3, size=(2.9, 1.75))
    for k, panel in enumerate(axes):
        _show(panel, torch.cat(list(shown[3 * k : 3 * k + 3]), 2))
        first, second = _halves(spoken[k])
        panel.set_title(f"{first}\n{second}", fontsize=9, fontweight="normal")
    return figure


def pull_explorer(generator_loss: Callable[[Tensor], Tensor]) -> Explorer:
    """The student's loss of one made picture beside the loss that saturates, and both slopes.

    Args:
        generator_loss: logits (M,) → scalar.
    """
    at = torch.linspace(-8, 8, 161)

    def draw(logit: float) -> Figure:
        figure, (axes,) = plots.panels(1, size=(6.4, 3.2))
        here = torch.tensor([float(logit)])
        for name, loss, role, mark in (
            ("saturating", lambda t: -torch.nn.functional.softplus(t).sum(), "baseline", "s"),
            ("yours", generator_loss, "model", "o"),
        ):
            curve = torch.stack([loss(t.reshape(1)).detach() for t in at])
            point = here.clone().requires_grad_()
            value = loss(point)
            (slope,) = torch.autograd.grad(value, point)
            axes.plot(at, curve, color=plots.COLOURS[role], label=name)
            axes.plot(here, value.item(), mark, color=plots.COLOURS[role], markersize=8)
            step = 1.6 / (1 + slope.item() ** 2) ** 0.5  # a tangent of one length
            along = torch.tensor([logit - step, logit + step])
            axes.plot(along, value.item() + slope.item() * (along - logit), color=plots.INK, lw=3)
            axes.annotate(
                f"{name}: slope {slope.item():.3f}".replace("-", "−"), (logit, value.item()),
                xytext=(8, 12 if name == "yours" else -16), textcoords="offset points",
                color=plots.COLOURS[role], fontsize=9,
            )  # fmt: skip
        axes.set(
            title="How hard a loss pulls at one made picture", ylim=(-9, 9), xlim=(-8, 8),
            xlabel="logit ℓ:   plainly made  ←   →   taken for real", ylabel="loss, nats",
        )  # fmt: skip
        return figure

    return explore(
        draw,
        alt="The non-saturating loss of a made picture falls steeply where the discriminator is "
        "sure that it is made; the saturating one is flat there.",
        logit=(-7.0, 7.0, -5.0),
    )


def judge_painters(
    painters: Mapping[str, Painter], n: int = 600, *, held_out: bool = False, seed: int = 0
) -> dict[str, tuple[Faithfulness, float]]:
    """Let painters paint new scenes, and look at what they painted.

    Args:
        painters: name → painter.
        n: how many scenes, the same for all.
        held_out: scenes that training never saw.
        seed: of the scenes and of the painters' noise.

    Returns:
        Name → faithfulness, and the distance to as many true pictures.
    """
    device = next(next(iter(painters.values())).generator.parameters()).device
    true = pictures(n, held_out=held_out, seed=seed + 5000).to(device)
    found = {}
    for name, painter in painters.items():
        shown = painter.paint(true.scenes, seed=seed)
        found[name] = faithfulness(shown, true.scenes), distance(shown, true.large)
    return found


def faithfulness_table(
    caption: str,
    found: Mapping[str, tuple[Faithfulness, float]],
    unseen: Mapping[str, tuple[Faithfulness, float]],
) -> Table:
    """Shares that are right, and the distance to true pictures, one row a painter.

    Args:
        caption: of the table.
        found: of captions that training saw, from `judge_painters`.
        unseen: of captions held out.
    """
    rows = [
        {
            "painter": name, "colour": f.colour, "shape": f.shape, "size": f.size,
            "relation": f.relation, "all seven": f.all, "all seven, unseen": unseen[name][0].all,
            "distance": far,
        }
        for name, (f, far) in found.items()
    ]  # fmt: skip
    return table(caption, rows)


def paintings(painters: Mapping[str, Painter], *, n: int = 6, seed: int = 0) -> Figure:
    """The same captions by each painter, and true pictures of them.

    Args:
        painters: name → painter.
        n: how many captions.
        seed: of the captions and of the painters' noise.
    """
    device = next(next(iter(painters.values())).generator.parameters()).device
    true = pictures(n, seed=seed + 7000).to(device)
    rows = {name: painter.paint(true.scenes, seed=seed) for name, painter in painters.items()}
    rows["true pictures"] = true.large
    figure, axes = plots.panels(n, size=(1.3, 1.15 * len(rows) + 0.55))
    for k, panel in enumerate(axes):
        _show(panel, torch.cat([_enlarged(x[k], 32) for x in rows.values()], 1))
        spoken = [
            part.removeprefix("a ").replace(" a ", "\n") for part in _halves(say(true.scenes[k]))
        ]
        panel.set_title("\n".join(spoken), fontsize=7, fontweight="normal", loc="center")
        panel.axis("on")
        panel.set(xticks=[], yticks=[])
        panel.grid(visible=False)
        for spine in panel.spines.values():
            spine.set_visible(False)
    axes[0].set_yticks([32 * r + 15.5 for r in range(len(rows))])
    axes[0].set_yticklabels(list(rows), fontsize=8)
    axes[0].tick_params(length=0)
    return figure


def told_apart(painters: Mapping[str, Painter], n: int = 400, *, seed: int = 0) -> dict[str, float]:
    """How often a fresh classifier tells painted pictures from true ones.

    A logistic regression learns on half of both, and is asked about the other half: a two-sample
    test (Lopez-Paz & Oquab 2017, arXiv:1610.06545). Of a picture it is told how often neighbouring
    pixels differ by how much, and nothing else.

    Args:
        painters: name → painter.
        n: pictures of each kind.
        seed: of the captions and of the painters' noise.

    Returns:
        Name → share of the new pictures that are told rightly; 0.5 is guessing.
    """
    device = next(next(iter(painters.values())).generator.parameters()).device
    true, half = pictures(n, seed=seed + 8000).to(device), n // 2
    right = _grain(true.large)
    found = {}
    for name, painter in painters.items():
        x = painter.paint(true.scenes, seed=seed)
        made = _grain(x if x.shape[-1] == 32 else enlarged(x))
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
        label = np.repeat([1, 0], half)
        probe.fit(np.concatenate([right[:half], made[:half]]), label)
        found[name] = float(probe.score(np.concatenate([right[half:], made[half:]]), label))
    return found


def _grain(x: Tensor) -> np.ndarray:
    """Shares of neighbouring pixels that differ by less than 0.01, 0.02, … 1.28, (N, 8)."""
    gap = torch.cat(
        [(x[..., 1:] - x[..., :-1]).flatten(1), (x[..., 1:, :] - x[..., :-1, :]).flatten(1)], 1
    ).abs()
    return torch.stack([(gap < 0.01 * 2**k).float().mean(1) for k in range(8)], 1).cpu().numpy()


def told_apart_table(found: Mapping[str, float]) -> Table:
    """The shares of `told_apart`, one row a painter."""
    rows = [{"painter": name, "told from true pictures": share} for name, share in found.items()]
    return table("How often a fresh classifier is right; 0.5 is guessing", rows)


def caption_explorer(painter: Painter) -> Explorer:
    """Choose the words of a caption; the student's painter paints it, and the detector looks.

    Args:
        painter: the trained painter.
    """

    def draw(
        size: str, colour: str, shape: str, relation: str,
        other_size: str, other_colour: str, other_shape: str, noise: int,
    ) -> Figure:  # fmt: skip
        caption = (
            f"a {size} {colour} {shape} {relation} a {other_size} {other_colour} {other_shape}"
        )
        scene = scene_of(caption)
        device = next(painter.generator.parameters()).device
        shown = painter.paint(scene.expand(4, 7).to(device), seed=noise).cpu()
        seen, _ = read_pictures(shown)
        figure, axes = plots.panels(4, size=(2.0, 2.8))
        for panel, x, found in zip(axes, shown, seen, strict=True):
            _show(panel, x)
            right = int((found == scene).sum())
            first, other = _halves(say(found, turned=RELATIONS.index(relation) > 1))
            panel.set_title(
                f"{right} of 7 right, sees\n{first}\n{other}", fontsize=7,
                fontweight="normal", color=plots.COLOURS["positive" if right == 7 else "negative"],
            )  # fmt: skip
        return figure

    return explore(
        draw,
        alt="Four pictures painted from one caption, each with what the detector sees in it.",
        size=list(SIZES), colour=list(COLOURS), shape=list(SHAPES), relation=list(RELATIONS),
        other_size=list(SIZES[::-1]), other_colour=[*COLOURS[2:], *COLOURS[:2]],
        other_shape=[*SHAPES[1:], SHAPES[0]],
        noise=(0, 20, 0),
    )  # fmt: skip


def _halves(caption: str) -> tuple[str, str]:
    """A caption on two lines: the thing, and how it stands to the other."""
    words = next(r for r in RELATIONS if f" {r} " in caption)
    first, other = caption.split(f" {words} ")
    return first, f"{words} {other}"


def _enlarged(x: Tensor, side: int) -> Tensor:
    """Each pixel as a square of pixels, so that a small picture has this side."""
    times = side // x.shape[-1]
    return x.repeat_interleave(times, -1).repeat_interleave(times, -2)


def _show(axes: Axes, x: Tensor) -> None:
    """One picture (3, H, W) from −1 to 1."""
    axes.imshow(((x.permute(1, 2, 0) + 1) / 2).clamp(0, 1).cpu().numpy(), interpolation="nearest")
    axes.axis("off")
