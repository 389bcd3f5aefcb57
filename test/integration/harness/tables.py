# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Tables on a terminal and in Markdown."""

LONG = 60  # a cell beyond this is a message and does not widen its column


def show(header, rows, left, markdown=False):
    """Print rows of cells; numbers get separators. The first `left` columns begin at the left, the
    others end at the right."""
    text = [[f"{v:,}" if isinstance(v, int) else str(v) for v in row] for row in [header, *rows]]
    if markdown:
        text.insert(1, ["---"] * left + ["--:"] * (len(header) - left))
        for row in text:
            print("| " + " | ".join(row) + " |")
        return
    widths = [max(len(r[c]) for r in text if len(r[c]) < LONG) for c in range(len(header))]
    for row in text:
        cells = [c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())
