# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""No layer touches a byte outside its buffers; and the shadow that says so notices every kind of touch that does."""
import re

import pytest

from harness import goldens, shadow
from harness.tools import MODELS, Failed
from test_streams import CHAINS, Network

TARGETS = ("generic", "cortex-m4")


def plans(model, samples, target):
    """A run of every plan: for speed, for RAM, and for half of what is between."""
    ram = [report["arena_bytes"] + report["stack_bytes"] for report in
           (shadow.verify(model, samples, target, ["--optimize", goal]) for goal in ("speed", "ram"))]
    if ram[1] < ram[0]:
        shadow.verify(model, samples, target, ["--ram", str(sum(ram) // 2)])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["kws_ref_model", "coral_split_concat", "lstm2_float", "arm_kws_ds_cnn_s_int16"])
def test_model(name, target):
    plans(MODELS / f"{name}.tflite", goldens.load(MODELS / f"{name}.npz", limit=1), target)


@pytest.mark.parametrize("name", ["residual", "average", "padded pools", "gaps", "dilated", "twice", "output between"])
def test_chain(name, tmp_path):
    network = CHAINS[name](Network(7, 31, 17, 4)).returned()
    model = tmp_path / "chain.tflite"
    network.writer.write(model)
    plans(model, network.samples(model, 1), "cortex-m4")


class Compiled:
    """A streamed model whose C, report or plan a test changes before it runs."""

    def __init__(self, directory):
        self.directory, self.name = directory, "kws_ref_model"
        self.report, self.plan = shadow.compile_with_plan(MODELS / f"{self.name}.tflite", directory,
                                                flags=["--optimize", "ram"])
        self.source = (directory / "m.c").read_text()

    def run(self, source=None, report=None):
        (self.directory / "m.c").write_text(source or self.source)
        samples = goldens.load(MODELS / f"{self.name}.npz", limit=1)
        shadow.run_shadowed(self.directory, "m", samples, report or self.report, self.plan)

    def changed(self, pattern, new, function):
        """The source with the first match of the pattern in a function replaced."""
        start = self.source.index(function)
        text, count = re.subn(pattern, new, self.source[start:], count=1)
        assert count == 1
        return self.source[:start] + text


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    return Compiled(tmp_path_factory.mktemp("shadow"))


DRIVER, FIRST, LAST = "void m_stream_00(", "void m_layer_00_conv_2d(const", "void m_layer_11_softmax(const"
BODY = r"(\{\n)"
LOAD = r"\1  (void)thimble_load_u32(%s);\n"
STORE = r"\1  *(volatile int8_t *)(uintptr_t)%s = 1;\n"

# (a pattern, what takes its place, in which function, what the shadow says) of each mistake
MISTAKES = {
    "result elsewhere": (r"(m_layer_00_conv_2d\(.*)\);", r"\1 + 1);", DRIVER, "layer 0 .* writes .* its own"),
    "operand elsewhere": (r"m_layer_01_depthwise_conv_2d\(", r"\g<0>1 + ", DRIVER, "layer 1 .* reads .* its own"),
    "another layer": (r"m_layer_02_conv_2d\(", "m_layer_04_conv_2d(", DRIVER, "calls another function than step"),
    "wrong position": (r"positions\[1\] = positions\[1\] \+ ", r"\g<0>1 + ", DRIVER, "layer 0 .* writes .* its own"),
    "longer move": (r"(thimble_copy_rows\(.*), (\d+)\);", r"\1, 1 + \2);", DRIVER, "moves 11 bytes .* instead of"),
    "move elsewhere": (r"thimble_copy_rows\(", r"\g<0>1 + ", DRIVER, "moves 10 bytes .* instead of"),
    "no move": (r"thimble_copy_rows\(arena \+ \d+,.*\);", ";", DRIVER, "(instead of|another function than step)"),
    "a firing less": (r"firing < (\d+)", r"firing < \1 - 1", DRIVER, "calls another function than step"),
    "arena in driver": (BODY, LOAD % "arena", DRIVER, "driver 0: reads 4 bytes at 0 of the arena"),
    "load behind operand": (BODY, LOAD % "input_0 + 100", FIRST, "reads 4 bytes .* its own"),
    "load before operand": (BODY, LOAD % "(input_0 - 4)", FIRST, "reads 4 bytes .* its own"),
    "load across its end": (BODY, LOAD % "(input_0 + 97)", FIRST, "reads 4 bytes .* its own"),
    "load before arena": (BODY, LOAD % "(input - 8)", LAST, "neither in the arena"),
    "load of nothing": (BODY, LOAD % "output", FIRST, "reads 4 bytes .* have been written"),
    "store to operand": (BODY, STORE % "input_0", FIRST, "writes 1 bytes .* its own"),
    "static variable": (BODY, r"\1  static volatile int kept;\n  ++kept;\n", FIRST, "neither in the arena"),
    "call of memset": (BODY, r"\1  memset(output, 0, 321);\n", FIRST, "layer 0 .* writes 321 bytes .* its own"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_notices_in_code(mistake, compiled):
    *change, message = MISTAKES[mistake]
    with pytest.raises(Failed, match=f"shadow: .*{message}"):
        compiled.run(compiled.changed(*change))


def in_pieces(use):
    """The same bytes at the same time, but with two lives."""
    middle = (use["first_use"] + use["last_use"]) // 2
    return [{**use, "last_use": middle}, {**use, "first_use": middle + 1}]


# What takes a buffer's place in the report, and what the checker says.
WRONG_LIVES = {
    "shorter": (lambda u: [{**u, "bytes": u["bytes"] - 1}], "not all in use"),
    "elsewhere": (lambda u: [{**u, "offset": u["offset"] + 1}], "not all in use"),
    "later": (lambda u: [{**u, "first_use": u["first_use"] + 1}], "not all in use"),
    "sooner over": (lambda u: [{**u, "last_use": u["last_use"] - 1}], "not all in use"),
    "in pieces": (in_pieces, "shadow: .* reads .* have been written"),
}


@pytest.mark.parametrize("wrong", WRONG_LIVES)
def test_notices_in_report(wrong, compiled):
    replace, message = WRONG_LIVES[wrong]
    uses = compiled.report["buffers"]
    # Some of those that several steps need. The rows that are left in rings at the stream's end are
    # in use until then, though no step needs them.
    end = max(step for step, layer in enumerate(compiled.report["steps"]) if layer == 9)
    longer = [i for i, u in enumerate(uses)
              if u["first_use"] < u["last_use"] < end and u["class"] == "activation"]
    for index in longer[::len(longer) // (2 if wrong == "in pieces" else 20)]:
        report = {**compiled.report, "buffers": uses[:index] + replace(uses[index]) + uses[index + 1:]}
        with pytest.raises(Failed, match=message):
            compiled.run(report=report)


def test_notices_other_steps(compiled):
    steps = list(compiled.report["steps"])
    steps[-1], steps[-2] = steps[-2:]
    with pytest.raises(Failed, match="steps"):
        compiled.run(report={**compiled.report, "steps": steps})


def test_unchanged(compiled):
    compiled.run()
