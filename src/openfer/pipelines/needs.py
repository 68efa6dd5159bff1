"""Which trained models and which extras each method is given, readable without torch; the classes say the same."""

from collections.abc import Mapping

from openfer.training.mask_settings import GENERATOR, GENERATOR_NEEDS

NEEDS: Mapping[str, tuple[str, ...]] = {"addl": ("dfem",), "addl_va": ("dfem", "addl"), GENERATOR: GENERATOR_NEEDS}
"""Names of the runs whose main model a method is given, in the order of ``Method.needs``; others need none."""

EXTRAS: Mapping[str, tuple[str, ...]] = {"oadn": ("landmarks",)}
"""What a method sees beside each face, as ``Method.extras`` says; others see the face alone."""
