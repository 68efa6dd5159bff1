"""The pipeline `addl_va`: DFEM -> ADDM -> ADDM with valence and arousal (ADDL, Table 14)."""

from typing import Any

from kedro.pipeline import Pipeline

from openfer.pipelines.template import method_pipeline


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `addl_va`."""
    before = method_pipeline("dfem") + method_pipeline("addl", needs=("dfem",))
    return before + method_pipeline("addl_va", needs=("dfem", "addl"))
