"""Kedro's registry: the packages in `pipelines/`, and the template for every other method."""

import importlib
import pkgutil

from kedro.pipeline import Pipeline

from openfer import pipelines
from openfer.methods.declaration import METHODS
from openfer.pipelines.in_use import compared_methods
from openfer.pipelines.template import method_pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Return all pipelines by name.

    A method needs no package of its own unless it has extra nodes; its pipeline is the template's.
    `__default__` trains the compared methods and puts them beside each other.
    """
    packages = [m.name for m in pkgutil.iter_modules(pipelines.__path__) if m.ispkg]
    named = {name: importlib.import_module(f"{pipelines.__name__}.{name}").create_pipeline() for name in packages}
    named |= {name: method_pipeline(name) for name in METHODS if name not in named}
    compared = sum((named[name] for name in compared_methods()), Pipeline([]))
    return {**named, "__default__": compared + named["evaluation"]}
