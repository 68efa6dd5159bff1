"""The runs that the page is made of are those of evaluation."""

from tests.evaluation.conftest import layers, made_runs

__all__ = ["layers", "made_runs"]
