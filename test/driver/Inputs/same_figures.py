# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""same_figures.py DIR NAME: the header and the report of a compilation state the same."""
import json
import pathlib
import re
import sys

directory, name = pathlib.Path(sys.argv[1]), sys.argv[2]
header = (directory / f"{name}.h").read_text()
report = json.loads((directory / f"{name}.report.json").read_text())
for what in ("arena_bytes", "stack_bytes", "state_bytes", "scratch_bytes"):
    stated = re.search(rf"#define {name.upper()}_{what.upper()} (\d+)", header)
    assert stated and int(stated[1]) == report[what], what
