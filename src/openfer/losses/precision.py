"""Compute losses in single precision or better, also under autocast."""

import torch
from torch import Tensor


def widen(tensor: Tensor) -> Tensor:
    """Return a half-precision tensor as float32, and any other as it is (float64 stays)."""
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor
