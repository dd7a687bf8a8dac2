"""Contrastive learning: what the notebook of unit 18 needs and the student does not write."""

from genssl_utils.contrastive.bound import BoundFigure, bound_figure
from genssl_utils.contrastive.explorer import explore_semi_hard, verification_picture
from genssl_utils.contrastive.information import bound_of, bound_table
from genssl_utils.contrastive.objectives import (
    KINDS,
    Classifier,
    LearnedTemperature,
    Together,
    lifted,
    nearest,
    pairs,
    triplets,
)
from genssl_utils.contrastive.pull import PullFigure, pull_figure
from genssl_utils.contrastive.show import (
    batch_picture,
    corpus_table,
    embedding_table,
    mining_picture,
    roc_picture,
    turned_table,
    unlabelled_table,
    word_table,
)
from genssl_utils.contrastive.study import mining_study, unseen_study
from genssl_utils.contrastive.triplet import TripletFigure, triplet_figure
from genssl_utils.contrastive.unlabelled import (
    ask_twice,
    askew_digits,
    pixel_probes,
    train_unlabelled,
)
from genssl_utils.contrastive.unseen import pixels, strangers, train_embedding
from genssl_utils.contrastive.words import made_corpus, train_words

__all__ = [
    "KINDS",
    "BoundFigure",
    "Classifier",
    "LearnedTemperature",
    "PullFigure",
    "Together",
    "TripletFigure",
    "ask_twice",
    "askew_digits",
    "batch_picture",
    "bound_figure",
    "bound_of",
    "bound_table",
    "corpus_table",
    "embedding_table",
    "explore_semi_hard",
    "lifted",
    "made_corpus",
    "mining_picture",
    "mining_study",
    "nearest",
    "pairs",
    "pixel_probes",
    "pixels",
    "pull_figure",
    "roc_picture",
    "strangers",
    "train_embedding",
    "train_unlabelled",
    "train_words",
    "triplet_figure",
    "triplets",
    "turned_table",
    "unlabelled_table",
    "unseen_study",
    "verification_picture",
    "word_table",
]
