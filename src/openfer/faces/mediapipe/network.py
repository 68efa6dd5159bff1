"""One TFLite network in LiteRT, with one thread."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter


class Network:
    """A network with one input. One thread gives the same bits beside any number of other workers.

    Args:
        content: of a TFLite file.
    """

    def __init__(self, content: bytes) -> None:
        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]

    def __call__(self, values: np.ndarray) -> list[np.ndarray]:
        """Return the outputs, float32, in the file's order, for values of the input's shape."""
        self._interpreter.set_tensor(self._input, np.ascontiguousarray(values, dtype=np.float32))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)), float64, without overflow."""
    return 0.5 * (1 + np.tanh(np.asarray(logits, dtype=float) / 2))
