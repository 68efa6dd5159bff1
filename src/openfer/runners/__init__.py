"""The runners of `kedro run`: what they skip, keep apart, isolate and give to other processes."""

from openfer.runners.idempotent import IdempotentRunner
from openfer.runners.many import RayRunner

__all__ = ["IdempotentRunner", "RayRunner"]
