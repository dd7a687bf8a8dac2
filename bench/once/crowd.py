"""Train the generator of unit 06's figure of a crowd, with the unit's own answers."""

from __future__ import annotations

import numpy as np

from genssl_utils import realistic_users as topic
from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.realistic_users.crowd import numbers_of

if __name__ == "__main__":
    own = Checker(find_unit(project_root(), "06")).namespace
    market = topic.market(6000, 400, seed=0)
    recommender = topic.train_recommender(market, own["bpr_loss"], steps=1500, seed=0)
    told = topic.by_vectors(recommender)
    gan = topic.train_gan(market, told, own["multi_categorical_st"], steps=8000, seed=0)
    numbers = numbers_of(market, recommender, gan)
    folder = project_root() / "genssl_utils/realistic_users/data"
    np.savez_compressed(folder / "crowd.npz", **numbers)
    makers = [topic.true_buyers(market), topic.nearest_buyers(market, told), gan]
    judged = topic.judge(makers, market, own["population_distance"])
    print(topic.crowds_table(judged), topic.attribute_table(judged), sep="\n\n")
