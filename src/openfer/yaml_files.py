"""Kedro's configuration loader with keys that keep their text, and one error for a mistake in a YAML file."""

import contextlib
import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from kedro.config import OmegaConfigLoader
from omegaconf import DictConfig, OmegaConf
from omegaconf._utils import get_yaml_loader

from openfer.errors import ParameterError

_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"

_REMEDIES = (
    (re.compile(r"character '\\t'"), "blanks, and no tabulator, indent a line: replace it"),
    (re.compile(r"unknown escape|expected escape"), "in double quotes a backslash begins an escape: use single ones"),
    (re.compile(r"duplicate key"), "keep one of the two"),
    (re.compile(r"mapping values are not allowed"), "indent all keys of a block alike, and quote a value with a colon"),
    (re.compile(r"<stream end>"), "close the bracket or quote that is open"),
    (re.compile(r"cannot start any token"), "quote a value that begins with such a character"),
    (re.compile(r"undefined alias"), "quote a value that begins with *"),
    (re.compile(r"special characters"), "remove the character that cannot be printed"),
)  # fmt: skip
"""What YAML says of a mistake, and what to do."""


class TextKeysLoader(OmegaConfigLoader):
    """Kedro's loader: a key such as ``no``, ``on`` or ``00`` is the text that it looks like."""

    def _read_dir_configs(
        self,
        conf_path: str,
        patterns: Iterable[str],
        key: str,
        processed_files: set[Path],
        read_environment_variables: bool | None = False,
    ) -> dict[Path, DictConfig]:
        """Read the files of one environment that match any of the patterns.

        Raises:
            ParameterError: if a file is not YAML in UTF-8, holds no keys, or two files hold one key.
        """
        if not self._fs.isdir(Path(conf_path).as_posix()):
            return super()._read_dir_configs(conf_path, patterns, key, processed_files, read_environment_variables)
        places = [Path(f"{conf_path}/{pattern}").as_posix() for pattern in patterns]
        configs = {}
        for path in sorted({Path(each) for place in places for each in self._fs.glob(place)}):
            if not self._is_valid_config_path(path) or (self.ignore_hidden and self._is_hidden(str(path))):
                continue
            with self._fs.open(path.as_posix(), "rb") as file:
                configs[path] = parsed(file.read(), path)
            processed_files.add(path)
            if read_environment_variables:
                self._resolve_environment_variables(configs[path])
        try:
            self._check_duplicates(key, configs)
        except ValueError as error:
            raise ParameterError(f"{' '.join(str(error).split())}; keep each key in one file") from error
        return configs


def parsed(content: bytes, path: Path) -> DictConfig:
    """Return what a YAML file holds, with its interpolations; arguments and errors are those of :func:`read_yaml`."""
    return OmegaConf.create(read_yaml(content, path))


def read_yaml(content: bytes, path: Path) -> dict[str, Any]:
    """Return what a YAML file holds, its keys as text.

    Args:
        content: of the file.
        path: for messages.

    Raises:
        ParameterError: if it is not YAML in UTF-8, or holds no keys; the message names file, line and remedy.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        kind = "UTF-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else f"byte 0x{content[error.start]:02x}"
        raise ParameterError(f"{path}, line {line}: {kind} is not UTF-8; save the file as UTF-8") from error
    try:
        found = _loaded(text)
    except yaml.YAMLError as error:
        raise ParameterError(_in_words(error, text, path)) from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:  # a value of a stated kind
        raise ParameterError(f"{path} holds a value that is not of the kind that it states: {error}") from error
    if not isinstance(found, dict | None):
        raise ParameterError(f"{path} holds {found!r:.60}, where keys with values are expected, such as `seed: 1`")
    return found or {}


def _loaded(text: str) -> Any:
    """Load with libyaml's parser, five times as fast, where PyYAML has it; of a mistake PyYAML's own one says more."""
    if yaml.__with_libyaml__:
        with contextlib.suppress(yaml.YAMLError):
            return yaml.load(text, Loader=_quick_loader())
    return yaml.load(text, Loader=_loader())


@functools.cache
def _loader() -> type[yaml.SafeLoader]:
    """Return OmegaConf's loader, which knows its numbers and refuses a key twice, with keys as text."""
    base = get_yaml_loader()

    class TextKeys(base):  # type: ignore[misc, valid-type]
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                    key.tag = _TEXT
            return super().construct_mapping(node, deep=deep)

    return TextKeys


@functools.cache
def _quick_loader() -> type[Any]:
    """Return a loader with libyaml's parser that makes of its nodes what the plain one makes of them."""
    from yaml import cyaml
    from yaml.constructor import SafeConstructor
    from yaml.resolver import Resolver

    base = _loader()
    parser: type[Any] = cyaml.CParser  # type: ignore[attr-defined]

    class Quick(parser, base):  # type: ignore[misc, valid-type]
        def __init__(self, stream: str) -> None:
            parser.__init__(self, stream)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)

    return Quick


def _in_words(error: yaml.YAMLError, text: str, path: Path) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).splitlines()[0]
    place = getattr(error, "position", None)  # of a character that cannot be printed
    line = mark.line + 1 if mark is not None else text[:place].count("\n") + 1
    lines = text.splitlines()
    shown = f" in {lines[line - 1].strip()!r:.80}" if 0 < line <= len(lines) else ""
    remedy = next((words for pattern, words in _REMEDIES if pattern.search(said)), "correct the line")
    return f"{path}, line {line}: {said}{shown}; {remedy}"
