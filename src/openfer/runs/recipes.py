"""Parameters laid over each other, and what a method changes on a dataset: its recipe."""

from collections.abc import Iterable, Mapping
from typing import Any

from openfer.errors import ParameterError, did_you_mean

BY_DATASET = "by_dataset"
"""The key of a method's block that holds a recipe for each dataset by name: parameters that differ there."""


def laid_over(below: Any, *above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested maps; any other value overrides what was there."""
    merged = dict(below)
    for layer in above:
        for key, value in layer.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
            merged[key] = laid_over(merged[key], value) if both else value
    return merged


def with_overrides(parameters: Mapping[str, Any], *overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Lay what a user sets over the recipes, too: a recipe overrides the files it comes with, and nothing else.

    Args:
        parameters: by top-level name, the overrides among them.
        *overrides: of the user's own files and the command line, the strongest last.
    """
    return {name: _overridden(block, [layer.get(name) for layer in overrides]) for name, block in parameters.items()}


def with_recipe(block: Mapping[str, Any], datasets: Iterable[str] | None) -> dict[str, Any]:
    """Return a method's parameters on its training datasets.

    Args:
        block: of the method.
        datasets: the first one that the block has a recipe for decides. They are not checked yet: anything may stand
            there, and what is no name has no recipe.
    """
    recipes = block.get(BY_DATASET) or {}
    plain = {key: value for key, value in block.items() if key != BY_DATASET}
    first = next((name for name in datasets or () if isinstance(name, str) and name in recipes), None)
    return plain if first is None else laid_over(plain, recipes[first])


def check_recipes(method: str, block: Any, known: Iterable[str]) -> None:
    """Refuse a recipe of a dataset that is not described, and one that is no map.

    Raises:
        ParameterError: if there is one.
    """
    recipes = block.get(BY_DATASET) if isinstance(block, Mapping) else None
    if recipes is None:
        return
    known = tuple(known)
    if not isinstance(recipes, Mapping):
        raise ParameterError(
            f"{method}.{BY_DATASET} is {recipes!r}; give parameters by dataset, such as "
            "{raf_db: {settings: {schedule: {batch_size: 16}}}}"
        )
    for name, recipe in recipes.items():
        if name not in known:
            raise ParameterError(
                f"{method}.{BY_DATASET} names {name!r}, which is not described; "
                f"{did_you_mean(str(name), known, 'the datasets are')} {', '.join(known)}"
            )
        if not isinstance(recipe, Mapping):
            raise ParameterError(
                f"{method}.{BY_DATASET}.{name} is {recipe!r}; give parameters of {method}, such as "
                "{settings: {schedule: {batch_size: 16}}}"
            )


def _overridden(block: Any, own: Iterable[Any]) -> Any:
    if not isinstance(block, Mapping) or not isinstance(block.get(BY_DATASET), Mapping):
        return block
    layers: list[tuple[dict[str, Any], Mapping[str, Any]]] = []
    for layer in own:
        if isinstance(layer, Mapping):
            recipes = layer.get(BY_DATASET)
            plain = {key: value for key, value in layer.items() if key != BY_DATASET}
            layers.append((plain, recipes if isinstance(recipes, Mapping) else {}))
    recipes = {
        name: laid_over(recipe, *(part for plain, of in layers for part in (plain, of.get(name) or {})))
        if isinstance(recipe, Mapping)
        else recipe
        for name, recipe in block[BY_DATASET].items()
    }
    return {**block, BY_DATASET: recipes}
