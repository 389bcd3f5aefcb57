#!/usr/bin/env python3
# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Sum the JUnit files of several test runners into one line.

usage: sum_results.py DIR RUNNER... -- [RUNNER THAT EXITED NON-ZERO]...
"""
import os
import sys
import xml.etree.ElementTree as ET


def count(path):
    """(passed, failed, skipped) of one JUnit file."""
    passed = failed = skipped = 0
    for case in ET.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main(argv):
    split = argv.index("--")
    directory, runners, broken = argv[0], argv[1:split], argv[split + 1:]
    total = [0, 0, 0]
    for runner in runners:
        path = os.path.join(directory, runner + ".xml")
        try:
            counts = list(count(path))
        except (OSError, ET.ParseError):
            counts = [0, 1, 0]
            print(f"{runner}: left no results")
        if not sum(counts):
            counts[1] = 1
            print(f"{runner}: ran no test")
        elif runner in broken and not counts[1]:
            counts[1] = 1
            print(f"{runner}: exited with an error")
        print(f"{runner:12} {counts[0]:5} passed {counts[1]:5} failed {counts[2]:5} skipped")
        total = [a + b for a, b in zip(total, counts)]
    print(f"{total[0]} passed, {total[1]} failed" + (f", {total[2]} skipped" if total[2] else ""))
    return 1 if total[1] or broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
