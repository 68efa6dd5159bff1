import errno

from kedro.io.core import DatasetError

from openfer.cli import readable
from openfer.errors import DataError


def chained(outer: Exception, inner: Exception) -> Exception:
    try:
        raise outer from inner
    except Exception as error:  # noqa: BLE001  (any of the two kinds under test)
        return error


def test_the_error_behind_a_dataset_error_is_the_one_that_is_shown() -> None:
    error = chained(DatasetError("Failed while loading"), DataError("face a cannot be decoded; replace it"))
    assert readable(error) == "DataError: face a cannot be decoded; replace it"


def test_a_full_disk_behind_a_dataset_error_says_what_to_do() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "data/table.csv")
    said = readable(chained(DatasetError("Failed while saving"), full))
    assert said.startswith("StorageError: data/table.csv could not be written: no room left")
    assert "run the same command again" in said


def test_any_other_dataset_error_keeps_its_words() -> None:
    assert readable(DatasetError("No such file")) == "DatasetError: No such file"
