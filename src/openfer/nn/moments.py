"""Mean and variance of what a network computes, over all that it has seen."""

import torch
from torch import Tensor, nn


class Moments(nn.Module):
    """Mean and variance of each dimension, averaged over batches of which each counts the same.

    They equal those of ``nn.BatchNorm1d`` with ``momentum=None``, which makes a GPU wait for the host in every step: it
    reads its counter there. Mean 0 and variance 1 at the start.

    Args:
        size: number of dimensions.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("running_mean", torch.zeros(size))
        self.register_buffer("running_var", torch.ones(size))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    @torch.no_grad()
    def follow(self, values: Tensor) -> None:
        """Take a batch (B, size) into the averages; B is at least 2, and the variance is divided by B - 1."""
        self.num_batches_tracked += 1
        variance, mean = torch.var_mean(values.float(), dim=0)
        share = 1 / self.num_batches_tracked.float()
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)
