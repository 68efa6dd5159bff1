"""How long one call takes, several networks side by side on the same device."""

import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from openfer.seeds import generator_for


def time_interleaved(
    calls: Mapping[str, Callable[[], object]], rounds: int, warm_up: int, device: torch.device
) -> dict[str, list[float]]:
    """Time calls in rounds, each call once a round, in another order every time.

    So a machine that is busy for a while, or grows warm, is so for all of them alike.

    Args:
        calls: by name; run without gradients.
        rounds: times that each is timed.
        warm_up: times that each runs before.
        device: whose work is waited for.

    Returns:
        Milliseconds of each call by name, one per round.
    """
    names, times = [*calls], {name: list[float]() for name in calls}
    with torch.inference_mode():
        for call in (call for call in calls.values() for _ in range(warm_up)):
            call()
        for number in range(rounds):
            for place in generator_for(0, "latency", number).permutation(len(names)):
                times[names[place]].append(_milliseconds(calls[names[place]], device))
    return times


def device_name(device: torch.device) -> str:
    """Return what the maker calls the processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    information = Path("/proc/cpuinfo")  # Linux alone tells more than the architecture
    lines = information.read_text().splitlines() if information.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(models), platform.processor() or platform.machine())


def _milliseconds(call: Callable[[], object], device: torch.device) -> float:
    _wait(device)
    began = time.perf_counter_ns()
    call()
    _wait(device)
    return (time.perf_counter_ns() - began) / 1e6


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
