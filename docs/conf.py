"""Settings of Sphinx: `make docs` writes the site."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

project = "openfer"
author = "the authors of openfer"
copyright = "Apache-2.0"  # what the foot of each page says
language = "en"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "tools.documentation.mathml",
    "tools.documentation.directives",
]
exclude_patterns = ["tables.yml", "deviations.yml"]
nitpicky = False

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
html_math_renderer = "mathml"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_use_ivar = True  # an attribute that a docstring lists is not described a second time

html_theme = "furo"
html_title = "openfer"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_search_summary = False  # it is fetched, which a page opened as a file may not do
