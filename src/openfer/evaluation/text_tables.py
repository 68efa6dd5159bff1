"""Tables of words for other documents: Markdown, and LaTeX without any package."""

import pandas as pd

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "\u2212": "$-$",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def markdown_table(cells: pd.DataFrame) -> str:
    """Return a table in Markdown; a bar inside a cell is escaped."""
    lines = [list(map(str, cells.columns)), ["---"] * len(cells.columns), *cells.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(word.replace("|", r"\|") for word in line) + " |" for line in lines)


def latex_table(cells: pd.DataFrame, caption: str, numbers: frozenset[str] = frozenset()) -> str:
    """Return a table in LaTeX that needs no package.

    Args:
        cells: words.
        caption: plain text.
        numbers: the columns that are aligned to the right.
    """
    columns = "".join("r" if name in numbers else "l" for name in cells)
    head, *lines = [list(map(str, cells.columns)), *cells.astype(str).to_numpy().tolist()]
    rows = [" & ".join(map(latex, line)) + r" \\" for line in lines]
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{latex(caption)}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\hline",
            " & ".join(map(latex, head)) + r" \\",
            r"\hline",
            *rows,
            r"\hline",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def latex(text: str) -> str:
    """Return plain text as LaTeX prints it."""
    return "".join(_SPECIAL.get(sign, sign) for sign in text)
