"""Results of earlier versions, whose runs had no identity: reported once, and not changed."""

import logging
from pathlib import Path

_log = logging.getLogger(__name__)


def warn_of_old_results(root: Path) -> None:
    """Warn of models that lie in a method's folder itself, or in a study's, where no run reads them.

    Args:
        root: folder of the layers.
    """
    old = sorted({path.parent for path in root.glob("06_models/*/selected")} | set(root.glob("06_models/studies")))
    if old:
        several = len(old) > 1
        _log.warning(
            "%d %s results of an earlier openfer, whose runs had no identity. They are not read: %s. Delete %s, or "
            "keep the project's old state in another folder",
            *(len(old), "folders hold" if several else "folder holds", ", ".join(map(str, old))),
            "them" if several else "it",
        )
