"""Inputs of any kind: each is read, or is one error of openfer's own in a line; nothing is lost.

`make fuzz` tries ten thousand of each kind, the tests a few. A failing input is printed, made as small as possible.
"""

import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from openfer.datasets.inventory import take_inventory, unused_files
from openfer.datasets.readers.folder import Folder
from openfer.datasets.readers.raf_db import RafDb
from openfer.datasets.tree import Tree
from openfer.errors import OpenferError
from openfer.evaluation.foreign import foreign_predictions, read_predictions
from openfer.io.images import read_image
from openfer.nn.weights_file import read_weights
from openfer.runs.project import plan
from openfer.yaml_files import read_yaml

INPUTS = int(os.environ.get("OPENFER_FUZZ", "30"))
fuzzed = settings(
    max_examples=INPUTS,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=20).filter(
    lambda name: not name.startswith(".") and len(name.encode()) < 200
)
CELLS = st.one_of(
    st.text(max_size=12), st.sampled_from(["happy", "0", "1.0", "nan", "", " ", "train", "../x", "é", '"', ";"])
)


def refused(error: OpenferError) -> None:
    """Check the words of an error: one line, and not without any."""
    assert 0 < len(str(error)) < 20_000
    assert len(str(error).splitlines()) == 1


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """Return files with some bytes replaced, cut off or put in."""
    places = st.lists(st.tuples(st.integers(0, len(whole) - 1), st.binary(max_size=4)), max_size=6)

    def apply(cut: int, changes: list[tuple[int, bytes]]) -> bytes:
        content = bytearray(whole)
        for place, given_bytes in changes:
            content[place : place + len(given_bytes)] = given_bytes
        return bytes(content[:cut])

    return st.builds(apply, st.integers(0, len(whole)), places)


def encoded(name: str) -> bytes:
    buffer = io.BytesIO()
    pixels = np.indices((13, 17)).sum(0).astype(np.uint8) * 8
    Image.fromarray(np.stack([pixels, pixels.T.reshape(13, 17), 255 - pixels], -1)).save(buffer, format=name)
    return buffer.getvalue()


@pytest.mark.slow
@fuzzed
@given(st.one_of(st.binary(max_size=200), *(damaged(encoded(name)) for name in ("JPEG", "PNG", "PPM", "TIFF", "WEBP"))))
def test_an_image_is_read_or_refused(content: bytes) -> None:
    try:
        pixels = read_image(content).pixels
    except OpenferError as error:
        refused(error)
    else:
        assert (pixels.dtype, pixels.ndim, pixels.shape[2]) == (np.uint8, 3, 3)


@pytest.mark.slow
@fuzzed
@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
@example(b"a: &x [*x]\n")
@example(b"a: !!timestamp 2001-99-99\n")
@example(b"a: !!binary =\n")
def test_a_yaml_file_is_read_with_keys_of_text_or_refused(content: bytes) -> None:
    try:
        found = read_yaml(content, Path("conf/local/parameters.yml"))
    except OpenferError as error:
        refused(error)
    else:
        assert all(isinstance(key, str) for key in found)


@pytest.mark.slow
@fuzzed
@given(st.lists(st.lists(CELLS, min_size=3, max_size=4), max_size=5), st.booleans(), st.booleans())
def test_a_table_of_one_s_own_is_read_whole_or_refused(
    tmp_path: Path, lines: list[list[str]], nearest: bool, quoted: bool
) -> None:
    (tmp_path / "a.png").write_bytes(encoded("PNG"))
    frame = pd.DataFrame([line[:3] for line in lines], columns=["path", "expression", "partition"])
    frame.loc[len(frame)] = ["a.png", "happy", "train"]
    content = frame.to_csv(index=False) if quoted else "\n".join(",".join(line) for line in frame.to_numpy())
    (tmp_path / "labels.csv").write_text(content if quoted else f"path,expression,partition\n{content}\n")
    columns = {"path": "path", "expression": "expression", "partition": "partition"}
    try:
        rows = Folder({"table": "labels.csv", "columns": columns, "nearest": nearest}).read(Tree(tmp_path), "mine")
    except OpenferError as error:
        refused(error)
    else:
        assert len(rows) == len(frame) if quoted else len(rows) > 0  # unquoted breaks and quotes move the lines


