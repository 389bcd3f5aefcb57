# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Models in several regions of RAM: sound plans, the goldens' outputs, instances of their own."""
import json

import pytest

from harness import firmware, goldens, modes
from harness.tools import MODELS, THIMBLE, Refused, compile_model, run
from test_streams import check_plan

SLOW = 6  # wait states


def report_of(directory):
    return json.loads((directory / "m.report.json").read_text())


def tight(model, tmp_path, optimize, part):
    """Flags for a first region of a part of the arena and stack that the model needs."""
    compile_model(model, tmp_path, "m", "cortex-m4", flags=["--optimize", optimize])
    report = report_of(tmp_path)
    # An attempt with little RAM would find another plan: the second region has enough.
    first = int(part * report["arena_bytes"]) // 8 * 8 + report["stack_bytes"]
    return ["--optimize", optimize, "--region", f"RAM:{first}", "--region", f"SDRAM:1M:{SLOW}"]


@pytest.mark.parametrize("optimize,part", [("speed", 0.6), ("ram", 0.5)])
@pytest.mark.parametrize("name", ["kws_ref_model", "magic_wand_float", "mltk_image_example1"])
def test_two_regions(name, optimize, part, tmp_path):
    model, samples = MODELS / f"{name}.tflite", goldens.load(MODELS / f"{name}.npz")
    flags = tight(model, tmp_path, optimize, part)
    for _, report in modes.run_all(model, samples, flags, (*modes.MODES, modes.PORTABLE)).values():
        check_plan(report)
        assert [region["name"] for region in report["regions"]] == ["RAM", "SDRAM"]
        assert all(region["used"] <= region["bytes"] for region in report["regions"])
        assert {buffer["region"] for buffer in report["buffers"]} == {0, 1}
        assert any("cycles of waiting for RAM" in remark["text"] for remark in report["remarks"])


def test_three_regions(tmp_path):
    model, samples = MODELS / "kws_ref_model.tflite", goldens.load(MODELS / "kws_ref_model.npz")
    compile_model(model, tmp_path, "m", "cortex-m4")
    buffers = sorted(b["bytes"] for b in report_of(tmp_path)["buffers"])
    regions = [f"TCM:{buffers[-1] // 4 + 1024}", f"RAM:{buffers[-1] + 8}:1", "SDRAM:64K:9"]
    flags = [flag for region in regions for flag in ("--region", region)]
    for _, report in modes.run_all(model, samples, flags).values():
        check_plan(report)
        assert len(report["regions"]) == 3


def test_one_region_that_suffices_changes_nothing(tmp_path):
    model = MODELS / "kws_ref_model.tflite"
    for directory, flags in (("a", []), ("b", ["--region", "RAM:1M", "--region", "SDRAM:8M:9"])):
        compile_model(model, tmp_path / directory, "m", "cortex-m4", flags=flags)
    for file in ("m.c", "m.h"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_too_little_is_refused(tmp_path):
    with pytest.raises(Refused, match="does not fit the RAM of 'cortex-m4': region B has 512 bytes.* "
                                      "most are live during layer"):
        compile_model(MODELS / "kws_ref_model.tflite", tmp_path, "m", "cortex-m4",
                      flags=["--region", "A:1K", "--region", "B:512:1"])


@pytest.mark.parametrize("emit", ["c", "obj"])
def test_verify_and_bench(emit, tmp_path):
    model = MODELS / "kws_ref_model.tflite"
    flags = [*tight(model, tmp_path, "speed", 0.6), "--emit", emit]
    result = run([THIMBLE, "verify", model, *flags], timeout=300)
    assert result.returncode == 0 and "all equal" in result.stdout, result.stdout
    result = run([THIMBLE, "bench", model, *flags], timeout=300)
    assert result.returncode == 0 and "other regions" in result.stdout, result.stdout


def test_header(tmp_path):
    model = MODELS / "kws_ref_model.tflite"
    compile_model(model, tmp_path, "m", "cortex-m4", flags=tight(model, tmp_path, "speed", 0.6))
    regions = report_of(tmp_path)["regions"]
    assert firmware.macro(tmp_path, "m", "NUM_REGIONS") == len(regions) == 2
    assert firmware.macro(tmp_path, "m", "ARENA_BYTES") == regions[0]["used"]
    assert firmware.macro(tmp_path, "m", "REGION_1_BYTES") == regions[1]["used"]
