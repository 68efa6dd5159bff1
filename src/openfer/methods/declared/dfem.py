"""DFEM, ADDL's first stage: its settings (Ruan et al., IJCV 130, 2022)."""

from pydantic import Field

from openfer.labels import FACTORS
from openfer.methods.declaration import Declaration, network_at
from openfer.methods.schedules import ADDL_SCHEDULE, Schedule
from openfer.nn.choices import TrunkName
from openfer.parameters import Settings


class DFEMSettings(Settings):
    """Parameters of DFEM.

    Attributes:
        trunk: ``resnet18`` is the paper's; ``dlib_resnet29`` takes dlib's open weights; ``resnet18_small_images``, of
            no paper, has a stem of 3 x 3 without stride and pooling.
        schedule: not in the paper; ADDL's own, for the 20 epochs that a file name of the public DDL code
            contains.
        activation_slope: slope, on the negative side, of the activation that makes a factor feature
            out of its FC. The paper names two FCs and no activation, the DDL code puts a PReLU
            between them. PReLU starts at 0.25 and, at a learning rate of 1e-4, hardly leaves it, so
            its slope is held there: the features are the code's, and the parameters are the
            11,619,774 of the paper's layers. 1.0 is no activation.
    """

    trunk: TrunkName = "resnet18"
    schedule: Schedule = ADDL_SCHEDULE.model_copy(update={"epochs": 20, "milestones": (10, 18)})
    activation_slope: float = Field(default=0.25, ge=0, le=1)


METHOD = Declaration(name="dfem", settings=DFEMSettings, network=network_at("openfer.methods.dfem:DFEM"), tasks=FACTORS)
