"""Which method has which tables and pictures beside those of every run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from openfer.pipelines.figures import addl, branches, esr, neighbours, oadn

HISTORY = "history"
"""The input that stands for the figures of training."""


@dataclass(frozen=True)
class Figure:
    """A node of a method's runs.

    Attributes:
        name: of the node.
        make: its function. Without ``inputs`` it takes a trained run: ``run``, ``models`` and ``sources``.
        outputs: names in the run's namespace, each ending in its kind (``_table``, ``_picture``, ...).
        inputs: names in the run's namespace, or :data:`HISTORY`.
        prerequisites: methods whose models it takes as well.
    """

    name: str
    make: Callable[..., Any]
    outputs: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()


_BRANCHES = (
    Figure("similarity", branches.similarity, ("similarity_table",)),
    Figure("similarity_figure", branches.similarity_figure, ("similarity_picture",), (HISTORY,)),
    Figure("attention", branches.attention, ("attention_picture",)),
)

FIGURES: Mapping[str, tuple[Figure, ...]] = {
    "addl": (
        Figure("importance", addl.importance, ("importance_table",)),
        Figure("importance_figure", addl.importance_figure, ("importance_picture",), ("importance_table",)),
        Figure("attention", addl.attention, ("attention_picture",)),
    ),
    "esr": (
        *_BRANCHES,
        Figure("branches", esr.branches, ("branches_table",)),
        Figure("branches_figure", esr.branches_figure, ("branches_picture",), ("branches_table",)),
    ),
    "manet": _BRANCHES,
    "oadn": (Figure("attention", oadn.attention, ("attention_picture",)),),
    "sna_generator": (
        Figure("sheet", neighbours.sheet, ("neighbours_image",), prerequisites=("sna_autoencoder",)),
        Figure("animation", neighbours.animation, ("perturbation_animation",)),
        Figure(
            "change",
            neighbours.change,
            ("change_table", "change_picture"),
            prerequisites=("sna_autoencoder", "two_scale"),
        ),
    ),
}
"""Figures by method; other methods have none."""
