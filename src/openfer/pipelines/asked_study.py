"""Which study is asked for, and what the pipeline `study` is built by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openfer.errors import ParameterError, did_you_mean
from openfer.pipelines.study_plan import datasets_with_extras, methods_of, plan


@dataclass(frozen=True)
class AskedStudy:
    """What the pipeline `study` is built by.

    Attributes:
        name: of the study.
        datasets: that its runs train on, each with the extras that are asked of it.
        methods: of its runs.
        probes: whether it asks features what they know of factors.
        embedding: whether it lays features out in the plane.
    """

    name: str = "first_study"
    datasets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"synthetic_fer": ()})
    methods: tuple[str, ...] = ()
    probes: bool = False
    embedding: bool = False


_asked: list[AskedStudy] = [AskedStudy()]


def choose_study(parameters: Mapping[str, Any], studies: Sequence[str], rendered: Sequence[str]) -> dict[str, Any]:
    """Choose the study of the parameter ``study``.

    Args:
        parameters: all top-level parameters.
        studies: those of them that describe a study.
        rendered: datasets of which every factor is known.

    Returns:
        Its plan as the parameter ``study_plan``; nothing where no study is described.

    Raises:
        ParameterError: if nobody describes it, it is not valid, or it probes what nobody knows.
    """
    name = parameters.get("study", AskedStudy.name)
    if name not in studies:
        if not studies and "study" not in parameters:
            return {}
        raise ParameterError(
            f"study is {name!r}, which nobody describes; {did_you_mean(str(name), studies)}The studies are "
            f"{', '.join(studies) or 'none'}; describe your own by a block with `title`, `rows` and `columns` in "
            "conf/local/parameters.yml"
        )
    planned = plan(name, parameters)
    datasets, described = datasets_with_extras(planned), planned["study"]
    probes, embedding = (bool(described.get(what)) for what in ("probes", "embedding"))
    # of what a run starts from nobody asks; DFEM may have learned from any set
    unknown = sorted(_trained(planned) - set(rendered)) if probes else []
    if unknown:
        raise ParameterError(
            f"{name}.probes is true, but nobody knows every factor of {', '.join(unknown)}; probes ask for rendered "
            f"faces: {', '.join(rendered)}"
        )
    _asked[:] = [AskedStudy(name, datasets, methods_of(planned), probes, embedding)]
    return {"study_plan": planned}


def asked_study() -> AskedStudy:
    """Return the study that the pipeline `study` is asked for."""
    return _asked[0]


def _trained(planned: Mapping[str, Any]) -> set[str]:
    return {name for cell in planned["cells"].values() for name in cell["planned"]["run"]["datasets"]}
