# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Check that every source file carries the licence line at its top."""
import os
import sys

LINE = "Part of the Thimble project. SPDX-License-Identifier: Apache-2.0"
SOURCES = (".c", ".h", ".cpp", ".td", ".py", ".mlir", ".test", ".cmake", ".ld", ".fbs")

root = sys.argv[1]
errors = []
for folder, folders, files in os.walk(root):
    folders[:] = [f for f in folders if f != "build" and not f.startswith(".")]
    for name in files:
        if not name.endswith(SOURCES):
            continue
        path = os.path.join(folder, name)
        with open(path, encoding="utf-8", errors="replace") as file:
            if LINE not in file.read(400):
                errors.append(f"{os.path.relpath(path, root)}: no licence line at its top")
print("\n".join(sorted(errors)))
sys.exit(bool(errors))
