"""Adversarial debiasing: what the notebook of unit 04 needs and the student does not write."""

from genssl_utils.adversarial_debiasing.census import adult, people
from genssl_utils.adversarial_debiasing.encoder import Encoder, attack, probe, train_encoder
from genssl_utils.adversarial_debiasing.forget import ForgetFigure, forget_figure
from genssl_utils.adversarial_debiasing.persons import Gallery, gallery
from genssl_utils.adversarial_debiasing.predictors import (
    Predictor,
    plain,
    with_projection,
    with_reversal,
)
from genssl_utils.adversarial_debiasing.show import (
    attack_table,
    fairness_table,
    hiring_picture,
    judge,
    leakage_table,
    record_table,
    swap_picture,
    weight_ratio,
    weight_table,
)
from genssl_utils.adversarial_debiasing.tables import Records, hiring, toy

__all__ = [
    "Encoder",
    "ForgetFigure",
    "Gallery",
    "Predictor",
    "Records",
    "adult",
    "attack",
    "attack_table",
    "fairness_table",
    "forget_figure",
    "gallery",
    "hiring",
    "hiring_picture",
    "judge",
    "leakage_table",
    "people",
    "plain",
    "probe",
    "record_table",
    "swap_picture",
    "toy",
    "train_encoder",
    "weight_ratio",
    "weight_table",
    "with_projection",
    "with_reversal",
]
