# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""RAM and flash of known models: what users are promised."""
import pytest

from harness import firmware, goldens
from harness.tools import MODELS, SHARED, check, compile_model

# Bytes of arena of an operator-at-a-time plan; kernel scratch and stack come on top.
ARENA = {
    "kws_ref_model": 16000,
    "vww_96_int8": 55296,
    "pretrainedResnet_quant": 49152,
    "ad01_int8": 1024,
    "person_detect": 55296,
}
SCRATCH_AND_STACK = 4096
KWS_CODE = 24 * 1024


def find(name):
    """(model, goldens): from the tree, else from beside the checkout."""
    if (MODELS / f"{name}.tflite").exists():
        return MODELS / f"{name}.tflite", MODELS / f"{name}.npz"
    model = SHARED / "models" / "models" / f"{name}.tflite"
    if not model.exists():
        pytest.skip(f"no {model}")
    return model, SHARED / "models" / "golden" / f"{name}.npz"


@pytest.mark.parametrize("name", ARENA)
def test_ram(name, tmp_path):
    model, golden = find(name)
    compile_model(model, tmp_path, "m", "cortex-m4")
    result = firmware.device(tmp_path, "m", goldens.load(golden, limit=1))
    used = firmware.macro(tmp_path, "m", "ARENA_BYTES") + result.stack
    assert used <= ARENA[name] + SCRATCH_AND_STACK


def test_kws_code(tmp_path):
    model, golden = find("kws_ref_model")
    compile_model(model, tmp_path, "m", "cortex-m4")
    firmware.link_device(tmp_path, "m", goldens.load(golden, limit=1))
    code = 0
    for file in tmp_path.glob("*.arm.obj"):
        if file.name in ("m_glue.arm.obj", "cases.arm.obj"):
            continue
        for line in check([firmware.ARM + "size", "-A", file], "size").splitlines():
            if line.startswith(".text"):
                code += int(line.split()[1])
    assert 0 < code < KWS_CODE
