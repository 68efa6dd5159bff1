from pathlib import Path

import pytest
import torch

from openfer.nn.latency import device_name, time_interleaved

CPU = torch.device("cpu")


def timed(names, rounds, warm_up):
    """Return the times, and the order in which the calls ran."""
    ran = []
    calls = {name: lambda name=name: ran.append((name, torch.is_inference_mode_enabled())) for name in names}
    return time_interleaved(calls, rounds, warm_up, CPU), ran


def test_each_call_runs_once_a_round_after_its_warm_up():
    times, ran = timed("abc", rounds=4, warm_up=2)
    assert {name: len(took) for name, took in times.items()} == {"a": 4, "b": 4, "c": 4}
    assert all(took > 0 for own in times.values() for took in own)
    assert [name for name, _ in ran[:6]] == list("aabbcc")
    rounds = [{name for name, _ in ran[start : start + 3]} for start in range(6, 18, 3)]
    assert rounds == [set("abc")] * 4
    assert all(without_gradients for _, without_gradients in ran)


def test_the_order_differs_from_round_to_round_and_is_the_same_in_every_run():
    orders = [name for name, _ in timed("abcdef", rounds=5, warm_up=0)[1]]
    assert len({tuple(orders[start : start + 6]) for start in range(0, 30, 6)}) > 1
    assert orders == [name for name, _ in timed("abcdef", rounds=5, warm_up=0)[1]]


def test_the_name_of_the_processor_is_the_one_that_linux_knows():
    information = Path("/proc/cpuinfo")
    known = information.read_text() if information.is_file() else ""
    if "model name" not in known:
        pytest.skip("the system states no model of its processor")
    assert f": {device_name(CPU)}\n" in known
