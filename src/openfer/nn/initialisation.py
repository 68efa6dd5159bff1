"""Loading pretrained weights into a backbone, with a report of what matched."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from openfer.errors import CheckpointError
from openfer.io.atomic import sha256_of
from openfer.io.checkpoint import Checkpoint
from openfer.nn.initialisation_settings import NONE, PRETRAIN, InitialisationSettings, KeyFilter
from openfer.nn.trunks import ARCHITECTURES, TRUNKS
from openfer.nn.weights_file import read_weights

_log = logging.getLogger(__name__)

_PREFIXES = (
    *("module.", "model.", "net.", "backbone.", "encoder.", "shared.", "trunk.", "network."),
    *("_orig_mod.", "ema_model.", "state_dict."),
)
_CLASSIFIERS = ("fc.", "fc_1.", "fc_2.", "heads.", "layer5.")
_TRUNK = "trunk."
"""Prefix of what a checkpoint of the pretraining holds of its backbone."""

_SHOWN = 5
_KIN = 0.9
"""Smallest share of a backbone's tensors that its own architecture has; ECA's ResNet-18 shares 93 % with the plain one,
ResNet-50 shares 77 %, mostly of normalisations."""


@runtime_checkable
class Renaming(Protocol):
    """A backbone whose published weights have other names than its own."""

    def own_name(self, published: str) -> str:
        """Return what the tensor of a published name is called here; any other name as it is."""
        ...


@runtime_checkable
class Extended(Protocol):
    """A backbone with parts that its published weights do not have."""

    def is_new(self, name: str) -> bool:
        """Return whether a tensor is of such a part; it is then neither required nor counted."""
        ...


@runtime_checkable
class Demanding(Protocol):
    """A backbone with parts that weights must fill, whatever share of the others they fill."""

    def is_required(self, name: str) -> bool:
        """Return whether a tensor is of such a part."""
        ...


@dataclass(frozen=True)
class MatchReport:
    """What pretrained weights filled of a backbone.

    Attributes:
        source: the file, what the pretraining was, or ``none``.
        sha256: the file's hash; None without a file.
        matched: number of the backbone's tensors that were filled.
        total: number of the backbone's tensors.
        unmatched: tensors of the backbone that kept their random values.
        unexpected: tensors of the source that the backbone has no place for.
        licences: terms of the weights and, where known, of what they were learned from; none for random ones.
        origin: where the weights come from, in words.
        facts: what the source says of its making; nothing, where another program made it.
    """

    source: str
    sha256: str | None
    matched: int
    total: int
    unmatched: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    origin: str = "random weights"
    facts: Mapping[str, Any] = field(default_factory=dict)

    def describe(self) -> str:
        """Return one line for logs, reports and model cards."""
        if self.source == "none":
            return "random weights"
        unused = f", {len(self.unexpected)} of its tensors unused" if self.unexpected else ""
        if self.sha256 is None:
            return f"{self.matched} of {self.total} tensors from {self.source}{unused}"
        return f"{self.matched} of {self.total} tensors from {Path(self.source).name} (SHA-256 {self.sha256}){unused}"


def initialise(
    backbone: nn.Module, settings: InitialisationSettings, pretrained: Checkpoint | None = None
) -> MatchReport:
    """Fill a backbone from a weights file or from a pretraining; ``none`` leaves its random weights.

    Prefixes such as ``module.`` and nested dicts such as ``{"state_dict": ...}`` are understood, names are
    translated where the backbone says how (:class:`Renaming`), and classifiers are passed over. A tensor of
    another shape does not match. Counters of batches that old files lack (``num_batches_tracked``) are neither
    required nor counted.

    Args:
        backbone: such as :class:`openfer.nn.resnet.ResNet18Trunk`, whose keys are torchvision's.
        settings: which file, and how much of the backbone it must fill.
        pretrained: the model of the pretraining, or of another run of the same method, where the settings ask for it.

    Returns:
        What matched; a backbone that is filled in part is warned of, with the tensors that were not.

    Raises:
        CheckpointError: if the file is missing, damaged, holds more than tensors or has another hash, the manifest
            says that it is of another architecture, the weights match too little or lack a part that the backbone
            requires, or a value of theirs is not finite; the backbone is then unchanged.
    """
    known = backbone.state_dict()
    is_new = backbone.is_new if isinstance(backbone, Extended) else _never
    own = {n: value for n, value in known.items() if not n.endswith("num_batches_tracked") and not is_new(n)}
    if settings.is_random:
        return MatchReport(NONE, None, 0, len(own), tuple(own))
    _refuse_another_architecture(own, settings)
    source, weights = _source(settings, pretrained)
    own_name = backbone.own_name if isinstance(backbone, Renaming) else str
    given = {own_name(_plain(name)): tensor for name, tensor in weights.tensors.items()}
    fitting = {n: given[n] for n, value in known.items() if n in given and given[n].shape == value.shape}
    matching = [name for name in own if name in fitting]
    unmatched = tuple(name for name in own if name not in fitting)
    unexpected = tuple(name for name in given if name not in known and not name.startswith(_CLASSIFIERS))
    too_few = len(matching) < settings.minimum_match * len(own)
    _refuse_not_finite(given if too_few else fitting, source)
    if too_few:
        raise CheckpointError(
            f"{source} fills {len(matching)} of {len(own)} tensors of the backbone "
            f"({len(matching) / len(own):.0%}, at least {settings.minimum_match:.0%} asked for); not in it or of "
            f"another shape: {', '.join(unmatched[:_SHOWN])}; in it and not understood: "
            f"{', '.join(unexpected[:_SHOWN]) or 'none'}. {_remedy(own, settings)}"
        )
    if isinstance(backbone, Demanding) and any(map(backbone.is_required, unmatched)):
        lacking = [name for name in unmatched if backbone.is_required(name)]
        raise CheckpointError(
            f"{source} does not fill {', '.join(lacking[:_SHOWN])}, which these settings keep: it has none, or one of "
            "other classes. Give weights of a method with the same classes, or let the parts be new"
        )
    if unmatched:
        _log.warning(
            "%s fills %d of %d tensors of the backbone; these keep their random values: %s",
            source, len(matching), len(own), ", ".join(unmatched),
        )  # fmt: skip
    if unexpected:
        _log.warning(
            "%s holds %d tensors that this backbone has no place for, such as %s",
            source, len(unexpected), ", ".join(unexpected[:_SHOWN]),
        )  # fmt: skip
    with torch.no_grad():
        for name, tensor in fitting.items():
            known[name].copy_(tensor)
    sha256 = None if settings.file is None else sha256_of(settings.file)
    licences, origin = _provenance(source, settings, weights.facts)
    return MatchReport(
        source, sha256, len(matching), len(own), unmatched, unexpected, licences, origin, weights.facts
    )  # fmt: skip


def _never(name: str) -> bool:
    return False


def _source(settings: InitialisationSettings, pretrained: Checkpoint | None) -> tuple[str, Checkpoint]:
    """Return the name of the weights, and the weights."""
    if pretrained is None:
        return settings.backbone, _of_file(settings)
    facts, config = pretrained.facts, pretrained.facts["config"]
    data = f"{', '.join(facts['datasets'])} {facts['data_version']}, {facts['selection']}"
    if settings.backbone != PRETRAIN:
        return f"{facts['variant']} ({data})", pretrained
    learned = f"{config['learns']}, {data}"
    trunk = {name: tensor for name, tensor in pretrained.tensors.items() if name.startswith(_TRUNK)}
    return f"{PRETRAIN}'s {config['backbone']} ({learned})", Checkpoint(trunk, facts)


def _of_file(settings: InitialisationSettings) -> Checkpoint:
    settings.refuse_missing_file()
    assert settings.file is not None
    if settings.entry is None:
        return read_weights(settings.file, settings.sha256)
    weights = read_weights(settings.file, settings.sha256 or settings.entry.sha256)
    tensors = _filtered(weights.tensors, settings.entry.keys, settings.backbone)
    return Checkpoint(_reading_red_first(tensors) if settings.entry.channels == "bgr" else tensors, weights.facts)


def _reading_red_first(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn the layers that look at an image, which are those of three channels, round."""
    return {name: value.flip(1) if _looks_at_images(value) else value for name, value in tensors.items()}


