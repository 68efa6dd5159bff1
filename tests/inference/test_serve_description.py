"""Requests that Schemathesis makes from the service's own OpenAPI description, right and wrong ones."""

import io

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from PIL import Image
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from openfer.inference.serve.app import create_app
from openfer.inference.serve.limits import Limits

_FEW = settings(
    max_examples=60, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def description(predictor, photographs):
    """The service as Schemathesis reads it; a binary string is an image, a cut one, or any bytes."""
    kinds = [_encoded(photographs[row], kind) for row, kind in enumerate(("PNG", "JPEG", "GIF", "TIFF", "WEBP"))]
    cut = some.builds(lambda content, end: content[:end], some.sampled_from(kinds), some.integers(0, 4000))
    schemathesis.openapi.format("binary", some.one_of(some.sampled_from(kinds), cut, some.binary(max_size=200)))
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(predictor, Limits(images=3)))


def _encoded(pixels, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_forms_are_answered_as_the_description_says(description, mode) -> None:
    statuses = []

    @_FEW
    @given(case=description["/predict"]["POST"].as_strategy(generation_mode=mode))
    def ask(case):
        # a description cannot say what an image is: 422
        statuses.append(case.call_and_validate(excluded_checks=[positive_data_acceptance]).status_code)

    ask()
    assert set(statuses) == ({200, 422} if mode is GenerationMode.POSITIVE else {400})


@pytest.mark.parametrize("path", ["/health", "/model", "/metrics"])
def test_what_is_only_read_is_answered_as_the_description_says(description, path) -> None:
    assert description[path]["GET"].Case().call_and_validate().status_code == 200
