"""Files of settings, each parsed once: all projects of the tests have the same ones."""

import pickle
from pathlib import Path

from omegaconf import DictConfig

from openfer import yaml_files

_parsed = yaml_files.parsed
_known: dict[bytes, bytes] = {}
"""What a file holds -> what it is parsed to, pickled: each reader may change its copy."""


def parsed_once(content: bytes, path: Path) -> DictConfig:
    """Do what :func:`openfer.yaml_files.parsed` does."""
    if content not in _known:
        _known[content] = pickle.dumps(_parsed(content, path))
    found: DictConfig = pickle.loads(_known[content])
    return found


yaml_files.parsed = parsed_once
for _file in (Path(__file__).parents[1] / "conf/base").rglob("*.yml"):
    parsed_once(_file.read_bytes(), _file)
