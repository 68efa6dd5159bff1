"""Configuration in layers: base, the environment, conf/local, the command line; each overrides those before it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.config import MissingConfigException

from openfer.errors import ParameterError, did_you_mean
from openfer.io.copies import work_in_copy
from openfer.parameters import at_home
from openfer.runs.recipes import with_overrides
from openfer.yaml_files import TextKeysLoader

_PARAMETERS, _GLOBALS = "parameters", "globals"
_URL = "://"


class LayeredConfigLoader(TextKeysLoader):
    """Kedro's loader, which reads conf/local after every environment; Kedro itself reads two folders at most.

    The base environment asked for by name, as in ``--env base``, is read alone: its results are the same on every
    machine.

    Args:
        conf_source: the folder of the environments.
        env: the requested environment; None for conf/local alone on top of base.
        runtime_params: parameters of the command line.
        local_env: the environment that is read last; None for none.
        **settings: of Kedro's loader.
    """

    base_env: str
    env: str | None

    def __init__(
        self,
        conf_source: str | Path,
        env: str | None = None,
        runtime_params: dict[str, Any] | None = None,
        *,
        local_env: str | None = "local",
        **settings: Any,
    ) -> None:
        self._local_env = local_env
        super().__init__(conf_source, env, runtime_params, **settings)

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return the configuration of all layers.

        Args:
            key: such as ``parameters``, ``catalog`` or ``globals``.

        Raises:
            KeyError: if there are no patterns of this name.
            MissingConfigException: if base and the environment have no such file.
            ParameterError: if an environment has a global that base does not have, or ``data_root`` or ``raw_root`` is
                a URL that openfer cannot read.
        """
        if key in self.data or key != _GLOBALS:
            return self._merged(key)
        return self._local(self._merged(key))

    def _local(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return global values whose paths are of this machine; a data root in a bucket becomes its working copy."""
        if _URL in str(values.get("raw_root")):
            raise ParameterError(
                f"raw_root is {values['raw_root']!r}, and raw data are read from folders only; give a folder, and "
                "bring the raw data there, for instance with `dvc pull`"
            )
        url = str(values.get("data_root"))
        if _URL not in url:
            return values
        parent = Path(self.conf_source).parent / at_home(str(values["data_copy"]))
        return values | {"data_root": str(work_in_copy(url, parent))}

    def _merged(self, key: str) -> dict[str, Any]:
        asked = self.env or self.default_run_env
        if key in self.data or self._local_env is None or asked == self.base_env:
            return super().__getitem__(key)
        below = self._read(key, self.base_env, asked if asked != self._local_env else self.base_env)
        try:
            own = self._read(key, self._local_env, self._local_env)
        except MissingConfigException:  # there is no such folder
            own = {}
        if key == _GLOBALS:
            self._refuse_unknown(below, asked)
            self._refuse_unknown(own, self._local_env)
        merged = _merged_deep(below, own) if self.merge_strategy.get(key) == "soft" else below | own
        if key != _PARAMETERS:
            return merged
        return with_overrides(merged, own, dict(self.runtime_params or {}))

    def _refuse_unknown(self, given: Mapping[str, Any], env: str) -> None:
        """Raise an error for a global that base does not have; Kedro leaves out those with an underscore in front."""
        known = self._read(_GLOBALS, self.base_env, self.base_env)
        for name in given:
            if name not in known:
                raise ParameterError(
                    f"the globals of {Path(self.conf_source) / env} have {name!r}, which those of {self.base_env} do "
                    f"not have; {did_you_mean(name, known, 'the globals are')} {', '.join(known)}. Add a global of "
                    f"your own to {self.base_env} first"
                )

    def _read(self, key: str, base: str, env: str) -> dict[str, Any]:
        """Return the configuration of one folder or two, as Kedro reads them."""
        before = self.base_env, self.env
        self.base_env, self.env = base, env
        try:
            found: Mapping[str, Any] = super().__getitem__(key)
        finally:
            self.base_env, self.env = before
        return dict(found)


def _merged_deep(below: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return two layers in one; nested keys of the second replace those of the first."""
    merged = dict(below)
    for name, value in own.items():
        before = merged.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            value = _merged_deep(before, value)
        merged[name] = value
    return merged
