"""The datasets of a project, and what decides the content of each."""

import pytest

from openfer.errors import ParameterError
from openfer.runs.datasets import EMBEDDED, Datasets, describes_dataset
from tests.runs.test_plan import SYNTHETIC

BLOCK = {"reader": "folder", "root": "./nowhere"}


def identity(name="mine", **parameters) -> str:
    return Datasets({"mine": BLOCK} | parameters).identity(name)


@pytest.mark.parametrize("name", ["raf-db", "2024", "\u00dcmlaut", "train", "a_b", "mine_rows"])
def test_a_block_may_have_any_word_as_its_name(name):
    assert name in Datasets({name: {"reader": "folder", "root": "x"}}).names


@pytest.mark.parametrize("name", ["my.set", "my set", "a/b", "mine:2", "params", "runs", "-a", ""])
def test_a_name_that_cannot_be_one_is_refused_with_the_rule(name):
    with pytest.raises(ParameterError, match=rf"is called {name!r}; a name begins with a letter or a digit"):
        Datasets({name: {"reader": "folder", "root": "x"}})


def test_a_root_with_an_escape_that_was_a_backslash_is_refused():
    with pytest.raises(ParameterError, match=r"control character.* single quotes"):
        Datasets({"mine": {"reader": "folder", "root": "C:\new"}})


def test_datasets_are_the_rendered_ones_and_each_block_with_a_reader():
    found = Datasets({"mine": BLOCK, "baseline": {"method": "baseline"}, "seed": 3})
    assert found.names == (*EMBEDDED, "mine")
    assert found.reader("mine") == "folder"
    assert found.reader("synthetic_fer") is None
    assert found.reader("tables_from_elsewhere") is None
    assert not describes_dataset({"method": "baseline"})


def test_a_block_is_completed_by_defaults():
    assert Datasets({"mine": BLOCK | {"faces": None}}).blocks["mine"] == BLOCK | {
        "options": {},
        "faces": {"align": "detect"},
        "protocol": {"kind": "official"},
    }


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"root": "x"}, r"mine\.reader is None; give the name of a reader: .*raf_db"),
        ({"reader": "folder"}, r"mine\.root is None; give a folder"),
        ({"reader": "foldr", "root": "x"}, r"mine\.reader is 'foldr'; did you mean 'folder'\?"),
        (BLOCK | {"protocl": {}}, r"mine\.protocl is not a parameter of a dataset; did you mean 'protocol'\?"),
    ],
)
def test_a_mistake_in_a_block_is_one_error_with_the_nearest_name(block, words):
    with pytest.raises(ParameterError, match=words):
        Datasets({"mine": block})


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"options": {"tabel": "x"}}, r"mine\.options\.tabel: there is no such parameter"),
        ({"protocol": {"kind": "image_folds", "folds": 1}}, r"mine\.protocol\.folds: .*, found 1"),
        ({"faces": {"align": "by hand"}}, r"mine\.faces\.align: .*, found 'by hand'"),
    ],
)
def test_a_mistake_in_what_decides_a_dataset_is_found_before_it_is_read(block, words):
    with pytest.raises(ParameterError, match=words):
        identity(mine=BLOCK | block)


def test_the_project_s_share_of_validation_faces_is_that_of_every_dataset_which_names_none():
    own, holdout = {"protocol": {"validation_share": 0.4}}, {"protocol": {"kind": "holdout"}}
    given = {"mine": BLOCK, "own": BLOCK | own, "held": BLOCK | holdout, "protocol": {"validation_share": 0}}
    blocks = Datasets(given).blocks
    assert blocks["mine"]["protocol"] == {"kind": "official", "validation_share": 0}
    assert blocks["own"]["protocol"] == {"validation_share": 0.4}
    assert blocks["held"]["protocol"] == {"kind": "holdout"}
    assert identity(protocol={"validation_share": 0.15}) == identity() != identity(protocol={"validation_share": 0})


def test_folds_are_those_of_the_protocol_and_one_without_cross_validation():
    folded = Datasets({"mine": BLOCK | {"protocol": {"kind": "subject_folds", "folds": 8}}, "other": BLOCK})
    assert (folded.folds("mine"), folded.folds("other"), folded.folds("synthetic_fer")) == (8, 1, 1)
    assert folded.folds("tables_from_elsewhere") == 1


def test_datasets_with_the_stability_protocol_are_known():
    found = Datasets({"mine": BLOCK | {"protocol": {"kind": "stability"}}, "other": BLOCK})
    assert [found.is_stable(name) for name in ("mine", "other", "synthetic_sequences", "synthetic_fer")] == [
        *(True, False, True, False),
    ]


def test_the_identity_is_what_decides_faces_labels_and_roles():
    before = identity()
    assert identity(mine=BLOCK | {"root": "./elsewhere"}) == before
    assert identity(mine=BLOCK | {"faces": {"align": "detect", "workers": 2}}) == before
    assert identity(mine=BLOCK | {"options": {"table": ""}}) == before  # said, or left at its default
    for changed in (
        {"options": {"table": "labels.csv"}},
        {"faces": {"align": "detect", "size": 96}},
        {"protocol": {"kind": "subject_folds"}},
        {"reader": "raf_db"},
    ):
        assert identity(mine=BLOCK | changed) != before, changed


def test_a_rendered_set_depends_on_its_own_sizes_and_on_what_all_share():
    names = ("synthetic_fer", "synthetic_raf")
    before = [identity(name, synthetic=SYNTHETIC, protocol={"seed": 0}) for name in names]
    larger = SYNTHETIC | {"fer": SYNTHETIC["fer"] | {"test_people": 3}}
    for synthetic, protocol, same in (
        (larger, {"seed": 0}, [False, True]),
        (SYNTHETIC | {"image_size": 72}, {"seed": 0}, [False, False]),
        (SYNTHETIC, {"seed": 1}, [False, False]),
        (SYNTHETIC | {"workers": 2}, {"seed": 0}, [True, True]),
    ):
        found = [identity(name, synthetic=synthetic, protocol=protocol) for name in names]
        assert [one == other for one, other in zip(found, before, strict=True)] == same


def test_tables_from_elsewhere_are_known_by_their_name_alone():
    assert identity("one") == identity("one", one_more=BLOCK)
    assert identity("one") != identity("other")
