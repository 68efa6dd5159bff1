"""The code that docs/extend.md shows works as it stands."""

import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from openfer.evaluation import metrics

PAGE = Path(__file__).parents[1] / "docs/extend.md"
SOURCE = PAGE.parents[1] / "src/openfer/methods/baseline.py"


def shown(words: str) -> str:
    """Return the block of code with these words."""
    blocks = re.findall(r"^( *)```python\n(.*?)^ *```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = [re.sub(f"^{indent}", "", code, flags=re.MULTILINE) for indent, code in blocks if words in code]
    return found


def test_the_loss_is_the_negative_entropy_computed_in_single_precision():
    page = ModuleType("page")
    exec(shown("def confidence_penalty"), page.__dict__)
    logits = torch.tensor([[2.0, 0.5, -1.0], [0.0, 0.0, 0.0]])
    expected = 0.0
    for row in logits.softmax(1).tolist():
        expected += sum(p * np.log(p) for p in row) / 2
    assert page.confidence_penalty(logits).item() == pytest.approx(expected, rel=1e-5)
    assert page.confidence_penalty(logits.bfloat16()).dtype == torch.float32


def test_the_step_begins_as_the_baseline_s_does():
    term, *_ = re.findall(r"masked_cross_entropy\(.*\)(?=})", shown("losses ="))
    assert term in SOURCE.read_text()


def test_the_metric_is_the_smallest_recall_and_takes_an_absent_class_and_many_groups():
    function, entry = shown("_worst_recall").split("# in METRICS:\n")
    page = dict(vars(metrics))
    exec(function, page)
    (metric,) = eval(entry, page)
    counts = (
        np.array([[10.0, 5.0, 0.0], [4.0, 4.0, 4.0]]),
        np.zeros((2, 3)),
        np.array([[8.0, 2.0, 0.0], [4.0, 1.0, 2.0]]),
    )
    answers = metrics.Answers(*counts, gaps=np.zeros((2, 1)))
    np.testing.assert_allclose(metric.of(answers), [0.4, 0.25])
