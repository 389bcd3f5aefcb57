# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""NAME.report.json and its page: figures that agree with each other and with what was compiled, and a
page that shows all of it and nothing else, whatever the names."""
import collections
import copy
import json
import re

import numpy as np
import pytest

from harness import firmware
from harness.models import ModelWriter
from harness.page import Page, live_line, rectangles, step_positions
from harness.tools import MODELS, THIMBLE, check, compile_model, run

NAMES = sorted(p.stem for p in MODELS.glob("*.tflite"))
HOSTILE = ["</script><script>alert(1)</script>", "*/ int x; /*", '"><img src=x onerror=alert(1)>', "a'b&c&lt;d",
           "new\nline\r\ttab\0nul\x1b[31m", "\u202eesrever\u2028\ufeff\uffff", "https://example.com/x.js",
           "]]>--><!--", "</title></svg></style>", "", " ", "%s%n{0}${x}", "\\\\", "same", "same", "漢字🙂"]


def live_bytes(report):
    """For each step, by the buffers alone."""
    live = np.zeros(max(len(report["steps"]), 1), np.int64)
    for use in report["buffers"]:
        live[use["first_use"]:use["last_use"] + 1] += use["bytes"]
    return live


def compiled(name, directory, *flags, emit="c"):
    compile_model(MODELS / f"{name}.tflite", directory, "m", "cortex-m4", emit, flags)
    return json.loads((directory / "m.report.json").read_text())


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return compiled("hello_world_int8", tmp_path_factory.mktemp("small"))


def page_of(report, directory):
    """The page that `thimble report` makes of a changed report."""
    directory.mkdir(exist_ok=True)
    (directory / "m.report.json").write_text(json.dumps(report), encoding="utf-8")
    check([THIMBLE, "report", directory], "report")
    return Page((directory / "m.report.html").read_text(encoding="utf-8"))


#===-- Figures ----------------------------------------------------------------------------------===#

@pytest.mark.parametrize("optimize", ["speed", "ram"])
@pytest.mark.parametrize("name", NAMES)
def test_bounds(name, optimize, tmp_path):
    report = compiled(name, tmp_path, "--optimize", optimize)
    live, bounds, peak = live_bytes(report), report["lower_bounds"], report["ram_peak"]
    if peak["step"] == -1: # what the first step does not read of an input needs room before it
        inputs = [firmware.macro(tmp_path, "m", f"INPUT_{i}_BYTES")
                  for i in range(firmware.macro(tmp_path, "m", "NUM_INPUTS"))]
        assert peak == {"step": -1, "input": bounds["plan"]} and bounds["plan"] == sum(inputs) > live.max()
    else:
        expected = collections.Counter()
        for use in report["buffers"]:
            if use["first_use"] <= peak["step"] <= use["last_use"]:
                expected[use["class"]] += use["bytes"]
        assert peak == {"step": live.argmax(), **expected}
        assert bounds["plan"] == live.max() == expected.total()
    assert bounds["plan"] <= report["arena_lower_bound_bytes"] <= report["arena_bytes"]
    assert optimize == "ram" or bounds["operator_at_a_time"] <= bounds["plan"]
    assert bounds["operator_at_a_time"] > 0
    remark = next(r["text"] for r in report["remarks"] if r["name"] == "Peak")
    parts = [int(n) for n in re.findall(r"(\d+) (?:activation|scratch|state|input|output)", remark)]
    assert sum(parts) == bounds["plan"]
    assert [int(n) for n in re.findall(r"\d+", remark)] == [
        bounds["plan"], *([peak["step"]] if peak["step"] >= 0 else []), *parts,
        report["arena_bytes"] - bounds["plan"], bounds["operator_at_a_time"]]


def test_bound_of_one_operator_at_a_time(tmp_path):
    """In a chain of convolutions, the largest pair of tensors: here two of 25x5x64."""
    for optimize in ("speed", "ram"):
        report = compiled("kws_ref_model", tmp_path, "--optimize", optimize)
        assert report["lower_bounds"]["operator_at_a_time"] == 2 * 25 * 5 * 64


@pytest.mark.parametrize("optimize", ["speed", "ram"])
@pytest.mark.parametrize("name", ["kws_ref_model", "tmx_mnist_dw_q", "magic_wand_float"])
def test_figures_of_the_object(name, optimize, tmp_path):
    report = compiled(name, tmp_path, "--optimize", optimize, emit="obj")
    assert report["arena_bytes"] == firmware.macro(tmp_path, "m", "ARENA_BYTES")
    text, data, bss = check([firmware.ARM + "size", tmp_path / "m.o"], "size").splitlines()[1].split()[:3]
    assert report["flash_bytes"]["code"] + report["flash_bytes"]["constants"] == int(text)
    assert (data, bss) == ("0", "0")


#===-- The page ---------------------------------------------------------------------------------===#

def check_chart(page, report):
    (chart,) = page.charts()
    at = step_positions(report["steps"])
    drawn = rectangles(chart)
    assert [r[:5] for r in drawn] == [
        (b["class"], at[b["first_use"]], b["offset"], at[b["last_use"] + 1] - at[b["first_use"]], b["bytes"])
        for b in report["buffers"]]
    for (*_, title), buffer in zip(drawn, report["buffers"]):
        assert f"{buffer['class']}, {buffer['bytes']:,} bytes at {buffer['offset']:,}, step" in title
    live = live_bytes(report)
    corners = [(0, live[0])] + [(at[i], live[i]) for i in range(1, len(live)) if live[i] != live[i - 1]]
    assert live_line(chart) == corners


def check_tables(page, report):
    layers = page.table("#")
    assert len(layers) == len(report["layers"])
    cycles = sum(layer["cycles_estimate"] for layer in report["layers"])
    for row, layer in zip(layers, report["layers"]):
        share = f"{100 * layer['cycles_estimate'] / max(cycles, 1):.1f} %"
        assert row[2:6] == [layer["op"], layer["kernel"], f"{layer['macs']:,}", f"{layer['cycles_estimate']:,}"]
        assert abs(float(row[6][:-2]) - float(share[:-2])) < 0.11
        assert row[7:] == [f"{layer['flash_bytes']:,}", f"{layer['ram_peak_bytes']:,}"]
    remarks = sum(len(t["rows"]) - 1 for t in page.tables if t["rows"][0][0] == "decision")
    assert remarks == len(report["remarks"])
    assert all(t["caption"] for t in page.tables)


@pytest.mark.parametrize("optimize", ["speed", "ram"])
@pytest.mark.parametrize("name", NAMES)
def test_page(name, optimize, tmp_path):
    report = compiled(name, tmp_path, "--optimize", optimize, "--report", "html,json,html")
    written = (tmp_path / "m.report.html").read_bytes()
    page = Page(written.decode())
    check_chart(page, report)
    check_tables(page, report)
    assert len(written) < 1_000_000
    assert "http" not in page.text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    # `thimble report` makes the same bytes.
    output = check([THIMBLE, "report", tmp_path, "-o", tmp_path / "again.html"], "report")
    assert output == f"{tmp_path / 'again.html'}\n"
    assert (tmp_path / "again.html").read_bytes() == written


def test_page_of_regions(tmp_path):
    report = compiled("kws_ref_model", tmp_path)
    for buffer in report["buffers"][::2]:
        buffer["region"] = 1
    charts = page_of(report, tmp_path / "out").charts()
    assert [len(rectangles(c)) for c in charts] == [
        sum(b["region"] == region for b in report["buffers"]) for region in (0, 1)]


def test_page_of_very_many_parts(tmp_path):
    """A buffer has one title then; every part is drawn."""
    report = compiled("kws_ref_model", tmp_path, "--optimize", "ram")
    part = report["buffers"][0]
    report["buffers"] += [{**part, "offset": i} for i in range(4000)]
    page = page_of(report, tmp_path / "out")
    drawn = rectangles(page.charts()[0])
    assert len(drawn) == len(report["buffers"]) and not any(title for *_, title in drawn)
    assert len(page.text) < 1_000_000


def test_default_paths(tmp_path):
    compiled("hello_world_int8", tmp_path)
    assert not (tmp_path / "m.report.html").exists()
    for argument in (tmp_path, tmp_path / "m.report.json"):
        assert check([THIMBLE, "report", argument], "report") == f"{tmp_path / 'm.report.html'}\n"
        (tmp_path / "m.report.html").unlink()


#===-- Names ------------------------------------------------------------------------------------===#

def shown(name):
    """A name as the page's text has it."""
    def escape(c):
        return {"\n": "\\n", "\\": "\\\\"}.get(c, f"\\x{ord(c):02x}" if ord(c) < 0x100 else f"\\u{ord(c):04x}")
    hidden = r"[\\\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff]"
    return re.sub(hidden, lambda m: escape(m[0]), name) or "(no name)"


