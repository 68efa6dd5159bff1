"""Load on `openfer serve`: requests a second, median and 99th percentile, beside prediction without a server.

    python benchmarks/serve.py FOLDER --model geometry --clients 8 --seconds 20
    python benchmarks/serve.py FOLDER --model geometry --clients 500 --seconds 5

FOLDER holds photographs. The server is a program of its own; the clients are threads here, which share the processor
with it. Each sends one photograph a request, and the next when it has its answer. Requests that are told to come back
(429) are counted apart. The largest memory is the server's.
"""

import argparse
import itertools
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx2
import numpy as np

from openfer.inference.predictor import load
from openfer.io.images import read_image
from openfer.workers import available_cores

_WARM_UP = 5


def main() -> None:
    """Measure both and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="geometry")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    files = [path.read_bytes() for path in sorted(arguments.folder.iterdir()) if path.is_file()]
    print(f"{len(files)} photographs, {available_cores()} cores, {arguments.clients} clients, {arguments.model}")
    print(f"without a server: {in_process(arguments.model, files, arguments.seconds):.1f} images a second")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = "from openfer.console import main; main()"
    server = subprocess.Popen(
        [sys.executable, "-c", command, "serve", "--model", arguments.model, "--port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        next(line for line in server.stderr if "Uvicorn running" in line)
        threading.Thread(target=server.stderr.read, daemon=True).start()
        times, answers, seconds = asked(f"http://127.0.0.1:{port}", files, arguments.clients, arguments.seconds)
        memory = peak_megabytes(server.pid)
    finally:
        server.terminate()
        server.wait()
    middle, late = (1000 * float(value) for value in np.percentile(times, (50, 99)))
    told = ", ".join(f"{status}: {count}" for status, count in sorted(answers.items()))
    print(
        f"with a server: {len(times) / seconds:.1f} requests a second, median {middle:.0f} ms, 99th percentile "
        f"{late:.0f} ms, n = {len(times)}; answers by status {told}; {memory:.0f} MB"
    )


def in_process(model: str, files: list[bytes], seconds: float) -> float:
    """Return images a second of decoding and prediction in this process, on all cores."""
    predictor = load(model)
    predictor.predict([read_image(file).pixels for file in files[:_WARM_UP]])
    began, until = time.perf_counter(), time.perf_counter() + seconds
    images = (read_image(file).pixels for file in itertools.cycle(files))
    count = sum(1 for _ in predictor.stream(itertools.takewhile(lambda _: time.perf_counter() < until, images)))
    return count / (time.perf_counter() - began)


def asked(address: str, files: list[bytes], clients: int, seconds: float) -> tuple[list[float], Counter[int], float]:
    """Return the seconds of every answered request, answers by status, and how long all took."""
    times, answers, lock = list[float](), Counter[int](), threading.Lock()
    limits = httpx2.Limits(max_connections=None)
    with httpx2.Client(base_url=address, timeout=300, limits=limits) as client:
        for file in files[:_WARM_UP]:
            client.post("/predict", files={"images": file})
        began = time.perf_counter()

        def one(first: int) -> None:
            number = first
            while time.perf_counter() < began + seconds:
                sent = time.perf_counter()
                status = client.post("/predict", files={"images": files[number % len(files)]}).status_code
                with lock:
                    answers[status] += 1
                    if status == 200:
                        times.append(time.perf_counter() - sent)
                number += clients

        threads = [threading.Thread(target=one, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return times, answers, time.perf_counter() - began


def peak_megabytes(process: int) -> float:
    """Return the largest memory that a process has had (Linux)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
