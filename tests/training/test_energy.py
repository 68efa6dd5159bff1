"""Energy is counted where the machine counts it, and what is not known throughout is not said."""

import pytest
import torch
from small_method import EPOCHS, STEPS, interrupt, painted_store, train

from openfer.training import energy
from openfer.training.energy import CPU, GPU, EnergyMeter
from openfer.training.stateful import State

RANGE = 1_000_000_000  # microjoules: 1,000 J
ON_CPU = torch.device("cpu")


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


def test_training_notes_the_energy_of_every_epoch(store, powercap, tmp_path, monkeypatch):
    count = iter(range(1_000_000))
    monkeypatch.setattr(EnergyMeter, "_read", lambda self: {CPU: [float(next(count)), 0.0]})
    history = train(store, tmp_path / "run").history
    noted = history[history["name"] == CPU]
    assert noted["epoch"].tolist() == list(range(1, EPOCHS + 1))
    assert set(noted["split"]) == {"train"}
    assert noted["value"].tolist() == [STEPS + 1] * EPOCHS  # read after every step, and at the end


def test_an_interrupted_epoch_keeps_what_was_counted(store, powercap, tmp_path, monkeypatch):
    count = iter(range(1_000_000))
    monkeypatch.setattr(EnergyMeter, "_read", lambda self: {CPU: [float(next(count)), 0.0]})
    interrupt(tmp_path / "work", store, STEPS + 2, checkpoint_minutes=0)
    history = train(store, tmp_path / "work", checkpoint_minutes=0).history
    values = history.loc[history["name"] == CPU, "value"].tolist()
    # a step is followed by two readings, of the losses and of the saved state, and the epoch by one more
    assert values == [2 * STEPS + 1] * EPOCHS


def test_where_nothing_is_counted_nothing_is_noted(store, tmp_path, monkeypatch):
    monkeypatch.setattr(energy, "POWERCAP", tmp_path / "nowhere")
    names = set(train(store, tmp_path / "run").history["name"])
    assert not {CPU, GPU} & names


def test_the_time_of_an_interrupted_epoch_is_the_sum_of_its_parts():
    meter = EnergyMeter(ON_CPU)
    meter.restore(State(facts={"seconds": 100.0, "joules": {}}))
    figures = meter.figures(50)
    assert figures["seconds"] == pytest.approx(100, abs=1)
    assert figures["images_per_second"] == pytest.approx(0.5, abs=0.01)
