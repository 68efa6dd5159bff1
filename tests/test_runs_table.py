"""The table of `kedro runs list` in a narrow terminal."""

from openfer.runs_command import Line, _print_table


def test_names_of_runs_are_whole_where_the_terminal_is_narrow(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    known = {"datasets": ("synthetic_fer",), "seed": 0, "fold": 0, "when": "2026-01-02T03:04:05+00:00"}
    known |= {"accuracy": 0.5, "selection": "best_val", "n": 2000, "bytes": 1 << 25, "state": "up to date"}
    slugs = {"sna_autoencoder-s0-f0-ec1875": "sna_autoencoder", "baseline-s10-f0-ec1875": "baseline_mat"}
    _print_table([Line(slug=slug, row=row, method=slug.split("-")[0], **known) for slug, row in slugs.items()])
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert all(word in printed for word in (*slugs, "baseline_mat", "2026-01-02", "50.0", "best_val", "2000", "32.0"))
