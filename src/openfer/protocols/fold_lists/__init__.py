"""Fixed folds by subject, the same for everybody, whatever part of a dataset a copy holds.

No paper printed its lists, but the field has a rule: subjects in ascending order of their ids, dealt in turn into
ten folds. Each list here was made once by this rule and stays as it is.

- ``ck_plus``: the 118 subjects with a labelled sequence; equal, subject by subject, to the list that Emotion-FAN's
  authors (Meng et al. 2019) published for CK+.
- ``oulu_casia``: subjects P001 to P080, eight in each fold.
- ``mmi``: numbers S001 to S100. Which subjects have an expression label differs between papers (30 to 32 people),
  so all numbers are dealt, used or not; folds hold fewer or more people than in a list made for one selection.
"""

from importlib.resources import files

import pandas as pd

from openfer.errors import ParameterError

NAMES = ("ck_plus", "mmi", "oulu_casia")
"""The datasets that have a list."""


def fold_list(name: str) -> dict[str, int]:
    """Return the fold of each subject, from 0.

    Args:
        name: one of :data:`NAMES`.

    Raises:
        ParameterError: if there is no such list.
    """
    if name not in NAMES:
        raise ParameterError(
            f"there is no fold list {name!r}; lists are kept for {', '.join(NAMES)}: name one of these as "
            "protocol.lists, or set it to false to draw folds by the seed"
        )
    with files(__package__).joinpath(f"{name}.csv").open() as stream:
        table = pd.read_csv(stream, dtype={"subject": str, "fold": int})
    return {str(subject): int(fold) for subject, fold in zip(table["subject"], table["fold"], strict=True)}
