"""The time that training takes, and the energy where the machine counts it.

GPUs count by NVIDIA's counter, processors by RAPL's.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import torch

from openfer.training.stateful import State

POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows the counters of processors; to root alone by default, as they give away what a program does."""

GPU, CPU = "gpu_joules", "cpu_joules"
"""What is counted: the GPUs in use with their memory; all processors without theirs."""

_ZONES = "intel-rapl:[0-9]*"  # AMD's have this name too
_PACKAGE = "package"
"""How the zone of a processor is named; its cores lie below it, and the zone of the whole board includes it."""

_PER_JOULE_GPU, _PER_JOULE_CPU = 1e3, 1e6


class EnergyMeter:
    """Measures the time of an epoch, and its energy by the counters of the GPUs in use and of all processors.

    A counter covers the whole device, other programs on it included. It is a :class:`Stateful` part of the run: an
    epoch that several processes train is the sum of their parts.

    Attributes:
        joules: since :meth:`begin`, by :data:`GPU` and :data:`CPU`, without what could not be read throughout.

    Args:
        device: where networks compute.
        count: number of GPUs in use, the first ones that torch sees.
    """

    def __init__(self, device: torch.device, count: int = 1) -> None:
        self._counters = {CPU: _packages(POWERCAP)}
        if device.type == "cuda":
            used = [device] if count == 1 else [torch.device("cuda", number) for number in range(count)]
            self._counters[GPU] = _gpus(used)
        self.begin()

    def begin(self) -> None:
        """Start an epoch at 0."""
        self._began = time.monotonic()
        self._at = self._read()
        self.joules = dict.fromkeys(self._at, 0.0)

    def count(self) -> None:
        """Add what was used since the last call; often enough, within minutes, that no counter overflows unseen."""
        before, self._at = self._at, self._read()
        known = [kind for kind in self.joules if kind in before and kind in self._at]
        self.joules = {kind: self.joules[kind] + self._used(kind, before, self._at) for kind in known}

    def figures(self, images: int) -> dict[str, float]:
        """Return seconds, images per second and joules of an epoch with this number of training images."""
        state = self.state().facts
        return {"seconds": state["seconds"], "images_per_second": images / state["seconds"]} | state["joules"]

    def state(self) -> State:
        """Return the time and the energy of the epoch so far."""
        self.count()
        return State(facts={"seconds": time.monotonic() - self._began, "joules": self.joules})

    def restore(self, state: State) -> None:
        """Add what :meth:`state` returned; energy that was not counted then is not counted now."""
        self._began -= state.facts["seconds"]
        self.joules = dict(state.facts["joules"])

    def _used(self, kind: str, before: Mapping[str, list[float]], now: Mapping[str, list[float]]) -> float:
        ends = zip(self._counters[kind], before[kind], now[kind], strict=True)
        return sum(counter.between(begin, end) for counter, begin, end in ends)

    def _read(self) -> dict[str, list[float]]:
        readings: dict[str, list[float]] = {}
        for kind, counters in self._counters.items():
            with suppress(OSError):
                readings[kind] = [counter.read() for counter in counters]
        return {kind: values for kind, values in readings.items() if values}


class _Counter:
    """Something that counts joules up to a range, after which it begins at 0 again; reading raises an OSError."""

    def __init__(self, read: Callable[[], float], joules: float = float("inf")) -> None:
        self.read, self._range = read, joules

    def between(self, before: float, now: float) -> float:
        return now - before if now >= before else now - before + self._range


def _packages(powercap: Path) -> list[_Counter]:
    """Return the counters of all processors; none where one may not be read, as a part would be taken for the whole."""
    try:
        zones = [path for path in sorted(powercap.glob(_ZONES)) if (path / "name").read_text().startswith(_PACKAGE)]
        return [_package(folder) for folder in zones]
    except OSError:
        return []


def _package(folder: Path) -> _Counter:
    file = folder / "energy_uj"

    def read() -> float:
        return int(file.read_text()) / _PER_JOULE_CPU

    read()
    return _Counter(read, int((folder / "max_energy_range_uj").read_text()) / _PER_JOULE_CPU)


def _gpus(devices: list[torch.device]) -> list[_Counter]:
    """Return the counters of GPUs; none where one has none, as before Volta and for a part of one (MIG)."""
    import pynvml

    try:
        pynvml.nvmlInit()
        return [_gpu(device) for device in devices]
    except (OSError, pynvml.NVMLError):
        return []


def _gpu(device: torch.device) -> _Counter:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")

    def read() -> float:
        try:
            return pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / _PER_JOULE_GPU
        except pynvml.NVMLError as error:
            raise OSError(str(error)) from error

    read()
    return _Counter(read)
