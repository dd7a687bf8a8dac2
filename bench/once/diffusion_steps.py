"""Numbers of unit 09's figure of time, by the unit's own answers.

The schedule, and how near exact scores bring 4000 points to the truth in fewer and more steps.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.diffusion.denoiser import Denoiser, Walkers
from genssl_utils.diffusion.exact import mixture_noise
from genssl_utils.diffusion.moment import SETS, STEPS, middles
from genssl_utils.kit.samples import energy_distance

N = 4000


def fresh(places: Tensor, spread: float, source: torch.Generator) -> Tensor:
    """True points of a set, (N, 2)."""
    rows = places[torch.randint(len(places), (N,), generator=source)]
    return rows + spread * torch.randn(N, 2, generator=source)


if __name__ == "__main__":
    torch.set_num_threads(1)
    own = Checker(find_unit(project_root(), "09")).namespace
    walkers = Walkers(own["ancestral_step"], own["ddim_step"])
    kept = own["cosine_alpha_bar"](1000)
    quality, apart = [], []
    for name in SETS:
        places, spread = middles(name)
        source = torch.Generator().manual_seed(1)
        true, *others = (fresh(places, spread, source) for _ in range(6))
        apart += [abs(energy_distance(other, true)) for other in others]
        exact = mixture_noise(kept.float(), places, spread)
        one = Denoiser(exact, kept.float(), torch.zeros(2), torch.tensor(1.0))
        for way in ("DDIM", "DDPM"):
            found = [energy_distance(one.draw(N, walkers, way, s, seed=2), true) for s in STEPS]
            quality.append(found)
            print(name, way, [f"{v:.4f}" for v in found], flush=True)
    shape = (len(SETS), 2, len(STEPS))
    print("true points among each other", max(apart))
    np.savez_compressed(
        project_root() / "genssl_utils/diffusion/data/moment.npz",
        kept=kept.numpy().astype("<f4"), quality=np.reshape(quality, shape), floor=max(apart),
    )  # fmt: skip
