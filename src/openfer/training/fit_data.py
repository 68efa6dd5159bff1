"""What goes into a training and what comes out of it."""

from dataclasses import dataclass

import pandas as pd

from openfer.io.checkpoint import Checkpoint
from openfer.training.data import Faces


@dataclass(frozen=True)
class FitData:
    """The sets of one run.

    Attributes:
        train: augmented.
        validation: centre crops; never trained on.
        test: centre crops; read only if ``oracle_test`` is among the selections.
    """

    train: Faces
    validation: Faces
    test: Faces | None = None


@dataclass(frozen=True)
class Fitted:
    """The result of a finished run.

    Attributes:
        states: by selection, the main one first.
        history: one figure a row: stage, epoch (in the stage, from 1), split (train, val,
            oracle_test), name, value.
        masked: the masked samples by epoch, as :meth:`Mask.table` returns them; None without a mask.
    """

    states: dict[str, Checkpoint]
    history: pd.DataFrame
    masked: pd.DataFrame | None = None
