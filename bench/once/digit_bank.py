"""Keep 540 digits each of unit 07's GAN and VAE and of unit 08's flow, made by the units' answers.

Unit 09 scores its own digits beside them. All have one budget: about as many weights as unit 09's
network, and 256,000 training digits seen. Written for five seeds, with what each took.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from genssl_utils import flows
from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.gan_or_vae.makers import VaeAnswers, train_gan, train_vae
from genssl_utils.kit.data import digits

SEEDS, STEPS, NAMES = 5, 4000, ("GAN", "VAE", "flow")
GAN_WIDTH, VAE_WIDTH, FLOW_WIDTH = 208, 200, 58
"""Units of a hidden layer, so that all weights together are about 117,000."""


def own(number: str) -> dict[str, Callable]:
    """The answers of a unit."""
    return Checker(find_unit(project_root(), number)).namespace


def timed(make: Callable, *args: object, **options: object) -> tuple:
    """What a call gives, and its seconds of processor time."""
    began = time.process_time()
    made = make(*args, **options)
    return made, time.process_time() - began


def flow_of(seed: int) -> tuple[Callable[[int, int], Tensor], int]:
    """A trained flow, as what draws n pictures by a seed, and its weights."""
    answers = own("08")
    recipe = flows.Recipe(
        answers["coupling_forward"], answers["coupling_inverse"], answers["flow_log_prob"]
    )
    run = flows.train_pictures(
        recipe, answers["bits_per_dim"], answers["affine_log_det"], flows.digit_pictures(),
        steps=STEPS // 2, hidden=(FLOW_WIDTH, FLOW_WIDTH), seed=seed,
    )  # fmt: skip

    def draw(n: int, seed: int) -> Tensor:
        x = run.flow.sample(n, torch.Generator().manual_seed(seed))
        return (17 * x).floor().clamp(0, 16) / 16  # the noise of dequantisation taken off

    return draw, sum(part.numel() for part in run.flow.parameters())


def main() -> None:
    """Train, draw, write."""
    torch.set_num_threads(1)
    data, answers = digits(flat=True), own("07")
    vae_answers = VaeAnswers(*(answers[name] for name in VaeAnswers._fields))
    x, n = data.x_train, len(data.x_test)
    pictures, trained, drawn, weights = [], [], [], []
    for seed in range(SEEDS):
        gan, gan_took = timed(train_gan, x, steps=STEPS, width=GAN_WIDTH, seed=seed)
        vae, vae_took = timed(train_vae, x, vae_answers, steps=STEPS, width=VAE_WIDTH, seed=seed)
        (flow, flow_weights), flow_took = timed(flow_of, seed)
        for draw in (gan.draw, vae.draw, flow):
            draw(n, seed)  # once to warm up
            made, took = timed(draw, n, seed)
            pictures.append((63 * made.clamp(0, 1)).round().byte().numpy())
            drawn.append(took)
        trained += [gan_took, vae_took, flow_took]
        weights += [gan.weights + gan.others, vae.weights + vae.others, flow_weights]
        print(seed, [f"{s:.1f}" for s in trained[-3:]], weights[-3:], flush=True)
    shape = (SEEDS, len(NAMES))
    np.savez_compressed(
        project_root() / "genssl_utils/diffusion/data/bank.npz",
        pictures=np.stack(pictures).reshape(*shape, -1, 64), trained=np.reshape(trained, shape),
        drawn=np.reshape(drawn, shape), weights=np.reshape(weights, shape),
    )  # fmt: skip


if __name__ == "__main__":
    main()
