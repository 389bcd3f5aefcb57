# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""exits.py STATUS COMMAND...: runs the command, which has to exit with this status and, where that
is not 0, to print one line of errors."""
import subprocess
import sys

result = subprocess.run(sys.argv[2:], stderr=subprocess.PIPE, text=True)
print(result.stderr, end="")
lines = len(result.stderr.splitlines())
if result.returncode != int(sys.argv[1]) or (result.returncode and lines != 1):
    sys.exit(f"exit status {result.returncode} with {lines} lines")
