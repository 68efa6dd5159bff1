"""Figures as objects, never files: plotly for a browser (``..._plot``), matplotlib for paper (``..._picture``)."""

from openfer.evaluation.figures.attention import attention_sheet
from openfer.evaluation.figures.branch_attention import branch_attention_sheet
from openfer.evaluation.figures.branches import branches_picture
from openfer.evaluation.figures.confusion import confusion_picture, confusion_plot
from openfer.evaluation.figures.cross_dataset import cross_dataset_picture
from openfer.evaluation.figures.curves import training_curves
from openfer.evaluation.figures.embedding import tsne_picture, tsne_plot
from openfer.evaluation.figures.grad_cam import grad_cam_comparison, grad_cam_sheet
from openfer.evaluation.figures.group_bars import group_bars_picture, group_bars_plot
from openfer.evaluation.figures.importance import importance_picture, importance_plot
from openfer.evaluation.figures.interest_points import interest_points_sheet
from openfer.evaluation.figures.neighbours import change_picture, masked_picture
from openfer.evaluation.figures.probes import probe_picture, probe_plot
from openfer.evaluation.figures.recall import per_class_recall_plot
from openfer.evaluation.figures.reliability import reliability_picture, reliability_plot
from openfer.evaluation.figures.similarity import similarity_picture
from openfer.evaluation.figures.stability import ShownSequence, stability_sheet
from openfer.evaluation.figures.study import study_picture, study_plot, sweep_picture

__all__ = [
    "ShownSequence",
    "attention_sheet",
    "branch_attention_sheet",
    "branches_picture",
    "change_picture",
    "confusion_picture",
    "confusion_plot",
    "cross_dataset_picture",
    "grad_cam_comparison",
    "grad_cam_sheet",
    "group_bars_picture",
    "group_bars_plot",
    "importance_picture",
    "importance_plot",
    "interest_points_sheet",
    "masked_picture",
    "per_class_recall_plot",
    "probe_picture",
    "probe_plot",
    "reliability_picture",
    "reliability_plot",
    "similarity_picture",
    "stability_sheet",
    "study_picture",
    "study_plot",
    "sweep_picture",
    "training_curves",
    "tsne_picture",
    "tsne_plot",
]
