"""`pip install openfer` alone: its packages suffice to predict, and whatever needs more names the extra to install."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BASE = [canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]]

PREDICT = """
import json, sys
import openfer
assert not {"numpy", "onnxruntime", "PIL"} & set(sys.modules), "import openfer is not light"
from openfer.console import openfer as program
program(["predict", "photo.png", "--output", "faces.csv", "--annotated", "drawn"], standalone_mode=False)
import numpy as np
from importlib.metadata import packages_distributions
from PIL import Image
from openfer import load
pixels = np.asarray(Image.open("photo.png"))
names = packages_distributions()
used = sorted({name for module in list(sys.modules) for name in names.get(module.partition(".")[0], [])})
print(json.dumps({"expression": load("geometry").predict([pixels])[0][0].expression, "used": used}))
"""

REFUSED = """
import json, os
os.environ["MLFLOW_TRACKING_URI"] = "sqlite:///runs.db"
from openfer.console import openfer
from openfer.errors import ParameterError
said = []
for command in (
    "serve --port 0", "page --output page", "export addl-s0-f0-3fa92c",
    "predict photo.png --model models:/addl/1", "predict photo.png --output faces.parquet",
):
    try:
        openfer(command.split(), standalone_mode=False)
    except ParameterError as error:
        said.append(str(error))
print(json.dumps(said))
"""

KEDRO = """
import sys
from kedro.framework.cli import main
sys.argv = ["kedro", "runs", "list"]
main()
"""


def installed(folder: Path, names: Sequence[str]) -> Path:
    """Make a folder of packages, as pip leaves it: openfer, and links to packages with what they bring."""
    folder.mkdir()
    for own in ("openfer", "openfer_faces"):
        (folder / own).symlink_to(ROOT / "src" / own)
    for name in _with_what_they_bring(names):
        found = metadata.distribution(name)
        for file in found.files or []:
            whole = Path(str(found.locate_file(file.parts[0]))).is_file() or _has_code(found, file.parts[0])
            part = Path(*file.parts[: 1 if whole else 2])
            if ".." not in file.parts and not (folder / part).exists():
                (folder / part).parent.mkdir(exist_ok=True)
                (folder / part).symlink_to(str(found.locate_file(part)))
    return folder


def _has_code(found: metadata.Distribution, top: str) -> bool:
    return Path(str(found.locate_file(f"{top}/__init__.py"))).is_file()


def _with_what_they_bring(names: Sequence[str]) -> set[str]:
    waiting, found = list(names), set[str]()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found.add(name)
            needs = [Requirement(need) for need in metadata.requires(name) or []]
            waiting += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return found


def run(packages: Path, program: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program that finds these packages and no others."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    words = [sys.executable, "-S", "-c", program]
    environment |= {"PYTHONPATH": str(packages)}
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("small") / "packages", BASE)


@pytest.fixture
def photo(photographs: list[np.ndarray], tmp_path: Path) -> Path:
    Image.fromarray(photographs[0]).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_prediction_needs_each_package_of_the_small_installation_and_no_other(small: Path, photo: Path) -> None:
    done = run(small, PREDICT, photo.parent)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert set(BASE) - {canonicalize_name(name) for name in said["used"]} == set()
    assert f",{said['expression']}," in (photo.parent / "faces.csv").read_text()
    assert (photo.parent / "drawn/photo.png").is_file()


def test_what_the_small_installation_lacks_is_named_with_what_to_install(small: Path, photo: Path) -> None:
    done = run(small, REFUSED, photo.parent)
    assert done.returncode == 0, done.stderr[-3000:]
    serve, page, export, model, table = json.loads(done.stdout.splitlines()[-1])
    for said, user, package, extra in (
        (serve, "openfer serve", "uvicorn", "'openfer[serve]'`"),
        (page, "openfer page", "onnx", "'openfer[page]'`"),
        (export, "openfer export", "kedro", "'openfer[export]'`"),
        (model, "the model models:/addl/1", "mlflow", "'openfer[train]'`, or give the path of an .onnx file"),
    ):
        assert said == f"{user} needs the package {package}, which is not installed; run `pip install {extra}"
    assert table == (
        "the output faces.parquet needs the package pyarrow, which is not installed; run `pip install pyarrow`, or use "
        ".csv"
    )
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]


@pytest.mark.parametrize(
    ("extra", "program"),
    [
        ("serve", "import uvicorn; from openfer.inference.serve.app import create_app; create_app(openfer.load())"),
        ("page", "from openfer.inference.page.writer import write_page; write_page(openfer.load(), Path('page'))"),
    ],
)
def test_an_extra_suffices_for_its_command(extra: str, program: str, tmp_path: Path) -> None:
    names = [Requirement(line).name for line in PROJECT["optional-dependencies"][extra]]
    packages = installed(tmp_path / "packages", [*BASE, *names])
    done = run(packages, f"import openfer; from pathlib import Path; {program}", tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]


def test_kedro_without_the_extra_for_training_names_it(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "pyproject.toml").symlink_to(ROOT / "pyproject.toml")
    packages = installed(tmp_path / "packages", [*BASE, "kedro"])
    done = run(packages, KEDRO, tmp_path)
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith("Error: ParameterError: this command needs the package pandas, which is not installed; run")
    assert "`pip install 'openfer[train]'`" in said
