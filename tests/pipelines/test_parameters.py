"""Mistakes in parameters: one clear error before any node runs."""

import pytest

from tests.pipelines.conftest import ROOT, Project, new_project
from tests.pipelines.in_process import typed


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return new_project(tmp_path_factory.mktemp("mistaken") / "project")


@pytest.mark.slow
def test_a_mistake_ends_the_program_with_its_error_alone(project: Project) -> None:
    said = project.run("--pipelines", "addl", "--params", "adl.seed=1", expect=1)
    assert "parameter 'adl' belongs to no pipeline; did you mean 'addl'?" in said
    assert "Traceback" not in said
    assert "running " not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("adl.seed=1", "parameter 'adl' belongs to no pipeline; did you mean 'addl'?"),
        ("addl.sed=1", "sed"),
        ("addl.settings.weights.adversarial=much", "adversarial"),
        ("addl.settings.weights.adverserial=1", "adverserial"),
        ("addl.method=adl", "the methods are addl, addl_va, baseline, dfem"),
        ("addl.variant=dll_g", "variant is 'dll_g', which addl does not have; its rows are, the nearest first: ddl_g,"),
        ("dfem.variant=dfem", "dfem has one row only"),
        ("addl.training.selections=[best]", "selections"),
        ("synthetic.fer.train_people=-3", "train_people"),
    ],
)
def test_a_mistake_is_one_error_and_no_node_runs(project: Project, parameter: str, words: str) -> None:
    said = typed(project.path, "--pipelines", "addl", "--params", parameter, expect=1)
    assert words in said
    assert "Traceback" not in said


def test_every_environment_validates() -> None:
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    for environment in ("base", "paper"):
        with KedroSession.create(ROOT, env=environment) as session:
            assert session.load_context().params["addl"].method == "addl"


@pytest.mark.parametrize(
    ("dataset", "esr", "manet"),
    [
        ("affectnet", (50, 20, 0.1, False, 5000, "jitter"), (20, 128, "balanced_subset", "jitter")),
        ("ferplus", (100, 60, 0.2, True, 5000, "jitter"), (100, 32, "balanced_subset", "jitter")),
        ("raf_db", (100, 60, 0.2, True, 12_271, "rotate_and_crop"), (100, 128, "all", "rotate_and_crop")),
    ],
)
def test_the_papers_settings_of_diversified_methods_follow_the_dataset(dataset: str, esr: tuple, manet: tuple) -> None:
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    with KedroSession.create(ROOT, env="paper", runtime_params={"dataset": dataset}) as session:
        runs = session.load_context().params
    growth, schedule = runs["esr"].settings.growth, runs["esr"].settings.schedule
    grown = (growth.epochs, growth.kept_rate, growth.fine_tuning)
    stepped = (schedule.batch_size, schedule.optimiser, schedule.learning_rate, schedule.momentum)
    assert stepped == (32, "sgd", 0.1, 0.9)
    assert runs["esr"].settings.gate_momentum == 0.01
    assert runs["manet"].settings.schedule.learning_rate == 0.01
    assert (schedule.epochs, *grown, schedule.sampling.per_class, runs["esr"].images.augment[0].kind) == esr
    schedule = runs["manet"].settings.schedule
    found = (schedule.epochs, schedule.batch_size, schedule.sampling.kind, runs["manet"].images.augment[0].kind)
    assert found == manet
    for name, side in (("esr", 96), ("manet", 224)):
        assert runs[name].datasets == (dataset,)
        assert (runs[name].images.size, runs[name].images.crop) == (side, side)


@pytest.mark.parametrize(("dataset", "batch"), [("affectnet", 63), ("ck_plus", 60)])
def test_the_papers_settings_of_sna_follow_the_dataset(dataset: str, batch: int) -> None:
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    with KedroSession.create(ROOT, env="paper", runtime_params={"dataset": dataset}) as session:
        runs = session.load_context().params
    for name in ("two_scale", "sna"):
        schedule = runs[name].settings.schedule
        assert (schedule.epochs, schedule.batch_size, schedule.optimiser) == (50, batch, "sgd")
        assert (schedule.learning_rate, schedule.momentum, schedule.weight_decay) == (0.01, 0.9, 0.002)
        assert schedule.sampling.kind == "balanced_batches"
    autoencoder, refined = runs["sna_autoencoder"].settings, runs["sna_generator"].settings
    assert (autoencoder.schedule.epochs, autoencoder.schedule.batch_size) == (50, 256)
    assert (refined.schedule.epochs, refined.schedule.optimiser, refined.weights.autoencoder_every) == (
        100,
        "rmsprop",
        20,
    )
    for name in ("two_scale", "sna_autoencoder", "sna_generator", "sna"):
        assert runs[name].datasets == (dataset,)
        assert (runs[name].images.crop, runs[name].settings.side, runs[name].images.flip) == (112, 112, False)


@pytest.mark.parametrize(
    ("dataset", "batch", "sampling"),
    [
        ("raf_db", 16, "all"),
        ("affectnet", 16, "oversampled"),
        ("aff_wild2", 64, "oversampled"),
        *((dataset, 8, "all") for dataset in ("ck_plus", "mmi", "oulu_casia", "sfew")),
        ("ferplus", 16, "all"),
    ],
)
def test_the_papers_settings_of_addl_follow_the_dataset(dataset: str, batch: int, sampling: str) -> None:
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    asked = {"dataset": dataset, "addl": {"variant": "ddl_ga"}, "baseline": {"variant": "baseline_at"}}
    with KedroSession.create(ROOT, env="paper", runtime_params=asked) as session:
        runs = session.load_context().params
    for name in ("baseline", "addl"):
        run = runs[name]
        schedule = run.settings.schedule
        assert (schedule.epochs, schedule.batch_size, schedule.sampling.kind) == (40, batch, sampling)
        assert (schedule.learning_rate, schedule.betas, schedule.weight_decay) == (1e-4, (0.5, 0.999), 5e-4)
        assert (schedule.milestones, schedule.decay) == ((10, 18, 25, 32), 0.1)
        assert (run.datasets, run.images.size, run.images.crop, run.images.flip) == ((dataset,), 256, 224, True)
    assert (runs["addl"].settings.fused, runs["addl"].settings.importance) == (("gender", "age"), "equal")
    assert runs["baseline"].settings.attention == "single_level"
    assert (runs["dfem"].settings.schedule.epochs, runs["dfem"].images.flip) == (20, False)
