# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""What random layers have to reach of each family, and counters of what they did reach."""
import collections
import re

from .tools import kernel_table

MODULO_4 = [f"{i} mod 4" for i in range(4)]
SIDES = [f"{side} {state}" for side in ("top", "bottom", "left", "right")
         for state in ("padded", "bare")]
SCALINGS = ["left shift", "shift 0", "right shift", "q = 2^30"]

WINDOWS = {"padding": SIDES, "height": MODULO_4, "width": MODULO_4, "stride_y": ["1", "2", "3"],
           "stride_x": ["1", "2", "3"], "batch": ["1", "2"]}
PRODUCTS = {"scaling": SCALINGS, "scales": ["one", "by channel"], "outputs": MODULO_4,
            "weights": ["with -128", "from -127"], "activation": ["none", "relu", "relu6"],
            "bias": ["none", "zero", "small", "large", "huge", "all"],
            "saturation": ["at both ends", "inside"]}
# Of OutputScaling, named by the functions of kernels.
FORMS = {"form": ["fold", "add", "signed"], "clamp": ["signed", "unsigned", "twice", "moved"]}
CONVOLUTION = {**WINDOWS, **PRODUCTS, "inputs": MODULO_4, "dilation": ["on", "off"],
               "window": ["1x1", "3x3", "other"]}
GROUPS = {"groups": ["1", "more"]}
DEPTHWISE = {**WINDOWS, **PRODUCTS, "dilation": ["on", "off"], "multiplier": ["1", "2", "3"],
             "window": ["3x3", "any", "time"]}
DENSE = {**PRODUCTS, "inputs": MODULO_4, "batch": ["1", "2", "3"],
         "depth": ["up to 40", "up to 128", "more"]}
POOL = {**WINDOWS, "channels": MODULO_4, "activation": ["none", "relu", "relu6"]}
BINARY = {"operands": ["equal", "channels", "itself"], "elements": MODULO_4,
          "activation": ["none", "relu", "relu6"], "saturation": ["at both ends", "inside"]}

REQUIRED = {
    "conv_2d": {**CONVOLUTION, **FORMS, **GROUPS},
    "depthwise_conv_2d": {**DEPTHWISE, **FORMS},
    # Its offsets are in the first sums: what would be fold is add.
    "fully_connected": {**DENSE, "form": ["add", "signed", "shared"], "clamp": FORMS["clamp"],
                        "loop": ["by4", "by4_rest", "by8", "by8_rest"], "lanes": ["mix", "w16"]},
    "average_pool_2d": POOL,
    "max_pool_2d": POOL,
    "mean": {"batch": ["1", "2"], "channels": MODULO_4, "quantization": ["same", "other"]},
    "add": {**BINARY, "operator": ["ADD", "SUB"], "scales": ["any", "one", "power", "far"]},
    "mul": {**BINARY, "scaling": SCALINGS},
    "lookup": {"operator": ["LOGISTIC", "TANH", "ELU", "HARD_SWISH", "LEAKY_RELU"],
               "elements": MODULO_4},
    "softmax": {"rows": ["1", "2", "3", "4"], "elements": MODULO_4},
    "conv_2d_int16": CONVOLUTION,
    "depthwise_conv_2d_int16": DEPTHWISE,
    "fully_connected_int16": DENSE,
    "softmax_int16": {"rows": ["1", "2", "3", "4"], "elements": MODULO_4},
}

# Whose kernels compute a family, where it is not called like them.
OPERATORS = {"mean": ["mean", "reduce"], "add": ["add", "binary"], "mul": ["mul", "binary"],
             "fully_connected_int16": ["fully_connected", "conv_2d"]}


def kernels(family):
    """Names of a family's kernels; those that would hardly be chosen are asked for by name."""
    operators = OPERATORS.get(family, [family.removesuffix("_int16")])
    names = [name.split(".") for name in kernel_table() if name.split(".")[0] in operators]
    names = [name for name in names if name[1] != "by_rows"]  # in chains only, see test_streams.py
    if family.endswith("_int16"):
        return [f"{op}.{v}" for op, v in names if v == "int16" or (v == "portable" and op == operators[0])]
    return [f"{op}.{v}" for op, v in names if v != "int16"]


SUFFIX = re.compile(r"_(?:conv|depthwise|fc|mul)_\w+?_([fas])\d*(u\d+)?(bm?\d+)?(pm?\d+)?(?:_z\d+)?$")


def function_facts(name):
    """What the name of a kernel's function says of its code."""
    dense = re.search(r"_fc_(mix|w16)_(by\d(?:_rest)?|k)", name)
    facts = {"lanes": dense[1], "loop": dense[2]} if dense else {}
    match = SUFFIX.search(name)
    if not match:
        return {**facts, "form": "shared"} if dense else {}
    clamps = [word for word, there in zip(("unsigned", "twice", "moved"), match.groups()[1:]) if there]
    return {**facts, "form": {"f": "fold", "a": "add", "s": "signed"}[match[1]],
            "clamp": clamps or ["signed"]}


class Coverage:
    """How many layers were of which kind."""

    def __init__(self):
        self.counters = collections.defaultdict(collections.Counter)
        self.layers, self.constants = 0, 0

    def add(self, facts):
        """A layer whose outputs never change is a constant to be copied, and counts for nothing."""
        if facts["kernel"].startswith("movement."):
            self.constants += 1
            return
        self.layers += 1
        for counter, values in facts.items():
            self.counters[counter].update([values] if isinstance(values, str) else values)

    def missing(self, family):
        """What a family must have and has not."""
        required = {**REQUIRED[family], "kernel": kernels(family)}
        return [f"{counter}: {value}" for counter, values in required.items()
                for value in values if not self.counters[counter][value]]

    def lines(self):
        for counter, values in self.counters.items():
            yield f"{counter}: " + ", ".join(f"{v} {n:,}" for v, n in sorted(values.items()))
