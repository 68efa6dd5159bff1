"""How large and how costly the networks of every registered method are (ADDL, Table 12)."""

import pandas as pd

_IDENTITIES = 337


def complexity_table() -> pd.DataFrame:
    """Count parameters and multiply-accumulates of every method's rows at its paper's image size, seven expressions.

    DFEM is the one trained jointly on Multi-PIE (337 identities, 15 poses, 19 illuminations) and
    RAF-DB (3 genders, 5 ages, 3 races). Parameters are all that a method trains; multiply-accumulates are those of
    one prediction, in which parts used in training only do not run. Of ADDL those parts follow by themselves:
    ADDM is what its main player trains, S_g, S_e and S_d.

    Returns:
        One row per network: ``model``, ``params``, ``macs`` (of one image, or one pair of features;
        the convention is :mod:`openfer.nn.complexity`'s).
    """
    import torch

    from openfer.evaluation.predictions import run_name
    from openfer.labels import BASIC_EXPRESSIONS, FACTOR_CLASSES
    from openfer.methods.contract import EXTRA_SHAPES, Batch
    from openfer.methods.names import method_names
    from openfer.methods.registry import build, method_class
    from openfer.nn.complexity import count_macs, count_parameters

    identities = tuple(f"{number:03d}" for number in range(_IDENTITIES))
    vocabulary = FACTOR_CLASSES | {"expression": BASIC_EXPRESSIONS, "identity": identities}
    rows = []
    for name in method_names():
        kind = method_class(name)
        extras = {extra: torch.zeros(1, *EXTRA_SHAPES[extra]) for extra in kind.extras}
        batch = Batch(torch.zeros(1, 3, kind.input_side, kind.input_side), {}, extras)
        for variant, settings in (kind.variants or {name: {}}).items():
            config = kind.config_class.model_validate(settings)
            method = build(name, config, {task: vocabulary[task] for task in kind.tasks_of(config)}).eval()
            rows.append((run_name(name, variant), count_parameters(method), count_macs(method, *method.inputs(batch))))
    return pd.DataFrame([*rows, *_parts_of_addl()], columns=["model", "params", "macs"])


def _parts_of_addl() -> list[tuple[str, int, int]]:
    import torch

    from openfer.labels import BASIC_EXPRESSIONS
    from openfer.methods.addl import ADDL
    from openfer.methods.addl_settings import ADDLSettings
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

    image, feature = torch.zeros(1, 3, ADDL.input_side, ADDL.input_side), torch.zeros(1, FEATURE_SIZE)
    return [
        ("ADDM", count_parameters(addl.shared, addl.expression, addl.disturbance), count_macs(addm, image)),
        ("MINE", count_parameters(mine), count_macs(mine, feature, feature)),
        ("Discriminator", count_parameters(discriminator), count_macs(discriminator, feature)),
    ]
