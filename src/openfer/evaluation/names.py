"""What runs are called, in one place and apart from how they predict: another name makes no model stale."""

_SPELLED = {
    "baseline": "Baseline",
    "manet": "MA-Net",
    "two_scale": "Two-scale",
    "sna_autoencoder": "SNA-autoencoder",
    "sna_generator": "SNA-generator",
    "pretrain": "Pretraining",
}
"""Methods that are no acronyms, as papers write them."""


def run_name(method: str, variant: str) -> str:
    """Return how a run is called in tables and sentences.

    That is its variant, preceded by the method where the variant does not begin with it. Most methods are
    acronyms, written in capitals: ``ADDL``, ``FDRL-ECA_without_eca``, but ``Baseline_mat`` and ``MA-Net``.
    """
    spelling = _SPELLED.get(method, method.upper().replace("_", "-"))
    if variant.lower().startswith(method.lower()):
        return spelling + variant[len(method) :]
    return f"{spelling} {variant}".strip()
