"""The plan: which runs parameters ask for, their identities, and what decides these."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest

from openfer.errors import ParameterError
from openfer.runs.plan import RunPlan, chain_of
from openfer.runs.project import plan

SIDE = 40
METHOD = {
    "datasets": ["a"],
    "seed": 0,
    "images": {"size": SIDE, "crop": SIDE},
    "training": {"device": "cpu", "workers": 0, "selections": ["best_val", "last"]},
    "settings": {"schedule": {"epochs": 1, "batch_size": 14, "learning_rate": 1e-3}},
}
FOLDED = {"reader": "folder", "root": "./nowhere", "options": {"table": "labels.csv"}}
_MIXTURE = {"yaw_std": 10, "pitch_std": 3, "roll_std": 1, "zoom_std": 0.01, "shift_std": 0.01}
_MIXTURE |= {"occluded_share": 0, "flash_share": 0, "intensity": {"low": 0.9, "high": 1.0}}
SYNTHETIC = {
    "seed": 0,
    "image_size": 64,
    "pie": {"people": 1, "images_per_person": 1, "occluded_share": 0, "intensity": {"low": 0.9, "high": 1.0}},
    "raf": {"people": 1, "images_per_person": 1, "mixture": _MIXTURE},
    "fer": {"train_people": 6, "test_people": 2, "images_per_person": 7, "mixture": _MIXTURE},
    "sequences": {"people": 6, "sequences_per_person": 2, "frames": 6, "mixture": _MIXTURE},
}
PARAMETERS = {
    "a": FOLDED | {"protocol": {"kind": "image_folds", "folds": 5}},
    "baseline": METHOD | {"method": "baseline"},
    "addl": METHOD | {"method": "addl"},
    "addl_va": METHOD | {"method": "addl_va"},
    "dfem": METHOD | {"method": "dfem", "datasets": ["b"]},
    "esr": METHOD | {"method": "esr", "settings": METHOD["settings"] | {"branches": 3}},
    "pretrain": METHOD | {"method": "pretrain", "datasets": ["b"]},
}


def with_block(method, **changes):
    """Return the parameters with changes of one block, nested ones laid over."""
    changed = {name: copy.deepcopy(block) for name, block in PARAMETERS.items()}  # blocks share parts of METHOD
    changed.setdefault(method, {})
    for path, value in changes.items():
        *above, last = path.split("__")
        block = changed[method]
        for key in above:
            block = block.setdefault(key, {})
        block[last] = value
    return changed


def requested(method, **changes) -> tuple[RunPlan, ...]:
    return plan(with_block(method, **changes)).requested[method]


def slug(method="baseline", **changes) -> str:
    (run,) = requested(method, **changes)
    return run.slug


def tail(run: RunPlan) -> str:
    return run.slug.rpartition("-")[2]


# ---------------------------------------------------------------- the slug


def test_a_slug_says_method_seed_and_fold_before_a_hash_of_all_else():
    assert re.fullmatch(r"baseline-s0-f0-[0-9a-f]{6}", slug())
    assert re.fullmatch(r"baseline-s7-f3-[0-9a-f]{6}", slug(seed=7, fold=3))


def test_seeds_and_folds_of_one_configuration_have_equal_tails():
    runs = requested("baseline", seeds=3, folds=[0, 4])
    assert len({run.slug for run in runs}) == 6
    assert len({tail(run) for run in runs}) == 1
    assert len({run.configuration for run in runs}) == 1


def test_the_tails_of_runs_with_prerequisites_are_equal_over_seeds_and_folds():
    for datasets in (["b"], ["a"]):  # ADDL's fold is DFEM's where they share a dataset
        parameters = with_block("addl", seeds=2, folds=2)
        parameters["dfem"]["datasets"] = datasets
        assert len({tail(run) for run in plan(parameters).requested["addl"]}) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"settings__schedule__learning_rate": 2e-3},
        {"settings__schedule__epochs": 2},
        {"images__crop": 32},
        {"training__selections": ["last"]},
        {"label_noise": 0.1},
        {"datasets": ["b"]},
        {"datasets": ["a", "b"]},
    ],
)
def test_what_decides_the_result_changes_the_slug(changes):
    assert slug(**changes) != slug()


@pytest.mark.parametrize(
    "changes",
    [
        {"training__workers": 4},
        {"training__devices": 2},
        {"training__checkpoint_minutes": 1.5},
        {"fresh": True},
        {"test_datasets": ["b"]},
        {"images__size": SIDE, "fold": 0, "label_noise": 0.0},  # said, or left at its default
    ],
)
def test_what_does_not_decide_the_result_is_not_in_the_slug(changes):
    assert slug(**changes) == slug()


def test_a_variant_is_the_settings_behind_its_name():
    by_name = slug(variant="baseline_mat")
    assert by_name == slug(settings__attention="multi_level")
    assert by_name != slug() == slug(variant="baseline")


@pytest.mark.parametrize(
    ("block", "path", "value"),
    [
        ("a", "protocol", {"kind": "image_folds", "folds": 4}),
        ("a", "protocol", {"kind": "image_folds", "folds": 5, "validation_share": 0.4}),
        ("a", "options", {"table": "labels.csv", "labels": {"glad": "happiness"}}),
        ("a", "faces", {"align": "detect", "size": 128}),
    ],
)
def test_parameters_of_a_dataset_decide_the_slugs_of_its_runs_alone(block, path, value):
    changed = plan(with_block(block, **{path: value}))
    assert changed.requested["baseline"][0].slug != slug()
    assert changed.requested["dfem"][0].slug == slug("dfem")


def test_where_a_copy_lies_decides_no_slug():
    assert plan(with_block("a", root="./elsewhere")).requested["baseline"][0].slug == slug()
    assert plan(with_block("a", faces={"align": "detect", "workers": 3})).requested["baseline"][0].slug == slug()


def test_the_sizes_of_a_rendered_set_decide_the_slugs_of_its_runs_alone():
    def slugs(**synthetic):
        parameters = with_block("baseline", datasets=["synthetic_fer"]) | {"synthetic": SYNTHETIC | synthetic}
        parameters["dfem"]["datasets"] = ["synthetic_pie"]
        found = plan(parameters).requested
        return found["baseline"][0].slug, found["dfem"][0].slug

    before = slugs()
    larger, other_light, faster = slugs(fer=SYNTHETIC["fer"] | {"train_people": 7}), slugs(seed=1), slugs(workers=3)
    assert larger[0] != before[0]
    assert larger[1] == before[1]
    assert other_light[0] != before[0]
    assert other_light[1] != before[1]
    assert faster == before


def test_a_prerequisite_decides_the_slug_of_what_needs_it():
    parameters = with_block("dfem", settings__schedule__epochs=3)
    assert plan(parameters).requested["addl"][0].slug != slug("addl")
    assert plan(parameters).requested["baseline"][0].slug == slug()
    rendered = plan(with_block("b", **FOLDED))
    assert rendered.requested["addl"][0].slug != slug("addl")  # another DFEM, of other faces
    far = plan(with_block("dfem", settings__schedule__epochs=3)).requested["addl_va"][0]
    assert far.slug != slug("addl_va")


def test_the_content_of_a_weights_file_decides_the_slug_and_its_place_does_not(tmp_path):
    one, moved, other = (tmp_path / name for name in ("one.pth", "moved.pth", "other.pth"))
    one.write_bytes(b"one"), moved.write_bytes(b"one"), other.write_bytes(b"other")
    slugs = [slug(initialisation={"backbone": str(file)}) for file in (one, moved, other)]
    assert slugs[0] == slugs[1] != slugs[2] != slug()


def test_a_setting_of_prediction_alone_shares_the_training():
    (early,) = requested("esr", settings__early_exit=1)
    assert early.slug != slug("esr")
    assert early.training.slug == slug("esr") == early.training.training.slug
    assert list(chain_of([early])) == [slug("esr"), early.slug]
    (whole,) = requested("esr")
    assert whole.training is whole


def test_a_prerequisite_is_the_run_that_trains_it():
    """Settings of prediction alone change no weights that another method is given."""
    asked = requested("esr", settings__early_exit=1)[0]
    assert asked.training.settings.settings.early_exit is None
    for run in plan(PARAMETERS).runs.values():
        assert all(needed.training is needed for needed in run.prerequisites.values())


# ---------------------------------------------------------------- seeds and folds


@pytest.mark.parametrize(("seeds", "expected"), [(None, [5]), (3, [0, 1, 2]), ([4, 0], [4, 0]), ((2,), [2])], ids=str)
def test_seeds_are_how_many_or_which(seeds, expected):
    asked = {"seed": 5} if seeds is None else {"seed": 5, "seeds": seeds}
    assert [run.settings.seed for run in requested("baseline", **asked)] == expected


@pytest.mark.parametrize(
    ("folds", "expected"), [(None, [1]), ("all", [0, 1, 2, 3, 4]), (2, [0, 1]), ([3], [3])], ids=str
)
def test_folds_are_how_many_which_or_all(folds, expected):
    asked = {"fold": 1} if folds is None else {"fold": 1, "folds": folds}
    assert [run.settings.fold for run in requested("baseline", **asked)] == expected


def test_all_folds_of_a_dataset_without_any_are_one():
    assert [run.settings.fold for run in requested("dfem", folds="all")] == [0]


@pytest.mark.parametrize("value", [0, [], [1, 1], [-1], "some", True, 1.5, ["0"]], ids=str)
def test_what_is_no_number_of_seeds_or_folds_is_refused(value):
    with pytest.raises(
        ParameterError, match=r"baseline\.seeds is .*; give how many \(3 stands for 0, 1, 2\), or a list"
    ):
        requested("baseline", seeds=value)
    with pytest.raises(ParameterError, match=r"baseline\.folds is .*, or all"):
        requested("baseline", folds=value)


# ---------------------------------------------------------------- prerequisites


def test_prerequisites_come_first_and_have_the_seed_of_the_run():
    runs = requested("addl_va", seeds=[3, 1])
    assert [list(dict.fromkeys(part.method for part in run.chain())) for run in runs] == [
        ["dfem", "addl", "addl_va"]
    ] * 2
    for run, seed in zip(runs, (3, 1), strict=True):
        assert {part.settings.seed for part in run.chain()} == {seed}


def test_equal_prerequisites_are_one_run():
    chain = chain_of(plan(PARAMETERS).requested["addl_va"] + plan(PARAMETERS).requested["addl"])
    assert [run.method for run in chain.values()] == ["dfem", "addl", "addl_va"]


def test_a_prerequisite_has_not_learned_from_the_faces_that_are_tested():
    own = with_block("addl", fold=2)
    own["dfem"]["datasets"] = ["a", "b"]
    (run,) = plan(own).requested["addl"]
    assert run.prerequisites["dfem"].settings.fold == 2
    (run,) = requested("addl", fold=2)  # dfem learns from b, which has no folds
    assert run.prerequisites["dfem"].settings.fold == 0


def test_a_prerequisite_is_trained_once_whatever_seeds_and_tests_its_own_block_asks_for():
    alone = with_block("dfem", seeds=4, folds=2, fresh=False, test_datasets=["a"])
    (run,) = plan(alone).requested["addl"]
    assert run.prerequisites["dfem"].settings.test_datasets == ()
    assert run.slug == slug("addl")


def test_a_run_that_is_requested_and_needed_is_tested_where_it_is_requested():
    tested = with_block("dfem", test_datasets=["a"])
    found = plan(tested)
    (dfem,) = found.requested["dfem"]
    assert found.parameters["runs"][dfem.slug]["test_datasets"] == ("a",)  # ADDL needs the same run, and comes first
    chain = chain_of([*found.requested["addl"], dfem])
    assert chain[dfem.slug].settings.test_datasets == ("a",)
    assert list(chain) == [dfem.slug, found.requested["addl"][0].slug]


def test_the_row_without_dfem_needs_none():
    (run,) = requested("addl", variant="addl_mi_no_dfem")
    assert [part.method for part in run.chain()] == ["addl"]
    assert [part.method for part in requested("addl")[0].chain()] == ["dfem", "addl"]


def test_a_pretrained_backbone_is_a_prerequisite():
    (run,) = requested("baseline", initialisation={"backbone": "pretrain"})
    assert [part.method for part in run.chain()] == ["pretrain", "baseline"]
    assert run.slug != slug()


def test_circles_are_refused_by_the_parameter_that_closes_them():
    with pytest.raises(ParameterError, match=r"pretrain\.initialisation\.backbone is pretrain.*set none, or a path"):
        requested("pretrain", initialisation={"backbone": "pretrain"})
    images = {"images": {"size": 32, "crop": 32, "mean": 0.0, "std": 1.0}, "settings": {"side": 32}}
    blocks = {name: METHOD | images | {"method": name} for name in ("two_scale", "sna_autoencoder", "sna_generator")}
    assert len(plan(blocks).runs) == 3
    blocks["two_scale"]["training"] = {"neighbourhood_mask": {"threshold": "batch_mean"}}
    with pytest.raises(ParameterError, match=r"^two_scale\.training\.neighbourhood_mask is set, but .* leave it null"):
        plan(blocks)


def test_a_prerequisite_without_parameters_is_named_with_its_file():
    without = {name: block for name, block in PARAMETERS.items() if name not in ("dfem", "addl_va")}
    with pytest.raises(ParameterError, match=r"dfem has no parameters; write a block `dfem` .*parameters/dfem\.yml"):
        plan(without)


# ---------------------------------------------------------------- the plan as a whole


def test_the_plan_is_a_pure_function_of_its_parameters():
    given = copy.deepcopy(PARAMETERS)
    one, other = plan(given), plan(given)
    assert given == PARAMETERS
    assert one.parameters == other.parameters
    assert one.requested == other.requested
    assert list(one.runs) == list(other.runs)


def test_the_order_of_keys_does_not_matter():
    def reversed_(value):
        return {key: reversed_(value[key]) for key in reversed(value)} if isinstance(value, dict) else value

    assert set(plan(reversed_(PARAMETERS)).runs) == set(plan(PARAMETERS).runs)


def test_all_runs_are_parameters_by_slug_and_say_the_same_again():
    found = plan(PARAMETERS)
    assert set(found.parameters["runs"]) == set(found.runs)
    for name, settings in found.parameters["runs"].items():
        run = found.runs[name]
        assert type(run.settings).model_validate(settings) == run.settings


def test_a_run_comes_after_what_it_needs():
    seen: set[str] = set()
    for name, run in plan(PARAMETERS).runs.items():
        assert {needed.slug for needed in run.prerequisites.values()} <= seen
        seen.add(name)


def test_two_configurations_of_one_name_are_refused(monkeypatch):
    monkeypatch.setattr("openfer.runs.plan._DIGITS", 0)
    one, other = plan(PARAMETERS).requested["baseline"][0], requested("baseline", settings__attention="multi_level")[0]
    assert one.slug == other.slug
    with pytest.raises(ParameterError, match="two runs have the name baseline-s0-f0- by chance"):
        chain_of([one, other])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methd": "x"}, r"baseline\.methd: there is no such parameter"),
        ({"settings__schedule__epoch": 3}, r"baseline\.settings\.schedule\.epoch: there is no such parameter"),
        ({"settings__schedule__epochs": 0}, r"baseline\.settings\.schedule\.epochs: .*, found 0"),
        ({"variant": "baseline_mta"}, "the nearest first: baseline_mat"),
        ({"tested_on": ["b"]}, r"baseline\.tested_on is not a parameter; it is called test_datasets now"),
    ],
)
def test_a_mistake_in_a_block_is_one_error_with_its_full_name(changes, words):
    with pytest.raises(ParameterError, match=words):
        requested("baseline", **changes)


def test_the_plan_needs_no_torch():
    program = (
        "import sys; from tests.runs.test_plan import PARAMETERS; from openfer.runs.project import plan; "
        "plan(PARAMETERS).runs; print([name for name in ('torch', 'torchvision', 'mlflow') if name in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_project_without_methods_has_no_runs():
    found = plan({})
    assert (found.runs, found.requested, found.study, found.foreign) == ({}, {}, None, None)
