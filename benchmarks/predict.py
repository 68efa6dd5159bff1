"""How often models are right on a folder of labelled photographs, how fast they are and how large.

    python benchmarks/predict.py FOLDER --models geometry path/to/model.onnx fer

FOLDER holds photographs and ``labels.csv`` with the columns file and expression, as the Face Research Lab London Set
has; only expressions that occur there count as answers, so that a model of seven classes is not asked more than the
labels tell. An image without a face is a wrong answer. All models see the same images in one run. ``fer`` is the
package of that name with its own face detector and weights, measured where it is installed.

Accuracies are percentages with 95 % intervals (Wilson), as if every photograph were another person. Images a second are
end to end, from files to answers, on all cores, after the first image; "first s" is what that one takes with loading.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from openfer.inference.predictor import load
from openfer.io.images import read_image
from openfer.labels import EXPRESSION_WORDS
from openfer.workers import available_cores, in_threads

Answer = Mapping[str, float] | None
"""Probabilities by expression of the largest face; None where no face is found."""

Ask = Callable[[Path], Answer]


def openfer_model(name: str) -> tuple[Ask, float]:
    """Return what asks a model of openfer, and the megabytes of its file."""
    model = load(name)

    def ask(path: Path) -> Answer:
        faces = model.faces(read_image(path).pixels)
        return dict(zip(faces[0].classes, faces[0].probabilities.tolist(), strict=True)) if faces else None

    return ask, model.path.stat().st_size / 1e6


def fer_package(_: str) -> tuple[Ask, float]:
    """Return what asks the package ``fer``, and the megabytes of its weights."""
    import fer
    from fer.fer import FER

    detector = FER()

    def ask(path: Path) -> Answer:
        found = detector.detect_emotions(np.ascontiguousarray(read_image(path).pixels[..., ::-1]))
        if not found:
            return None
        largest = max(found, key=lambda face: face["box"][2] * face["box"][3])
        return {EXPRESSION_WORDS[word]: value for word, value in largest["emotions"].items()}

    weights = Path(fer.__file__).parent / "data/emotion_model_quantized.tflite"
    return ask, weights.stat().st_size / 1e6


FOREIGN = {"fer": fer_package}
ONE_THREAD = {"fer"}
"""Packages whose models serve one thread at a time."""


def measure(name: str, files: list[Path], true: list[str]) -> dict[str, object]:
    """Ask one model about all photographs."""
    start = time.perf_counter()
    ask, megabytes = FOREIGN.get(name, openfer_model)(name)
    ask(files[0])
    first = time.perf_counter() - start
    start = time.perf_counter()
    answers = list(in_threads(ask, files, 1 if name in ONE_THREAD else available_cores()))
    seconds = time.perf_counter() - start
    known = sorted(set(true))
    right = sum(_best(answer, known) == label for answer, label in zip(answers, true, strict=True))
    interval = binomtest(right, len(true)).proportion_ci(method="wilson")
    free = sum(_best(answer, answer or ()) == label for answer, label in zip(answers, true, strict=True))
    return {
        "model": name,
        "n": len(true),
        "no face": sum(answer is None for answer in answers),
        "accuracy": round(100 * right / len(true), 1),
        "95 %": f"{100 * interval.low:.1f} to {100 * interval.high:.1f}",
        "of all its classes": round(100 * free / len(true), 1),
        "images/s": round(len(files) / seconds, 1),
        "first s": round(first, 2),
        "MB": round(megabytes, 2),
    }


def _best(answer: Answer, names: Iterable[str]) -> str | None:
    """Return the most probable of some expressions."""
    return None if answer is None else max(names, key=lambda name: answer.get(name, 0.0))


def _measured(models: list[str], files: list[Path], true: list[str]) -> Iterator[dict[str, object]]:
    for name in models:
        if name in FOREIGN and importlib.util.find_spec(name) is None:
            print(f"{name} is not installed and left out")
            continue
        yield measure(name, files, true)


def main() -> None:
    """Measure all models and print them as one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", default=["geometry"])
    arguments = parser.parse_args()
    labels = pd.read_csv(arguments.folder / "labels.csv")
    words = dict(EXPRESSION_WORDS) | {"smiling": "happiness"}
    true = [words[word] for word in labels["expression"]]
    files = [arguments.folder / name for name in labels["file"]]
    print(pd.DataFrame(list(_measured(arguments.models, files, true))).to_string(index=False))


if __name__ == "__main__":
    main()
