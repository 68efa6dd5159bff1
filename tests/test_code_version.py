import importlib
import sys
from pathlib import Path

import pytest

from openfer import code_version as module
from openfer.code_version import code_modules, runs
from openfer.evaluation.scores import score_runs
from openfer.pipelines.train import train

HELPER = "\ndef helper():\n    return 3\n"


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of two modules, named openfer_example, in place of the real one."""
    package = tmp_path / "openfer_example"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text("def inner():\n    return 1\n")
    (package / "outer.py").write_text("def outer():\n    from openfer_example.inner import inner\n    return inner()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(module, "_PACKAGES", ("openfer_example",))
    for name in [name for name in sys.modules if name.startswith("openfer_example")]:
        monkeypatch.delitem(sys.modules, name)
    return package


def forget() -> None:
    for cached in (module._read, module._read_definition, module._source):
        cached.cache_clear()


def version() -> dict[str, str]:
    forget()
    importlib.invalidate_caches()
    return code_modules(importlib.import_module("openfer_example.outer").outer)


def test_a_change_in_a_module_imported_inside_a_function_counts(sources: Path) -> None:
    before = version()
    (sources / "inner.py").write_text("def inner():\n    return 2\n")
    assert version() != before


def test_comments_docstrings_and_layout_do_not_count(sources: Path) -> None:
    before = version()
    (sources / "inner.py").write_text('def inner():\n    """Say one."""\n\n    return (1)  # the number\n')
    assert version() == before


def test_of_its_own_module_only_what_the_function_uses_counts(sources: Path) -> None:
    outer = (sources / "outer.py").read_text()
    before = version()
    (sources / "outer.py").write_text(outer + "def neighbour():\n    return 1\n")
    assert version() == before
    outer = outer.replace("return inner()", "return helper() + inner()") + HELPER
    (sources / "outer.py").write_text(outer)
    with_helper = version()
    (sources / "outer.py").write_text(outer.replace("return 3", "return 4"))
    assert before != with_helper != version()


def test_what_a_neighbour_imports_does_not_count(sources: Path) -> None:
    outer = (sources / "outer.py").read_text()
    (sources / "other.py").write_text("x = 1\n")
    (sources / "outer.py").write_text(outer + "def neighbour():\n    import openfer_example.other\n")
    before = version()
    (sources / "other.py").write_text("x = 2\n")
    assert version() == before


def test_modules_imported_by_name_count_when_they_are_noted(sources: Path) -> None:
    (sources / "method.py").write_text("x = 1\n")
    outer = importlib.import_module("openfer_example.outer").outer
    forget()
    before = code_modules(runs(outer, "openfer_example.method"))
    (sources / "method.py").write_text("x = 2\n")
    forget()
    assert code_modules(runs(outer, "openfer_example.method")) != before


def test_the_version_of_scores_counts_the_code_of_metrics_and_none_of_training() -> None:
    forget()
    reached = code_modules(score_runs)
    assert "openfer.evaluation.metrics" in reached
    assert not [name for name in reached if name.startswith(("openfer.training", "openfer.methods", "openfer.nn"))]


def test_a_changed_data_file_of_an_imported_package_counts(sources: Path) -> None:
    tables = sources / "tables"
    tables.mkdir()
    (tables / "__init__.py").write_text("")
    (tables / "figures.csv").write_text("1")
    (sources / "outer.py").write_text("def outer():\n    import openfer_example.tables\n")
    before = version()
    (tables / "figures.csv").write_text("2")
    assert version() != before


def test_what_uses_a_model_is_no_part_of_its_training() -> None:
    forget()
    reached = code_modules(runs(train, "openfer.methods.baseline"))
    assert "openfer.training.loop" in reached
    assert not [name for name in reached if name.startswith(("openfer.inference", "openfer.export"))]
