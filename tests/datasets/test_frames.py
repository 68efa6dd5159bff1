"""Frame rules on plain sequences and on tables."""

import pandas as pd
import pytest

from openfer.datasets.frames import RULES, all_frames, chosen_frames, last_three, peak_three


@pytest.mark.parametrize(
    ("length", "last", "peak"),
    [
        (1, [0], [0]),
        (2, [0, 1], [0, 1]),
        (3, [0, 1, 2], [0, 1, 2]),
        (4, [1, 2, 3], [1, 2, 3]),
        (9, [6, 7, 8], [3, 4, 5]),
    ],
)
def test_the_rules_take_three_frames_where_there_are_three(length: int, last: list[int], peak: list[int]) -> None:
    assert list(last_three(range(length))) == last
    assert list(peak_three(range(length))) == peak
    assert list(all_frames(range(length))) == list(range(length))


def table() -> pd.DataFrame:
    frames = [("b", 2), ("b", 1), ("b", 3), ("b", 4), ("b", 5), ("a", 1), ("a", 2), ("a", 3)]
    return pd.DataFrame(frames, columns=["sequence", "frame"])


def test_frames_are_counted_per_sequence_in_the_order_of_their_numbers() -> None:
    chosen = chosen_frames(table(), "last_three")
    assert chosen.groupby("sequence")["frame"].agg(list).to_dict() == {"a": [1, 2, 3], "b": [3, 4, 5]}
    assert not chosen["is_neutral"].any()


def test_neutral_frames_come_first_and_never_take_one_of_the_peak() -> None:
    chosen = chosen_frames(table(), "last_three", neutral=1)
    assert chosen.loc[chosen["is_neutral"], ["sequence", "frame"]].to_numpy().tolist() == [["b", 1]]
    everything = chosen_frames(table(), "all", neutral=2)
    assert len(everything) == 8
    assert everything["is_neutral"].tolist() == [True, True, False, True, True, False, False, False]


def test_every_rule_has_a_name() -> None:
    assert set(RULES) == {"last_three", "peak_three", "all"}
