"""Tiny raw folders of the datasets from the web, in the published layouts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from openfer.labels import CELEBA_ATTRIBUTES
from openfer.seeds import generator_for
from tests.datasets.trees import write_image, write_text

AFFECTNET_HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
)
FERPLUS_HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"  # as published
)
POINTS_68 = np.arange(136) / 4


def affectnet_line(file: str, code: int, valence: float = 0.25, arousal: float = -0.5) -> str:
    return f"{file},10,12,100,110,{';'.join(map(str, POINTS_68))},{code},{valence},{arousal}"


def affectnet_csv(root: Path, train: Mapping[str, int], test: Mapping[str, int], *, header: bool = True) -> Path:
    """The layout of 2017; ``header`` is that of validation.csv."""
    lists = root / "Manually_Annotated_file_lists"
    write_text(lists / "training.csv", AFFECTNET_HEADER, *(affectnet_line(*item) for item in train.items()))
    lines = [affectnet_line(*item) for item in test.items()]
    write_text(lists / "validation.csv", *([AFFECTNET_HEADER] if header else []), *lines)
    for file in (*train, *test):
        write_image(root / "Manually_Annotated_Images" / file)
    return root


def affectnet_npy(root: Path, train: Mapping[int, int], test: Mapping[int, int]) -> Path:
    """The later layout; values are text in an array, as published."""
    for folder, codes in (("train_set", train), ("val_set", test)):
        for number, code in codes.items():
            write_image(root / folder / f"images/{number}.jpg")
            (root / folder / "annotations").mkdir(exist_ok=True)
            for short, value in (("exp", str(code)), ("val", "-0.75"), ("aro", "-2.0"), ("lnd", POINTS_68)):
                np.save(root / folder / f"annotations/{number}_{short}.npy", np.array(value))
    return root


def fer2013_pixels(row: int) -> np.ndarray:
    return generator_for(int(row), "fer2013").integers(0, 256, (48, 48), dtype=np.uint8)


def fer2013_csv(path: Path, rows: Sequence[tuple[int, str]]) -> Path:
    """FER2013's table; its images are unlike each other."""
    lines = (
        f'{code},"{" ".join(map(str, fer2013_pixels(row).ravel()))}",{usage}' for row, (code, usage) in enumerate(rows)
    )
    return write_text(path, "emotion,pixels,Usage", *lines)


def ferplus_votes(path: Path, rows: Sequence[tuple[str, str, Sequence[int]]]) -> Path:
    """FER+'s votes: usage, image name, ten counts."""
    return write_text(path, FERPLUS_HEADER, *(f"{usage},{name},{','.join(map(str, v))}" for usage, name, v in rows))


def celeba(root: Path, files: Sequence[str], attributes: Mapping[str, Sequence[str]]) -> Path:
    """CelebA with all lists and both editions; every image has other points, box and identity."""
    header = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"
    signs = {file: ["1" if name in attributes[file] else "-1" for name in CELEBA_ATTRIBUTES] for file in files}
    count = str(len(files))
    write_text(
        root / "Anno/list_attr_celeba.txt",
        *(count, " ".join(CELEBA_ATTRIBUTES)),
        *(f"{file}  {'  '.join(sign)}" for file, sign in signs.items()),
    )
    for place, shift in (("list_landmarks_align_celeba.txt", 0), ("list_landmarks_celeba.txt", 100)):
        lines = (f"{f} {' '.join(str(shift + n * 10 + k) for k in range(10))}" for n, f in enumerate(files))
        write_text(root / "Anno" / place, count, header, *lines)
    boxes = (f"{file} {10 + n} 20 30 40" for n, file in enumerate(files))
    write_text(root / "Anno/list_bbox_celeba.txt", count, "image_id x_1 y_1 width height", *boxes)
    write_text(root / "Anno/identity_CelebA.txt", *(f"{file} {2880 + n}" for n, file in enumerate(files)))
    write_text(root / "Eval/list_eval_partition.txt", *(f"{file} {n % 3}" for n, file in enumerate(files)))
    for file in files:
        write_image(root / "Img/img_align_celeba" / file, (178, 218))
        write_image(root / "Img/img_celeba" / file)
    return root
