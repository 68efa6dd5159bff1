#!/usr/bin/env bash
# What a GPU does with openfer, in at most eight minutes: build/gpu.json. On a CPU: benchmarks/gpu.sh --small
#
# It takes the options of benchmarks/gpu.py. It needs an environment with openfer's test dependencies; PYTHON names its
# interpreter. Nothing is downloaded. gpu.py writes its results after each part, so that a stop loses the part alone.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${PYTHON:-}" ]; then
    if [ -x .venv/bin/python ]; then PYTHON=.venv/bin/python; else PYTHON=python3; fi
fi
PYTHONPATH="src:benchmarks${PYTHONPATH:+:$PYTHONPATH}" exec timeout --signal=INT --kill-after=10 480 "$PYTHON" benchmarks/gpu.py "$@"
