"""52 blendshapes from the points of a mesh."""

import numpy as np
import pytest

from openfer.faces.mediapipe.blendshapes import BLENDSHAPES, BlendshapeNetwork
from openfer.labels import EXPRESSIONS
from openfer.seeds import generator_for
from openfer_faces.synthetic.expressions import action_units


@pytest.fixture(scope="module")
def network(file) -> BlendshapeNetwork:
    return BlendshapeNetwork(file.blendshapes)


@pytest.fixture(scope="module")
def points(detector, pictures) -> np.ndarray:
    return detector.find(pictures[0])[0].mesh.points


def test_the_renderer_and_the_network_share_their_names() -> None:
    drawn = {name for kind in EXPRESSIONS for name in action_units(kind, 1.0, generator_for(0, kind))}
    assert len(set(BLENDSHAPES)) == 52
    assert drawn < set(BLENDSHAPES)


def test_values_are_shares(network, points) -> None:
    values = network(points)
    assert values.shape == (52,)
    assert ((values >= 0) & (values <= 1)).all()


def test_place_and_size_of_the_face_do_not_matter(network, points) -> None:
    assert np.allclose(network(points * 3 + 100), network(points), atol=1e-4)
