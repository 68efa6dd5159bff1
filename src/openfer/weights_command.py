"""`kedro weights`: tensors out of weights files that hold more than tensors."""

import subprocess
import sys
from pathlib import Path

import click

from openfer.errors import CheckpointError


@click.group()
def weights() -> None:
    """Prepare files of weights."""


@weights.command("convert")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path, resolve_path=True))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path, resolve_path=True))
def convert(source: Path, target: Path) -> None:
    """Write the tensors of SOURCE, a PyTorch file, into TARGET, a safetensors file.

    Numbers of NumPy, arguments of a command line and the like are left behind. Any other Python object is refused.
    The file is read in a separate process.
    """
    if target.suffix != ".safetensors":
        raise CheckpointError(f"the target is {target}; give a name that ends in .safetensors")
    words = [sys.executable, "-m", "openfer.nn.convert_weights", str(source), str(target)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        last = next(iter(done.stderr.strip().splitlines()[-1:]), f"it ended with status {done.returncode}")
        raise CheckpointError(last)
    click.echo(f"Wrote the {done.stdout.strip()} tensors of {source} to {target}.")
