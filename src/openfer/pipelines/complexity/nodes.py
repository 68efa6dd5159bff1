"""How large and how costly the networks of every registered method are (ADDL, Tables 12 and 13)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from openfer.pipelines.complexity.settings import ComplexitySettings

if TYPE_CHECKING:
    import torch

    from openfer.methods.contract import Method

_DATASETS = {"Multi-PIE": ("identity", "pose", "illumination"), "RAF-DB": ("gender", "age", "race")}
"""Where DFEM's factors are labelled (ADDL, Table 5)."""


def complexity_table() -> pd.DataFrame:
    """Count parameters and multiply-accumulates of every method's rows at its paper's image size, seven expressions.

    DFEM is the one trained jointly on Multi-PIE (337 identities, 15 poses, 19 illuminations) and
    RAF-DB (3 genders, 5 ages, 3 races), and then that of either. Parameters are all that a method trains;
    multiply-accumulates are those of one prediction, in which parts used in training only do not run. Of ADDL those
    parts follow by themselves: ADDM is what its main player trains, S_g, S_e and S_d.

    Returns:
        One row per network: ``model``, ``params``, ``macs`` (of one image, or one pair of features;
        the convention is :mod:`openfer.nn.complexity`'s), and what :func:`beside_published` says.
    """
    from openfer.evaluation.cost import beside_published
    from openfer.nn.complexity import count_macs, count_parameters
    from openfer.nn.undrawn import Undrawn

    rows = []
    for _, model, build in _registered():
        with Undrawn():  # costs do not depend on the weights
            method, inputs = build()
        rows.append((model, count_parameters(method), count_macs(method, *inputs)))
    return beside_published(pd.DataFrame([*rows, *_parts_of_addl()], columns=["model", "params", "macs"]))


def memory_table() -> pd.DataFrame:
    """Count the GPU memory of a training step of every method, at its paper's image size and batch size.

    Both are the method's defaults, and so are all other settings. The stage is the last one, in which all parts of the
    network train. No GPU is needed, and :mod:`openfer.training.memory` says what does not count.

    Returns:
        One row per method and precision: ``model``, ``side`` of the images, ``batch`` (samples), ``precision``, and the
        bytes of ``weights``, ``gradients``, ``optimiser``, ``inputs``, ``activations`` and their ``total``.
    """
    import torch

    from openfer.evaluation.names import run_name
    from openfer.methods.declaration import METHODS
    from openfer.methods.untrained import noise_batch, untrained
    from openfer.nn.undrawn import Undrawn
    from openfer.training.memory import step_memory, without_numbers

    rows = []
    for name in METHODS.names():
        side = METHODS[name].input_side
        with without_numbers():
            with Undrawn():
                method = untrained(name)
            stage = method.stages()[-1]
            batch = noise_batch(method, stage.schedule.batch_size, side, "cuda")
            for dtype in (torch.float32, torch.bfloat16):
                found = step_memory(method, stage, batch, dtype)
                facts = {"side": side, "batch": len(batch.images), "precision": str(dtype).removeprefix("torch.")}
                rows.append({"model": run_name(name, method.variant)} | facts | asdict(found) | {"total": found.total})
    return pd.DataFrame(rows)


def measure_latency(settings: ComplexitySettings, counted: pd.DataFrame) -> pd.DataFrame:
    """Time one prediction, batch 1, float32, of every method that recognises expressions.

    Rows of a method whose predictions have the same multiply-accumulates run the same layers: one is timed for all,
    that of the shortest name. The image is black, for time does not depend on what is in it.

    Args:
        settings: how often, and on which device.
        counted: the table of :func:`complexity_table`.

    Returns:
        What :func:`latency_table` says, with ``params``, ``macs`` and ``side`` of the image, ``threads``, ``device``
        and ``torch``, which all times share.
    """
    import torch

    from openfer.evaluation.cost import latency_table
    from openfer.nn.latency import device_name, time_interleaved

    kind = ("cuda" if torch.cuda.is_available() else "cpu") if settings.device == "auto" else settings.device
    device = torch.device(kind)
    macs = dict(zip(counted["model"], counted["macs"], strict=True))
    seen, calls, sides = set[tuple[str, int]](), dict[str, Callable[[], object]](), dict[str, int]()
    for name, model, build in sorted(_registered("expression"), key=lambda row: (row[0], len(row[1]))):
        if (name, macs[model]) not in seen:
            seen.add((name, macs[model]))
            method, inputs = build()
            calls[model], sides[model] = _call(method.to(device), inputs, device), inputs[0].shape[-1]
    times = time_interleaved(calls, settings.rounds, settings.warm_up, device)
    timed = pd.DataFrame(
        [(model, number, took) for model, all_took in times.items() for number, took in enumerate(all_took)],
        columns=["model", "round", "milliseconds"],
    )
    table = latency_table(timed).assign(threads=torch.get_num_threads(), device=device_name(device), batch=1)
    table["side"] = table["model"].map(sides)
    return table.merge(counted[["model", "params", "macs"]], on="model").assign(torch=torch.__version__)


