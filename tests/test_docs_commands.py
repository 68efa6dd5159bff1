"""Every command in the docs is one that a test runs, or says what it needs; and each can be typed as it stands."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import yaml
from tools.documentation.commands import find

from openfer.pipeline_registry import pipeline_names
from openfer.runs.project import plan
from tests.pipelines.plans import project_parameters

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

RUN = {
    "make run": "tests/pipelines/conftest.py::finished",
    "make test": ".ci/run::make",
    "make machine": "tests/test_set_up.py::test_the_machine_is_described_by_what_results_depend_on",
    "kedro run --pipelines report": "tests/pipelines/test_report.py::def test_",
    "kedro runs list": "tests/pipelines/test_runs_command.py::def test_",
    "kedro run --pipelines doctor --params dataset=mine": "tests/pipelines/test_readme.py::def test_a_folder_of_crops",
    "kedro run --pipelines ingest --params dataset=mine": "tests/pipelines/test_readme.py::def test_a_folder_of_crops",
    "kedro run --pipelines baseline --params baseline.datasets=[mine]": "tests/pipelines/test_readme.py::_of_crops",
}
"""A command, and the test that runs it: its file, and words of that file."""

_BLOCK = re.compile(r"(?P<before>[^\n]*)\n\n?(?P<indent> *)```bash\n(?P<lines>.*?)```", re.DOTALL)
_PLACEHOLDER = re.compile(r"<\w+>|\.\.\.")


@dataclass(frozen=True)
class Command:
    """A line of a page that a reader may type."""

    page: str
    words: tuple[str, ...]
    needs: str

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


def commands() -> list[Command]:
    found = []
    for page in PAGES:
        for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
            before = block["before"].strip()
            needs = before.removeprefix("Needs:").strip() if before.startswith("Needs:") else ""
            lines = [shlex.split(line, comments=True) for line in block["lines"].splitlines()]
            found += [Command(page.relative_to(ROOT).as_posix(), tuple(words), needs) for words in lines if words]
    return found


COMMANDS = commands()
WITH_NEEDS = {command.words for command in COMMANDS if command.needs}
KEDRO = sorted(
    {c.words for c in COMMANDS if c.words[:2] == ("kedro", "run") and not _PLACEHOLDER.search(" ".join(c.words))}
)


def test_the_documentation_has_commands_and_each_page_is_read():
    assert len(COMMANDS) > 60
    assert sum(page.read_text(encoding="utf-8").count("```bash") for page in PAGES) == sum(
        len(_BLOCK.findall(page.read_text(encoding="utf-8"))) for page in PAGES
    )


def test_every_command_is_run_by_a_test_or_says_what_it_needs():
    silent = [str(c) for c in COMMANDS if not c.needs and c.words not in WITH_NEEDS and " ".join(c.words) not in RUN]
    assert silent == [], 'write "Needs: ..." above the block, or name the test that runs the command in RUN'


@pytest.mark.parametrize(("command", "place"), RUN.items(), ids=list(RUN))
def test_a_command_that_is_said_to_be_run_is_in_the_docs_and_in_a_test(command, place):
    assert any(" ".join(found.words) == command for found in COMMANDS)
    file, _, words = place.partition("::")
    assert words in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", KEDRO, ids=[" ".join(words[2:]) for words in KEDRO])
def test_a_kedro_run_can_be_planned(command):
    run = find(["kedro", "run"])
    assert run is not None
    asked = run.make_context("run", list(command[2:])).params
    assert set(asked["pipelines"]) <= set(pipeline_names())
    parameters = project_parameters(asked["env"] or "base", **asked["params"])
    own = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/data.md").read_text(), re.DOTALL)[0])
    plan(parameters | own)


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c.words[0] in ("openfer", "kedro") and c.words[1] != "run"], ids=str
)
def test_another_command_has_the_options_that_it_is_typed_with(command):
    found = find(list(command.words))
    assert found is not None
    assert not isinstance(found, click.Group)
    depth = 1 + command.words[1:].index(found.name)
    found.make_context(str(found.name), list(command.words[depth + 1 :]))


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.words[0] == "make"], ids=str)
def test_a_target_of_make_exists(command):
    assert re.search(rf"^{command.words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
