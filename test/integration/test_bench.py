# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""thimble bench against the harness, which builds and measures the same model on its own, and the
gate of tools/bench."""
import json
import sys

import numpy as np
import pytest

from harness import firmware, goldens
from harness.tools import BUILD, MODELS, ROOT, THIMBLE, check, compile_model

sys.path.insert(0, str(ROOT / "test" / "benchmark"))
import benchmark  # noqa: E402


def bench(model, *options, thimble=THIMBLE):
    return json.loads(check([thimble, "bench", model, "--json", "-", *options], "bench",
                            timeout=300))


def sizes(directory):
    """(text, rodata) of the objects of a compilation, by section."""
    text = rodata = 0
    for file in [*directory.glob("*.arm.obj"), *directory.glob("*.o")]:
        if "glue" in file.name or "cases" in file.name:
            continue
        for line in check([firmware.ARM + "size", "-A", file], "size").splitlines():
            words = line.split()
            text += int(words[1]) if line.startswith((".text", ".ARM.ex")) else 0
            rodata += int(words[1]) if line.startswith(".rodata") else 0
    return text, rodata


@pytest.mark.parametrize("emit", ["c", "obj"])
@pytest.mark.parametrize("name", ["kws_ref_model", "tmx_mnist_dw_q", "magic_wand_float"])
def test_figures(name, emit, tmp_path):
    model, samples = MODELS / f"{name}.tflite", goldens.load(MODELS / f"{name}.npz", limit=1)
    compile_model(model, tmp_path, "m", "cortex-m4", emit)
    measured = firmware.device(tmp_path, "m", samples)
    np.save(tmp_path / "x.npy", samples.inputs[0][0])
    report = bench(model, "--emit", emit, "--input", tmp_path / "x.npy")
    assert report["cycles"] == measured.cycles
    assert report["instructions"] == measured.instructions
    assert report["stack_bytes"] == measured.stack
    assert report["arena_bytes"] == firmware.macro(tmp_path, "m", "ARENA_BYTES")
    inside = sum(layer["cycles"] for layer in report["layers"])
    assert 0.97 * report["cycles"] < inside < report["cycles"]
    # Beside the objects' own sections there are at most the library's functions.
    text, rodata = sizes(tmp_path)
    flash = report["flash_bytes"]
    assert 0.9 * text <= flash["code"] < text + 4096
    assert rodata <= flash["constants"] < rodata + 1024


def test_layers_say_what_they_multiply():
    layers = bench(MODELS / "kws_ref_model.tflite")["layers"]
    first, second = layers[:2]
    assert (first["op"], first["filter"], first["strides"]) == ("conv_2d", [10, 4], [2, 2])
    assert (first["channels"], first["macs"]) == ([1, 64], 320000)
    assert second["op"] == "depthwise_conv_2d" and second["channels"] == [64, 64]
    assert first["cycles_per_mac"] == pytest.approx(first["cycles"] / first["macs"])


def test_board_adds_time_and_energy():
    facts = firmware.board_facts("nucleo-l4r5zi")
    report = bench(MODELS / "kws_ref_model.tflite", "--target", "nucleo-l4r5zi")
    time = report["cycles"] + report["wait_cycles"]
    # At most all loads and instructions wait.
    assert 0 < report["wait_cycles"] < 2 * facts["flash"]["wait_states"] * report["instructions"]
    assert report["milliseconds"] == pytest.approx(1e3 * time / facts["clock_hz"])
    assert report["microjoules"] == pytest.approx(1e-3 * time * facts["nj_per_cycle"])


def test_installed(tmp_path):
    check(["cmake", "--install", BUILD, "--component", "thimble", "--prefix", tmp_path],
          "installing")
    report = bench(MODELS / "hello_world_int8.tflite", thimble=tmp_path / "bin" / "thimble")
    assert report["cycles"] > 0


class TestGate:
    """tools/bench on a tree of its own, with a baseline that the test writes."""

    def run(self, monkeypatch, tmp_path, baseline, *options):
        monkeypatch.setattr(benchmark, "BASELINE", tmp_path / "baseline.json")
        monkeypatch.setattr(sys, "argv", ["bench", str(MODELS / "hello_world_int8.tflite"), *options])
        if baseline is not None:
            benchmark.BASELINE.write_text(json.dumps({"hello_world_int8": baseline}))
        with pytest.raises(SystemExit) as leaves:
            benchmark.main()
        return bool(leaves.value.code)

    @pytest.fixture
    def figures(self, monkeypatch, tmp_path, capsys):
        assert not self.run(monkeypatch, tmp_path, None, "--update")
        return json.loads((tmp_path / "baseline.json").read_text())["hello_world_int8"]

    def test_same(self, figures, monkeypatch, tmp_path, capsys):
        assert not self.run(monkeypatch, tmp_path, figures, "--check")
        assert "worse" not in capsys.readouterr().out

    @pytest.mark.parametrize("figure", benchmark.FIGURES)
    def test_worse(self, figure, figures, monkeypatch, tmp_path, capsys):
        old = figures | {figure: int(figures[figure] / 1.04)}
        assert self.run(monkeypatch, tmp_path, old, "--check")
        assert f"hello_world_int8: {figure}" in capsys.readouterr().out

    def test_within_tolerance(self, figures, monkeypatch, tmp_path, capsys):
        old = figures | {"cycles": round(figures["cycles"] / 1.02)}
        assert not self.run(monkeypatch, tmp_path, old, "--check")

    def test_model_that_no_longer_compiles(self, figures, monkeypatch, tmp_path, capsys):
        def refuse(path):
            raise benchmark.Refused("no kernel")
        monkeypatch.setattr(benchmark, "measure", refuse)
        assert self.run(monkeypatch, tmp_path, figures, "--check")
        assert "no kernel" in capsys.readouterr().out


def layer(cycles, kernel="conv_2d.smlad", channels=(16, 16), total=1000):
    report = {"op": "conv_2d", "kernel": kernel, "macs": 100, "cycles": cycles, "instructions": 1,
              "cycles_estimate": cycles, "cycles_per_mac": cycles / 100, "input": "int8",
              "weights": "int8", "channels": list(channels), "filter": [3, 3], "strides": [1, 1]}
    return benchmark.Layer("m", 0, report, total)


def test_warnings():
    fast, slow, other = layer(100), layer(150), layer(150, channels=(16, 64))
    assert benchmark.slow_layers([fast, slow, other])[0] == [
        f"{slow}: 1.50 cycles/MAC, 1.50 times those of {fast}"]
    assert benchmark.slow_layers([layer(10, total=10000), layer(100, total=10000)]) == ([], 1)
    assert benchmark.portable_layers([fast, layer(100, "conv_2d.portable")])
    assert not benchmark.portable_layers([layer(10, "conv_2d.portable", total=1000)])
