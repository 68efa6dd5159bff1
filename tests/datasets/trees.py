"""Tiny raw folders in the published layouts, made by the tests themselves."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from openfer.seeds import generator_for


def write_image(path: Path, size: tuple[int, int] = (40, 48), **save: object) -> Path:
    """Write a small picture that is unlike all others; (width, height) in pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = generator_for(0, str(path)).integers(0, 255, (6, 5, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size).save(path, **save)
    return path


def write_text(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def shout(root: Path, suffix: str) -> None:
    """Give the files that end with a suffix the same one in upper case."""
    for path in list(root.rglob(f"*{suffix}")):
        path.rename(path.with_suffix(suffix.upper()))


def raf_db(root: Path, labels: Mapping[str, int]) -> Path:
    """RAF-DB's basic folder with original and aligned images and manual attributes."""
    write_text(root / "EmoLabel/list_patition_label.txt", *(f"{name}.jpg {code}" for name, code in labels.items()))
    for number, name in enumerate(labels):
        write_image(root / f"Image/original/{name}.jpg", (120, 100 + number))
        write_image(root / f"Image/aligned/{name}_aligned.jpg", (100, 100))
        points = ("40.5\t45", "70\t44", "55\t60", "44\t78", "68\t77")
        write_text(root / f"Annotation/manual/{name}_manu_attri.txt", *points, "1", "2", "3")
    return root
