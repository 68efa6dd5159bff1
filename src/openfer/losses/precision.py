"""Losses are computed in single precision or better, whatever autocast did before."""

import torch
from torch import Tensor


def widen(tensor: Tensor) -> Tensor:
    """Return a half-precision tensor as float32, and any other as it is (float64 stays)."""
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor
