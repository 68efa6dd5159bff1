"""FED-RO: 400 photographs from the web of faces with real occlusions, for testing only."""

from pathlib import PurePosixPath

import pandas as pd

from openfer.datasets.contract import About, Expected, Reader
from openfer.datasets.labelling import named
from openfer.datasets.tree import Tree
from openfer.errors import DataError
from openfer.io.images import IMAGES
from openfer.labels import FED_RO


class FedRo(Reader):
    """Reads a folder per expression, wherever these lie in the root.

    The authors send the images on request and document no layout. That the folders are called ``neural``,
    ``happy``, ``sad``, ``surprise``, ``fear``, ``disgust`` and ``anger`` is what public code of other groups expects;
    the usual other words are understood as well.
    """

    about = About(
        title="FED-RO",
        licence="FED-RO: research only, on request from its authors",
        citation="Li, Zeng, Shan, Chen: Occlusion Aware Facial Expression Recognition Using CNN With Attention "
        "Mechanism. IEEE Transactions on Image Processing 28(5), 2019",
        access="request to the authors (github.com/mysee1989/PG-CNN)",
    )

    def find(self, tree: Tree) -> pd.DataFrame:
        """Return a row per image; the folder that holds it is its expression."""
        rows = pd.DataFrame({"path": tree.with_suffix("", IMAGES)}, dtype=object)
        bare = rows.loc[~rows["path"].str.contains("/", regex=False), "path"]
        if len(bare):
            raise DataError(
                f"{tree.root / bare.iloc[0]} lies in no folder of an expression ({len(bare)} images do); expected is "
                "<expression>/*.jpg: move it there, or out of the root"
            )
        folders = rows["path"].map(lambda path: PurePosixPath(path).parent.name.lower())
        rows["expression"] = named(folders, FED_RO, f"the folders of {tree.root}")
        return rows.assign(partition="test")

    def expected(self) -> Expected:
        """Return the paper's count."""
        return Expected(images={"test": 400}, source="the paper's description of FED-RO")


READER = FedRo
