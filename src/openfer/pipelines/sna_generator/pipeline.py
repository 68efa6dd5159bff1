"""The pipeline `sna_generator`: two_scale and sna_autoencoder -> generator, with what it draws."""

from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import runs
from openfer.pipelines.sna_generator import nodes
from openfer.pipelines.template import generator_pipeline, tables_of

_NAME = "sna_generator"
_CODE = (f"openfer.methods.{_NAME}", "openfer.methods.sna_autoencoder")


def create_pipeline(**_: Any) -> Pipeline:
    """Return the pipeline `sna_generator`."""
    own = [f"params:{_NAME}", f"{_NAME}_models"]
    both = [*own, "params:sna_autoencoder", "sna_autoencoder_models"]
    tables = tables_of(_NAME)
    figures = Pipeline(
        [
            node(runs(nodes.sheet, *_CODE), [*both, *tables], f"{_NAME}.neighbours", name="sheet", namespace=_NAME),
            node(
                runs(nodes.animation, _CODE[0]),
                [*own, *tables],
                f"{_NAME}.animation",
                name="animation",
                namespace=_NAME,
            ),
            node(
                runs(nodes.change, *_CODE),
                [*both, *tables],
                [f"{_NAME}.change", f"{_NAME}.change_picture"],
                name="change",
                namespace=_NAME,
            ),
        ]
    )
    return generator_pipeline() + figures
