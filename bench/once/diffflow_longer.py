"""What unit 10's three methods come to with three times the training, by the unit's answers."""

from __future__ import annotations

import torch

from genssl_utils import diffflow as topic
from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root

SEEDS, TIMES = (0, 1, 2), 3

if __name__ == "__main__":
    torch.set_num_threads(1)
    own = Checker(find_unit(project_root(), "10")).namespace
    recipe = topic.Recipe(*(own[name] for name in topic.Recipe._fields))
    for name, plan in (("checkerboard", topic.PLAN), ("Sierpiński", topic.SHORT_PLAN)):
        for seed in SEEDS:
            longer = [(steps, TIMES * updates) for steps, updates in plan]
            found = topic.compare(recipe, name, plan=longer, seed=seed)
            print(
                f"seed {seed}", topic.comparison_table(found), found.blurred, sep="\n", flush=True
            )
