"""Runs that cannot give what they are asked for, refused before any node runs. No data is read here."""

from openfer.errors import ParameterError
from openfer.methods.schedules import BalancedBatches, refuse_uneven
from openfer.protocols.groups import CHALLENGE
from openfer.runs.datasets import EMBEDDED, Datasets
from openfer.runs.plan import RunPlan
from openfer.runs.study import PlannedStudy


def refuse_unfit(run: RunPlan, datasets: Datasets) -> None:
    """Refuse a run that the parameters alone show to be unfit.

    Args:
        run: the run; its prerequisites are checked by themselves.
        datasets: the project's.

    Raises:
        ParameterError: if weights are random where they may not be, a split has no such fold, a run on real faces
            needs a model of rendered ones and does not allow it, or batches cannot show the published classes equally
            often.
    """
    run.settings.refuse_random_weights()
    _refuse_missing_fold(run, datasets)
    _refuse_rendered_prerequisites(run)
    _refuse_uneven_batches(run, datasets)


def refuse_unlisted_columns(study: PlannedStudy, datasets: Datasets) -> None:
    """Refuse a study with a column that counts a challenge list which none of its datasets is given.

    Raises:
        ParameterError: if there is one.
    """
    for name, column in study.plan.study.columns.items():
        if column.counts is None or column.counts.by != CHALLENGE:
            continue
        lists = [datasets.challenge_lists(dataset) for dataset in column.datasets]
        if None not in lists and not any(column.counts.group in (found or ()) for found in lists):
            places = ", ".join(f"{dataset}.options.challenge" for dataset in column.datasets)
            raise ParameterError(
                f"{study.plan.name}.columns.{name} counts the challenge list {column.counts.group!r}, but {places} "
                "gives no such list. Give its file there"
            )


def _refuse_missing_fold(run: RunPlan, datasets: Datasets) -> None:
    for name in run.settings.datasets:
        if name in datasets.names and run.settings.fold >= (folds := datasets.folds(name)):
            there = "fold 0 only" if folds == 1 else f"the folds 0 to {folds - 1}"
            raise ParameterError(
                f"{run.method}.fold is {run.settings.fold}, but the split of {name} has {there}. Set one of them, or "
                f"more of them by {name}.protocol"
            )


def _refuse_rendered_prerequisites(run: RunPlan) -> None:
    settings = run.settings
    if settings.rendered_prerequisites or set(settings.datasets) & set(EMBEDDED):
        return
    for name, needed in run.prerequisites.items():
        if set(needed.settings.datasets) <= set(EMBEDDED):
            raise ParameterError(
                f"{run.method} learns from {', '.join(settings.datasets)}, but {name}, which it needs, from rendered "
                f"faces ({', '.join(needed.settings.datasets)}). Give {name}.datasets real faces, as --env paper does, "
                f"or set {run.method}.rendered_prerequisites=true for a result that is not the paper's"
            )


def _refuse_uneven_batches(run: RunPlan, datasets: Datasets) -> None:
    settings, schedule = run.settings, run.settings.schedule
    published = [datasets.expressions(name) for name in settings.datasets]
    if not isinstance(schedule.sampling, BalancedBatches) or settings.tasks[:1] != ("expression",):
        return
    if all(published):  # else the labels of the training set tell
        classes = frozenset().union(*published) - set(settings.leave_out)
        refuse_uneven(f"{run.method} on {', '.join(settings.datasets)}", schedule.batch_size, len(classes))
