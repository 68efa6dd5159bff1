"""Results where a person looks first: the terminal."""

from collections.abc import Sequence

import pandas as pd


def show_results(table: pd.DataFrame, sentences: Sequence[str] = ()) -> None:
    """Print a results table, and below it what its differences are worth."""
    from rich.console import Console

    from openfer.evaluation.results_table import render_terminal

    console = Console()
    console.print()
    console.print(render_terminal(table, sentences))
