# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""int8 functions of one element on all 256 inputs: `thimble run` and the compiled C against
tflite-micro, and against LiteRT's reference kernels where only LiteRT has the operator."""
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from harness import firmware, goldens, oracle
from harness.models import ModelWriter, options
from harness.tools import compile_model

INPUT = np.arange(-128, 128, dtype=np.int8)

# (scale, zero point) of the input.
BOTH_SIGNS = [(0.05, 3), (0.0078125, 0), (0.11, -37), (1.3, 127)]
NOT_NEGATIVE = [(0.02, -128), (0.5, -128)]

# (operator, quantization of the output or None for the input's, options)
LEAKY = options("LeakyReluOptions", alpha=0.17)
INVERSE = options("LeakyReluOptions", alpha=-0.6)
MICRO_BOTH = [
    ("ABS", None, None), ("ABS", (0.07, -128), None), ("RELU", None, None),
    ("RELU", (0.043, -90), None), ("RELU6", None, None), ("LOGISTIC", (1 / 256, -128), None),
    ("TANH", (1 / 128, 0), None), ("ELU", (0.06, -20), None), ("HARD_SWISH", (0.04, -100), None),
    ("HARD_SWISH", None, None), ("LEAKY_RELU", (0.06, 5), LEAKY), ("LEAKY_RELU", None, INVERSE),
]
MICRO_NOT_NEGATIVE = [("RSQRT", (0.04, -128), None), ("RSQRT", (0.5, 0), None)]
LITERT_BOTH = [
    ("ABS", (0.07, -128), None), ("RELU", (0.043, -90), None), ("RELU6", (0.025, -128), None),
    ("RELU_N1_TO_1", (0.008, 0), None), ("RELU_0_TO_1", (0.004, -128), None),
    ("LOGISTIC", (1 / 256, -128), None), ("TANH", (1 / 128, 0), None),
    ("HARD_SWISH", (0.04, -100), None), ("LEAKY_RELU", (0.06, 5), LEAKY), ("EXP", (0.5, -128), None),
    ("GELU", (0.04, -100), None),
]
LITERT_NOT_NEGATIVE = [("SQRT", (0.05, -128), None), ("RSQRT", (0.04, -128), None),
                       ("LOG", (0.06, 10), None)]


def write_model(path, quantization, cases):
    """A model of one input and an output for every case."""
    writer = ModelWriter()
    x = writer.input(INPUT.shape, *quantization)
    for op, output, table in cases:
        writer.operator(op, [x], [writer.output(INPUT.shape, *(output or quantization))], table)
    writer.write(path)


def litert(model, inputs):
    interpreter = Interpreter(str(model),
                              experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], inputs[0])
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def check_all(model, cases, wants, flags):
    def compare(gots, who):
        wrong = [f"{op} to {output}: {why}" for (op, output, _), got, want in zip(cases, gots, wants)
                 if (why := goldens.difference(got.reshape(want.shape), want))]
        assert not wrong, f"{who}: " + "; ".join(wrong)

    compare(oracle.thimble_run(model, [INPUT], len(cases), flags), "thimble run")
    samples = goldens.Samples([[INPUT]], [wants])
    compile_model(model, model.parent, "unary", "generic", "c", flags)
    for row in firmware.host(model.parent, "unary", samples).outputs:
        compare(row, "compiled C")


@pytest.mark.parametrize("quantization,cases",
                         [(q, MICRO_BOTH) for q in BOTH_SIGNS] +
                         [(q, MICRO_NOT_NEGATIVE) for q in NOT_NEGATIVE],
                         ids=lambda v: f"{v[0]:g},{v[1]}" if isinstance(v, tuple) else "")
def test_int8_equals_tflm(tmp_path, quantization, cases):
    model = tmp_path / "unary.tflite"
    write_model(model, quantization, cases)
    check_all(model, cases, oracle.tflm(model, [INPUT]), [])


@pytest.mark.parametrize("quantization,cases",
                         [(q, LITERT_BOTH) for q in BOTH_SIGNS] +
                         [(q, LITERT_NOT_NEGATIVE) for q in NOT_NEGATIVE],
                         ids=lambda v: f"{v[0]:g},{v[1]}" if isinstance(v, tuple) else "")
def test_int8_equals_litert(tmp_path, quantization, cases):
    model = tmp_path / "unary.tflite"
    write_model(model, quantization, cases)
    check_all(model, cases, litert(model, [INPUT]), ["--reference", "litert"])
