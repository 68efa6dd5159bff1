"""`openfer export`: a finished run becomes one ONNX file, whatever the present parameters are."""

from pathlib import Path

import click

from openfer.errors import ParameterError
from openfer.optional import optional


@click.command()
@click.argument("run")
@click.option("--int8", is_flag=True, help="Also write a file of 8-bit integers, at most one point less accurate.")
@click.option("--accepts-loss", is_flag=True, help="Write that file however much less accurate it is.")
@click.option("--env", "-e", help="Kedro configuration environment.")
def export(run: str, int8: bool, accepts_loss: bool, env: str | None) -> None:
    """Write a finished RUN of the project in the current folder as one ONNX file with its card.

    RUN is a slug of `kedro runs list`. The answers of the file are compared with those of the network in torch.
    """
    with optional("export", "openfer export"):
        from kedro.framework.session import KedroSession
        from kedro.framework.startup import bootstrap_project

        from openfer.pipelines.export import export_pipeline
        from openfer.pipelines.show import show
        from openfer.runners import IdempotentRunner
        from openfer.staleness import Examiner, all_runs, chosen

    root = Path.cwd()
    if not (root / "pyproject.toml").is_file():
        raise ParameterError(f"{root} is not a project: it has no pyproject.toml; change to the folder of your project")
    bootstrap_project(root)
    asked = {"export": {"int8": int8, "accepts_loss": accepts_loss}}
    with KedroSession.create(root, env=env, runtime_params=asked) as session:
        examiner = Examiner(session.load_context())
        (found,) = chosen(all_runs(examiner.root), (run,))
        if not found.is_done:
            raise ParameterError(f"the run {run} is not complete; the command that began it completes it")
        stored = examiner.stored(run)
        pipeline = export_pipeline([stored], int8=int8)
        catalog = examiner.catalog_of(stored, pipeline)
        IdempotentRunner().run(pipeline, catalog)
        show(pipeline, catalog)
