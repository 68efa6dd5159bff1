"""Post-hoc mutual information of two features, estimated by a newly trained network."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from openfer.errors import DataError
from openfer.losses.mutual_information import mutual_information_bound
from openfer.nn.heads import FEATURE_SIZE
from openfer.nn.opponents import MutualInformationEstimator
from openfer.seeds import generator_for, seed_for

_SLOPE = 0.01
_RATE = 1e-3
_STEPS, _EVERY = 600, 20
_STOPPING_SHARE = 4
"""Divisor: one in this many subjects of the training half selects the weights."""

_PARTNERS = 20
"""Shuffled partners of every face where a bound is evaluated; one alone leaves its logarithm noisy."""

FEWEST_PEOPLE = 4
"""One to learn from and one to stop by, on either side."""

_PAIR = 2
"""Faces, of which one is the other's shuffled partner."""


@dataclass(frozen=True)
class InformationBound:
    """The Donsker-Varadhan bound, by a network that has never seen the people that it is evaluated on.

    Attributes:
        held_out: in nats, the mean of the two halves. In expectation it is no more than the mutual information;
            below 0 the network has learned nothing that holds for others.
        trained: the bound on the people that it was trained on, which flatters.
    """

    held_out: float
    trained: float


def information_bound(first: np.ndarray, second: np.ndarray, people: np.ndarray, seed: int) -> InformationBound:
    """Train MINE's network on half of the people and evaluate it on the other half, each in turn.

    The network is the one that ADDL plays against (Table 1a), with fresh weights, on features standardised by the
    half that trains. Adam climbs the bound of all its faces at once; of its weights those count that are best for a
    quarter of that half's people, who do not train. A bound proves information and never independence: what lies in few
    of many dimensions the network does not find by some hundred faces.

    Args:
        first: such as f^d, float, (N, 128).
        second: such as f^e, float, (N, 128).
        people: N names.
        seed: of the halves, the first weights and the partners. torch's own random state is left as it was.

    Raises:
        DataError: if a feature is of another length, there are fewer than four people, or so few faces that a part has
            no two of them.
    """
    for feature in (first, second):
        if feature.shape != (len(people), FEATURE_SIZE):
            raise DataError(
                f"the estimator reads features of length {FEATURE_SIZE} of {len(people)} faces, given the shape "
                f"{feature.shape}; only ADDL's two features are of that length"
            )
    names = np.unique(people)
    if len(names) < FEWEST_PEOPLE:
        raise DataError(
            f"information is estimated on {FEWEST_PEOPLE} people or more, given {len(names)}; test on more people"
        )
    order = generator_for(seed, "information").permutation(names)
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    found = []
    with torch.random.fork_rng(devices=[]):
        for turn, (ours, others) in enumerate((halves, halves[::-1])):
            torch.manual_seed(seed_for(seed, "information", turn))
            stopping = max(1, len(ours) // _STOPPING_SHARE)
            rows = [np.flatnonzero(np.isin(people, who)) for who in (ours[stopping:], ours[:stopping], others)]
            if min(map(len, rows)) < _PAIR:
                raise DataError(
                    f"{len(people)} faces of {len(names)} people leave {min(map(len, rows))} to one of the parts that "
                    f"train, stop and test the estimate; give {_PAIR} faces or more of each person, or more people"
                )
            found.append(_bounds(*_standardised(first, second, rows)))
    trained, held_out = np.mean(found, axis=0)
    return InformationBound(float(held_out), float(trained))


Pairs = tuple[Tensor, Tensor]


def _standardised(first: np.ndarray, second: np.ndarray, rows: list[np.ndarray]) -> list[Pairs]:
    """Return the pairs of each set of faces, scaled as the first set asks."""

    def scaled(feature: np.ndarray) -> np.ndarray:
        own = feature[rows[0]]
        deviation = own.std(0)
        return (feature - own.mean(0)) / np.where(deviation > 0, deviation, 1)

    one, other = (torch.from_numpy(scaled(feature.astype(np.float32))) for feature in (first, second))
    return [(one[own], other[own]) for own in rows]


def _bounds(train: Pairs, stop: Pairs, test: Pairs) -> tuple[float, float]:
    """Train a network; returns its bound on those that trained it and on those that it has not seen."""
    network = MutualInformationEstimator(_SLOPE)
    optimiser = torch.optim.Adam(network.parameters(), _RATE)
    with torch.random.fork_rng(devices=[]):  # the first weights compete too, should it learn nothing that holds
        best, weights = _evaluated(network, stop), _copied(network)
    for step in range(_STEPS):
        optimiser.zero_grad()
        loss = -mutual_information_bound(network, *train, torch.randperm(len(train[0])))
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if (step + 1) % _EVERY == 0 and (bound := _evaluated(network, stop)) > best:
            best, weights = bound, _copied(network)
    network.load_state_dict(weights)
    return _evaluated(network, train), _evaluated(network, test)


def _copied(network: MutualInformationEstimator) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


@torch.no_grad()
def _evaluated(network: MutualInformationEstimator, pairs: Pairs) -> float:
    """Return the bound with many partners of every face, none of them its own."""
    n = len(pairs[0])
    shifts = torch.arange(1, n)[torch.randperm(n - 1)[:_PARTNERS]]
    order = torch.randperm(n)
    first, second = (feature[order].repeat(len(shifts), 1) for feature in pairs)
    faces = torch.arange(n)
    partners = torch.cat([(faces + shift) % n for shift in shifts])  # a row's partner stands in the first repetition
    return mutual_information_bound(network, first, second, partners).item()