def _looks_at_images(weights: Tensor) -> bool:
    return weights.ndim == 4 and weights.shape[1] == 3


def _filtered(tensors: Mapping[str, Tensor], keys: KeyFilter, source: str) -> dict[str, Tensor]:
    taken = {name.removeprefix(keys.strip): value for name, value in tensors.items() if name.startswith(keys.take)}
    if not taken:
        raise CheckpointError(
            f"{source} holds {len(tensors)} tensors, and none has a name that begins with {keys.take!r}, as keys.take "
            f"of weights.yml asks; the first are {', '.join([*tensors][:_SHOWN])}: it is another file, or the filter "
            "is wrong"
        )
    return taken


def _provenance(source: str, settings: InitialisationSettings, facts: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """Return the licences and the origin of weights; of our own models the data's terms are handed on."""
    if settings.entry is not None:
        return (settings.entry.licence,), settings.entry.origin
    handed_on = (*facts.get("licences_of_data", ()), *facts.get("licences_of_weights", ()))
    return tuple(sorted(set(handed_on))) or ("not stated",), Path(source).name if settings.file else source


def _refuse_another_architecture(own: Mapping[str, Tensor], settings: InitialisationSettings) -> None:
    """Compare a manifest's word with the backbone, before anyone looks for the file."""
    if settings.entry is None:
        return
    said = settings.entry.architecture
    if said not in ARCHITECTURES:
        raise CheckpointError(
            f"weights.yml says that {settings.backbone} is a {said}; the architectures are {', '.join(ARCHITECTURES)}"
        )
    with torch.device("meta"):
        shares = {name: _share(build(), own) for name, build in ARCHITECTURES.items()}
    if shares[said] < _KIN:
        fits = [name for name, share in shares.items() if share >= _KIN]
        raise CheckpointError(
            f"{settings.backbone} is a {said}, which has {shares[said]:.0%} of this backbone's tensors; "
            + (f"what fits is {' or '.join(fits)}: " if fits else "no weights of weights.yml can fit: ")
            + f"give an entry of that architecture, {NONE}, or the path of a file of your own"
        )


def _remedy(own: Mapping[str, Tensor], settings: InitialisationSettings) -> str:
    if settings.backbone != PRETRAIN:
        return "Give weights of this backbone, or lower minimum_match"
    fits = [name for name, trunk in TRUNKS.items() if _share(trunk.build(), own) >= settings.minimum_match]
    if not fits:
        return f"None of pretrain's backbones fits ({', '.join(TRUNKS)}): give the path of a weights file, or none"
    return f"What fits is {' or '.join(fits)}: set pretrain.settings.backbone to it, or lower minimum_match"


def _share(trunk: nn.Module, own: Mapping[str, Tensor]) -> float:
    given = trunk.state_dict()
    return sum(name in given and given[name].shape == value.shape for name, value in own.items()) / len(own)


def _refuse_not_finite(tensors: Mapping[str, Tensor], source: str) -> None:
    wrong = {name: int((~torch.isfinite(value)).sum()) for name, value in tensors.items() if value.is_floating_point()}
    wrong = {name: count for name, count in wrong.items() if count}
    if wrong:
        name, count = next(iter(wrong.items()))
        raise CheckpointError(
            f"{source} holds values that are infinite or no numbers: {count} of the {tensors[name].numel()} values of "
            f"{name}{f', and some of {len(wrong) - 1} further tensors' if len(wrong) > 1 else ''}. A network with them "
            "predicts by chance: fetch the file again, or save it again in float32"
        )


def _plain(name: str) -> str:
    """Remove wrappers' prefixes, however many."""
    while prefix := next((prefix for prefix in _PREFIXES if name.startswith(prefix)), ""):
        name = name.removeprefix(prefix)
    return name
