"""The lower layers of a backbone, which may keep the weights that they start from."""

from torch import nn

from openfer.errors import ParameterError
from openfer.nn.choices import LastFrozen

_STEM, _STAGE = "stem", "layer"


def lower_layers(backbone: nn.Module, last: LastFrozen) -> tuple[nn.Module, ...]:
    """Return the parts of a backbone up to a stage, the first ones first; none for ``none``.

    What dlib's trunk normalises its maps with when it hands them out is no lower layer: it has no weights.

    Args:
        backbone: a trunk; its stages are called ``layer1`` and so on, and what comes before is the stem.
        last: the last part to be returned.

    Raises:
        ParameterError: if the backbone has no such stage.
    """
    if last == "none":
        return ()
    parts = dict(backbone.named_children())
    stages = [name for name in parts if name.startswith(_STAGE)]
    if last not in (_STEM, *stages) or not stages:
        raise ParameterError(
            f"initialisation.frozen_until is {last}, but the parts of this backbone are "
            f"{', '.join([_STEM, *stages] if stages else parts)}; "
            + (f"give {_STEM}, {', '.join(stages)} or none" if stages else "give none")
        )
    names = list(parts)
    end = names.index(stages[0]) if last == _STEM else names.index(last) + 1
    return tuple(parts[name] for name in names[:end])
