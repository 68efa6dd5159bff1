"""The plan that pipelines are built from. Kedro builds pipelines without parameters, so a hook hands it over first."""

from openfer.runs.project import Plan

_handed: list[Plan] = []


def hand_over(plan: Plan) -> None:
    """Set the plan of this Kedro session."""
    _handed[:] = [plan]


def current_plan() -> Plan:
    """Return the plan of this Kedro session, or the one of the project's own parameters outside of a session."""
    if not _handed:
        hand_over(_plan_of_the_project())
    return _handed[0]


def _plan_of_the_project() -> Plan:
    """Read the parameters as ``kedro run`` without options does; ``kedro registry list`` opens no session."""
    from pathlib import Path

    from kedro.framework.project import settings
    from kedro.framework.startup import bootstrap_project

    from openfer.nn.weight_manifest import with_weights
    from openfer.runs.project import plan

    bootstrap_project(Path.cwd())
    loader = settings.CONFIG_LOADER_CLASS(conf_source=str(Path.cwd() / "conf"), **settings.CONFIG_LOADER_ARGS)
    return plan(with_weights(loader["parameters"], loader["weights"]))
