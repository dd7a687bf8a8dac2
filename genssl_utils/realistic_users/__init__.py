"""Realistic users: what the notebook of unit 06 needs and the student does not write."""

from genssl_utils.realistic_users.crowd import CrowdFigure, crowd_figure
from genssl_utils.realistic_users.generator import GAN_STEPS, train_cvae, train_gan
from genssl_utils.realistic_users.homes import Homes, home, homes_of
from genssl_utils.realistic_users.judging import (
    Judged,
    attribute_table,
    crowd_picture,
    crowds_table,
    distance_picture,
    first_picture,
    flat_of_the_data,
    judge,
    novelty,
    novelty_table,
    people_table,
)
from genssl_utils.realistic_users.makers import (
    Maker,
    all_buyers,
    by_features,
    by_vectors,
    nearest_buyers,
    one_mean_buyer,
    true_buyers,
)
from genssl_utils.realistic_users.manager import (
    Asked,
    Popularity,
    ask_makers,
    asked_table,
    popularity,
    popularity_table,
    what_if_explorer,
)
from genssl_utils.realistic_users.market import Market, Truth, market
from genssl_utils.realistic_users.people import People, Tastes
from genssl_utils.realistic_users.recommender import (
    Ranked,
    Recommender,
    by_svd,
    clicks_picture,
    judge_recommenders,
    recommender_table,
    train_recommender,
)
from genssl_utils.realistic_users.strange import Strange, strange_picture, strange_prices

__all__ = [
    "GAN_STEPS",
    "Asked",
    "CrowdFigure",
    "Homes",
    "Judged",
    "Maker",
    "Market",
    "People",
    "Popularity",
    "Ranked",
    "Recommender",
    "Strange",
    "Tastes",
    "Truth",
    "all_buyers",
    "ask_makers",
    "asked_table",
    "attribute_table",
    "by_features",
    "by_svd",
    "by_vectors",
    "clicks_picture",
    "crowd_figure",
    "crowd_picture",
    "crowds_table",
    "distance_picture",
    "first_picture",
    "flat_of_the_data",
    "home",
    "homes_of",
    "judge",
    "judge_recommenders",
    "market",
    "nearest_buyers",
    "novelty",
    "novelty_table",
    "one_mean_buyer",
    "people_table",
    "popularity",
    "popularity_table",
    "recommender_table",
    "strange_picture",
    "strange_prices",
    "train_cvae",
    "train_gan",
    "train_recommender",
    "true_buyers",
    "what_if_explorer",
]
