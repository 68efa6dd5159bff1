from pathlib import Path

import pytest
import torch

from openfer.errors import CheckpointError
from openfer.io.atomic import sha256_of
from openfer.io.checkpoint import Checkpoint, load_checkpoint, save_checkpoint


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    tensors = {"weight": torch.arange(6.0).reshape(2, 3).t(), "steps": torch.tensor(7)}
    save_checkpoint(path, Checkpoint(tensors, {"epoch": 3, "classes": {"expression": ["anger"]}}))
    return path


def test_tensors_and_facts_come_back_as_they_were(saved: Path) -> None:
    loaded = load_checkpoint(saved, sha256_of(saved))
    assert torch.equal(loaded.tensors["weight"], torch.arange(6.0).reshape(2, 3).t())
    assert loaded.tensors["steps"].item() == 7
    assert loaded.facts == {"epoch": 3, "classes": {"expression": ["anger"]}}


def test_equal_content_gives_equal_bytes(saved: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    save_checkpoint(again, load_checkpoint(saved))
    assert again.read_bytes() == saved.read_bytes()


def test_a_truncated_file_is_named_with_its_remedy(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-5])
    with pytest.raises(CheckpointError, match=r"model.safetensors .* truncated .* delete it"):
        load_checkpoint(saved)


def test_another_hash_is_refused_and_both_are_named(saved: Path) -> None:
    with pytest.raises(CheckpointError, match=f"{sha256_of(saved)}, expected {'0' * 64}"):
        load_checkpoint(saved, "0" * 64)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"absent.safetensors does not exist"):
        load_checkpoint(tmp_path / "absent.safetensors")
