"""Sixty-eight points on an aligned face, each with the probability that it can be seen."""
