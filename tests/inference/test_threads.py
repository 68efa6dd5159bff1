"""A stream worked on by several threads."""

import threading

import pytest

from openfer.inference.threads import in_threads


def test_results_come_in_order_and_items_are_taken_a_little_ahead_only() -> None:
    taken, workers = [], set()

    def items():
        for number in range(50):
            taken.append(number)
            yield number

    def work(number: int) -> int:
        workers.add(threading.current_thread().name)
        return number * number

    for number, result in enumerate(in_threads(work, items(), 2)):
        assert result == number * number
        assert len(taken) <= number + 5
    assert number == 49
    assert threading.current_thread().name not in workers


def test_an_error_reaches_whoever_asks_for_the_result() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda number: 1 / number, [1, 0, 1], 2))
