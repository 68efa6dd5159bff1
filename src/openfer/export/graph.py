"""A trained method as one network from stored crops to probabilities, for export."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from openfer.methods.contract import Batch, Method
from openfer.training.batches import ordered
from openfer.training.config import ImageSettings


class Answering(nn.Module):
    """A method with its normalisation in front and the softmax behind.

    Args:
        method: trained.
        images: crop and normalisation.
        measures: of a method that looks at no pixels, what measures its one extra on normalised crops; None where the
            extra itself is the input.
    """

    def __init__(self, method: Method, images: ImageSettings, measures: nn.Module | None = None) -> None:
        super().__init__()
        self.method, self.images, self.measures = method, images, measures
        # one multiplication and one addition on numbers in [0, 255]
        spread = 255 * torch.tensor(images.channel_stds)
        self.register_buffer("scale", (1 / spread)[:, None, None], persistent=False)
        shift = -torch.tensor(images.channel_means) / torch.tensor(images.channel_stds)
        self.register_buffer("shift", shift[:, None, None], persistent=False)
        self._crop = images.crop
        self.eval()

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the probabilities of every task, (B, K) each, then valence and arousal, (B,), as the method gives.

        Args:
            *inputs: as :meth:`input_names` says. ``faces``: RGB crops, uint8, (B, S, S, 3).
        """
        pixels, extras = self._seen(inputs)
        batch = Batch(pixels, {}, dict(zip(self.method.declared.extras, extras, strict=True)))
        found = self.method(*self.method.inputs(batch))
        shares = [found.logits[task].float().softmax(1) for task in self.method.classes]
        return (*shares, *(found.values[name].float() for name in self.method.declared.regression_targets))

    def _seen(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        """Return normalised crops, (B, 3, S, S), and the extras."""
        if self.measures is None and not self.method.declared.looks_at_pixels:
            return inputs[0].new_zeros(1), inputs  # nothing reads pixels
        faces, *extras = inputs
        pixels = faces.permute(0, 3, 1, 2).to(torch.float32) * self.get_buffer("scale") + self.get_buffer("shift")
        return ordered(pixels, self.images), extras if self.measures is None else [self.measures(pixels)]

    def input_names(self) -> list[str]:
        """Return the names of the inputs, in order."""
        extras = self.method.declared.extras
        if self.measures is not None:
            return ["faces"]
        return ["faces", *extras] if self.method.declared.looks_at_pixels else [*extras]

    def output_names(self) -> list[str]:
        """Return the names of the outputs, in order: ``probabilities``, of further tasks ``probabilities_<task>``."""
        _, *further = self.method.classes
        targets: Sequence[str] = self.method.declared.regression_targets
        return ["probabilities", *(f"probabilities_{task}" for task in further), *targets]
