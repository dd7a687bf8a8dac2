"""Consistency training: what the notebook of unit 14 needs and the student does not write."""

from genssl_utils.consistency_training.average import AverageFigure, average_figure
from genssl_utils.consistency_training.boundary import BoundaryFigure, boundary_figure
from genssl_utils.consistency_training.cifar import plan_for, train_plan
from genssl_utils.consistency_training.confidence import ConfidenceFigure, confidence_figure
from genssl_utils.consistency_training.cross_view import (
    sight_table,
    tagging_table,
    train_tagger,
    view_table,
)
from genssl_utils.consistency_training.digits import digit_task, train, train_all
from genssl_utils.consistency_training.explorer import explore_methods
from genssl_utils.consistency_training.methods import METHODS, SUPERVISED, Method, mixed
from genssl_utils.consistency_training.noise import noise_picture, noise_study
from genssl_utils.consistency_training.show import (
    accuracy_picture,
    label_table,
    method_table,
    paper_table,
    result_table,
    schedule_picture,
    student_table,
    tagger_table,
    views_picture,
)
from genssl_utils.consistency_training.step import Answers
from genssl_utils.consistency_training.tag_grammar import tag_task

__all__ = [
    "METHODS",
    "SUPERVISED",
    "Answers",
    "AverageFigure",
    "BoundaryFigure",
    "ConfidenceFigure",
    "Method",
    "accuracy_picture",
    "average_figure",
    "boundary_figure",
    "confidence_figure",
    "digit_task",
    "explore_methods",
    "label_table",
    "method_table",
    "mixed",
    "noise_picture",
    "noise_study",
    "paper_table",
    "plan_for",
    "result_table",
    "schedule_picture",
    "sight_table",
    "student_table",
    "tag_task",
    "tagger_table",
    "tagging_table",
    "train",
    "train_all",
    "train_plan",
    "train_tagger",
    "view_table",
    "views_picture",
]
