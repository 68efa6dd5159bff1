"""Units of a pipeline: the nodes of one run, of one dataset or of one table, which belong on one machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from openfer.runners.claims import claim_of
from openfer.runners.work import Work
from openfer.runs.tags import slug_of


@dataclass(frozen=True)
class Unit:
    """Nodes of one namespace, in their order.

    Attributes:
        name: the namespace.
        nodes: at least one.
    """

    name: str
    nodes: tuple[Node, ...]

    @property
    def slug(self) -> str | None:
        """The run that the nodes belong to; None for those of data, tables and reports."""
        return slug_of(self.nodes[0].tags)

    def is_done(self, catalog: CatalogProtocol) -> bool:
        """Return whether every node is up to date."""
        return all(Work(node, catalog).is_done() for node in self.nodes)


def units_of(pipeline: Pipeline) -> dict[str, Unit]:
    """Return the units of a pipeline by name, in the order of their first nodes."""
    nodes: dict[str, list[Node]] = {}
    for node in pipeline.nodes:
        nodes.setdefault(claim_of(node), []).append(node)
    return {name: Unit(name, tuple(own)) for name, own in nodes.items()}


def order_of(units: Mapping[str, Unit]) -> TopologicalSorter[str]:
    """Return which units are ready, once those are done that make their inputs."""
    makers = {output: unit.name for unit in units.values() for node in unit.nodes for output in node.outputs}
    needed = {
        unit.name: {makers[name] for node in unit.nodes for name in node.inputs if name in makers} - {unit.name}
        for unit in units.values()
    }
    sorter = TopologicalSorter(needed)
    sorter.prepare()
    return sorter
