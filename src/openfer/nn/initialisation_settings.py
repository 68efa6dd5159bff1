"""Where a backbone's first weights come from; readable without torch."""

from pydantic import Field

from openfer.parameters import FILE, Settings

PRETRAIN = "pretrain"
"""The pipeline, and the value of ``backbone`` that asks for what it learned."""


class InitialisationSettings(Settings):
    """Parameters of a backbone's initialisation.

    Attributes:
        backbone: ``none`` for random weights, ``pretrain`` for the trunk that the pipeline of this name learns,
            or the path of a weights file: ``.safetensors``, or ``.pth``/``.pt`` with a state dict.
        sha256: the hash that the file must have; unchecked when null.
        minimum_match: smallest share of the backbone's tensors that the file must fill.
    """

    backbone: str = Field("none", json_schema_extra=FILE)
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")
    minimum_match: float = Field(default=0.9, gt=0, le=1)
