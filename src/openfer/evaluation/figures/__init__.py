"""Charts and sheets of faces as matplotlib figures, one function for each; the caller writes the file."""

from openfer.evaluation.figures.attention import attention_sheet
from openfer.evaluation.figures.branch_attention import branch_attention_sheet
from openfer.evaluation.figures.branches import branches_picture
from openfer.evaluation.figures.confusion import confusion_picture
from openfer.evaluation.figures.cost import cost_picture
from openfer.evaluation.figures.cross_dataset import cross_dataset_picture
from openfer.evaluation.figures.curves import training_curves
from openfer.evaluation.figures.embedding import tsne_picture
from openfer.evaluation.figures.grad_cam import grad_cam_comparison, grad_cam_sheet
from openfer.evaluation.figures.group_bars import group_bars_picture
from openfer.evaluation.figures.importance import importance_picture
from openfer.evaluation.figures.interest_points import interest_points_sheet
from openfer.evaluation.figures.neighbours import change_picture, masked_picture
from openfer.evaluation.figures.probes import probe_picture
from openfer.evaluation.figures.recall import recall_picture
from openfer.evaluation.figures.reliability import reliability_picture
from openfer.evaluation.figures.similarity import similarity_picture
from openfer.evaluation.figures.stability import ShownSequence, stability_sheet
from openfer.evaluation.figures.study import study_picture, sweep_picture

__all__ = [
    "ShownSequence",
    "attention_sheet",
    "branch_attention_sheet",
    "branches_picture",
    "change_picture",
    "confusion_picture",
    "cost_picture",
    "cross_dataset_picture",
    "grad_cam_comparison",
    "grad_cam_sheet",
    "group_bars_picture",
    "importance_picture",
    "interest_points_sheet",
    "masked_picture",
    "probe_picture",
    "recall_picture",
    "reliability_picture",
    "similarity_picture",
    "stability_sheet",
    "study_picture",
    "sweep_picture",
    "training_curves",
    "tsne_picture",
]
