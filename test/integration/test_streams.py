# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Networks that run row by row: their plans, checked from the report alone, and their outputs."""
import collections
import copy
import json

import numpy as np
import pytest

from harness import firmware, goldens, modes, oracle
from harness.models import ModelWriter, options
from harness.tools import MODELS, Failed, Refused, check, compile_model
from harness.tools import run as run_program

NAMES = sorted(p.stem for p in MODELS.glob("*.tflite"))


def check_plan(report):
    """Every byte of a region has one owner at a time, and the stated bounds are some."""
    regions = report["regions"]
    if (regions[0]["used"], regions[0]["lower_bound"]) != (report["arena_bytes"],
                                                           report["arena_lower_bound_bytes"]):
        raise Failed("the first region is not the arena")
    for number, region in enumerate(regions):
        check_region(report, number, region["used"], region["lower_bound"])
    if any(use["region"] >= len(regions) for use in report["buffers"]):
        raise Failed("a buffer is in no region")


def check_region(report, region, size, bound):
    steps = max(len(report["steps"]), 1)
    owner = np.full((steps, size), -1, np.int32)
    if region == 0:
        owner[:, :8 * (len(report["regions"]) - 1)] = len(report["buffers"])  # addresses
    for number, use in enumerate(report["buffers"]):
        if use["region"] != region:
            continue
        first, last = use["first_use"], use["last_use"]
        begin, end = use["offset"], use["offset"] + use["bytes"]
        if not (0 <= begin < end <= size and 0 <= first <= last < steps):
            raise Failed(f"{use} is not within region {region}, or not within the steps")
        taken = owner[first:last + 1, begin:end]
        if (taken != -1).any():
            other = [*report["buffers"], "the addresses of regions"][taken[taken != -1][0]]
            raise Failed(f"{use} and {other} share bytes")
        taken[:] = number
    peak = int((owner != -1).sum(axis=1).max())
    if not peak <= bound <= size:
        raise Failed(f"{peak} bytes of region {region} are live, the bound is {bound}, it has {size}")


def streamed(report):
    """The layers that run more than once: some rows at a time."""
    return [layer for layer, count in collections.Counter(report["steps"]).items()
            if layer >= 0 and count > 1]


def report_of(directory):
    return json.loads((directory / "m.report.json").read_text())


@pytest.mark.parametrize("optimize", ["speed", "balanced", "ram", "flash"])
@pytest.mark.parametrize("name", NAMES)
def test_plan_of_model(name, optimize, tmp_path):
    compile_model(MODELS / f"{name}.tflite", tmp_path, "m", "cortex-m4",
                  flags=["--optimize", optimize])
    report = report_of(tmp_path)
    check_plan(report)
    assert set(report["steps"]) <= {-1, *range(len(report["layers"]))}
    assert {step for step in report["steps"] if step >= 0} == set(range(len(report["layers"])))
    assert optimize == "ram" or not streamed(report)


