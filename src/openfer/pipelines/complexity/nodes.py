"""How large and how costly the networks are: ADDL's Table 12."""

import pandas as pd

_SIDE = 224
_IDENTITIES = 337


def complexity_table() -> pd.DataFrame:
    """Count the parameters and multiply-accumulates of every network at 224 pixels, seven expressions.

    DFEM is the one trained jointly on Multi-PIE (337 identities, 15 poses, 19 illuminations) and
    RAF-DB (3 genders, 5 ages, 3 races). ADDM is what the main player trains, S_g, S_e and S_d; at
    test time ADDL costs as much as Baseline_mat.

    Returns:
        One row per network: ``model``, ``params``, ``macs`` (of one image, or one pair of features;
        the convention is :mod:`openfer.nn.complexity`'s).
    """
    import torch

    from openfer.labels import BASIC_EXPRESSIONS, FACTOR_CLASSES
    from openfer.methods.addl import ADDL, ADDLSettings
    from openfer.methods.baseline import Baseline, BaselineSettings
    from openfer.methods.dfem import DFEM, DFEMSettings
    from openfer.nn.complexity import count_macs, count_parameters
    from openfer.nn.heads import FEATURE_SIZE

    expression = {"expression": BASIC_EXPRESSIONS}
    factors = FACTOR_CLASSES | {"identity": tuple(f"{number:03d}" for number in range(_IDENTITIES))}
    dfem = DFEM(DFEMSettings(), factors).eval()
    baseline = Baseline(BaselineSettings(), expression).eval()
    multilevel = Baseline(BaselineSettings(variant="baseline_mat"), expression).eval()
    addl = ADDL(ADDLSettings(), expression).eval()

    def addm(images: torch.Tensor) -> None:
        taps = addl.shared(images)
        addl.expression(taps)
        addl.disturbance(taps)

    image, feature = torch.zeros(1, 3, _SIDE, _SIDE), torch.zeros(1, FEATURE_SIZE)
    rows = [
        ("DFEM", count_parameters(dfem), count_macs(dfem, image)),
        ("Baseline", count_parameters(baseline), count_macs(baseline, image)),
        ("Baseline_mat", count_parameters(multilevel), count_macs(multilevel, image)),
        ("ADDM", count_parameters(addl.shared, addl.expression, addl.disturbance), count_macs(addm, image)),
        ("MINE", count_parameters(addl.mine), count_macs(addl.mine, feature, feature)),
        ("Discriminator", count_parameters(addl.discriminator), count_macs(addl.discriminator, feature)),
    ]
    return pd.DataFrame(rows, columns=["model", "params", "macs"])
