"""A registry finds its entries by the names of files."""

import sys

import pytest

from openfer.datasets.contract import Reader
from openfer.datasets.registry import READERS
from openfer.errors import ParameterError
from openfer.methods import declared
from openfer.methods.declaration import METHODS, Declaration
from openfer.methods.declared.baseline import BaselineSettings
from openfer.registry import Registry

TOY = """
from openfer.methods.declaration import Declaration, network_at
from openfer.parameters import Settings

METHOD = Declaration(name="toy", settings=Settings, network=network_at("toy_network:Toy"))
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A further folder of declarations that holds one method, `toy`."""
    (tmp_path / "toy.py").write_text(TOY)
    monkeypatch.setattr(declared, "__path__", [*declared.__path__, str(tmp_path)])
    yield "toy"
    sys.modules.pop(f"{declared.__name__}.toy", None)


def test_a_file_in_a_further_folder_is_an_entry(toy):
    assert METHODS[toy].name == METHODS.get(toy).name == "toy"
    assert toy in METHODS
    assert toy in METHODS.names()
    assert list(METHODS) == sorted(METHODS.names())


def test_without_the_folder_it_is_unknown():
    assert "toy" not in METHODS


def test_names_are_known_before_any_entry_is_imported(tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("raise AssertionError")
    monkeypatch.setattr(declared, "__path__", [str(tmp_path)])
    assert METHODS.names() == ("broken",)


def test_a_package_may_be_given_itself():
    again: Registry[Declaration] = Registry(declared, "METHOD", "method")
    assert again["baseline"].settings is BaselineSettings


def test_an_unknown_name_is_refused_with_the_nearest_and_all_that_exist():
    with pytest.raises(ParameterError, match=r"method 'adl' does not exist; did you mean 'addl'\? The methods are"):
        METHODS["adl"]
    with pytest.raises(ParameterError, match="method 'zzzz' does not exist; the methods are addl, addl_va"):
        METHODS["zzzz"]


def test_a_folder_of_readers_holds_nothing_else():
    assert all(issubclass(READERS[name], Reader) for name in READERS)
    assert "raf_db" in READERS
    assert "tree" not in READERS
