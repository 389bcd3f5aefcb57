# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Random layers of int8 and int16 of every family that has kernels of its own, with what of each is
worth counting. A family, a seed and a number make one layer, whatever else is in its model."""
import typing

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .models import ModelWriter, options

ACTIVATIONS = {"none": schema.ActivationFunctionType.NONE, "relu": schema.ActivationFunctionType.RELU,
               "relu6": schema.ActivationFunctionType.RELU6}


class Layer(typing.NamedTuple):
    number: int
    output: str  # the tensor's name
    inputs: list  # one array for each
    facts: dict  # counter: what it counts here, a string or several


def scaling_facts(scales):
    """What fixed-point arithmetic makes of the real factors of outputs."""
    facts = set()
    for scale in np.unique(scales):
        mantissa, exponent = np.frexp(scale)
        facts.add("left shift" if exponent > 0 else "shift 0" if exponent == 0 else "right shift")
        if round(mantissa * (1 << 31)) in (1 << 30, 1 << 31):
            facts.add("q = 2^30")
    return sorted(facts)


class Layers:
    """A model of independent layers, each with inputs of its own."""

    def __init__(self, family, seed, numbers):
        self.family, self.writer, self.list = family, ModelWriter(), []
        self.element = np.int16 if family.endswith("_int16") else np.int8
        self.finer = 256 if self.element == np.int16 else 1  # steps for one of int8
        for number in numbers:
            self.rng = np.random.default_rng([seed, FAMILIES.index(family), number])
            self.inputs, self.facts = [], {}
            getattr(self, family.removesuffix("_int16"))()
            output = self.writer.graph.tensors[self.writer.graph.outputs[-1]].name
            self.list.append(Layer(number, output, self.inputs, self.facts))

    def samples(self):
        """Inputs of the model: noise, the ends of the type at random, one of its ends everywhere."""
        arrays = [array for layer in self.list for array in layer.inputs]
        ends = np.array([np.iinfo(self.element).min, np.iinfo(self.element).max], self.element)
        mixed = [ends[(array & 1).astype(np.intp)] for array in arrays]
        constant = [np.full_like(array, ends[i % 2]) for i, array in enumerate(arrays)]
        return [arrays, mixed, constant]

    #===-- Choices ----------------------------------------------------------------------------===#

    def pick(self, low, high):
        return int(self.rng.integers(low, high, endpoint=True))

    def choose(self, values):
        return values[self.pick(0, len(values) - 1)]

    def note(self, **facts):
        self.facts.update(facts)

    def channels(self):
        return self.choose([1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17])

    def zero_point(self):
        """127 is rare: a clamp above it leaves one number."""
        rare = 127 if self.pick(0, 5) == 0 else self.pick(-128, 127)
        return self.choose([-128, 0, rare, rare]) if self.element == np.int8 else 0

    def activation(self):
        name = self.choose(list(ACTIVATIONS))
        self.note(activation=name)
        return ACTIVATIONS[name]

    def noise(self, shape, element=np.int8):
        """With runs of the extremes now and then."""
        ends = np.iinfo(element)
        values = self.rng.integers(ends.min, ends.max, shape, element, endpoint=True)
        if self.pick(0, 3) == 0:
            values[self.rng.random(shape) < 0.5] = self.choose([ends.min, ends.max])
        return values

    def input(self, shape, scale, zero_point, values=None):
        self.inputs.append(self.noise(shape, self.element) if values is None else values)
        return self.writer.input(shape, scale, zero_point, self.element)

    def output(self, shape, scale, zero_point):
        return self.writer.output(shape, scale, zero_point, self.element)

    #===-- Sums of products -------------------------------------------------------------------===#

    def weights(self, shape, products, kind):
        data = self.noise(shape)
        if self.pick(0, 3):  # as converters make them
            data = np.maximum(data, -127)
        if kind in ("one", "left"):  # so few that outputs are within their range all the same
            data = np.sign(data) * (self.rng.random(shape) < 1.5 / products)
        self.note(weights="with -128" if (data == -128).any() else "from -127")
        return data

    def factor(self, kind, spread):
        """What an output is of its sum; sums have the standard deviation `spread`."""
        likely = self.choose([0.5, 10, 25, 40, 60, 400]) * self.finer / spread
        return {"likely": likely, "power": 2.0 ** np.round(np.log2(likely)), "one": 0.75,
                "left": 2.0 ** self.pick(0, 5) * 1.1, "tiny": 2.0 ** -self.pick(24, 26)}[kind]

    def bias(self, outputs, products, factor, kind):
        """Or none; sums stay within what the references compute with."""
        limit = (1 << 31) - 1 - 255 * 128 * products if self.element == np.int8 else 1 << 38
        size = "all" if kind == "tiny" else self.choose(["none", "zero"] * 2 + ["small"] * 6 + ["large", "huge"])
        self.note(bias=size)
        if size == "none":
            return None
        if size == "huge":
            return self.rng.choice([-1, 1], outputs) * (limit - self.rng.integers(0, 99, outputs))
        # "small" moves outputs within their range, "large" out of it.
        steps = {"zero": 0, "small": 40 * self.finer, "large": 200 * self.finer, "all": limit * factor}
        most = min(limit, int(steps[size] / factor))
        return self.rng.integers(-most, most, outputs, np.int64, endpoint=True)

    def multiply_accumulate(self, name, shape, filter_shape, out_shape, axis, table):
        """`axis` is the filter's axis of output channels."""
        outputs = filter_shape[axis]
        products = int(np.prod(filter_shape)) // outputs
        kind = self.choose(["likely"] * 7 + ["power", "one", "left", "tiny"])
        self.note(factors=kind)
        values, zero_point = self.noise(shape, self.element), self.zero_point()
        data = self.weights(filter_shape, products, kind)
        rms = lambda array: float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))
        factor = self.factor(kind, max(np.sqrt(products) * rms(values - np.float64(zero_point)) * rms(data), 1))
        # Scales that make it so; powers of two where it is one.
        w_scale, y_scale = (2.0 ** -7, 2.0 ** -5) if kind == "power" else self.rng.uniform(0.01, 0.04, 2)
        y_scale /= self.finer
        x_scale = factor * y_scale / w_scale
        count = outputs if self.pick(0, 2) else 1
        spread = 1 if kind == "power" else self.rng.uniform(0.7, 1.3, count)
        w_scale = np.full(count, w_scale * spread, np.float32)
        factors = np.float64(np.float32(x_scale)) * w_scale / np.float64(np.float32(y_scale))
        self.note(scaling=scaling_facts(factors), scales="one" if count == 1 else "by channel",
                  outputs=f"{outputs % 4} mod 4")
        bias = self.bias(outputs, products, factor, kind)
        operands = [self.input(shape, x_scale, zero_point, values),
                    self.writer.tensor(filter_shape, w_scale, 0, data=data, axis=axis)]
        if bias is None and name == "DEPTHWISE_CONV_2D":
            bias = np.zeros(outputs)  # where tflite-micro fails on an absent operand
        if bias is not None:
            element = np.int32 if self.element == np.int8 else np.int64
            operands.append(self.writer.tensor([outputs], x_scale * w_scale, 0, element, bias))
        else:
            operands.append(-1)
        y = self.output(out_shape, y_scale, self.zero_point())
        self.writer.operator(name, operands, [y], table, 3)

    #===-- Windows ----------------------------------------------------------------------------===#

    def sizes(self, window, strides, dilations, most):
        """(input height and width, SAME?, output height and width); notes what windows leave."""
        same = bool(self.pick(0, 1))
        reach = [(w - 1) * d + 1 for w, d in zip(window, dilations)]
        size = [self.pick(1 if same else r, r + more) for r, more in zip(reach, most)]
        out = [-(-s // t) if same else (s - r) // t + 1 for s, r, t in zip(size, reach, strides)]
        padding = set()
        for names, s, r, t, o in zip((("top", "bottom"), ("left", "right")), size, reach, strides, out):
            total = max((o - 1) * t + r - s, 0)
            for side, pixels in zip(names, (total // 2, total - total // 2)):
                padding.add(f"{side} {'padded' if pixels else 'bare'}")
        self.note(padding=sorted(padding), height=f"{out[0] % 4} mod 4", width=f"{out[1] % 4} mod 4",
                  stride_y=str(strides[0]), stride_x=str(strides[1]),
                  dilation="on" if max(dilations) > 1 else "off")
        return size, same, out

    def table(self, name, strides, same, **more):
        padding = schema.Padding.SAME if same else schema.Padding.VALID
        return options(name, padding=padding, strideH=strides[0], strideW=strides[1],
                       fusedActivationFunction=self.activation(), **more)

    def convolution(self, window, strides, channels, most, dilations=(1, 1), groups=1):
        """`channels` of input and output; inputs have up to `most` pixels more than a window."""
        self.note(groups="more" if groups > 1 else "1")
        size, same, out = self.sizes(window, strides, dilations, most)
        batch = self.choose([1, 1, 1, 2])
        self.note(inputs=f"{channels[0] % 4} mod 4", batch=str(batch),
                  window="1x1" if window == [1, 1] else "3x3" if window == [3, 3] else "other")
        table = self.table("Conv2DOptions", strides, same, dilationHFactor=dilations[0],
                           dilationWFactor=dilations[1])
        self.multiply_accumulate("CONV_2D", [batch, *size, channels[0]],
                                 [channels[1], *window, channels[0] // groups],
                                 [batch, *out, channels[1]], 0, table)

    def conv_2d(self):
        kinds = [self.any_convolution, self.pointwise, self.conv_3x3, self.deep, self.first_layer]
        if self.element == np.int8:  # tflite-micro has no groups of int16
            kinds.append(self.grouped)
        self.choose(kinds)()

    def grouped(self):
        groups = self.choose([2, 3, 4, 8])
        channels = [groups * self.pick(1, 5), groups * self.pick(1, 4)]
        window = self.choose([[1, 1], [3, 3], [2, 3]])
        strides = self.choose([[1, 1], [1, 1], [2, 2]])
        self.convolution(window, strides, channels, [6, 6], groups=groups)

    def any_convolution(self):
        dilations = self.choose([[1, 1], [1, 1], [2, 2], [1, 2], [2, 1]])
        self.convolution([self.pick(1, 4), self.pick(1, 4)], [self.pick(1, 3), self.pick(1, 3)],
                         [self.channels(), self.channels()], [6, 6], dilations)

    def pointwise(self):
        strides = self.choose([[1, 1], [1, 1], [2, 2], [1, 3]])
        channels = [self.choose([1, 2, 3, 4, 5, 8, 11, 12, 16, 17, 24, 33, 66, 130]),
                    self.choose([1, 2, 3, 4, 6, 7, 8, 9, 17])]
        self.convolution([1, 1], strides, channels, [5, 5])

    def conv_3x3(self):
        channels = [self.choose([4, 5, 6, 8, 12, 13, 16, 16, 20, 32, 36]),
                    self.choose([1, 2, 3, 4, 5, 7, 8, 10])]
        self.convolution([3, 3], self.choose([[1, 1], [1, 1], [1, 1], [2, 2]]), channels, [10, 10])

    def deep(self):
        """Channels in sixteens, as most layers of most networks have them."""
        window = self.choose([[3, 3], [3, 3], [2, 2], [1, 3], [5, 5]])
        strides = self.choose([[1, 1], [1, 1], [2, 2], [1, 2]])
        channels = [self.choose([16, 32, 48]), self.choose([4, 5, 6, 7, 8, 11])]
        self.convolution(window, strides, channels, [8, 8])

    def first_layer(self):
        """Few input channels, windows of any size."""
        window = self.choose([[3, 3], [3, 3], [5, 5], [10, 4], [1, 5], [5, 1], [2, 3], [4, 4], [7, 7]])
        strides = self.choose([[1, 1], [1, 1], [2, 2], [2, 2], [1, 2], [3, 3]])
        channels = [self.choose([1, 1, 2, 3, 3, 4, 5]), self.choose([1, 3, 4, 5, 8, 9, 16, 20])]
        self.convolution(window, strides, channels, [self.choose([4, 20]), self.choose([4, 20])])

    def depthwise_conv_2d(self):
        kind = self.choose(["3x3", "3x3", "any", "time"])
        dilations = [1, 1]
        if kind == "3x3":  # from one pixel to rows that are too long to be unrolled
            window, stride = [3, 3], self.choose([1, 1, 2])
            strides, most = [stride, stride], [self.choose([0, 9, 23]), self.choose([0, 9, 23])]
        elif kind == "time":
            window, strides, most = [9, 1], [1, 1], [5, 0]
        else:
            window, strides = [self.pick(1, 4), self.pick(1, 4)], [self.pick(1, 3), self.pick(1, 3)]
            dilations, most = self.choose([[1, 1], [1, 1], [2, 2], [1, 2]]), [6, 6]
        size, same, out = self.sizes(window, strides, dilations, most)
        batch, inputs, multiplier = self.choose([1, 1, 1, 2]), self.channels(), self.choose([1, 1, 1, 2, 3])
        self.note(batch=str(batch), multiplier=str(multiplier), window=kind)
        table = self.table("DepthwiseConv2DOptions", strides, same, depthMultiplier=multiplier,
                           dilationHFactor=dilations[0], dilationWFactor=dilations[1])
        self.multiply_accumulate("DEPTHWISE_CONV_2D", [batch, *size, inputs],
                                 [1, *window, inputs * multiplier], [batch, *out, inputs * multiplier],
                                 3, table)

    def fully_connected(self):
        batch, depth, outputs = self.pick(1, 3), self.pick(1, 40), self.channels()
        if self.pick(0, 3) == 0:
            depth, outputs = self.pick(41, 600), self.pick(1, 100)
        self.note(batch=str(batch), inputs=f"{depth % 4} mod 4",
                  depth="up to 40" if depth <= 40 else "up to 128" if depth <= 128 else "more")
        table = options("FullyConnectedOptions", fusedActivationFunction=self.activation())
        self.multiply_accumulate("FULLY_CONNECTED", [batch, depth], [outputs, depth],
                                 [batch, outputs], 0, table)

    def pool(self, name):
        window = self.choose([[2, 2], [3, 3], [self.pick(1, 5), self.pick(1, 5)]])
        strides = self.choose([window, [self.pick(1, 3), self.pick(1, 3)]])
        size, same, out = self.sizes(window, strides, [1, 1], [6, 6])
        batch, channels, quantization = self.pick(1, 2), self.channels(), (0.05, self.zero_point())
        self.note(batch=str(batch), channels=f"{channels % 4} mod 4")
        table = self.table("Pool2DOptions", strides, same, filterHeight=window[0],
                           filterWidth=window[1])
        x = self.input([batch, *size, channels], *quantization)
        y = self.output([batch, *out, channels], *quantization)
        self.writer.operator(name, [x], [y], table, 2)

    def average_pool_2d(self):
        self.pool("AVERAGE_POOL_2D")

    def max_pool_2d(self):
        self.pool("MAX_POOL_2D")

    def mean(self):
        """Of each channel of a picture."""
        batch, size, channels = self.pick(1, 2), [self.pick(1, 9), self.pick(1, 9)], self.channels()
        kept = bool(self.pick(0, 1))
        x_quantization = y_quantization = (float(self.rng.uniform(0.01, 0.1)), self.zero_point())
        same = self.choose(["same", "other"])
        if same == "other":
            y_quantization = (x_quantization[0] * self.choose([0.1, 0.5, 0.9, 3.0]), self.zero_point())
        self.note(batch=str(batch), channels=f"{channels % 4} mod 4", quantization=same)
        x = self.input([batch, *size, channels], *x_quantization)
        axes = self.writer.tensor([2], [], dtype=np.int32, data=[1, 2])
        y = self.output([batch, 1, 1, channels] if kept else [batch, channels], *y_quantization)
        self.writer.operator("MEAN", [x, axes], [y], options("ReducerOptions", keepDims=kept), 2)

    #===-- Elementwise ------------------------------------------------------------------------===#

    def binary(self, name, scales):
        shape = [self.pick(1, 3), self.pick(1, 5), self.channels()]
        kind = self.choose(["equal", "equal", "equal", "channels", "itself"])
        self.note(operands=kind, elements=f"{int(np.prod(shape)) % 4} mod 4")
        x = z = self.input(shape, scales[0], self.zero_point())
        if kind != "itself":
            z = self.input(shape if kind == "equal" else [1, 1, shape[2]], scales[1], self.zero_point())
        y = self.output(shape, scales[2], self.zero_point())
        table = options(f"{name.capitalize()}Options", fusedActivationFunction=self.activation())
        self.writer.operator(name, [x, z], [y], table, 2)

    def add(self):
        kind = self.choose(["any", "any", "one", "power", "far"])
        if kind == "any":
            scales = self.rng.uniform(0.01, 0.2, 3)
        elif kind == "one":
            scales = [0.05, 0.05, 0.05]
        elif kind == "power":
            scales = [2.0 ** -self.pick(3, 8) for _ in range(3)]
        else:
            scales = [0.001 * self.pick(1, 9), 0.4, 0.4 * self.choose([0.01, 1, 20])]
        name = self.choose(["ADD", "SUB"])
        self.note(operator=name, scales=kind)
        self.binary(name, scales)

    def mul(self):
        scales = list(self.rng.uniform(0.01, 0.2, 2))
        kind = self.choose(["right"] * 4 + ["one", "left", "power", "tiny"])
        if kind == "power":
            scales = [2.0 ** -4, 2.0 ** -5]
        factor = {"right": 1 / self.choose([20, 100, 300, 1000]), "one": 0.75, "left": self.choose([1.5, 9, 60]),
                  "power": 2.0 ** -self.pick(0, 9), "tiny": 2.0 ** -self.pick(9, 14)}[kind]
        scales.append(scales[0] * scales[1] / factor)
        real = np.float64(np.float32(scales[0])) * np.float32(scales[1]) / np.float32(scales[2])
        self.note(scaling=scaling_facts([real]))
        self.binary("MUL", scales)

    def lookup(self):
        """Functions of one element; few elements need no table."""
        name = self.choose(["LOGISTIC", "TANH", "ELU", "HARD_SWISH", "LEAKY_RELU"])
        elements = self.choose([self.pick(1, 8), self.pick(9, 300)])
        shape = [1, elements]
        quantization = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}.get(
            name, (float(self.rng.uniform(0.01, 0.1)), self.zero_point()))
        self.note(operator=name, elements=f"{elements % 4} mod 4")
        x = self.input(shape, float(self.rng.uniform(0.005, 0.1)), self.zero_point())
        table = options("LeakyReluOptions", alpha=self.choose([0.1, 0.5, -0.6])) if name == "LEAKY_RELU" else None
        self.writer.operator(name, [x], [self.output(shape, *quantization)], table)

    def softmax(self):
        rows, depth = self.pick(1, 4), self.choose([self.pick(1, 12), self.pick(13, 150)])
        wide = self.element == np.int16
        quantization = (1 / 32768, 0) if wide else (1 / 256, -128)
        self.note(rows=str(rows), elements=f"{depth % 4} mod 4")
        scale = 10 / 32768 if wide else float(self.rng.uniform(0.001, 0.5))
        x = self.input([rows, depth], scale, self.zero_point())
        table = options("SoftmaxOptions", beta=self.choose([1.0, 1.0, 0.25, 2.5]))
        self.writer.operator("SOFTMAX", [x], [self.output([rows, depth], *quantization)], table, 2)


FAMILIES = ["conv_2d", "depthwise_conv_2d", "fully_connected", "average_pool_2d", "max_pool_2d", "mean",
            "add", "mul", "lookup", "softmax", "conv_2d_int16", "depthwise_conv_2d_int16",
            "fully_connected_int16", "softmax_int16"]