def test_check_finds_an_overlap(tmp_path):
    compile_model(MODELS / "kws_ref_model.tflite", tmp_path, "m", "cortex-m4",
                  flags=["--optimize", "ram"])
    report = report_of(tmp_path)
    assert streamed(report)
    for index in (0, len(report["buffers"]) // 2):
        wrong = copy.deepcopy(report)
        use = wrong["buffers"][index]
        wrong["buffers"].append({**use, "offset": use["offset"] + use["bytes"] - 1, "bytes": 1,
                                 "last_use": use["first_use"]})
        with pytest.raises(Failed, match="share bytes"):
            check_plan(wrong)
    for change, message in (({"used": report["arena_bytes"] - 1}, "not within region 0"),
                            ({"lower_bound": 1}, "the bound is 1")):
        region = {**report["regions"][0], **change}
        wrong = {**report, "regions": [region], "arena_bytes": region["used"],
                 "arena_lower_bound_bytes": region["lower_bound"]}
        with pytest.raises(Failed, match=message):
            check_plan(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_model(name):
    flags = ["--reference", "litert"] if name in ("coral_split_concat",) else []
    results = modes.run_all(MODELS / f"{name}.tflite", goldens.load(MODELS / f"{name}.npz"),
                            [*flags, "--optimize", "ram"])
    for _, report in results.values():
        check_plan(report)


class Network:
    """A chain of layers with noise for weights; `x` is the last tensor."""

    def __init__(self, seed, height, width, channels, dtype=np.int8):
        self.rng, self.dtype, self.writer = np.random.default_rng(seed), np.dtype(dtype), ModelWriter()
        self.shape = (height, width, channels)
        self.scale, self.zero = self.quantization()
        self.x = self.writer.input([1, *self.shape], self.scale, self.zero, dtype)
        self.input_shape = [1, *self.shape]

    def quantization(self):
        zero = int(self.rng.integers(-30, 30)) if self.dtype == np.int8 else 0
        return float(np.float32(self.rng.uniform(0.02, 0.06))), zero

    def put(self, name, inputs, shape, opts, same_scale=False):
        if not same_scale:
            self.scale, self.zero = self.quantization()
        self.shape = tuple(shape)
        y = self.writer.tensor([1, *shape] if len(shape) > 1 else [1, shape[0]], self.scale, self.zero,
                               self.dtype)
        self.writer.operator(name, inputs, [y], opts, 4 if self.dtype == np.int16 else 3)
        self.x = y
        return self

    def size(self, kernel, stride, same):
        """Rows and columns of a result."""
        return [-(-n // stride) if same else (n - k) // stride + 1
                for n, k in zip(self.shape[:2], kernel)]

    def weights(self, shape, axis, taps):
        """A filter, per channel along `axis`, and its bias."""
        channels = shape[axis]
        scales = (self.rng.uniform(0.5, 2, channels) / (60 * taps**0.5)).astype(np.float32)
        w = self.writer.tensor(shape, scales, 0, data=self.rng.integers(-127, 128, shape), axis=axis)
        wide = np.int64 if self.dtype == np.int16 else np.int32
        b = self.writer.tensor([channels], scales * np.float32(self.scale), 0, wide,
                               self.rng.integers(-999, 999, channels))
        return w, b

    def conv(self, channels, kernel=(3, 3), stride=1, same=True, dilation=1, activation=0):
        height, width, depth = self.shape
        w, b = self.weights([channels, *kernel, depth], 0, kernel[0] * kernel[1] * depth)
        reach = [(k - 1) * dilation + 1 for k in kernel]
        return self.put("CONV_2D", [self.x, w, b], [*self.size(reach, stride, same), channels],
                        options("Conv2DOptions", padding=int(not same), strideH=stride, strideW=stride,
                                dilationHFactor=dilation, dilationWFactor=dilation,
                                fusedActivationFunction=activation))

    def depthwise(self, kernel=(3, 3), stride=1, same=True, activation=0):
        depth = self.shape[2]
        w, b = self.weights([1, *kernel, depth], 3, kernel[0] * kernel[1])
        return self.put("DEPTHWISE_CONV_2D", [self.x, w, b], [*self.size(kernel, stride, same), depth],
                        options("DepthwiseConv2DOptions", padding=int(not same), strideH=stride,
                                strideW=stride, depthMultiplier=1, dilationHFactor=1, dilationWFactor=1,
                                fusedActivationFunction=activation))

    def pool(self, name, kernel=(2, 2), stride=2, same=False):
        return self.put(f"{name}_POOL_2D", [self.x], [*self.size(kernel, stride, same), self.shape[2]],
                        options("Pool2DOptions", padding=int(not same), strideH=stride, strideW=stride,
                                filterHeight=kernel[0], filterWidth=kernel[1]), same_scale=True)

    def add(self, other):
        return self.put("ADD", [other, self.x], self.shape, options("AddOptions", potScaleInt16=False))

    def mean(self):
        axes = self.writer.tensor([2], [], 0, np.int32, np.array([1, 2], np.int32))
        return self.put("MEAN", [self.x, axes], [self.shape[2]], options("ReducerOptions", keepDims=False))

    def returned(self):
        """The last tensor is an output of the network, whoever else reads it."""
        self.writer.graph.outputs.append(self.x)
        return self

    def samples(self, model, count=2):
        info = np.iinfo(self.dtype)
        inputs = [[self.rng.integers(info.min, info.max, self.input_shape, self.dtype, endpoint=True)]
                  for _ in range(count)]
        return goldens.Samples(inputs, [oracle.tflm(model, i, len(self.writer.graph.outputs)) for i in inputs])


def run(network, tmp_path, flags=("--optimize", "ram"), kinds=(*modes.MODES, modes.PORTABLE)):
    """Every form of it gives tflite-micro's outputs, with a sound plan; the reports."""
    model = tmp_path / "chain.tflite"
    network.writer.write(model)
    results = modes.run_all(model, network.samples(model), [*flags], kinds)
    for _, report in results.values():
        check_plan(report)
    return [report for _, report in results.values()]


def residual(n):
    """A block of two convolutions around which its input goes."""
    x = n.x
    return n.depthwise().conv(n.shape[2], (1, 1)).add(x)


def plain(n):
    return n.conv(12, stride=2).depthwise().conv(16, (1, 1), activation=1).depthwise((5, 3)).conv(8, (1, 1))


CHAINS = {
    "plain": plain,
    "residual": lambda n: residual(residual(n.conv(8))).conv(8, stride=2),
    "mean": lambda n: n.conv(8, stride=2).depthwise(stride=2).conv(16, (1, 1), activation=3).mean(),
    "average": lambda n: plain(n).pool("AVERAGE", n.shape[:2], 1),
    "pools": lambda n: n.conv(8).pool("MAX").conv(12).pool("AVERAGE").conv(8, (1, 1)),
    "padded pools": lambda n: n.conv(8).pool("MAX", (3, 3), 2, True).conv(12).conv(8, (1, 1)),
    "tall windows": lambda n: n.conv(8, (7, 1), same=False).conv(8, (1, 5)).depthwise((7, 3), 3).conv(8, (2, 2)),
    "gaps": lambda n: n.conv(8, (1, 1)).conv(12, (1, 1), 3).conv(12, (2, 3), 2, False).conv(8, (1, 1)),
    "dilated": lambda n: n.conv(8).conv(8, dilation=3).conv(8, (3, 3), dilation=2, same=False),
    "twice": lambda n: n.conv(8).add(n.x).depthwise().conv(8, (1, 1)).mean(),
    "output between": lambda n: n.conv(4).returned().conv(12).depthwise().conv(4, (1, 1)).conv(4),
}
SHAPES = [(32, 24, 3), (31, 17, 4), (45, 9, 6)]


CASES = [(name, shape, dtype) for name in CHAINS for dtype in (np.int8, np.int16)
         for shape in (SHAPES if dtype == np.int8 else SHAPES[1:2])]


@pytest.mark.parametrize("name,shape,dtype", CASES,
                         ids=[f"{n}-{s[0]}x{s[1]}-{d.__name__}" for n, s, d in CASES])
def test_chain(name, shape, dtype, tmp_path):
    network = CHAINS[name](Network(sum(shape), *shape, dtype)).returned()
    for report in run(network, tmp_path):
        assert streamed(report)


#===-- Inputs that arrive by rows ------------------------------------------------------------===#

BY_ROWS = [["--stream-input", "--optimize", "ram"], ["--stream-input"],
           ["--stream-input", "--optimize", "flash"]]


def input_bytes(report):
    return sum(use["bytes"] for use in report["buffers"] if use["class"] == "input")


@pytest.mark.parametrize("flags", BY_ROWS, ids=["ram", "speed", "flash"])
@pytest.mark.parametrize("name", CHAINS)
def test_chain_takes_rows(name, flags, tmp_path):
    for report in run(CHAINS[name](Network(7, *SHAPES[0])).returned(), tmp_path, flags):
        assert input_bytes(report) == 0


@pytest.mark.parametrize("flags", BY_ROWS, ids=["ram", "speed", "flash"])
@pytest.mark.parametrize("name", NAMES)
def test_model_takes_rows(name, flags, tmp_path):
    model = MODELS / f"{name}.tflite"
    samples = goldens.load(MODELS / f"{name}.npz")
    if len(samples.inputs[0]) != 1:
        with pytest.raises(Refused, match="must be the only one"):
            compile_model(model, tmp_path, "m", "cortex-m4", flags=flags)
        return
    reference = ["--reference", "litert"] if name == "coral_split_concat" else []
    for _, report in modes.run_all(model, samples, [*flags, *reference]).values():
        check_plan(report)


def test_budgets_hold_with_rows(tmp_path):
    model = MODELS / "kws_ref_model.tflite"
    samples = goldens.load(MODELS / "kws_ref_model.npz", limit=1)
    for budget in (6000, 9000, 14000):
        results = modes.run_all(model, samples, ["--stream-input", "--ram", str(budget)])
        for result, report in results.values():
            assert report["arena_bytes"] + (result.stack or 0) <= budget
            check_plan(report)


STATUSES = """
#include "m.h"
#include <string.h>
#include <stdio.h>
#define CHECK(what, want) do { if ((what) != (want)) { printf("%s\\n", #what); return 1; } } while (0)
static _Alignas(M_ARENA_ALIGN) unsigned char arena[M_ARENA_BYTES + M_ARENA_ALIGN];
static int8_t picture[M_INPUT_0_BYTES], first[M_OUTPUT_0_BYTES];
int main(void) {
  for (int i = 0; i < M_INPUT_0_BYTES; ++i)
    picture[i] = (int8_t)(i * 37);
  CHECK(m_init(arena), THIMBLE_OK);
  CHECK(m_invoke(arena), THIMBLE_ERROR_ROWS);
  CHECK(m_push_rows(NULL, picture, 1), THIMBLE_ERROR_NULL);
  CHECK(m_push_rows(arena, NULL, 1), THIMBLE_ERROR_NULL);
  CHECK(m_push_rows(arena + 1, picture, 1), THIMBLE_ERROR_ALIGNMENT);
  CHECK(m_push_rows(arena, picture, M_INPUT_0_ROWS + 1u), THIMBLE_ERROR_ROWS);
  CHECK(m_push_rows(arena, picture, 0), THIMBLE_OK);
  CHECK(m_push_rows(arena, picture, M_INPUT_0_ROWS), THIMBLE_OK);
  CHECK(m_push_rows(arena, picture, 1), THIMBLE_ERROR_ROWS);
  CHECK(m_invoke(arena), THIMBLE_OK);
  memcpy(first, m_output_0(arena), sizeof first);
  CHECK(m_invoke(arena), THIMBLE_ERROR_ROWS);
  /* Given up in the middle, then all over. */
  if (M_INPUT_0_ROWS > 3)
    CHECK(m_push_rows(arena, picture + 5, 3), THIMBLE_OK);
  CHECK(m_init(arena), THIMBLE_OK);
  CHECK(m_push_rows(arena, picture, M_INPUT_0_ROWS - 1), THIMBLE_OK);
  CHECK(m_invoke(arena), THIMBLE_ERROR_ROWS);
  CHECK(m_push_rows(arena, picture + (M_INPUT_0_ROWS - 1) * M_INPUT_0_ROW_BYTES, 1), THIMBLE_OK);
  CHECK(m_invoke(arena), THIMBLE_OK);
  CHECK(memcmp(first, m_output_0(arena), sizeof first), 0);
  return 0;
}
"""


@pytest.mark.parametrize("name,flags", [("kws_ref_model", ["--optimize", "ram"]), ("kws_ref_model", []),
                                        ("hello_world_int8", [])])
def test_statuses_of_rows(name, flags, tmp_path):
    """A model that takes rows, and one whose input is a row and has its place in the arena."""
    compile_model(MODELS / f"{name}.tflite", tmp_path, "m", "generic", flags=["--stream-input", *flags])
    (tmp_path / "main.c").write_text(STATUSES)
    program = tmp_path / "main.exe"
    check(["gcc", *firmware.STRICT, *firmware.HOST_FLAGS, "-I", tmp_path, tmp_path / "main.c",
           tmp_path / "m.c", "-lm", "-o", program], "building")
    result = run_program([program])
    assert result.returncode == 0, result.stdout
    assert "m_input_0" not in (tmp_path / "m.h").read_text()
