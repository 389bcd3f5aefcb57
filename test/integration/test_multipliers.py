# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Multipliers on a boundary, where a float instead of a double on the way makes another number."""
import math

import numpy as np
import pytest

from harness import goldens, oracle
from harness.models import ModelWriter, options


def reduced(factor):
    """The 16 bits of a multiplier that int16 layers use."""
    return (round(math.frexp(factor)[0] * 2**31) + (1 << 15)) >> 16


def boundary_scales(rng):
    """Scales of input, weights and output whose multiplier depends on how the first two are multiplied."""
    while True:
        x, w = np.float32(10 ** rng.uniform(-6, -4)), np.float32(rng.uniform(0.01, 0.04))
        y = np.float32(10 ** rng.uniform(-4.5, -3))
        double, single = float(x) * float(w) / float(y), float(x * w) / float(y)
        if reduced(double) != reduced(single) and 1e-5 < double < 1e-2:
            return x, w, y


def check(model, sample):
    want = oracle.tflm(model, sample, 1)
    assert not goldens.difference(oracle.thimble_run(model, sample, 1)[0], want[0])


@pytest.mark.parametrize("seed", range(4))
def test_fully_connected_int16(tmp_path, seed):
    rng = np.random.default_rng(seed)
    x_scale, w_scale, y_scale = map(float, boundary_scales(rng))
    writer = ModelWriter()
    x = writer.input([4, 40], x_scale, 0, np.int16)
    w = writer.tensor([16, 40], [w_scale], 0, data=rng.integers(-127, 128, (16, 40)).astype(np.int8), axis=0)
    y = writer.output([4, 16], y_scale, 0, np.int16)
    writer.operator("FULLY_CONNECTED", [x, w, -1], [y], options("FullyConnectedOptions"), 3)
    model = tmp_path / "boundary.tflite"
    writer.write(model)
    check(model, [rng.integers(-32768, 32768, (4, 40)).astype(np.int16)])


@pytest.mark.parametrize("seed", range(4))
def test_batch_matmul_int16(tmp_path, seed):
    rng = np.random.default_rng(seed)
    x_scale, w_scale, y_scale = map(float, boundary_scales(rng))
    writer = ModelWriter()
    x = writer.input([1, 4, 40], x_scale, 0, np.int16)
    w = writer.input([1, 40, 16], w_scale, 0, np.int16)
    y = writer.output([1, 4, 16], y_scale, 0, np.int16)
    writer.operator("BATCH_MATMUL", [x, w], [y], options("BatchMatMulOptions"), 3)
    model = tmp_path / "boundary.tflite"
    writer.write(model)
    check(model, [rng.integers(-32768, 32768, shape).astype(np.int16) for shape in ([1, 4, 40], [1, 40, 16])])


@pytest.mark.parametrize("seed", range(4))
def test_mul_int16(tmp_path, seed):
    rng = np.random.default_rng(seed)
    x_scale, w_scale, y_scale = map(float, boundary_scales(rng))
    writer = ModelWriter()
    x = writer.input([4, 40], x_scale, 0, np.int16)
    w = writer.input([4, 40], w_scale, 0, np.int16)
    y = writer.output([4, 40], y_scale, 0, np.int16)
    writer.operator("MUL", [x, w], [y], options("MulOptions"), 3)
    model = tmp_path / "boundary.tflite"
    writer.write(model)
    check(model, [rng.integers(-32768, 32768, (4, 40)).astype(np.int16) for _ in range(2)])
