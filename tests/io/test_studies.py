"""The studies of a project: found where they lie, and known by their content."""

import pytest
from tests.evaluation.made_studies import write_study

from openfer.io.studies import StudiesDataset, find_studies


def test_a_study_is_what_has_left_a_table(tmp_path):
    write_study(tmp_path, "table_3")
    write_study(tmp_path, "half_done").joinpath("table.csv").unlink()
    (study,) = find_studies(tmp_path)
    assert (study.name, study.title) == ("table_3", "What <b>rows</b> add")
    assert len(study.table) == len(study.cells) == 4
    assert set(study.probes["row"]) == {"Baseline", "ADDL"}
    assert set(study.independence["row"]) == {"ADDL"}
    assert study.picture("tsne") == study.folder / "tsne.png"


def test_what_a_study_has_not_left_is_nothing(tmp_path):
    folder = write_study(tmp_path, "plain", asked=False)
    (folder / "table.md").unlink()
    (study,) = find_studies(tmp_path)
    assert study.title == "plain"
    assert (study.probes, study.independence, study.picture("tsne")) == (None,) * 3


def test_where_there_is_no_study_there_are_none(tmp_path):
    assert StudiesDataset(path=str(tmp_path)).load() == []


@pytest.mark.parametrize("file", ["table.csv", "probes.csv", "tsne.png"])
def test_the_content_changes_with_any_file_that_is_read_and_with_no_other(tmp_path, file):
    folder = write_study(tmp_path, "table_3")
    dataset = StudiesDataset(path=str(tmp_path))
    before = dataset.content()
    (folder / "other.txt").write_text("not read")
    assert dataset.content() == before
    with (folder / file).open("ab") as opened:
        opened.write(b" ")
    assert dataset.content() != before


def test_another_study_changes_the_content(tmp_path):
    folder = write_study(tmp_path, "table_3")
    dataset = StudiesDataset(path=str(tmp_path))
    before = dataset.content()
    folder.rename(folder.with_name("table_4"))
    assert dataset.content() != before
