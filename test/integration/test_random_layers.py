# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Random int8 and int16 layers of the kinds with kernels for the DSP extension, against tflite-micro,
in every form that is compiled. A seed and a family make one model of several layers side by side."""
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from harness import goldens, modes, oracle
from harness.models import ModelWriter, options

LAYERS = 12
ACTIVATIONS = [schema.ActivationFunctionType.NONE, schema.ActivationFunctionType.RELU,
               schema.ActivationFunctionType.RELU6]


class Layers:
    """A model of independent layers, each with inputs of its own."""

    def __init__(self, seed, element=np.int8):
        self.rng, self.element = np.random.default_rng(seed), element
        self.writer, self.inputs = ModelWriter(), []

    def pick(self, low, high):
        return int(self.rng.integers(low, high, endpoint=True))

    def choose(self, values):
        return values[self.pick(0, len(values) - 1)]

    def channels(self):
        return self.choose([1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17])

    def zero_point(self):
        return self.choose([-128, 127, 0, self.pick(-128, 127)]) if self.element == np.int8 else 0

    def noise(self, shape, element=np.int8):
        """With runs of the extremes now and then."""
        ends = np.iinfo(element)
        values = self.rng.integers(ends.min, ends.max, shape, element, endpoint=True)
        if self.pick(0, 3) == 0:
            values[self.rng.random(shape) < 0.5] = self.choose([ends.min, ends.max])
        return values

    def input(self, shape, scale, zero_point):
        self.inputs.append(self.noise(shape, self.element))
        return self.writer.input(shape, scale, zero_point, self.element)

    def output(self, shape, scale, zero_point):
        return self.writer.output(shape, scale, zero_point, self.element)

    def multiply_accumulate(self, name, shape, filter_shape, out_shape, axis, table):
        """`axis` is the filter's axis of output channels."""
        outputs = filter_shape[axis]
        x_scale = float(self.rng.uniform(0.005, 0.1))
        count = outputs if self.pick(0, 3) else 1
        w_scale = self.rng.uniform(0.5, 2, count).astype(np.float32) * np.float32(0.01)
        products = np.prod(filter_shape) / (outputs if axis == 0 else filter_shape[axis])
        # From outputs that hardly move to outputs that all saturate.
        y_scale = x_scale * 0.01 * 5000 * float(np.sqrt(products)) / 127 * self.choose(
            [0.002, 0.1, 0.5, 1, 3, 40])
        filter_data = self.noise(filter_shape)
        if self.pick(0, 3):  # as converters make them
            filter_data = np.maximum(filter_data, -127)
        bias = self.rng.integers(-1 << 15, 1 << 15, outputs, np.int32) * self.choose([0, 1, 64])
        x = self.input(shape, x_scale, self.zero_point())
        operands = [x, self.writer.tensor(filter_shape, w_scale, 0, data=filter_data, axis=axis)]
        if self.pick(0, 4):
            element = np.int32 if self.element == np.int8 else np.int64
            operands.append(self.writer.tensor([outputs], x_scale * w_scale, 0, element, bias))
        elif name != "DEPTHWISE_CONV_2D":  # where tflite-micro fails on an absent operand
            operands.append(-1)
        y = self.output(out_shape, y_scale, self.zero_point())
        self.writer.operator(name, operands, [y], table, 3)

    def window(self, most_dilation):
        """(input height and width, window, strides, dilations, SAME?, output height and width)."""
        window = [self.pick(1, 4), self.pick(1, 4)]
        strides = [self.pick(1, 3), self.pick(1, 3)]
        dilations = [self.pick(1, most_dilation), self.pick(1, most_dilation)]
        same = bool(self.pick(0, 1))
        reach = [(w - 1) * d + 1 for w, d in zip(window, dilations)]
        size = [self.pick(1 if same else r, r + 6) for r in reach]
        out = [-(-s // t) if same else (s - r) // t + 1 for s, r, t in zip(size, reach, strides)]
        return size, window, strides, dilations, same, out

    def table(self, name, strides, same, **more):
        padding = schema.Padding.SAME if same else schema.Padding.VALID
        return options(name, padding=padding, strideH=strides[0], strideW=strides[1],
                       fusedActivationFunction=self.choose(ACTIVATIONS), **more)

    def conv_2d(self):
        size, window, strides, dilations, same, out = self.window(most_dilation=2)
        batch, inputs, outputs = self.pick(1, 2), self.channels(), self.channels()
        table = self.table("Conv2DOptions", strides, same, dilationHFactor=dilations[0],
                           dilationWFactor=dilations[1])
        self.multiply_accumulate("CONV_2D", [batch, *size, inputs], [outputs, *window, inputs],
                                 [batch, *out, outputs], 0, table)

    def convolution(self, batch, size, window, strides, same, channels):
        """A convolution without dilation; `channels` of input and output."""
        out = [-(-s // t) if same else (s - w) // t + 1 for s, w, t in zip(size, window, strides)]
        table = self.table("Conv2DOptions", strides, same, dilationHFactor=1, dilationWFactor=1)
        self.multiply_accumulate("CONV_2D", [batch, *size, channels[0]],
                                 [channels[1], *window, channels[0]], [batch, *out, channels[1]],
                                 0, table)

    def pointwise(self):
        size = [self.pick(1, 6), self.pick(1, 6)]
        strides = self.choose([[1, 1], [1, 1], [2, 2], [1, 3]])
        channels = [self.choose([1, 2, 3, 4, 5, 8, 11, 12, 16, 17, 24, 33, 66, 130]),
                    self.choose([1, 2, 3, 4, 6, 7, 8, 9, 17])]
        self.convolution(self.pick(1, 2), size, [1, 1], strides, bool(self.pick(0, 1)), channels)

    def conv_3x3(self):
        size = [self.pick(3, 13), self.pick(3, 13)]
        channels = [self.choose([4, 5, 6, 8, 12, 13, 16, 20, 36]), self.choose([1, 2, 3, 4, 5, 8])]
        strides = self.choose([[1, 1], [1, 1], [1, 1], [2, 2]])
        self.convolution(self.pick(1, 2), size, [3, 3], strides, bool(self.pick(0, 1)), channels)

    def first_layer(self):
        """Few input channels, windows of any size."""
        window = self.choose([[3, 3], [3, 3], [5, 5], [10, 4], [1, 5], [5, 1], [2, 3], [4, 4], [7, 7]])
        strides = self.choose([[1, 1], [1, 1], [2, 2], [2, 2], [1, 2], [3, 3]])
        same = bool(self.pick(0, 1))
        size = [self.pick(1 if same else w, w + self.choose([4, 20])) for w in window]
        channels = [self.choose([1, 1, 2, 3, 3, 4, 5]), self.choose([1, 3, 4, 5, 8, 9, 16, 20])]
        self.convolution(self.pick(1, 2), size, window, strides, same, channels)

    def depthwise_3x3(self):
        """From one pixel to rows that are too long to be unrolled."""
        stride, same = self.choose([1, 1, 2]), bool(self.pick(0, 2))
        size = [self.pick(1 if same else 3, self.choose([3, 12, 26])) for _ in range(2)]
        out = [-(-n // stride) if same else (n - 3) // stride + 1 for n in size]
        self.depthwise(self.pick(1, 2), size, [3, 3], [stride, stride], [1, 1], same, out)

    def depthwise_conv_2d(self):
        size, window, strides, dilations, same, out = self.window(most_dilation=2)
        if self.pick(0, 2) == 0:  # along time
            size, window, strides, dilations = [self.pick(9, 14), 1], [9, 1], [1, 1], [1, 1]
            out = [size[0] if same else size[0] - 8, 1]
        self.depthwise(self.pick(1, 2), size, window, strides, dilations, same, out)

    def depthwise(self, batch, size, window, strides, dilations, same, out):
        inputs, multiplier = self.channels(), self.choose([1, 1, 2, 3])
        outputs = inputs * multiplier
        table = self.table("DepthwiseConv2DOptions", strides, same, depthMultiplier=multiplier,
                           dilationHFactor=dilations[0], dilationWFactor=dilations[1])
        self.multiply_accumulate("DEPTHWISE_CONV_2D", [batch, *size, inputs],
                                 [1, *window, outputs], [batch, *out, outputs], 3, table)

    def fully_connected(self):
        batch, depth, outputs = self.pick(1, 3), self.pick(1, 40), self.channels()
        if self.pick(0, 3) == 0:
            depth, outputs = self.pick(41, 600), self.pick(1, 150)
        table = options("FullyConnectedOptions", fusedActivationFunction=self.choose(ACTIVATIONS))
        self.multiply_accumulate("FULLY_CONNECTED", [batch, depth], [outputs, depth],
                                 [batch, outputs], 0, table)

    def pool(self, name):
        size, window, strides, _, same, out = self.window(most_dilation=1)
        batch, channels, quantization = self.pick(1, 2), self.channels(), (0.05, self.zero_point())
        table = self.table("Pool2DOptions", strides, same, filterHeight=window[0],
                           filterWidth=window[1])
        x = self.input([batch, *size, channels], *quantization)
        y = self.output([batch, *out, channels], *quantization)
        self.writer.operator(name, [x], [y], table, 2)

    def average_pool_2d(self):
        self.pool("AVERAGE_POOL_2D")

    def max_pool_2d(self):
        self.pool("MAX_POOL_2D")

    def binary(self):
        shape = [self.pick(1, 3), self.pick(1, 5), self.channels()]
        scales = self.rng.uniform(0.01, 0.2, 3) if self.pick(0, 3) else [0.05, 0.1, 0.1]
        x = self.input(shape, scales[0], self.zero_point())
        other = shape if self.pick(0, 3) else [1, 1, shape[2]]
        z = self.input(other, scales[1], self.zero_point()) if self.pick(0, 5) else x
        name = self.choose(["Add", "Sub", "Mul"])
        if name == "Mul":
            scales[2] = scales[0] * scales[1] * self.choose([0.5, 20, 100, 1000])
        y = self.output(shape, scales[2], self.zero_point())
        table = options(f"{name}Options", fusedActivationFunction=self.choose(ACTIVATIONS))
        self.writer.operator(name.upper(), [x, z], [y], table, 2)


FAMILIES = ["conv_2d", "pointwise", "conv_3x3", "first_layer", "depthwise_conv_2d",
            "depthwise_3x3", "fully_connected", "average_pool_2d", "max_pool_2d", "binary",
            "conv_2d_int16", "depthwise_conv_2d_int16", "fully_connected_int16"]


def random_layers(family, seed):
    element = np.int16 if family.endswith("_int16") else np.int8
    layers = Layers([seed, FAMILIES.index(family)], element)
    for _ in range(LAYERS):
        getattr(layers, family.removesuffix("_int16"))()
    return layers


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("family", FAMILIES)
def test_layers(tmp_path, family, seed):
    layers = random_layers(family, seed)
    model = tmp_path / f"{family}_{seed}.tflite"
    layers.writer.write(model)
    outputs = oracle.tflm(model, layers.inputs)
    assert len(outputs) == LAYERS
    results = modes.run_all(model, goldens.Samples([layers.inputs], [outputs]),
                            kinds=[*modes.MODES, modes.PORTABLE])
    kernels = {layer["kernel"].split(".")[1] for layer in results["QEMU C"][1]["layers"]}
    assert kernels != {"portable"}, "no layer met a kernel for the DSP extension"
