"""Train the two decoders of unit 07's figure of planes, with the unit's own answers."""

from __future__ import annotations

import numpy as np
import torch

from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.gan_or_vae.makers import VaeAnswers, train_gan, train_vae
from genssl_utils.gan_or_vae.plane import WIDTH
from genssl_utils.kit.data import digits

STEPS, SHOWN = 10_000, 150

if __name__ == "__main__":
    own = Checker(find_unit(project_root(), "07")).namespace
    answers = VaeAnswers(*(own[name] for name in VaeAnswers._fields))
    data = digits(flat=True)
    vae = train_vae(data.x_train, answers, steps=STEPS, latent=2, width=WIDTH, seed=0)
    gan = train_gan(data.x_train, steps=STEPS, latent=2, width=WIDTH, seed=0)
    weights = [
        torch.cat([part.detach().flatten() for part in maker.decoder.parameters()]).numpy()
        for maker in (vae, gan)
    ]
    codes, _ = vae.encode(data.x_test[:SHOWN])
    np.savez_compressed(
        project_root() / "genssl_utils/gan_or_vae/data/planes.npz",
        weights=np.stack(weights).astype("<f2"),
        codes=codes.numpy().astype("<f2"),
        labels=data.y_test[:SHOWN].numpy().astype("u1"),
    )
