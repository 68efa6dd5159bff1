"""The datasets that a project knows, and what decides the content of each."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from openfer.datasets.challenge import ChallengeLists
from openfer.datasets.registry import READERS
from openfer.errors import ParameterError, did_you_mean
from openfer.faces.config import FacesConfig
from openfer.io.provenance import decisive
from openfer.parameters import Settings, at_home
from openfer.protocols.config import DatasetProtocol
from openfer.runs.words import in_words
from openfer_faces.synthetic.config import SyntheticConfig

Model = TypeVar("Model", bound=BaseModel)

EMBEDDED = ("synthetic_pie", "synthetic_raf", "synthetic_fer", "synthetic_sequences")
"""The datasets that openfer renders."""

_STABLE = ("synthetic_sequences",)
"""Rendered datasets with the split of the stability protocol."""

_OPTIONAL: dict[str, Any] = {"options": {}, "faces": {"align": "detect"}, "protocol": {"kind": "official"}}
"""What a dataset's block may leave out; ``reader`` and ``root`` are required."""


RESERVED = frozenset({"params", "parameters", "runs", "study", "study_plan", "synthetic", "protocol", "dataset"})
"""Words that parameters and Kedro use themselves."""

_NAME = re.compile(r"[^\W_][\w-]*")


class Datasets:
    """The datasets of a project: rendered ones, and one for each parameter block with a reader.

    Args:
        parameters: all top-level parameters.

    Raises:
        ParameterError: if a dataset's block has an unknown key, no reader or no root.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        blocks = {name: value for name, value in parameters.items() if describes_dataset(value)}
        self._synthetic = parameters.get("synthetic")
        self._protocol = parameters.get("protocol")
        share = self._protocol.get("validation_share") if isinstance(self._protocol, Mapping) else None
        self.blocks = {name: _with_share(_complete(name, value), share) for name, value in blocks.items()}
        self._identities: dict[str, str] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """All datasets that are rendered or have a reader."""
        return (*EMBEDDED, *self.blocks)

    def reader(self, name: str) -> str | None:
        """Return the reader of a dataset; None for a rendered one, or one whose tables come from elsewhere."""
        return self.blocks[name]["reader"] if name in self.blocks else None

    def is_stable(self, name: str) -> bool:
        """Return whether a dataset is split by the stability protocol."""
        return name in _STABLE or self._kind(name) == "stability"

    def folds(self, name: str) -> int:
        """Return the number of folds of a dataset's split; 1 without cross-validation."""
        if self._kind(name) not in ("subject_folds", "image_folds"):
            return 1
        return self._protocol_of(name).folds

    def expressions(self, name: str) -> frozenset[str]:
        """Return the expressions of a dataset that its publisher counts; none where nobody counts them."""
        if self.reader(name) is None:
            return frozenset()
        counted = READERS[self.blocks[name]["reader"]](self._options_of(name)).expected().classes
        return frozenset(expression for classes in counted.values() for expression in classes)

    def challenge_lists(self, name: str) -> frozenset[str] | None:
        """Return the challenge lists that a dataset's options give; None where nothing says which there are."""
        options = None if self.reader(name) is None else self._options_of(name)
        if not isinstance(lists := getattr(options, "challenge", None), ChallengeLists):
            return None
        return frozenset(list_name for list_name, place in lists if place is not None)

    def identity(self, name: str) -> str:
        """Return a hash of the parameters that decide which faces, labels and roles a dataset has.

        The folder of a copy, the number of workers and the like are not part of it.
        """
        if name not in self._identities:
            text = json.dumps(self._decisive(name), sort_keys=True, default=str)
            self._identities[name] = hashlib.sha256(text.encode()).hexdigest()
        return self._identities[name]

    def _kind(self, name: str) -> str | None:
        protocol = self.blocks[name]["protocol"] if name in self.blocks else None
        return str(protocol.get("kind", "official")) if isinstance(protocol, Mapping) else None

    def _protocol_of(self, name: str) -> DatasetProtocol:
        return _validated(f"{name}.protocol", DatasetProtocol, self.blocks[name]["protocol"])

    def _options_of(self, name: str) -> Settings:
        block = self.blocks[name]
        return _validated(f"{name}.options", READERS[block["reader"]].options_class, block["options"])

    def _decisive(self, name: str) -> Any:
        if name in EMBEDDED and self._synthetic is not None:
            config = decisive(_validated("synthetic", SyntheticConfig, self._synthetic))
            kind = name.removeprefix("synthetic_")
            shared = {key: value for key, value in config.items() if not isinstance(value, dict)}
            return [shared, config[kind], self._protocol]
        if name not in self.blocks:
            return name
        block = self.blocks[name]
        options = self._options_of(name)
        faces = _validated(f"{name}.faces", FacesConfig, block["faces"])
        protocol = self._protocol_of(name)
        if protocol.subset is not None and protocol.subset not in (self.challenge_lists(name) or ()):
            raise ParameterError(
                f"{name}.protocol.subset is {protocol.subset!r}, but {name}.options.challenge gives no such list; give "
                "its file there, or leave the subset out"
            )
        return [block["reader"], *map(decisive, (options, faces, protocol))]


def placed(parameters: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """Return parameters with each dataset's ``root`` as an absolute path; a relative one starts from the project.

    So a command finds the same copy from any folder.

    Args:
        parameters: all top-level parameters.
        project: folder of the project.
    """
    return {
        name: {**block, "root": str(project / at_home(block["root"]))}
        if describes_dataset(block) and isinstance(block.get("root"), str)
        else block
        for name, block in parameters.items()
    }


def describes_dataset(value: Any) -> bool:
    """Return whether a block of parameters describes a dataset."""
    return isinstance(value, Mapping) and ("reader" in value or "root" in value)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise ParameterError(
            f"a dataset's block is called {name!r}; a name begins with a letter or a digit, has letters, digits, _ and "
            f"- only, and is none of {', '.join(sorted(RESERVED))}. Rename the block, and what names it"
        )


def _complete(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    _check_name(name)
    allowed = ("reader", "root", *_OPTIONAL)
    for key in value:
        if key not in allowed:
            raise ParameterError(
                f"{name}.{key} is not a parameter of a dataset; {did_you_mean(key, allowed, 'they are')} "
                f"{', '.join(allowed)}"
            )
    for key, wanted in (("reader", f"the name of a reader: {', '.join(READERS.names())}"), ("root", "a folder")):
        if not isinstance(value.get(key), str):
            raise ParameterError(f"{name}.{key} is {value.get(key)!r}; give {wanted}")
    if any(ord(letter) < ord(" ") for letter in value["root"]):
        raise ParameterError(
            f"{name}.root is {value['root']!r}, which holds a control character. In double quotes a backslash begins "
            "an escape: write / in its place, or single quotes"
        )
    if value["reader"] not in READERS:
        readers = READERS.names()
        raise ParameterError(
            f"{name}.reader is {value['reader']!r}; {did_you_mean(value['reader'], readers, 'the readers are')} "
            f"{', '.join(readers)}"
        )
    return {key: dict(default) for key, default in _OPTIONAL.items()} | {
        key: inner for key, inner in value.items() if inner is not None
    }


def _with_share(block: dict[str, Any], share: Any) -> dict[str, Any]:
    """Return a dataset's block with the project's share of validation faces, where its protocol names none itself."""
    protocol = block["protocol"]
    if share is None or not isinstance(protocol, Mapping) or protocol.get("kind") == "holdout":
        return block
    return {**block, "protocol": {"validation_share": share, **protocol}}


def _validated(place: str, model: type[Model], value: Any) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ParameterError(in_words(place, error)) from error
