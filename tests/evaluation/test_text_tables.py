"""Tables in Markdown and LaTeX print what they are given, whatever signs are in it."""

import pandas as pd

from openfer.evaluation.text_tables import latex_table, markdown_table

CELLS = pd.DataFrame({"method": ["a|b_c & 50 % {x}", "d"], "accuracy %": ["57.6 ± 2.2", "\u22123"]})


def test_markdown_escapes_the_bar():
    assert markdown_table(CELLS).splitlines() == [
        "| method | accuracy % |",
        "| --- | --- |",
        r"| a\|b_c & 50 % {x} | 57.6 ± 2.2 |",
        "| d | \u22123 |",
    ]


def test_latex_needs_no_package_and_every_special_sign_is_escaped():
    lines = latex_table(CELLS, "100 %", frozenset({"accuracy %"})).splitlines()
    assert r"\caption{100 \%}" in lines
    assert r"\begin{tabular}{lr}" in lines
    assert r"a|b\_c \& 50 \% \{x\} & 57.6 $\pm$ 2.2 \\" in lines
    assert r"d & $-$3 \\" in lines
