"""Gumbel-softmax: what the notebook of unit 05 needs and the student does not write."""

from genssl_utils.gumbel_softmax.bias_variance import BiasVarianceFigure, bias_variance_figure
from genssl_utils.gumbel_softmax.explorer import explore_samples, noise_picture
from genssl_utils.gumbel_softmax.gradients import compare, curves
from genssl_utils.gumbel_softmax.sentences import Reinforce, StraightThrough, train_sentence_gan
from genssl_utils.gumbel_softmax.show import (
    bump_picture,
    bump_study,
    quality_table,
    sentence_table,
    training_picture,
    true_sample,
    writer_table,
)
from genssl_utils.gumbel_softmax.temperature import TemperatureFigure, temperature_figure

__all__ = [
    "BiasVarianceFigure",
    "Reinforce",
    "StraightThrough",
    "TemperatureFigure",
    "bias_variance_figure",
    "bump_picture",
    "bump_study",
    "compare",
    "curves",
    "explore_samples",
    "noise_picture",
    "quality_table",
    "sentence_table",
    "temperature_figure",
    "train_sentence_gan",
    "training_picture",
    "true_sample",
    "writer_table",
]
