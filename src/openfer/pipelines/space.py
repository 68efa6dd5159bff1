"""Nodes of one Kedro namespace, which Kedro-Viz shows as one box."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import node
from kedro.pipeline.node import Node


class Space:
    """Makes the nodes of a namespace, and names its datasets.

    Args:
        name: of the namespace.
        *tags: of all its nodes.
    """

    def __init__(self, name: str, *tags: str) -> None:
        self.name, self._tags = name, tags

    def __call__(self, function: Callable[..., Any], inputs: Any, outputs: Any, name: str, *tags: str) -> Node:
        """Return a node.

        Args:
            function: of the node.
            inputs: names of datasets, as Kedro takes them.
            outputs: likewise.
            name: of the node, without the namespace.
            *tags: beside those of the namespace.
        """
        return node(function, inputs, outputs, name=name, namespace=self.name, tags=(*self._tags, *tags))

    def own(self, name: str) -> str:
        """Return the full name of a dataset of the namespace."""
        return f"{self.name}.{name}"