def cost_figure(latency: pd.DataFrame) -> Any:
    """Return the figure of all costs."""
    from openfer.evaluation.figures import cost_picture

    return cost_picture(latency)


def _registered(task: str | None = None) -> Iterator[tuple[str, str, Callable[[], tuple["Method", tuple[Any, ...]]]]]:
    """Yield method, row's name and what builds it with its input, of those that learn a task, or of all."""
    import functools

    from openfer.evaluation.names import run_name
    from openfer.methods.declaration import METHODS

    for name in METHODS.names():
        declared = METHODS[name]
        for variant, settings in (declared.variants or {name: {}}).items():
            if task is None or task in declared.tasks_of(declared.settings.model_validate(settings)):
                yield name, run_name(name, variant), functools.partial(_built, name, settings)


def _built(name: str, settings: Mapping[str, Any], tasks: tuple[str, ...] = ()) -> tuple["Method", tuple[Any, ...]]:
    import torch

    from openfer.methods.contract import EXTRA_SHAPES, Batch
    from openfer.methods.declaration import METHODS
    from openfer.methods.registry import build
    from openfer.methods.untrained import VOCABULARY

    declared = METHODS[name]
    config, side = declared.settings.model_validate(settings), declared.input_side
    method = build(name, config, {task: VOCABULARY[task] for task in tasks or declared.tasks_of(config)}).eval()
    extras = {extra: torch.zeros(1, *EXTRA_SHAPES[extra]) for extra in declared.extras}
    return method, method.inputs(Batch(torch.zeros(1, 3, side, side), {}, extras))


def _call(method: "Method", inputs: tuple[Any, ...], device: "torch.device") -> Callable[[], object]:
    images, *others = inputs
    extras = [{name: value.to(device) for name, value in own.items()} for own in others]
    images = images.to(device)
    return lambda: method(images, *extras)


def _parts_of_addl() -> list[tuple[str, int, int]]:
    import torch

    from openfer.labels import BASIC_EXPRESSIONS
    from openfer.methods.addl import ADDL
    from openfer.methods.declared.addl import ADDLSettings
    from openfer.nn.complexity import count_macs, count_parameters
    from openfer.nn.heads import FEATURE_SIZE
    from openfer.nn.opponents import Discriminator, MutualInformationEstimator

    settings = ADDLSettings()
    addl = ADDL(settings, {"expression": BASIC_EXPRESSIONS}).eval()
    mine, discriminator = MutualInformationEstimator(settings.leaky_slope), Discriminator(settings.leaky_slope)

    def addm(images: torch.Tensor) -> None:
        taps = addl.shared(images)
        addl.expression(taps)
        addl.disturbance(taps)

    side = ADDL.declared.input_side
    image, feature = torch.zeros(1, 3, side, side), torch.zeros(1, FEATURE_SIZE)
    dfems = {dataset: _built("dfem", {}, factors) for dataset, factors in _DATASETS.items()}
    return [
        ("ADDM", count_parameters(addl.shared, addl.expression, addl.disturbance), count_macs(addm, image)),
        ("MINE", count_parameters(mine), count_macs(mine, feature, feature)),
        ("Discriminator", count_parameters(discriminator), count_macs(discriminator, feature)),
        *((f"DFEM {d}", count_parameters(dfem), count_macs(dfem, *inputs)) for d, (dfem, inputs) in dfems.items()),
    ]
