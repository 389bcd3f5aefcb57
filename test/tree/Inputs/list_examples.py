# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Print the MLIR examples of dialects/*/*.td and docs/dialects/*.md, for thimble-opt
--split-input-file. A type alone becomes the argument of a function."""
import glob
import os
import re
import sys

root = sys.argv[1]
files = sorted(glob.glob(os.path.join(root, "dialects", "*", "*.td"))
               + glob.glob(os.path.join(root, "docs", "dialects", "*.md")))
examples = []
for path in files:
    with open(path, encoding="utf-8") as file:
        for block in re.findall(r"```mlir\n(.*?)```", file.read(), re.S):
            block = block.strip()
            if re.fullmatch(r"!\w+\.\S[^\n]*", block):
                block = f"func.func private @example({block})"
            elif re.fullmatch(r"#\w+\.\w+<[^\n]*>", block):
                block = f'"builtin.unrealized_conversion_cast"() {{example = {block}}} : () -> index'
            examples.append(f"// {os.path.relpath(path, root)}\n{block}\n")
if len(examples) < 6:
    sys.exit(f"found {len(examples)} examples only in {len(files)} files")
print("\n// -----\n\n".join(examples))
