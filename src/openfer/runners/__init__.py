"""The runners of `kedro run`: they skip finished nodes, isolate failed runs and start other processes."""

from openfer.runners.idempotent import IdempotentRunner
from openfer.runners.many import RayRunner

__all__ = ["IdempotentRunner", "RayRunner"]
