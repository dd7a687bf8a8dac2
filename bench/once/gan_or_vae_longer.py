"""What unit 07's rivals come to at more steps than its page has time for, by the unit's answers."""

from __future__ import annotations

from genssl_utils import gan_or_vae as topic
from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.kit import data

SEEDS = (0, 1, 2)

if __name__ == "__main__":
    own = Checker(find_unit(project_root(), "07")).namespace
    answers = topic.VaeAnswers(*(own[name] for name in topic.VaeAnswers._fields))
    digits = data.digits(flat=True)
    reader = topic.train_reader(digits)
    for seed in SEEDS:
        ring, true_ring = (
            topic.ring_points(2000, seed=seed),
            topic.ring_points(2000, seed=seed + 1000),
        )
        for steps in (1200, 6000):
            pair = (
                topic.ring_vae(ring, *answers[:2], steps=steps, seed=seed),
                topic.ring_gan(ring, steps=steps, penalty=1.0, seed=seed),
            )
            on = [topic.judge_ring(maker.draw(2000, seed=seed), true_ring).on for maker in pair]
            print(f"seed {seed}, ring, {steps} steps: VAE {on[0]:.3f}, GAN {on[1]:.3f}", flush=True)
        for steps in (2000, 8000):
            pair = (
                topic.train_vae(digits.x_train, answers, steps=steps, seed=seed, picture=False),
                topic.train_gan(digits.x_train, steps=steps, seed=seed, picture=False),
            )
            heaps = {maker.name: maker.draw(len(digits.x_test), seed=seed) for maker in pair}
            found = topic.judge_pictures(heaps, digits.x_test, reader, own["frechet_distance"])
            for maker in pair:
                distance, scores = found[maker.name]
                print(
                    f"seed {seed}, digits, {steps} steps, {maker.seconds:.0f} s: {maker.name} "
                    f"Fréchet {distance:.1f}, precision {scores.precision:.3f}, "
                    f"recall {scores.recall:.3f}, coverage {scores.coverage:.3f}",
                    flush=True,
                )
            costs = topic.all_bits(pair[0], digits, answers)
            new, old = costs["VAE, bound"], costs["VAE, training digits"]
            print(f"  VAE: {new:.3f} bits, training digits {old:.3f}", flush=True)
