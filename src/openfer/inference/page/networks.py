"""Convert the face landmarker's networks from TFLite to ONNX, which a browser can run."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

from openfer.errors import CheckpointError

_OPSET: Final = 17
_CODES = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
_TYPES = {0: np.float32, 1: np.float16, 2: np.int32}
"""Numbers of a TFLite tensor's type, as far as the landmarker has them."""

_TO_CHANNELS_FIRST, _TO_CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]
_SAME: Final = 0
"""TFLite's padding that keeps the size."""


def to_onnx(content: bytes) -> bytes:
    """Return the ONNX file of a TFLite network; float16 weights stay float16 in the file.

    Inputs and outputs keep their order and shapes; they are named ``input0``, ``output0`` and so on.

    Args:
        content: of a TFLite file with float operations only.

    Raises:
        CheckpointError: if the network has an operation that is not converted.
    """
    return _Converter(schema.ModelT.InitFromPackedBuf(content, 0)).convert()


class _Converter:
    def __init__(self, model: Any) -> None:
        self._model, self._graph = model, model.subgraphs[0]
        self._nodes: list[Any] = []
        self._initializers: list[Any] = []
        self._halves: dict[int, np.ndarray] = {}
        self._written: dict[int, str] = {}
        self._count = 0

    def convert(self) -> bytes:
        graph = self._graph
        inputs = [self._port("input", number, index) for number, index in enumerate(graph.inputs)]
        for operator in graph.operators:
            self._operator(operator)
        outputs = [self._port("output", number, index) for number, index in enumerate(graph.outputs)]
        for index, output in zip(graph.outputs, outputs, strict=True):
            self._nodes.append(helper.make_node("Identity", [self._name(index)], [output.name]))
        for index, port in zip(graph.inputs, inputs, strict=True):
            self._nodes.insert(0, helper.make_node("Identity", [port.name], [f"t{index}"]))
        made = helper.make_graph(self._nodes, "landmarker", inputs, outputs, self._initializers)
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

    def _port(self, kind: str, number: int, index: int) -> Any:
        shape = [int(side) for side in self._graph.tensors[index].shape]
        return helper.make_tensor_value_info(f"{kind}{number}", TensorProto.FLOAT, shape)

    def _operator(self, operator: Any) -> None:
        code = self._model.operatorCodes[operator.opcodeIndex]
        name = _CODES[max(code.builtinCode, code.deprecatedBuiltinCode)]
        inputs = [int(index) for index in operator.inputs]
        output = int(operator.outputs[0])
        if name == "DEQUANTIZE":
            self._halves[output] = self._constant(inputs[0])
            return
        if name in _SIMPLE:
            result = self._add(_SIMPLE[name], [self._name(index) for index in inputs])
        elif name in _OTHERS:
            result = _OTHERS[name](self, inputs, operator.builtinOptions, output)
        else:
            raise CheckpointError(f"the face landmarker has the operation {name}, unknown here; install openfer again")
        activation = getattr(operator.builtinOptions, "fusedActivationFunction", 0)
        if activation == schema.ActivationFunctionType.RELU:
            result = self._add("Relu", [result])
        elif activation:
            raise CheckpointError(f"the face landmarker has the activation {activation}; install openfer again")
        self._written[output] = result

    def _constant(self, index: int) -> np.ndarray:
        if index in self._halves:
            return self._halves[index]
        tensor = self._graph.tensors[index]
        data = self._model.buffers[tensor.buffer].data
        shape = [] if tensor.shape is None else list(tensor.shape)
        return np.frombuffer(bytes(data), _TYPES[tensor.type]).reshape(shape)

    def _name(self, index: int) -> str:
        if index not in self._written and index not in self._graph.inputs:
            self._written[index] = self._store(self._constant(index))
        return self._written.get(index, f"t{index}")

    def _store(self, values: np.ndarray) -> str:
        name = self._new()
        self._initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return self._add("Cast", [name], to=TensorProto.FLOAT) if values.dtype == np.float16 else name

    def _new(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _add(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = self._new()
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _integers(self, values: Any) -> str:
        return self._store(np.asarray(values, np.int64))

    def _conv(self, inputs: list[int], options: Any, _: int, *, depthwise: bool = False) -> str:
        weights = self._constant(inputs[1]).transpose([3, 0, 1, 2] if depthwise else [0, 3, 1, 2])
        image = self._add("Transpose", [self._name(inputs[0])], perm=_TO_CHANNELS_FIRST)
        made = self._add(
            "Conv",
            [image, self._store(weights), self._name(inputs[2])],
            group=len(weights) if depthwise else 1,
            strides=[options.strideH, options.strideW],
            auto_pad="SAME_UPPER" if options.padding == _SAME else "VALID",
        )
        return self._add("Transpose", [made], perm=_TO_CHANNELS_LAST)

    def _depthwise(self, inputs: list[int], options: Any, output: int) -> str:
        return self._conv(inputs, options, output, depthwise=True)

    def _max_pool(self, inputs: list[int], options: Any, _: int) -> str:
        image = self._add("Transpose", [self._name(inputs[0])], perm=_TO_CHANNELS_FIRST)
        made = self._add(
            "MaxPool",
            [image],
            kernel_shape=[options.filterHeight, options.filterWidth],
            strides=[options.strideH, options.strideW],
            auto_pad="SAME_UPPER" if options.padding == _SAME else "VALID",
        )
        return self._add("Transpose", [made], perm=_TO_CHANNELS_LAST)

    def _pad(self, inputs: list[int], _: Any, __: int) -> str:
        return self._add("Pad", [self._name(inputs[0]), self._integers(self._constant(inputs[1]).T.ravel())])

    def _reshape(self, inputs: list[int], _: Any, output: int) -> str:
        return self._add("Reshape", [self._name(inputs[0]), self._integers(self._graph.tensors[output].shape)])

    def _concatenate(self, inputs: list[int], options: Any, _: int) -> str:
        return self._add("Concat", [self._name(index) for index in inputs], axis=options.axis)

    def _transpose(self, inputs: list[int], _: Any, __: int) -> str:
        return self._add("Transpose", [self._name(inputs[0])], perm=self._constant(inputs[1]).tolist())

    def _mean(self, inputs: list[int], options: Any, _: int) -> str:
        axes = self._constant(inputs[1]).ravel().tolist()
        return self._add("ReduceMean", [self._name(inputs[0])], axes=axes, keepdims=int(options.keepDims))

    def _sum(self, inputs: list[int], options: Any, _: int) -> str:
        axes = self._integers(self._constant(inputs[1]).ravel())
        return self._add("ReduceSum", [self._name(inputs[0]), axes], keepdims=int(options.keepDims))

    def _squared_difference(self, inputs: list[int], _: Any, __: int) -> str:
        difference = self._add("Sub", [self._name(index) for index in inputs])
        return self._add("Mul", [difference, difference])

    def _inverse_root(self, inputs: list[int], _: Any, __: int) -> str:
        return self._add("Reciprocal", [self._add("Sqrt", [self._name(inputs[0])])])

    def _slice(self, inputs: list[int], options: Any, output: int) -> str:
        begins, ends, steps = (self._constant(index).tolist() for index in inputs[1:4])
        shape = self._graph.tensors[inputs[0]].shape
        for axis in range(len(begins)):
            if options.beginMask >> axis & 1:
                begins[axis] = 0
            if options.endMask >> axis & 1:
                ends[axis] = int(shape[axis])
            if options.shrinkAxisMask >> axis & 1:
                ends[axis] = begins[axis] + 1
        names = [self._integers(values) for values in (begins, ends, range(len(begins)), steps)]
        cut = self._add("Slice", [self._name(inputs[0]), *names])
        return self._add("Reshape", [cut, self._integers(self._graph.tensors[output].shape)])


_SIMPLE = {
    **{"ADD": "Add", "MUL": "Mul", "SUB": "Sub", "DIV": "Div", "NEG": "Neg", "SQRT": "Sqrt"},
    **{"RELU": "Relu", "PRELU": "PRelu", "LOGISTIC": "Sigmoid"},
}
"""Operations that ONNX has under another name."""

_OTHERS: dict[str, Callable[[_Converter, list[int], Any, int], str]] = {
    "CONV_2D": _Converter._conv,
    "DEPTHWISE_CONV_2D": _Converter._depthwise,
    "MAX_POOL_2D": _Converter._max_pool,
    "PAD": _Converter._pad,
    "RESHAPE": _Converter._reshape,
    "CONCATENATION": _Converter._concatenate,
    "TRANSPOSE": _Converter._transpose,
    "MEAN": _Converter._mean,
    "SUM": _Converter._sum,
    "SQUARED_DIFFERENCE": _Converter._squared_difference,
    "RSQRT": _Converter._inverse_root,
    "STRIDED_SLICE": _Converter._slice,
}
