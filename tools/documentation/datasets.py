"""The licensed datasets in Markdown: where to get each, its layout, its parameters and its commands."""

import inspect
import re
from pathlib import Path

from tools.documentation.models import anchor

from openfer.datasets.registry import READERS

_OWN = "folder"
"""The reader of one's own data, which is no licensed dataset."""


def pages(folder: Path) -> str:
    """Return a section for each licensed dataset.

    Args:
        folder: with the parameter file of each.
    """
    return "\n\n".join(_section(name, folder / f"{name}.yml") for name in READERS if name != _OWN)


def _section(name: str, parameters: Path) -> str:
    reader = READERS[name]
    about = reader.about
    layout = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", inspect.getdoc(reader) or "").replace("``", "`")
    return (
        f"## {about.title}\n\n- **Where to get it**: {about.access}\n- **Licence**: {about.licence}\n"
        f"- **Paper**: {about.citation}\n\n{layout}\n\n"
        f"`{parameters.name}` and the [options](#{anchor(reader.options_class)}):\n\n"
        f"```yaml\n{parameters.read_text(encoding='utf-8').strip()}\n```\n\n"
        f"```bash\nkedro run --pipelines doctor --params dataset={name}\n"
        f"kedro run --pipelines ingest --params dataset={name}\n"
        f"kedro run --pipelines {_METHODS.get(name, _METHOD.format(name))}\n```"
    )


_METHOD = 'baseline --params "baseline.datasets=[{}]"'
_METHODS = {
    "fed_ro": 'baseline --params "baseline.datasets=[raf_db],baseline.test_datasets=[fed_ro]"',
    "multi_pie": 'dfem --params "dfem.datasets=[multi_pie]"',
    "celeba": "pretrain --params pretrain.settings.learns=attributes,pretrain.settings.attributes=celeba",
}