def test_hostile_names(small, tmp_path):
    plain = page_of(small, tmp_path / "plain")
    names = HOSTILE + ["x" * (1 << 20), "</p>" * (1 << 18)]
    for index, name in enumerate(names):
        wrong = copy.deepcopy(small)
        for key in ("model", "name", "target", "model_sha256"):
            wrong[key] = name
        for entry in wrong["layers"] + wrong["buffers"]:
            entry["name"] = name
        for layer in wrong["layers"]:
            layer["op"] = layer["kernel"] = name
        for remark in wrong["remarks"]:
            remark |= {"layer": name, "text": name, "kind": name, "name": name}
        page = page_of(wrong, tmp_path / str(index))
        (chart,) = page.charts()
        check_chart(page, wrong)
        assert {tag for tag, _ in page.tags} == {tag for tag, _ in plain.tags}
        assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e\ufeff]", page.text)
        cell = shown(name) if len(name) <= 64 else shown(name)[:64] + "..."
        assert {row[1] for row in page.table("#")} == {cell}
        assert all(title.startswith(cell + ": ") for *_, title in rectangles(chart))
        assert len(page.text) < 1_000_000


def test_hostile_names_of_a_model(tmp_path):
    """From the model to the page; names in a model need not be UTF-8."""
    writer = ModelWriter()
    x = writer.input([1, 8], 0.5)
    names = [n.encode() for n in HOSTILE if "\0" not in n] + [b"\xff\xfe</td>", b"<b>" * 99]
    for name in names:
        y = writer.tensor([1, 8], 0.25)
        writer.graph.tensors[y].name = name
        writer.operator("RELU", [x], [y], version=2)
        x = y
    writer.graph.outputs.append(x)
    model = tmp_path / "<b>&.tflite"
    writer.write(model)
    compile_model(model, tmp_path / "out", "m", "cortex-m4", flags=["--report", "html"])
    text = (tmp_path / "out" / "m.report.html").read_text(encoding="utf-8")
    page = Page(text)
    check_chart(page, json.loads((tmp_path / "out" / "m.report.json").read_text()))
    assert "<b>&.tflite" in page.words


