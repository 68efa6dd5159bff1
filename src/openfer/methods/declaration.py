"""What a method is, declared beside its settings; readable without torch."""

import copy
import difflib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openfer.errors import ParameterError
from openfer.parameters import Settings
from openfer.registry import Registry

if TYPE_CHECKING:
    from openfer.methods.contract import Method

Names = tuple[str, ...] | Callable[[Any], tuple[str, ...]]
"""Names that are the same for all settings, or a function that reads them from the settings."""


@dataclass(frozen=True)
class Declaration:
    """What is known of a method before its network is built.

    Attributes:
        name: the method's name in registry, parameters and pipelines; the name of the module that declares it.
        settings: the pydantic model of its parameters. Its defaults are the paper's.
        network: imports torch and returns the :class:`~openfer.methods.contract.Method`; see :func:`network_at`.
        variants: the rows of the paper's table by name, each with the settings that differ from the defaults. Empty
            for a method with one row, its defaults.
        recipes: further variants, which train the same network in another way: by name the parameters of a run that are
            laid over its own. All else stays, which lets ``variant`` name them like rows.
        tasks: what it learns from labels; tasks that the data does not label are left out. A method that learns from
            images alone has none. Read them by :meth:`tasks_of`.
        prerequisites: names of the methods whose trained models it is given. It neither changes nor saves them; each
            is also the name of a sub-module, which
            :meth:`~openfer.methods.contract.Method.load_prerequisites` fills. Read them by :meth:`prerequisites_of`.
        initialised_from: the prerequisite whose weights its own networks start from, and which fills no sub-module.
        extras: inputs beside the image, keys of :data:`openfer.methods.contract.EXTRA_SHAPES`.
        looks_at_pixels: whether it reads the image. If not, images are not decoded, and there is no Grad-CAM.
        regression_targets: continuous labels that it learns, columns of rows such as ``valence``. The epoch with the
            best agreement on validation is then its ``best_val``.
        supports_sample_weights: whether losses that read labels multiply each sample by its weight.
        supports_soft_labels: whether its losses compare predictions with probabilities of classes as well as with a
            class, as a cross-entropy can.
        fine_tunes: returns whether settings are those of fine-tuning, which needs an initialisation.
        needs_images: returns why maps of frozen layers cannot take the place of images with these settings, in words;
            empty if they can.
        input_side: height and width of the paper's images in pixels.
        variant_of: returns the name in tables of a configuration; see :meth:`variant_name`.
    """

    name: str
    settings: type[Settings]
    network: Callable[[], type["Method"]]
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    recipes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tasks: Names = ("expression",)
    prerequisites: Names = ()
    initialised_from: str | None = None
    extras: tuple[str, ...] = ()
    looks_at_pixels: bool = True
    regression_targets: tuple[str, ...] = ()
    supports_sample_weights: bool = False
    supports_soft_labels: bool = False
    fine_tunes: Callable[[Any], bool] = lambda settings: False
    needs_images: Callable[[Any], str] = lambda settings: ""
    input_side: int = 224
    variant_of: Callable[[Any], str] | None = None

    def tasks_of(self, settings: Settings) -> tuple[str, ...]:
        """Return what the method learns from labels with these settings."""
        return self.tasks(settings) if callable(self.tasks) else self.tasks

    def prerequisites_of(self, settings: Settings) -> tuple[str, ...]:
        """Return the names of the methods whose trained models these settings require, in the order of training."""
        return self.prerequisites(settings) if callable(self.prerequisites) else self.prerequisites

    def variant_name(self, settings: Settings) -> str:
        """Return the name in tables of these settings: one of :attr:`variants`, or a name of their own.

        It is the method's name for a method that does not name its configurations.
        """
        return self.name if self.variant_of is None else self.variant_of(settings)

    def refuse_soft_labels(self, votes: bool, smoothing: float) -> None:
        """Refuse probabilities of classes in the place of classes if the method's losses do not read them.

        Args:
            votes: whether it is to learn from shares of votes.
            smoothing: of its labels.

        Raises:
            ParameterError: if they do not, and it is to learn from any.
        """
        if self.supports_soft_labels or not (votes or smoothing):
            return
        asked, remedy = ("training.labels is votes", "class") if votes else (f"label_smoothing is {smoothing}", "0")
        raise ParameterError(
            f"{asked}, but the losses of {self.name} compare with one class for each face: set it to {remedy}"
        )

    def with_variant(self, variant: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy of settings in which a variant overrides whatever makes the variants different.

        A setting that other rows change and this one does not goes back to its default. All else stays.

        Args:
            variant: one of :attr:`variants` or :attr:`recipes`.
            settings: plain and not yet validated, as YAML gives them.

        Raises:
            ParameterError: if the method has no such variant.
        """
        if not self.variants:
            raise ParameterError(
                f"variant is {variant!r}, but {self.name} has one row only, its settings; leave variant null"
            )
        named = dict(self.variants) | {name: recipe["settings"] for name, recipe in self.recipes.items()}
        if variant not in named:
            nearest = difflib.get_close_matches(variant, named, n=len(named), cutoff=0.0)
            raise ParameterError(
                f"variant is {variant!r}, which {self.name} does not have; its rows are, the nearest first: "
                f"{', '.join(nearest)}"
            )
        defaults = self.settings().model_dump()
        switches = {path: _at(defaults, path) for row in self.variants.values() for path, _ in _leaves(row)}
        merged = copy.deepcopy(dict(settings))
        for path, value in (switches | dict(_leaves(named[variant]))).items():
            _put(merged, path, value)
        return merged


METHODS: Registry[Declaration] = Registry("openfer.methods.declared", "METHOD", "method")
"""The registered methods: one file of ``methods/declared`` each."""


def network_at(place: str) -> Callable[[], type["Method"]]:
    """Return a function that imports a method's class, so that a declaration does not import torch.

    Args:
        place: module and class, such as ``openfer.methods.addl:ADDL``.
    """

    def network() -> type["Method"]:
        found: type[Method] = pkgutil.resolve_name(place)
        return found

    return network


def _leaves(settings: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _at(settings: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    for key in path:
        settings = settings[key]
    return settings


def _put(settings: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    *above, last = path
    for key in above:
        inner = settings.setdefault(key, {})
        if not isinstance(inner, dict):
            return  # a value in the place of a block; validation refuses it
        settings = inner
    settings[last] = value
