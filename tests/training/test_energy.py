"""Energy is counted where the machine counts it, and what is not known throughout is not said."""

from types import SimpleNamespace

import pytest
import torch
from small_method import EPOCHS, STEPS, fresh, interrupt, painted_store, train

from openfer.training import energy
from openfer.training.energy import CPU, GPU, EnergyMeter
from openfer.training.stateful import State

RANGE = 1_000_000_000  # microjoules: 1,000 J
ON_CPU = torch.device("cpu")
STEP = 10


@pytest.fixture
def powercap(tmp_path, monkeypatch):
    """Two processors, the cores of the first, and the whole board, as Linux shows them."""
    folder = tmp_path / "powercap"
    zones = {"intel-rapl:0": "package-0", "intel-rapl:0:0": "core", "intel-rapl:1": "package-1", "intel-rapl:2": "psys"}
    for name in ("intel-rapl", *zones):
        (folder / name).mkdir(parents=True)
        if name in zones:
            (folder / name / "name").write_text(f"{zones[name]}\n")
            (folder / name / "max_energy_range_uj").write_text(f"{RANGE}\n")
            set_counter(folder, name, 0)
    monkeypatch.setattr(energy, "POWERCAP", folder)
    return folder


@pytest.fixture
def store(tmp_path):
    return painted_store(tmp_path / "store")


def set_counter(powercap, name, joules):
    (powercap / name / "energy_uj").write_text(f"{int(joules * 1e6)}\n")


def test_processors_are_summed_and_neither_their_parts_nor_the_board_are_counted_again(powercap):
    meter = EnergyMeter(ON_CPU)
    meter.begin()
    set_counter(powercap, "intel-rapl:0", 30)
    set_counter(powercap, "intel-rapl:0:0", 20)
    set_counter(powercap, "intel-rapl:1", 5)
    set_counter(powercap, "intel-rapl:2", 60)
    meter.count()
    assert meter.joules == {CPU: 35}


def test_a_counter_that_goes_round_goes_on(powercap):
    set_counter(powercap, "intel-rapl:0", 990)
    meter = EnergyMeter(ON_CPU)
    meter.begin()
    set_counter(powercap, "intel-rapl:0", 15)
    meter.count()
    set_counter(powercap, "intel-rapl:0", 40)
    meter.count()
    assert meter.joules == {CPU: pytest.approx(50)}


def test_an_epoch_begins_at_nothing_and_a_continued_one_where_it_was(powercap):
    meter = EnergyMeter(ON_CPU)
    for earlier, expected in ((None, 10), ({CPU: 7.0}, 17)):
        set_counter(powercap, "intel-rapl:0", 0)
        meter.begin()
        if earlier is not None:
            meter.restore(State(facts={"seconds": 0.0, "joules": earlier}))
        set_counter(powercap, "intel-rapl:0", 10)
        meter.count()
        assert meter.joules == {CPU: expected}


def test_an_epoch_of_which_a_part_was_not_counted_says_nothing(powercap):
    meter = EnergyMeter(ON_CPU)
    meter.restore(State(facts={"seconds": 0.0, "joules": {}}))
    meter.count()
    assert meter.joules == {}


@pytest.mark.parametrize("when", ["before", "while counting"])
def test_one_processor_that_cannot_be_read_leaves_all_unknown(powercap, when):
    file = powercap / "intel-rapl:1" / "energy_uj"
    if when == "before":
        file.unlink()
    meter = EnergyMeter(ON_CPU)
    meter.begin()
    file.unlink(missing_ok=True)
    meter.count()
    assert meter.joules == {}


def test_no_gpu_is_asked_for_on_a_machine_without_nvidias_driver(powercap):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    meter = EnergyMeter(torch.device("cuda"))
    meter.begin()
    meter.count()
    assert meter.joules == {CPU: 0}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_work_on_a_gpu_takes_energy():
    meter = EnergyMeter(torch.device("cuda"))
    meter.begin()
    matrix = torch.rand(4096, 4096, device="cuda")
    for _ in range(200):
        matrix = (matrix @ matrix).clamp(0, 1)
    torch.cuda.synchronize()
    meter.count()
    assert meter.joules[GPU] > 0


@pytest.fixture
def working(powercap):
    """Make a method that takes :data:`STEP` joules a training step; the counter goes on from one to the next."""
    used = 0

    def made():
        method = fresh()
        step = method.step

        def counted(batch, stage):
            nonlocal used
            used += STEP
            set_counter(powercap, "intel-rapl:0", used)
            return step(batch, stage)

        method.step = counted
        return method

    return made


def test_training_notes_the_energy_of_every_epoch(store, working, tmp_path):
    history = train(store, tmp_path / "run", working()).history
    noted = history[history["name"] == CPU]
    assert noted["epoch"].tolist() == list(range(1, EPOCHS + 1))
    assert set(noted["split"]) == {"train"}
    assert noted["value"].tolist() == pytest.approx([STEP * STEPS] * EPOCHS)


def test_an_interrupted_epoch_keeps_what_was_counted(store, working, tmp_path):
    interrupt(tmp_path / "work", store, STEPS + 2, working(), checkpoint_minutes=0)
    history = train(store, tmp_path / "work", working(), checkpoint_minutes=0).history
    assert history.loc[history["name"] == CPU, "value"].tolist() == pytest.approx([STEP * STEPS] * EPOCHS)


def test_where_nothing_is_counted_nothing_is_noted(store, tmp_path, monkeypatch):
    monkeypatch.setattr(energy, "POWERCAP", tmp_path / "nowhere")
    names = set(train(store, tmp_path / "run").history["name"])
    assert not {CPU, GPU} & names


def test_the_time_of_an_interrupted_epoch_is_the_sum_of_its_parts(monkeypatch):
    clock = SimpleNamespace(monotonic=lambda: 5.0)
    monkeypatch.setattr(energy, "time", clock)
    meter = EnergyMeter(ON_CPU)
    meter.restore(State(facts={"seconds": 100.0, "joules": {}}))
    clock.monotonic = lambda: 30.0
    figures = meter.figures(50)
    assert figures["seconds"] == 125
    assert figures["images_per_second"] == 0.4