#===-- Files that are no reports ----------------------------------------------------------------===#

def refuse(report, tmp_path):
    """The message on a report, which may be text."""
    text = report if isinstance(report, (str, bytes)) else json.dumps(report)
    (tmp_path / "m.report.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    result = run([THIMBLE, "report", tmp_path])
    assert result.returncode == 1 and result.stdout.count("\n") == 1, result.stdout
    assert not (tmp_path / "m.report.html").exists()
    start = f"thimble: error: '{tmp_path / 'm.report.json'}' is no report: "
    assert result.stdout.startswith(start)
    return result.stdout[len(start):].rstrip()


TEXTS = {"": "it is not JSON", "{": "it is not JSON", "nonsense": "it is not JSON",
         "[]": "expected object", "null": "expected object", "{}": "missing value at report.model",
         "[" * 1_000_000: "it nests too deep", '{"a":' * 1_000_000: "it nests too deep"}


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: repr(t[:8]))
def test_no_json(text, tmp_path):
    assert TEXTS[text] in refuse(text, tmp_path)


def test_no_utf8(tmp_path):
    assert "it is not JSON" in refuse(b'{"model": "\xff"}', tmp_path)


KEYS = ["model", "name", "target", "compiler", "measured", "arena_bytes", "arena_lower_bound_bytes", "lower_bounds",
        "ram_peak", "flash_bytes", "stack_bytes", "steps", "layers", "buffers", "remarks"]


@pytest.mark.parametrize("key", KEYS)
def test_missing_or_of_another_type(key, small, tmp_path):
    assert f"report.{key}" in refuse({k: v for k, v in small.items() if k != key}, tmp_path)
    assert f"report.{key}" in refuse(small | {key: True}, tmp_path)


@pytest.mark.parametrize("value", [-1, 1 << 32, 1 << 80, 1e300, 0.5, "1", None, [], {}])
@pytest.mark.parametrize("path", ["arena_bytes", "stack_bytes", "flash_bytes.code", "lower_bounds.plan",
                                  "ram_peak.step", "layers.1.flash_bytes", "layers.0.macs", "buffers.1.bytes",
                                  "buffers.0.offset", "buffers.0.region", "buffers.0.last_use"])
def test_absurd_numbers(path, value, small, tmp_path):
    if path == "layers.0.macs" and value == 1 << 32:
        return # is a number of MACs
    report = copy.deepcopy(small)
    *parents, last = path.split(".")
    inner = report
    for key in parents:
        inner = inner[int(key) if key.isdigit() else key]
    inner[last] = value
    if path == "ram_peak.step" and value == -1:
        return # before the first step
    where = "report." + re.sub(r"\.(\d+)", r"[\1]", path)
    if path.endswith("last_use") and value == 1 << 32:
        where = "report.buffers[0]" # no such step
    assert where in refuse(report, tmp_path)


def test_parts_that_do_not_fit(small, tmp_path):
    buffer = small["buffers"][0]
    for wrong, where in [({"steps": [len(small["layers"])]}, "report.steps[0]"), ({"steps": [-2]}, "report.steps[0]"),
                         ({"buffers": [buffer | {"first_use": 1, "last_use": 0}]}, "report.buffers[0]"),
                         ({"buffers": [buffer | {"class": "<b>"}]}, "report.buffers[0].class"),
                         ({"layers": small["layers"] * 70000, "steps": []}, "report.layers")]:
        assert where in refuse(small | wrong, tmp_path)


def test_not_exactly_one(small, tmp_path):
    def message(*arguments):
        result = run([THIMBLE, "report", *arguments])
        assert result.returncode == 1 and result.stdout.count("\n") == 1
        return result.stdout
    assert "has no file NAME.report.json" in message(tmp_path)
    assert "cannot read" in message(tmp_path / "none")
    assert "cannot read" in message(tmp_path / "none.report.json")
    for name in ("b", "a", "x\n<b>"):
        (tmp_path / f"{name}.report.json").write_text(json.dumps(small))
    assert '3 reports, name one: "a.report.json", "b.report.json", "x\\n<b>.report.json"' in message(tmp_path)
    assert "cannot write" in message(tmp_path / "a.report.json", "-o", tmp_path / "none" / "x.html")
