# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Writes small TFLite models with the schema of ai-edge-litert."""
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {np.dtype(np.int8): schema.TensorType.INT8, np.dtype(np.int16): schema.TensorType.INT16,
         np.dtype(np.int32): schema.TensorType.INT32, np.dtype(np.int64): schema.TensorType.INT64}


class ModelWriter:
    """Tensors and operators of one graph; tensors are named by the numbers that the methods return."""

    def __init__(self):
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs, self.graph.outputs = [], []
        self.model.operatorCodes, self.model.buffers = [], [schema.BufferT()]

    def tensor(self, shape, scales, zero_point=0, dtype=np.int8, data=None, axis=0):
        """A tensor, constant if it has data; more than one scale is per channel along `axis`."""
        t = schema.TensorT()
        t.name, t.shape, t.type = f"t{len(self.graph.tensors)}", list(shape), TYPES[np.dtype(dtype)]
        t.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            t.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        t.quantization = schema.QuantizationParametersT()
        scales = np.atleast_1d(np.asarray(scales, np.float32))
        t.quantization.scale = scales
        t.quantization.zeroPoint = np.full(len(scales), zero_point, np.int64)
        t.quantization.quantizedDimension = axis if len(scales) > 1 else 0
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def input(self, *arguments, **keywords):
        self.graph.inputs.append(self.tensor(*arguments, **keywords))
        return self.graph.inputs[-1]

    def output(self, *arguments, **keywords):
        self.graph.outputs.append(self.tensor(*arguments, **keywords))
        return self.graph.outputs[-1]

    def operator(self, name, inputs, outputs, options=None, version=1):
        """`name` as in BuiltinOperator; `options` an object of the operator's options table."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes)
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        self.model.operatorCodes.append(code)
        self.graph.operators.append(operator)

    def write(self, path):
        self.model.version, self.model.subgraphs = 3, [self.graph]
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        path.write_bytes(builder.Output())


def options(name, **values):
    """An options table, such as options("Conv2DOptions", strideH=2)."""
    table = getattr(schema, name + "T")()
    for key, value in values.items():
        if not hasattr(table, key):
            raise AttributeError(f"{name} has no {key}")
        setattr(table, key, value)
    return table
