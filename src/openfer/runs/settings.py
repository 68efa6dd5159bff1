"""The settings of one run: what is trained on which data, and how. No torch here."""

from typing import Any, Self

from pydantic import Field, SerializeAsAny, ValidationInfo, field_validator, model_validator

from openfer.errors import ParameterError, did_you_mean
from openfer.labels import EXPRESSIONS
from openfer.methods.declaration import METHODS, Declaration
from openfer.methods.schedules import ByDataset, Schedule
from openfer.nn.initialisation_settings import NONE, PRETRAIN, InitialisationSettings
from openfer.parameters import WITHOUT_EFFECT, Settings
from openfer.runs.recipes import laid_over
from openfer.training.config import ImageSettings, TrainingConfig
from openfer.training.mask_settings import GENERATOR, MASKED

OF_WEIGHTS = "weights"
"""The value of ``images.mean`` and ``images.std`` that asks for those of the backbone's weights in the manifest."""


class RunSettings(Settings):
    """The settings of one run.

    A top-level block of parameters, such as ``addl``, holds these with ``seeds`` and ``folds`` in place of one number
    each where several runs are wanted.

    Attributes:
        method: the registered method.
        variant: the name of a row of the paper's table, or of a recipe of the method. Its settings override
            ``settings``, and a recipe's other parameters those of the run; None overrides nothing.
        datasets: the training datasets; each epoch shuffles all of them together.
        test_datasets: further datasets that are only tested. Their files decide the result, their names do not.
        leave_out: expressions whose faces neither train nor test, such as ``contempt`` of AffectNet's eight in papers
            that have seven.
        labels_of: the tasks that a training dataset is learned for, by dataset; a dataset that is not named is learned
            for all. ADDL's DFEM takes identity, pose and light from Multi-PIE, and not its gender and age (Table 5).
        hold_out_validation: False lets validation faces train, too, apart from those of the publisher's own validation
            partition: papers train on all training images. ``selections`` may then be ``last`` and ``oracle_test``, as
            there is no face to choose another epoch by.
        train_faces: the number of faces that train, drawn by the seed of all that would; None for all of them.
        rendered_prerequisites: True lets a run on real faces need models that learned from rendered faces alone, such
            as ADDL's DFEM where no set of real faces labels its factors. The result is then not the paper's.
        fold: the tested fold of datasets with cross-validation; the other folds train.
        seed: root of every random draw.
        fresh: True trains again although nothing changed.
        label_noise: share of the training labels of the first task that are replaced by wrong ones, in [0, 1).
            Labels of validation and test faces stay.
        initialisation: where the backbone's first weights come from.
        images: crop, flip, augmentation and normalisation; ``mean: weights, std: weights`` is that of the weights which
            the backbone starts from, as the manifest states it.
        training: device, precision, selection, checkpoints.
        settings: the method's own settings, checked by its own model.
    """

    method: str
    variant: str | None = Field(None, json_schema_extra=WITHOUT_EFFECT)  # the settings behind the name decide
    datasets: tuple[str, ...] = Field(min_length=1)
    test_datasets: tuple[str, ...] = Field((), json_schema_extra=WITHOUT_EFFECT)
    leave_out: tuple[str, ...] = ()
    labels_of: dict[str, tuple[str, ...]] = {}
    hold_out_validation: bool = True
    train_faces: int | None = Field(None, ge=2)
    rendered_prerequisites: bool = Field(False, json_schema_extra=WITHOUT_EFFECT)  # the prerequisites decide
    fold: int = Field(0, ge=0)
    seed: int = Field(ge=0)
    fresh: bool = Field(False, json_schema_extra=WITHOUT_EFFECT)
    label_noise: float = Field(0.0, ge=0, lt=1)
    initialisation: InitialisationSettings = InitialisationSettings()
    images: ImageSettings
    training: TrainingConfig = TrainingConfig()
    settings: SerializeAsAny[Settings]

    @property
    def declared(self) -> Declaration:
        """What the method is."""
        return METHODS[self.method]

    @property
    def is_masked(self) -> bool:
        """Whether training drops samples by a neighbourhood mask."""
        return self.training.neighbourhood_mask is not None

    @property
    def is_pretrained(self) -> bool:
        """Whether the backbone starts from the weights of the run ``pretrain``."""
        return self.initialisation.backbone == PRETRAIN

    @property
    def start(self) -> str | None:
        """The prerequisite that gives the first weights: ``pretrain`` or the method itself; None for none."""
        return PRETRAIN if self.is_pretrained else None if self.initialisation.column is None else self.method

    @property
    def schedule(self) -> Schedule:
        """The schedule of the method's first stage, which its further stages vary."""
        schedule: Schedule = self.settings.schedule  # type: ignore[attr-defined]  # the settings of every method have one
        return schedule

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that the method learns with these settings; empty for one without labels."""
        return self.declared.tasks_of(self.settings)

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """Names of the methods whose trained models this run needs, in the order in which they train."""
        further = ((GENERATOR,) if self.is_masked else ()) + ((PRETRAIN,) if self.is_pretrained else ())
        return (*self.declared.prerequisites_of(self.settings), *further)

    @property
    def row(self) -> str:
        """The name in tables: the method's variant, with mask, mirror images and label noise if there are any."""
        words = [self.declared.variant_name(self.settings)]
        mask = self.training.neighbourhood_mask
        if mask is not None and self.method != MASKED:
            words.append("mask")
        if mask is not None and mask.words:
            words.append(mask.words)
        if self.training.average_mirrored:
            words.append("mirror-averaged")
        if self.label_noise:
            words.append(f"noise {self.label_noise:.0%}".replace("%", " %"))
        return " ".join(words)

    @model_validator(mode="before")
    @classmethod
    def _normalised_as_the_weights(cls, value: Any) -> Any:
        """Put the manifest's mean and deviation where ``images`` asks for those of the weights."""
        images = value.get("images") if isinstance(value, dict) else None
        if not isinstance(images, dict) or OF_WEIGHTS not in (images.get("mean"), images.get("std")):
            return value
        asked = [key for key in ("mean", "std") if images.get(key) == OF_WEIGHTS]
        initialisation = value.get("initialisation") or {}
        entry = initialisation.get("entry") if isinstance(initialisation, dict) else None
        found = {key: (entry or {}).get(key) for key in asked}
        if None in found.values():
            raise ValueError(
                f"images.{asked[0]} is {OF_WEIGHTS}, but weights.yml states none for the backbone "
                f"{(initialisation or {}).get('backbone', NONE)}; set images.mean and images.std to numbers in [0, 1]"
            )
        return {**value, "images": {**images, **found}}

    @model_validator(mode="before")
    @classmethod
    def _with_the_recipe(cls, value: Any) -> Any:
        """Lay a recipe's parameters of the run over its own; those of the method are laid over with its settings."""
        name = value.get("method") if isinstance(value, dict) else None
        recipe = METHODS[name].recipes.get(value.get("variant")) if isinstance(name, str) and name in METHODS else None
        if recipe is None:
            return value
        plain = {key: own.model_dump() if isinstance(own, Settings) else own for key, own in value.items()}
        return laid_over(plain, {key: own for key, own in recipe.items() if key != "settings"})

    def refuse_random_weights(self) -> None:
        """Refuse random first weights where the paper or the settings want trained ones.

        Raises:
            ParameterError: if the weights are random, and the paper starts from trained ones or the settings fine-tune.
        """
        if self.initialisation.is_random and not self.initialisation.allow_random:
            raise ParameterError(
                f"{self.method}.initialisation.backbone is {NONE}, but its paper starts from trained weights. Give a "
                f"name of weights.yml, a path or {PRETRAIN}, or set {self.method}.initialisation.allow_random=true for "
                "a result that is not the paper's"
            )
        if self.initialisation.is_random and self.declared.fine_tunes(self.settings):
            raise ParameterError(
                f"{self.method} fine-tunes with these settings, but {self.method}.initialisation.backbone is {NONE}; "
                "give the weights of a trained one, or take the settings of a training from scratch"
            )

    def _refuse_freezing(self) -> None:
        last = self.initialisation.frozen_until
        if last == "none":
            return
        if "trunk" not in type(self.settings).model_fields:
            raise ValueError(
                f"initialisation.frozen_until is {last}, but {self.method} is not built on a trunk; set it to none"
            )
        if self.initialisation.is_random:
            raise ValueError(
                f"initialisation.frozen_until is {last}, but {self.method} starts from random weights; give "
                "initialisation.backbone, or set frozen_until to none"
            )

    def _refuse_caching(self) -> None:
        if not self.initialisation.cache_frozen:
            return
        images, needs = self.images, self.declared.needs_images(self.settings)
        sides = f"images.size is {images.size} and images.crop is {images.crop}, so that training crops at random"
        reasons = (
            (self.initialisation.frozen_until == "none", "no layer is frozen. Give frozen_until"),
            (images.size != images.crop, f"{sides}. Give both the same number"),
            (bool(images.augment), "images.augment changes training images. Set it to []"),
            (self.is_masked, "training.neighbourhood_mask draws neighbours of images. Leave it null"),
            (bool(needs), f"{self.method} needs images: {needs}. Change that"),
        )
        for holds, reason in reasons:
            if holds:
                raise ValueError(
                    f"initialisation.cache_frozen is true, but {reason}, or set initialisation.cache_frozen to false"
                )

    @model_validator(mode="after")
    def _every_setting_is_read(self) -> Self:
        declared = self.declared
        if self.method == MASKED and not self.is_masked:
            raise ValueError(f"{MASKED} without its neighbourhood mask is two_scale: run that pipeline, or set a mask")
        if self.is_masked and not declared.supports_sample_weights:
            raise ValueError(
                f"training.neighbourhood_mask gives samples weights, which {self.method} does not read; leave it null"
            )
        if not self.initialisation.is_random and declared.initialised_from is not None:
            raise ValueError(
                f"initialisation.backbone is {self.initialisation.backbone}, but {self.method} starts from the "
                f"weights of {declared.initialised_from}; set it to none, or "
                f"{declared.initialised_from}.initialisation.backbone"
            )
        self._refuse_freezing()
        self._refuse_caching()
        if not self.hold_out_validation and "best_val" in self.training.selections:
            raise ValueError(
                "hold_out_validation is false, which leaves no face to choose best_val by; set training.selections to "
                "[last], or hold_out_validation to true"
            )
        tasks = {task for names in self.labels_of.values() for task in names}
        if tasks - set(self.tasks):
            raise ValueError(
                f"labels_of names {', '.join(sorted(tasks - set(self.tasks)))}, which {self.method} does not learn; "
                f"its tasks are {', '.join(self.tasks) or 'none'}"
            )
        votes = self.training.labels == "votes"
        try:
            declared.refuse_soft_labels(votes, dict(self.settings)["schedule"].label_smoothing)
        except ParameterError as error:
            raise ValueError(str(error)) from error
        if votes and self.label_noise:
            raise ValueError(
                f"label_noise is {self.label_noise}, which changes classes, but training.labels is votes; set "
                "label_noise to 0, or labels to class"
            )
        sampling = self.schedule.sampling
        if isinstance(sampling, ByDataset) and set(sampling.ratio) != set(self.datasets):
            raise ValueError(
                f"settings.schedule.sampling.ratio names {', '.join(sampling.ratio)}, but the training datasets are "
                f"{', '.join(self.datasets)}; name each of them once"
            )
        if self.label_noise and not self.tasks:
            raise ValueError(f"label_noise is {self.label_noise}, but {self.method} reads no label; set it to 0")
        return self

    @field_validator("leave_out")
    @classmethod
    def _names_expressions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in value if name not in EXPRESSIONS]
        if unknown:
            raise ValueError(
                f"{unknown[0]!r} is not an expression; "
                f"{did_you_mean(unknown[0], EXPRESSIONS, 'the expressions are')} {', '.join(EXPRESSIONS)}"
            )
        return value

    @field_validator("method")
    @classmethod
    def _registered(cls, value: str) -> str:
        if value not in METHODS:
            raise ValueError(
                f"method {value!r} does not exist; {did_you_mean(value, METHODS.names(), 'the methods are')} "
                f"{', '.join(METHODS.names())}"
            )
        return value

    @field_validator("settings", mode="before")
    @classmethod
    def _check_with_the_method(cls, value: Any, info: ValidationInfo) -> Any:
        name, variant = info.data.get("method"), info.data.get("variant")
        if isinstance(value, Settings) and variant is not None:
            value = value.model_dump()
        if name not in METHODS or not isinstance(value, dict):
            return value
        declared = METHODS[str(name)]
        try:
            row = value if variant is None else declared.with_variant(str(variant), value)
        except ParameterError as error:
            raise ValueError(str(error)) from error  # pydantic reports it together with all other mistakes
        return declared.settings.model_validate(row)
