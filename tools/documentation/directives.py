"""Directives that put what the project knows of itself into pages, so that no page repeats it by hand."""

import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from tools import deviations, tables
from tools.documentation import catalog, commands, datasets, models
from tools.documentation.blocks import every_model, method_model
from tools.documentation.diagram import svg

ROOT = Path(__file__).parents[2]


class _Markdown(SphinxDirective, ABC):
    """Puts the Markdown of :meth:`text` in its place."""

    @abstractmethod
    def text(self) -> str:
        """Return its Markdown."""

    def run(self) -> list[nodes.Node]:
        """Return its content."""
        return self.parse_text_to_nodes(self.text(), allow_section_headings=True)


class Deviations(_Markdown):
    """Deviations from a paper: ``{deviations} ADDL``."""

    required_arguments = 1
    final_argument_whitespace = True

    def text(self) -> str:
        """Return its Markdown."""
        self.env.note_dependency(str(deviations.SOURCE))
        return deviations.table(deviations.read()["deviations"][self.arguments[0]])


class PaperTables(_Markdown):
    """How every table of a paper is made: ``{paper-tables} ADDL``."""

    required_arguments = 1
    final_argument_whitespace = True

    def text(self) -> str:
        """Return its Markdown."""
        self.env.note_dependency(str(tables.SOURCE))
        return tables.table(tables.read()[self.arguments[0]])


class MethodSettings(_Markdown):
    """The settings of a method: ``{method-settings} addl``."""

    required_arguments = 1

    def text(self) -> str:
        """Return its Markdown."""
        return models.table(method_model(self.arguments[0]))


class Parameters(_Markdown):
    """Every block of parameters, and every model within: ``{parameters}``."""

    def text(self) -> str:
        """Return its Markdown."""
        parts: list[str] = []
        for title, found in every_model().items():
            parts.append(f"## {title}")
            for name, model in found.items():
                parts += [f"({models.anchor(model)})=\n### {name}", models.summary(model), models.table(model)]
        return "\n\n".join(parts)


class Commands(_Markdown):
    """Every command with its options: ``{commands}``."""

    def text(self) -> str:
        """Return its Markdown."""
        return commands.pages()


class Catalog(_Markdown):
    """Every entry of the catalog: ``{catalog}``."""

    def text(self) -> str:
        """Return its Markdown."""
        return catalog.pages(ROOT / "conf/base/catalog")


class Datasets(_Markdown):
    """Every licensed dataset: ``{datasets}``."""

    def text(self) -> str:
        """Return its Markdown."""
        return datasets.pages(ROOT / "conf/base/parameters")


class Modules(_Markdown):
    """What each module of a package has, without parameters: ``{modules} openfer.losses``."""

    required_arguments = 1

    def text(self) -> str:
        """Return its Markdown."""
        package = self.arguments[0]
        names = sorted(path.stem for path in (ROOT / "src" / package.replace(".", "/")).glob("[a-z]*.py"))
        lines = (f".. automodule:: {package}.{name}\n   :members:" for name in names if not name.endswith("_settings"))
        return "\n".join(["```{eval-rst}", *lines, "```"])


class Results(SphinxDirective):
    """A section of the results without its heading: ``{results} FDRL-ECANet``."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return its content."""
        source = ROOT / "docs/results.md"
        self.env.note_dependency(str(source))
        title = re.escape(self.arguments[0])
        found = re.search(rf"^## {title}\n(.*?)(?=^#|\Z)", source.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        if found is None:
            raise self.error(f"docs/results.md has no section {self.arguments[0]!r}")
        return self.parse_text_to_nodes(found[1])


class Diagram(SphinxDirective):
    """Boxes and arrows: the title, then the YAML of :func:`~tools.documentation.diagram.svg`."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return its content."""
        return [nodes.raw("", svg("\n".join(self.content), self.arguments[0]), format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    for name, directive in {
        "deviations": Deviations,
        "paper-tables": PaperTables,
        "method-settings": MethodSettings,
        "parameters": Parameters,
        "commands": Commands,
        "catalog": Catalog,
        "datasets": Datasets,
        "modules": Modules,
        "results": Results,
        "diagram": Diagram,
    }.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
