"""The runners of `kedro run`: what they skip, keep apart and isolate."""

from openfer.runners.idempotent import IdempotentRunner

__all__ = ["IdempotentRunner"]
