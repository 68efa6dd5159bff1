"""YAML files as people write them: keys keep their text, and a mistake is one error with file, line and remedy."""

from pathlib import Path

import pytest
import yaml

from openfer.errors import ParameterError
from openfer.yaml_files import TextKeysLoader, read_yaml
from tests.pipelines.conftest import ROOT

PATH = Path("conf/local/parameters.yml")


def test_keys_keep_their_text_and_values_their_type() -> None:
    text = "{no: 1, on: true, 00: x, 1: 2.5, 1.0: null, ~: [1, no], 2024: {off: 1e3}, 12:30: y}"
    assert read_yaml(text.encode(), PATH) == {
        **{"no": 1, "on": True, "00": "x", "1": 2.5, "1.0": None, "~": [1, False]},
        **{"2024": {"off": 1000.0}, "12:30": "y"},
    }


def test_merged_keys_a_byte_order_mark_and_an_empty_file_are_read() -> None:
    assert read_yaml(b"\xef\xbb\xbfa: &a {x: 1}\nb: {<<: *a, y: 2}\n", PATH)["b"] == {"x": 1, "y": 2}
    assert read_yaml(b"# nothing yet\n", PATH) == {}


def test_without_libyaml_every_file_of_the_project_says_the_same(monkeypatch) -> None:
    files = sorted((ROOT / "conf").rglob("*.yml"))
    quick = [read_yaml(path.read_bytes(), path) for path in files]
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert quick == [read_yaml(path.read_bytes(), path) for path in files]
    assert len(files) > 40


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"mine:\n\treader: folder\n", r"line 2: found character .*; blanks, and no tabulator"),
        (
            b"mine:\n  reader: folder\n   root: x\n",
            r"line 3: mapping values .* in 'root: x'; indent all keys of a block",
        ),
        (b"# f\xfcr mich\nmine: 1\n", r"line 1: byte 0xfc is not UTF-8; save the file as UTF-8"),
        ("mine: 1".encode("utf-16"), r"line 1: UTF-16 is not UTF-8; save"),
        (
            b'mine:\n  root: "C:\\data"\n',
            r"line 2: found unknown escape character 'd' .*; in double quotes a backslash",
        ),
        (b"mine:\n  a: 1\nmine:\n  a: 2\n", r"line 3: found duplicate key mine .*; keep one"),
        (b"a: {1: x, 1: y}\n", r"line 1: found duplicate key 1"),
        (b"a: [1, 2\n", r"line \d: expected ',' or '\]'.*; close the bracket"),
        (b"a: @b\n", r"line 1: found character '@'.*; quote a value"),
        (b"a: 1\nb: \x07c\n", r"line 2: special characters are not allowed.*; remove the character"),
        (b"- a\n- b\n", r"holds \['a', 'b'\], where keys with values are expected"),
        (b"just words\n", r"holds 'just words', where keys"),
        (b"? [1, 2]\n: 3\n", r"line 1: found unhashable key.*; correct the line"),
        (b"a: !!python/object:os.x {}\n", r"line 1: could not determine a constructor"),
    ],
)
def test_a_mistake_is_one_line_with_file_line_and_remedy(content: bytes, words: str) -> None:
    with pytest.raises(ParameterError, match=rf"^conf/local/parameters\.yml(, | ){words}") as refused:
        read_yaml(content, PATH)
    assert "\n" not in str(refused.value)


def test_a_key_in_two_files_is_named_with_both(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "base/parameters").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"base/parameters/{name}.yml").write_text("mine: {reader: folder}\n")
    loader = TextKeysLoader(str(tmp_path), base_env="base", default_run_env="base")
    with pytest.raises(ParameterError, match=r"mine.*a\.yml.*b\.yml|a\.yml.*b\.yml.*mine"):
        loader["parameters"]
