"""The landmarker's file is checked before it is read."""

import hashlib
from pathlib import Path

import pytest

from openfer.errors import CheckpointError
from openfer.faces.mediapipe.model_file import CARRIED, SHA256, read_landmarker


def test_the_carried_file_is_the_one_that_the_notice_names(file) -> None:
    notice = (Path(__file__).parents[3] / "NOTICE").read_text()
    assert SHA256 in notice
    assert f"{CARRIED.stat().st_size:,} bytes" in notice
    assert hashlib.sha256(CARRIED.read_bytes()).hexdigest() == SHA256
    assert [len(part) for part in (file.detector, file.mesh, file.blendshapes)] == [229746, 2553590, 955312]


def test_one_changed_bit_is_refused(tmp_path: Path) -> None:
    content = bytearray(CARRIED.read_bytes())
    content[1_000_000] ^= 1
    other = tmp_path / "other.task"
    other.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"other\.task has 3758596 bytes and the SHA-256 .*, expected {SHA256}"):
        read_landmarker(other)


def test_a_truncated_or_missing_file_is_refused(tmp_path: Path) -> None:
    short = tmp_path / "short.task"
    short.write_bytes(CARRIED.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="has 1000 bytes"):
        read_landmarker(short)
    with pytest.raises(CheckpointError, match=r"missing\.task cannot be read \(No such file or directory\); install"):
        read_landmarker(tmp_path / "missing.task")
