"""What the terminal shows of an ingestion."""

import pandas as pd
import pytest

from openfer.pipelines.show import show_ingested


def test_a_reason_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = ['not an image (starts with "[/red]")'] * 2 + ["zero bytes"]
    counts = pd.DataFrame({"fold": 0, "class": ["fear"], "train": 4, "val": 1, "test": 2, "excluded": 3})
    leakage = pd.DataFrame(columns=["fold", "kind", "roles", "count", "verdict"])
    show_ingested("mine", 10, pd.DataFrame({"reason": reasons}), counts, leakage)
    said = capsys.readouterr().out
    assert "10 rows = 7 faces + 3 in quarantine" in said
    assert '2 x not an image (starts with "[/red]")' in said
    assert "1 x zero bytes" in said
