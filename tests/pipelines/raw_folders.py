"""A tiny raw folder for every reader, in its published layout, with faces where its annotations say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from openfer.labels import CELEBA_ATTRIBUTES
from tests.conftest import TinyFaces
from tests.datasets import trees, trees_lab, trees_web

LISTED = {
    "ck_plus": ("S005", "S010", "S011", "S014", "S022", "S026"),
    "mmi": ("S001", "S002", "S003", "S004", "S005", "S006"),
    "oulu_casia": ("P001", "P002", "P003", "P004"),
}
"""Subjects of the fixed fold lists."""

_RIM = 16


class Pictures:
    """Rendered faces in larger pictures, each given out once.

    Args:
        faces: the rendered faces.
    """

    def __init__(self, faces: TinyFaces) -> None:
        self._store = faces.store
        self._points = faces.store.table(["points68"])["points68"]
        self._next = 0

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """Return another picture, RGB, and its 68 points."""
        number, self._next = self._next, self._next + 1
        face = self._store.image(number)
        background = np.array([90 + number, 120, 150 - number], np.uint8)
        picture = np.tile(background, (64 + 2 * _RIM, 64 + 2 * _RIM, 1))
        picture[_RIM:-_RIM, _RIM:-_RIM] = face
        return picture, self._points[number].reshape(68, 2) + _RIM

    def put(self, path: Path) -> np.ndarray:
        """Replace an image file; returns the points, (68, 2)."""
        assert path.is_file(), f"the builder wrote no {path}"
        picture, points = self.draw()
        save = {"quality": 95} if path.suffix in (".jpg", ".jpeg") else {}
        Image.fromarray(picture).save(path, **save)
        return points


def five(points: np.ndarray) -> np.ndarray:
    """Return the five points that annotations have."""
    return np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[30], points[48], points[54]])


def aff_wild2(root: Path, pictures: Pictures) -> None:
    videos = {f"Train_Set/t{n}": (n % 7, (n + 1) % 7, 2) for n in range(6)}
    videos |= {f"Validation_Set/v{n}": (n, 4, 6) for n in range(2)}
    frames = {video.split("/")[1]: (1, 2, 3) for video in videos}
    trees_lab.aff_wild2(root, frames, videos, {})
    _fill(root, pictures)


def affectnet(root: Path, pictures: Pictures) -> None:
    train = {f"{n % 3}/train{n:02d}.jpg": n % 8 for n in range(24)}
    test = {f"{n % 3}/test{n:02d}.jpg": n % 8 for n in range(8)}
    trees_web.affectnet_csv(root, train | {"0/unlabelled.jpg": 9}, test)
    points = {file: pictures.put(root / "Manually_Annotated_Images" / file) for file in (*train, *test)}
    for name in ("training", "validation"):
        path = root / f"Manually_Annotated_file_lists/{name}.csv"
        lines = path.read_text().splitlines()
        old = ";".join(map(str, trees_web.POINTS_68))
        new = [line.replace(old, _joined(points.get(line.split(",")[0]), ";")) for line in lines]
        new[1:] = [line.replace(",0.25,-0.5", f",{n % 5 / 2 - 1},{n % 3 / 2}") for n, line in enumerate(new[1:])]
        path.write_text("\n".join(new) + "\n")


def celeba(root: Path, pictures: Pictures) -> None:
    files = [f"{n:06d}.jpg" for n in range(1, 13)]
    attributes = {file: (CELEBA_ATTRIBUTES[n], *(["Male"] if n // 3 % 2 else [])) for n, file in enumerate(files)}
    trees_web.celeba(root, files, attributes)
    people = (f"{file} {2880 + n // 3}" for n, file in enumerate(files))
    trees.write_text(root / "Anno/identity_CelebA.txt", *people)  # several images each, so that some can be held out
    points = {file: pictures.put(root / "Img/img_align_celeba" / file) for file in files}
    path = root / "Anno/list_landmarks_align_celeba.txt"
    head = path.read_text().splitlines()[:2]
    path.write_text("\n".join([*head, *(f"{f} {_joined(five(p), ' ')}" for f, p in points.items())]) + "\n")


def ck_plus(root: Path, pictures: Pictures, frames: int = 3) -> None:
    codes = {"001": 5, "002": 6}
    sequences = {f"{who}/{part}": (frames, code) for who in LISTED["ck_plus"] for part, code in codes.items()}
    trees_lab.ck_plus(root, sequences | {"S999/001": (2, None)})
    for path in sorted((root / "cohn-kanade-images").rglob("*.png")):
        points = pictures.put(path)
        lines = (f"   {x:.7e}   {y:.7e}" for x, y in points)
        folder = root / "Landmarks" / path.parent.relative_to(root / "cohn-kanade-images")
        trees.write_text(folder / f"{path.stem}_landmarks.txt", *lines)


def fed_ro(root: Path, pictures: Pictures) -> None:
    for folder in ("neural", "happy", "sad", "surprise", "fear", "disgust", "anger"):
        for number in range(2):
            trees.write_image(root / folder / f"{number}.jpg")
    _fill(root, pictures)


def fer2013(root: Path, pictures: Pictures) -> None:
    usages = ["Training"] * 28 + ["PublicTest"] * 7 + ["PrivateTest"] * 7
    trees_web.fer2013_csv(root / "fer2013.csv", [(row % 7, usage) for row, usage in enumerate(usages)])


def ferplus(root: Path, pictures: Pictures) -> None:
    fer2013(root, pictures)
    usages = ["Training"] * 28 + ["PublicTest"] * 7 + ["PrivateTest"] * 7
    votes = [
        (usage, f"fer{row:07d}.png", [10 if place == row % 7 else 0 for place in range(10)])
        for row, usage in enumerate(usages)
    ]
    trees_web.ferplus_votes(root / "fer2013new.csv", votes)


def folder(root: Path, pictures: Pictures) -> None:
    words = ("happy", "sad", "angry")
    lines = [f"{n:02d}.jpg,{words[n % 3]},person{n // 3:02d}" for n in range(36)]
    trees.write_text(root / "labels.csv", "path,expression,person", *lines)
    for line in lines:
        trees.write_image(root / line.split(",")[0])
    _fill(root, pictures)


def mmi(root: Path, pictures: Pictures) -> None:
    videos = [(f"{who}-{part}", 0, code) for who in LISTED["mmi"] for part, code in (("001", 4), ("002", 5))]
    trees_lab.mmi(root, dict(enumerate(videos, 1)))
    for path in sorted(root.rglob("*.avi")):
        picture, _ = pictures.draw()
        frames = [np.rot90(picture) if path.stem == "S003-001" else picture] * 9  # one lies on its side
        _write_video(path, frames)


def multi_pie(root: Path, pictures: Pictures) -> None:
    trees_lab.multi_pie(root, ("001_01_01", "001_01_02", "002_01_01", "002_02_02"), ("05_1", "14_0"), (0, 7, 19))
    _fill(root / "data", pictures, "multiview")


def oulu_casia(root: Path, pictures: Pictures) -> None:
    trees_lab.oulu_casia(root, "OriginalImg", LISTED["oulu_casia"], ("Anger", "Happiness"), frames=3)
    _fill(root / "OriginalImg/VL/Strong", pictures)


def raf_db(root: Path, pictures: Pictures) -> None:
    labels = {f"train_{n:05d}": n % 7 + 1 for n in range(1, 29)} | {f"test_{n:04d}": n % 7 + 1 for n in range(1, 15)}
    trees.raf_db(root, labels)
    for number, name in enumerate(labels):
        points = five(pictures.put(root / f"Image/original/{name}.jpg"))
        lines = [f"{x:.3f}\t{y:.3f}" for x, y in points]
        codes = (str(number % kinds) for kinds in (2, 3, 5))  # gender, race, age
        trees.write_text(root / f"Annotation/manual/{name}_manu_attri.txt", *lines, *codes)


def sfew(root: Path, pictures: Pictures) -> None:
    films = ("Airheads", "Hangover", "IAmSam", "Juno", "OneDay")
    for n, film in enumerate(films):
        for word in ("Angry", "Happy", "Sad"):
            trees.write_image(root / f"{'Val' if n == 0 else 'Train'}/{word}/{film}_00051924{n}_00000005.png")
    trees.write_image(root / "Test/Hangover_000133200_00000021.png")
    _fill(root, pictures)


@dataclass(frozen=True)
class Raw:
    """How the raw folder of a reader is made, and what its parameters must say beside the default ones."""

    build: Callable[[Path, Pictures], None]
    parameters: dict[str, Any]


_COLUMNS = {"path": "path", "expression": "expression", "subject": "person"}
_READERS = (aff_wild2, affectnet, celeba, ck_plus, fed_ro, fer2013, ferplus, mmi, multi_pie, oulu_casia, raf_db, sfew)
RAW = {build.__name__: Raw(build, {}) for build in _READERS}
RAW["folder"] = Raw(folder, {"options": {"table": "labels.csv", "columns": _COLUMNS}})


def _fill(root: Path, pictures: Pictures, within: str = "") -> None:
    """Replace all images under a folder."""
    for path in sorted(root.rglob("*")):
        if path.suffix in (".jpg", ".jpeg", ".png") and within in str(path.relative_to(root)):
            pictures.put(path)


def _joined(points: np.ndarray | None, separator: str) -> str:
    given = trees_web.POINTS_68 if points is None else points.round(3).ravel()
    return separator.join(map(str, given.tolist()))


def _write_video(path: Path, frames: Sequence[np.ndarray]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        for frame in frames:
            image = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            container.mux(stream.encode(image))
        container.mux(stream.encode())