@pytest.mark.slow
@fuzzed
@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=6), st.sampled_from(["", "train", "Test_set", "é"]))
def test_no_file_of_class_folders_is_lost(
    tmp_path_factory: pytest.TempPathFactory, names: list[tuple[str, str]], side: str
) -> None:
    root = tmp_path_factory.mktemp("tree")
    for number, (folder, name) in enumerate(names):
        place = root / side / folder
        place.mkdir(parents=True, exist_ok=True)
        if not (place / name).exists():
            (place / name).write_bytes(encoded("PNG") if number % 2 == 0 else b"words")
    tree = Tree(root)
    labels = {folder: "fear" for folder, _ in names} | {side: "fear"}
    inventory = list(take_inventory(tree))
    try:
        rows = Folder({"labels": labels}).read(tree, "mine")
    except OpenferError as error:
        refused(error)
    else:
        files = sum(len(part) for part in inventory)
        assert files == sum(path.is_file() for path in root.rglob("*"))
        assert files == rows["path"].nunique() + len(list(unused_files([rows], inventory)))


@pytest.mark.slow
@fuzzed
@given(st.one_of(st.binary(max_size=80), st.text("train_0123456789.jpg ,;\n\t-", max_size=80).map(str.encode)))
def test_a_list_of_raf_db_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "EmoLabel/list_patition_label.txt"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)
    try:
        rows = RafDb({"images": "aligned"}).read(Tree(tmp_path), "raf_db")
    except OpenferError as error:
        refused(error)
    else:
        assert len(rows) > 0


def _weights(**given_objects: object) -> bytes:
    buffer = io.BytesIO()
    torch.save({"state_dict": {"conv1.weight": torch.ones(2, 2)}} | given_objects, buffer)
    return buffer.getvalue()


@pytest.mark.slow
@fuzzed
@given(
    st.one_of(st.binary(max_size=120), damaged(_weights()), damaged(_weights(best=np.float64(1)))),
    st.sampled_from([".pth", ".pt", ".safetensors", ".dat", ""]),
)
def test_weights_are_read_or_refused_and_nothing_of_theirs_is_run(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    try:
        tensors = read_weights(path, None).tensors
    except OpenferError as error:
        refused(error)
    else:
        assert all(isinstance(tensor, torch.Tensor) for tensor in tensors.values())


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(), st.text(max_size=8), st.just("synthetic_fer")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
KEYS = [
    "reader",
    "root",
    "options",
    "faces",
    "protocol",
    "datasets",
    "seed",
    "settings",
    "images",
    "dataset",
    "variant",
]
BLOCKS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4)


@pytest.mark.slow
@fuzzed
@given(
    st.dictionaries(
        st.one_of(st.sampled_from(["baseline", "mine", "dataset", "study", "protocol"]), NAMES),
        st.one_of(BLOCKS, VALUES),
        max_size=3,
    )
)
def test_parameters_make_a_plan_or_are_refused(parameters: dict[str, object]) -> None:
    try:
        made = plan(parameters)
    except OpenferError as error:
        refused(error)
    else:
        assert made.datasets.names


ROWS = pd.DataFrame({"sample_id": ["a", "b"], "path": ["a.png", "b.png"], "dataset": "mine", "subject": None})
ROWS = ROWS.assign(licence="none", expression=["fear", "anger"])
SPLIT = pd.DataFrame({"sample_id": ["a", "b"], "fold": 0, "role": "test"})


@pytest.mark.slow
@fuzzed
@given(
    st.lists(
        st.lists(st.one_of(CELLS, st.floats().map(str), st.sampled_from(["a", "b"])), min_size=3, max_size=3),
        max_size=3,
    ),
    st.lists(
        st.one_of(st.sampled_from(["sample_id", "path", "p_fear", "p_anger", "y_true"]), CELLS), min_size=3, max_size=3
    ),
)
@example([["a", "1", "0"], ["b", "0", "1"]], ["sample_id", "p_fear", "p_anger"])
def test_predictions_of_another_program_are_scored_or_refused(
    tmp_path: Path, lines: list[list[str]], columns: list[str]
) -> None:
    file = tmp_path / "rival.csv"
    file.write_text(pd.DataFrame(lines, columns=columns).to_csv(index=False))
    try:
        table, _ = foreign_predictions(read_predictions(file), ROWS, SPLIT, "rival", file)
    except OpenferError as error:
        refused(error)
    else:
        assert sorted(table["sample_id"]) == ["a", "b"]
