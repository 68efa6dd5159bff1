"""How the diversity of learners is measured; readable without torch."""

from typing import Literal, Self

from pydantic import Field, model_validator

from openfer.parameters import Settings

Distance = Literal["sum", "mean"]
Surrogate = Literal["det", "logdet"]
Diagonal = Literal["paper", "code"]


class DiversitySettings(Settings):
    """Parameters of Eq. 1 and 2 (Heidari and Iosifidis, 2022).

    Read literally (``sum``, ``det``, gamma 10) the term is inert for vectors of 512 numbers. On rendered faces at
    random weights (``benchmarks/diversity.py``, one seed, 64 to 224 pixels) their squared distances are 4 to 240,
    so that exp(-10 d) and its gradient are below 1e-12 and 1e-24. As their mean they are 0.008 to 0.5 and S is 0.2
    to 0.86 (MA-Net's two branches: 0.01 to 0.05), with a gradient. For nine branches S = 0.8 to 0.86 makes det(S)
    1e-7 to 1e-5 and its gradient as small, as the determinant is flat where several learners are alike; the
    logarithm's is 1e5 to 1e7 times as large. Hence the defaults.

    Eq. 3's weight of 1 belongs to a determinant, which lies in [0, 1]. The logarithm divided by the number of learners
    lies in about [-7, 0], with a larger gradient. At weight 1 the classification has 26 to 36 % of the gradient of
    ESR's base, at 0.1 it has 78 to 85 %, with 2 to 15 branches (``benchmarks/gradient_shares.py``, random weights, one
    seed, 64 and 96 pixels).

    Attributes:
        gamma: how fast similarity falls with distance. Not in the paper; 10 in the public code.
        distance: ``mean`` of squares over the vector's length (ours), or their ``sum`` (Eq. 1).
        surrogate: ``logdet``, log det(S + 0.001 I) / L for L learners (ours), or ``det`` (Eq. 2).
        diagonal: of S: ``paper``, 1 (Eq. 1), or ``code``, 0: with it the public code rewards an odd number of learners
            for being alike.
        weight: of each diversity in the loss: 0.1 (ours), or 1 (Eq. 3 to 5).
    """

    gamma: float = Field(default=10.0, gt=0)
    distance: Distance = "mean"
    surrogate: Surrogate = "logdet"
    diagonal: Diagonal = "paper"
    weight: float = Field(default=0.1, gt=0)

    @model_validator(mode="after")
    def _has_a_logarithm(self) -> Self:
        if self.surrogate == "logdet" and self.diagonal == "code":
            raise ValueError(
                "diagonal is code, with which det(S) is negative for an even number of learners and has no logarithm; "
                "set surrogate: det, as the public code does, or diagonal: paper"
            )
        return self
