"""How the unit shows what its experiments measured."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.flows.moons import MoonsRun, moons_log_density
from genssl_utils.flows.picture_flow import PictureRun, Stranger, histogram_bits
from genssl_utils.flows.pictures import dequantise
from genssl_utils.kit import plots
from genssl_utils.kit.sheets import sheet
from genssl_utils.kit.tables import Table, table

__all__ = [
    "bits_table",
    "density_picture",
    "interpolation_picture",
    "moons_table",
    "sample_picture",
    "stranger_picture",
    "stranger_table",
]


def moons_table(run: MoonsRun) -> Table:
    """The cost of test points under three densities."""
    rows = [
        ("one affine layer", run.affine_nll, ""),
        ("RealNVP", run.nll, f"{run.fitted.seconds:.0f} s"),
        ("the true density", run.floor, ""),
    ]
    return table(
        f"Mean −log p of 10,000 test points; there and back they moved by at most {run.undone:.0e}",
        [
            {"density": name, "nats": nats, "above the truth": nats - run.floor, "training": time}
            for name, nats, time in rows
        ],
    )


def density_picture(run: MoonsRun, side: int = 140) -> Figure:
    """The true density beside the flow's on one scale, and how much mass the flow puts here."""
    across, up = torch.linspace(-1.6, 2.6, side), torch.linspace(-1.2, 1.7, side)
    grid = torch.cartesian_prod(across, up)
    with torch.no_grad():
        learned = run.flow.log_prob(grid.to(run.flow.masks)).cpu()
    cell = float((across[1] - across[0]) * (up[1] - up[0]))
    mass = learned.exp().sum().item() * cell
    shown = {
        "The true density": moons_log_density(grid).exp(),
        f"Your flow: {mass:.3f} of its mass is here": learned.exp(),
    }
    with plots.style():
        figure, axes = plots.panels(2, size=(3.9, 2.9), sharey=True)
        for ax, (title, density) in zip(axes, shown.items(), strict=True):
            ax.imshow(
                density.reshape(side, side).T.numpy(),
                origin="lower", cmap="Blues", vmin=0, vmax=1.1,
                extent=(-1.6, 2.6, -1.2, 1.7), interpolation="bilinear",
            )  # fmt: skip
            ax.set_title(title, fontsize=10)
            ax.grid(visible=False)
    return figure


def bits_table(run: PictureRun) -> Table:
    """Bits per dimension of the test pictures, beside codes that know less."""
    bins = run.pictures.bins
    rows = [
        ("every level equally likely", torch.tensor(float(bins)).log2().item()),
        ("one affine layer after the logit", run.affine_bits),
        ("a histogram for each pixel", histogram_bits(run.pictures)),
        ("RealNVP", run.test_bits.mean().item()),
    ]
    return table(
        f"Test {run.pictures.name}, {bins} levels (best step {run.fitted.best_step}, "
        f"{run.fitted.seconds:.0f} s)",
        [{"model": name, "bits per dimension": bits} for name, bits in rows],
    )


def _show(ax: Axes, rows: Sequence[Tensor], side: int, title: str) -> None:
    """Rows of pictures (n, side²), from 0 to 1, as one large picture with gaps."""
    pictures = torch.cat(list(rows)).clamp(0, 1).view(-1, 1, side, side)
    ax.imshow(sheet(pictures, len(rows[0]), gap=0.5).numpy(), cmap="gray", vmin=0, vmax=1)
    ax.set_title(title, fontsize=10)
    ax.axis("off")


def sample_picture(run: PictureRun, seed: int = 0) -> Figure:
    """Test pictures beside samples of the flow, at full and at lower spread of the latent."""
    draw = torch.Generator().manual_seed(seed)
    real = run.pictures.test[:30] / (run.pictures.bins - 1)
    shown = {
        "Test pictures": real,
        "Samples": run.flow.sample(30, draw).cpu(),
        "Samples, latent spread 0.7": run.flow.sample(30, draw, temperature=0.7).cpu(),
    }
    with plots.style():
        figure, axes = plots.panels(3, size=(2.9, 2.8))
        for ax, (title, pictures) in zip(axes, shown.items(), strict=True):
            _show(ax, pictures.split(6), run.pictures.side, title)
    return figure


def interpolation_picture(run: PictureRun, pairs: int = 3, steps: int = 9) -> Figure:
    """From one test picture to another: straight in the latent, and straight in the pixels."""
    device = run.flow.masks.device
    noise = torch.Generator().manual_seed(3)
    x = dequantise(run.pictures.test[: 2 * pairs], run.pictures.bins, noise).to(device)
    with torch.no_grad():
        z = run.flow.encode(x)
    share = torch.linspace(0, 1, steps, device=device)[:, None]
    in_latent, in_pixels = [], []
    for a in range(0, 2 * pairs, 2):
        in_latent.append(run.flow.decode((1 - share) * z[a] + share * z[a + 1]).cpu())
        in_pixels.append(((1 - share) * x[a] + share * x[a + 1]).cpu())
    with plots.style():
        figure, axes = plots.panels(2, size=(4.2, 1.9))
        _show(axes[0], in_latent, run.pictures.side, "A straight way in the latent")
        _show(
            axes[1],
            in_pixels,
            run.pictures.side,
            "The same in the pixels: one fades into the other",
        )
    return figure


def stranger_table(found: Sequence[Stranger]) -> Table:
    """How pictures that a flow never saw score beside its own test part."""
    return table(
        "A flow trained on patches of a palace: who is likelier than its median test patch?",
        [
            {
                "pictures": s.name,
                "bits per dimension, median": s.bits.median().item(),
                "mean": s.bits.mean().item(),
                "likelier": f"{s.likelier:.0%}",
                "AUROC": s.auroc,
            }
            for s in found
        ],
    )


def stranger_picture(found: Sequence[Stranger]) -> Figure:
    """Some pictures of each kind, and how many bits each kind costs."""
    roles = ("data", "negative", "student", "baseline", "model")
    with plots.style():
        figure, (seen, ax) = plots.panels(
            2, size=(4.4, 3.0), gridspec_kw={"width_ratios": (0.8, 1.2)}
        )
        draw = torch.Generator().manual_seed(1)
        rows = [s.levels[torch.randperm(len(s.levels), generator=draw)[:9]] / 255 for s in found]
        _show(seen, rows, 8, "Some of each, one kind a row")
        for k, (s, role) in enumerate(zip(found, roles, strict=False)):
            low, middle, high = s.bits.quantile(torch.tensor([0.05, 0.5, 0.95])).tolist()
            ax.plot([low, high], [-k, -k], color=plots.COLOURS[role], linewidth=5, alpha=0.45)
            ax.plot([middle], [-k], "o", color=plots.COLOURS[role])
            ax.text(low, -k + 0.2, s.name, fontsize=8)
        ax.set(
            title="Fewer bits: the flow finds it likelier",
            xlabel="bits per dimension (5 %, median, 95 %)",
            ylim=(-len(found) + 0.5, 0.7),
        )
        ax.set_yticks([])
    return figure
