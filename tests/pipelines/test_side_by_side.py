"""Seeds and variants of one method: runs of their own, side by side on disk, in the terminal and in the report."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest

from openfer.io.atomic import sha256_of
from openfer.pipelines.report.pipeline import create_pipeline
from openfer.pipelines.run_pipeline import runs_pipeline
from openfer.pipelines.show import show
from openfer.runs.plan import chain_of
from openfer.runs.project import plan
from tests.pipelines.tiny_project import METHOD, TinyProject

ADDL = METHOD | {
    "method": "addl",
    "settings": METHOD["settings"] | {"factors": ["gender", "race", "identity"]},
}
DFEM = METHOD | {"method": "dfem", "datasets": ["b"]}


def command(project, **addl):
    """Run the pipeline `addl` up to the records of its runs; returns its plan, its pipeline and the nodes that ran."""
    asked = plan({"addl": ADDL | addl, "dfem": DFEM})
    requested = asked.requested["addl"]
    whole = runs_pipeline(requested, asked.datasets)
    pipeline = whole.to_outputs(*(f"{slug}_run" for slug in chain_of(requested)))
    ran = project.run(pipeline, asked)
    return SimpleNamespace(asked=asked, pipeline=pipeline, ran=ran, slugs=[run.slug for run in requested])


def trained(ran):
    return [name.split(".")[1] for name in ran if name.endswith(".train")]


@pytest.fixture(scope="module")
def two_commands(tmp_path_factory, tiny_faces):
    """Two seeds, then another variant, of ADDL."""
    project = TinyProject(tmp_path_factory.mktemp("side_by_side") / "data")
    for name in ("a", "b"):
        project.bring(name, tiny_faces)
    seeds = command(project, seeds=2)
    before = {slug: sha256_of(project.root / "06_models/addl" / slug / "selected") for slug in seeds.slugs}
    variant = command(project, variant="ddl_g")
    return SimpleNamespace(project=project, seeds=seeds, before=before, variant=variant)


@pytest.mark.slow
def test_nothing_is_overwritten_and_a_shared_prerequisite_is_trained_once(two_commands):
    seeds, variant, root = two_commands.seeds, two_commands.variant, two_commands.project.root
    assert sorted(slug.rpartition("-")[0] for slug in trained(seeds.ran)) == [
        *("addl-s0-f0", "addl-s1-f0"),
        *("dfem-s0-f0", "dfem-s1-f0"),
    ]
    assert trained(variant.ran) == variant.slugs
    for layer in ("06_models", "07_model_output"):
        assert {folder.name for folder in (root / layer / "addl").iterdir()} == {*seeds.slugs, *variant.slugs}
    assert {slug: sha256_of(root / "06_models/addl" / slug / "selected") for slug in seeds.slugs} == two_commands.before


@pytest.mark.slow
def test_the_same_commands_do_nothing_again(two_commands):
    assert command(two_commands.project, seeds=2).ran == []
    assert command(two_commands.project, seed=1).ran == []
    assert command(two_commands.project, variant="ddl_g").ran == []


@pytest.mark.slow
def test_the_terminal_ends_with_one_line_for_two_seeds_and_prerequisites_in_a_line_each(
    two_commands, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "200")
    seeds = two_commands.seeds
    show(seeds.pipeline, two_commands.project.catalog(seeds.asked))
    said = capsys.readouterr().out
    prerequisites, table = said.split("method", 1)
    lines = [line for line in table.splitlines() if line.strip().startswith("ADDL")]
    assert len(lines) == 2  # best_val and last
    for line in lines:
        assert re.search(r" \d+\.\d ± \d+\.\d .* 2 \(sd \d+\.\d\) ", line), line
    assert "DFEM" not in table
    assert [line.split(":")[0].strip() for line in prerequisites.splitlines() if "dfem-s" in line] == sorted(
        run.slug for run in chain_of(seeds.asked.requested["addl"]).values() if run.method == "dfem"
    )


@pytest.mark.slow
def test_the_report_has_the_seeds_as_one_entry_and_the_variant_as_another(two_commands):
    project = two_commands.project
    project.run(create_pipeline(), two_commands.seeds.asked)
    ledger = pd.read_csv(project.root / "08_reporting/report/ledger.csv").set_index("run")
    assert {*two_commands.seeds.slugs, *two_commands.variant.slugs} <= set(ledger.index)
    assert ledger.loc[two_commands.seeds.slugs, "entry"].nunique() == 1
    assert ledger.loc[two_commands.seeds.slugs, "seed"].astype(int).tolist() == [0, 1]
    assert ledger.loc[two_commands.variant.slugs[0], "entry"] != ledger.loc[two_commands.seeds.slugs[0], "entry"]
