# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Check the README's map: each path in it exists, each top-level folder is in it."""
import os
import re
import subprocess
import sys

root = sys.argv[1]
text = open(os.path.join(root, "README.md"), encoding="utf-8").read()
match = re.search(r"^## Map of the tree\n+```\n(.*?)^```", text, re.S | re.M)
if not match:
    sys.exit("README.md has no section 'Map of the tree' with a block of paths")
paths = [line.split()[0] for line in match[1].splitlines() if line.strip()]
errors = [f"{p} is in the map but not in the tree" for p in paths
          if not os.path.exists(os.path.join(root, p))]

# What git tracks, where there is git: local build trees and editors' folders are no part of it.
listing = subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, text=True)
if listing.returncode == 0 and listing.stdout:
    folders = {f.split("/")[0] for f in listing.stdout.splitlines() if "/" in f}
else:
    folders = {f for f in os.listdir(root) if os.path.isdir(os.path.join(root, f))} - {"build"}
errors += [f"{f}/ is missing from the map" for f in sorted(folders)
           if not f.startswith(".") and not any(p.split("/")[0] == f for p in paths)]
print("\n".join(errors))
sys.exit(bool(errors))
