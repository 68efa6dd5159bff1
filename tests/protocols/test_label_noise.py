"""Labels that are made wrong on purpose."""

import numpy as np
import pytest

from openfer.labels import MISSING
from openfer.protocols.label_noise import flipped
from openfer.seeds import generator_for

LABELS = np.array([0, 1, 2, 3, MISSING] * 40)


def draw(seed=0):
    return generator_for(seed, "noise")


@pytest.mark.parametrize("share", [0.0, 0.2, 0.95])
def test_so_many_labelled_samples_become_another_class_and_the_others_stay(share):
    changed = flipped(LABELS, 4, share, draw())
    assert (changed != LABELS).sum() == round(share * 160)
    assert (changed[LABELS == MISSING] == MISSING).all()
    assert set(changed) <= {0, 1, 2, 3, MISSING}


def test_each_other_class_is_as_probable():
    labels = np.zeros(3000, dtype=int)
    counts = np.bincount(flipped(labels, 4, 0.9, draw()), minlength=4)
    assert counts[0] == 300
    assert (abs(counts[1:] - 900) < 90).all()


def test_the_draw_decides_and_the_given_labels_stay():
    before = LABELS.copy()
    assert (flipped(LABELS, 4, 0.5, draw()) == flipped(LABELS, 4, 0.5, draw())).all()
    assert (flipped(LABELS, 4, 0.5, draw()) != flipped(LABELS, 4, 0.5, draw(1))).any()
    assert (before == LABELS).all()
