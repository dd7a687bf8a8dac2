"""What unit 09's network, GAN and VAE come to at four times the budget; and without the skip."""

from __future__ import annotations

import torch

from genssl_utils import diffusion as topic
from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.diffusion.exact import mean_loss
from genssl_utils.gan_or_vae.makers import VaeAnswers, train_gan, train_vae
from genssl_utils.kit import data
from genssl_utils.kit.reader import train_reader

SEEDS, STEPS = (0, 1, 2), 16_000

if __name__ == "__main__":
    torch.set_num_threads(1)
    own, other = (Checker(find_unit(project_root(), number)).namespace for number in ("09", "07"))
    walkers = topic.Walkers(own["ancestral_step"], own["ddim_step"])
    vae_answers = VaeAnswers(*(other[name] for name in VaeAnswers._fields))
    alpha_bar = own["cosine_alpha_bar"](1000).float()
    digits = data.digits(flat=True)
    x, reader = digits.x_train, train_reader(digits)
    for seed in SEEDS:
        heaps = {}
        for name, steps, velocity in (("", STEPS, True), (" without the skip", 4000, False)):
            net = topic.train_denoiser(
                x, alpha_bar, own["simple_loss"], steps=steps, width=192, seed=seed,
                velocity=velocity, picture=False,
            )  # fmt: skip
            for way in ("DDIM", "DDPM"):
                drawn = net.draw(len(digits.x_test), walkers, way, 100, seed=seed)
                heaps[f"{way}{name}, {steps}"] = drawn.clamp(0, 1)
            losses = [
                mean_loss(net, rows, own["simple_loss"], rounds=2, seed=seed)
                for rows in (x, digits.x_test)
            ]
            print(
                f"seed {seed}{name}: loss {losses[0]:.3f}, new digits {losses[1]:.3f}", flush=True
            )
        gan = train_gan(x, steps=STEPS, width=208, seed=seed, picture=False)
        vae = train_vae(x, vae_answers, steps=STEPS, width=200, seed=seed, picture=False)
        for maker in (gan, vae):
            heaps[f"{maker.name}, {STEPS}"] = maker.draw(len(digits.x_test), seed=seed)
        for name, found in topic.judge(heaps, digits.x_test, reader).items():
            print(
                f"seed {seed}: {name}: precision {found.precision:.3f}, recall {found.recall:.3f}, "
                f"coverage {found.coverage:.3f}, energy {found.energy:.3f}",
                flush=True,
            )
