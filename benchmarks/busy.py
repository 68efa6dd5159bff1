"""Training steps per second alone and beside busy programs, for ways in which OpenMP's threads wait for each other.

    python benchmarks/busy.py --spins 1000 5000 20000 --rounds 5 --seconds 2

Each setting has a process of its own that trains Baseline at 64 pixels with a batch of 32. The processes take turns:
in every round each of them steps alone, beside one and beside two programs that keep a core busy, while the other
processes sleep. A ratio compares two rates of the same round; the median of the rounds and their range are printed.
The default takes five minutes. It needs two quiet cores: the first lines say what else the machine did.
"""

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection

SIDE, BATCH = 64, 32
OWN = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
BUSY = (0, 1, 2)
UNTOUCHED = "300000"
"""The number of turns that GNU's OpenMP takes where nothing is set."""

PASSIVE = "passive"

BUSY_UNTIL_LEFT_ALONE = (
    "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(1_000_000): pass"
)
"""A program that keeps a core busy, and ends when the benchmark is gone, killed or not."""


def steps_on_request(connection: Connection, threads: int) -> None:
    """Take training steps for as many seconds as asked for, and answer with the steps per second."""
    import torch

    from train_step import Setting, on_cpu  # beside this file

    torch.set_num_threads(threads)
    fast = torch.cpu.get_capabilities().get("avx512_bf16", False)
    setting = Setting("baseline", {}, SIDE, BATCH, on_cpu(fast=fast))
    setting.run(3)
    connection.send("ready")
    while (seconds := connection.recv()) is not None:
        begun, count = time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            setting.run(1)
            count += 1
        connection.send(count / (time.perf_counter() - begun))


@contextmanager
def trainers(settings: Mapping[str, Mapping[str, str]], threads: int) -> Iterator[dict[str, Connection]]:
    """Start a process for each setting, which OpenMP reads from the environment as torch is loaded."""
    before = dict(os.environ)
    context = multiprocessing.get_context("spawn")
    connections, processes = {}, []
    for name, values in settings.items():
        for variable in OWN:
            os.environ.pop(variable, None)
        os.environ.update(values)
        connections[name], other = context.Pipe()
        processes.append(context.Process(target=steps_on_request, args=(other, threads), daemon=True))
        processes[-1].start()
        connections[name].recv()
    os.environ.clear()
    os.environ.update(before)
    try:
        yield connections
    finally:
        for connection, process in zip(connections.values(), processes, strict=True):
            connection.send(None)
            process.join()


@contextmanager
def busy_programs(count: int) -> Iterator[None]:
    """Keep some programs busy that use a core each."""
    programs = [subprocess.Popen([sys.executable, "-c", BUSY_UNTIL_LEFT_ALONE]) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def of_rounds(values: list[float]) -> str:
    """Return the median of the rounds and their range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Print steps per second and their ratios, a line for each setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spins", nargs="+", default=["1000", "3000", "5000", "10000", "30000"], help="turns to try")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.5, help="of each measurement")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    settings = {UNTOUCHED: {"GOMP_SPINCOUNT": UNTOUCHED}, PASSIVE: {"OMP_WAIT_POLICY": PASSIVE}}
    settings |= {turns: {"GOMP_SPINCOUNT": turns} for turns in options.spins}
    names = list(settings)
    rates: dict[tuple[str, int], list[float]] = {(name, busy): [] for name in names for busy in BUSY}
    load = os.getloadavg()[0]
    with trainers(settings, options.threads) as connections:
        for number in range(options.rounds):
            first = number % len(names)  # each comes first now and then
            for busy in BUSY:
                with busy_programs(busy):
                    for name in (*names[first:], *names[:first]):
                        connections[name].send(options.seconds)
                        rates[name, busy].append(connections[name].recv())

    print(f"Baseline, {SIDE} pixels, batch {BATCH}, {options.threads} threads, {os.cpu_count()} cores")
    print(f"{options.rounds} rounds of {options.seconds:g} s; load of the machine before: {load:.2f}")
    columns = ("turns", "steps/s alone", "of untouched, alone", "slower beside one", "beside two")
    lines = [columns]
    for name in names:
        alone, one, two = (rates[name, busy] for busy in BUSY)
        kept = [own / other for own, other in zip(alone, rates[UNTOUCHED, 0], strict=True)]
        slower = ([quiet / slow for quiet, slow in zip(alone, beside, strict=True)] for beside in (one, two))
        lines.append((name, *map(of_rounds, (alone, kept, *slower))))
    for line in lines:
        print(f"{line[0]:>8}" + "".join(f" {cell:>22}" for cell in line[1:]))


if __name__ == "__main__":
    main()
