# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""The object links and runs with firmware of every float ABI."""
import pytest

from harness import firmware, goldens
from harness.tools import MODELS, compile_model

ABIS = ("hard", "softfp", "soft")


@pytest.mark.parametrize("abi", ABIS)
@pytest.mark.parametrize("model", ["kws_ref_model", "hello_world_float"])
def test_default_object_links_with(model, abi, tmp_path):
    samples = goldens.load(MODELS / f"{model}.npz", limit=1)
    compile_model(MODELS / f"{model}.tflite", tmp_path, "m", "cortex-m4", "obj")
    result = firmware.device(tmp_path, "m", samples, float_abi=abi)
    goldens.compare(result.outputs, samples)


@pytest.mark.parametrize("abi", ABIS)
def test_option(abi, tmp_path):
    samples = goldens.load(MODELS / "hello_world_float.npz", limit=1)
    compile_model(MODELS / "hello_world_float.tflite", tmp_path, "m", "cortex-m4", "obj",
                  ["--float-abi", abi])
    result = firmware.device(tmp_path, "m", samples, float_abi=abi)
    goldens.compare(result.outputs, samples)
