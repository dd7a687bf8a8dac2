"""Train the two networks of unit 01's figure of holes, with the unit's own answers."""

from __future__ import annotations

import numpy as np

from genssl_utils.conditional_gans.completer import CompletionAnswers, go_on, train_plain
from genssl_utils.conditional_gans.fill import flat_weights
from genssl_utils.conditional_gans.filled import filled_table, judge_fills
from genssl_utils.conditional_gans.holes import GROUNDS, ground_patches
from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root

if __name__ == "__main__":
    own = Checker(find_unit(project_root(), "01")).namespace
    answers = CompletionAnswers(*(own[name] for name in CompletionAnswers._fields))
    names = tuple(GROUNDS)
    seen = ground_patches(9000, names=names, seed=0)
    plain = train_plain(seen, answers.masked_loss, steps=4000, seed=0)
    against = go_on(plain, seen, answers, steps=1600, seed=0, name="adversarial")
    weights = np.stack([flat_weights(plain.net), flat_weights(against.net)])
    folder = project_root() / "genssl_utils/conditional_gans/data"
    np.savez_compressed(folder / "completers.npz", weights=weights)
    path = [plain.towards(against, share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    for ground in names:
        new = ground_patches(200, held_out=True, names=(ground,), seed=0)
        print(ground, filled_table(judge_fills(path, new, answers)), sep="\n", flush=True)
