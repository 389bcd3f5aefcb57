# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Reads NAME.report.html: the page must be well formed, stand alone and run nothing."""
import html.parser
import re
import xml.etree.ElementTree as ElementTree

SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "br", "hr"}
# What could load or run something.
LOADING = {"src", "href", "xlink:href", "srcset", "action", "data", "poster", "background"}


class Page(html.parser.HTMLParser):
    """`tags` and their attributes; `tables`: captions and rows of cells; `words`: all text outside the style."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.text, self.open, self.tags, self.tables, self.words = text, [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"{self.open} are not closed"

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "link", "iframe", "img", "object", "embed", "base", "form"), tag
        for name, value in attributes:
            assert name not in LOADING and not name.startswith("on"), f"{tag} has {name}={value!r}"
        self.tags.append((tag, dict(attributes)))
        if tag == "table":
            self.tables.append({"caption": "", "rows": []})
        elif tag == "tr":
            self.tables[-1]["rows"].append([])
        elif tag in ("td", "th"):
            self.tables[-1]["rows"][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"{tag} ends within {self.open}"
        self.open.pop()

    def handle_data(self, data):
        if "style" in self.open:
            assert "url(" not in data and "@import" not in data
            return
        self.words.append(data)
        for tag in ("td", "th"):
            if tag in self.open:
                self.tables[-1]["rows"][-1][-1] += data
        if "caption" in self.open:
            self.tables[-1]["caption"] += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def table(self, first_column):
        """The rows of the table whose first column is called so."""
        return next(t["rows"][1:] for t in self.tables if t["rows"][0][0] == first_column)

    def charts(self):
        """The charts of memory, read as XML."""
        figure = re.search(r"<figure>(.*?)<figcaption>", self.text, re.S)
        return list(ElementTree.fromstring(f"<figure>{figure[1]}</figure>"))


def step_positions(steps):
    """Where the page draws each step, and the end: layers that run once are wider."""
    steps = steps or [0]
    once = [layer >= 0 and steps.count(layer) == 1 for layer in steps]
    brief = len(steps) - sum(once)
    width = max(1, min(brief // 40, brief // max(sum(once), 1)))
    positions = [0]
    for is_once in once:
        positions.append(positions[-1] + (width if is_once else 1))
    return positions


def rectangles(chart):
    """[(class, x, y, width, height, title)] of the buffers."""
    plot = next(e for e in chart.iter(SVG + "svg") if e.get("class") == "plot")
    return [(group.get("class"), *(int(rect.get(a)) for a in ("x", "y", "width", "height")),
             rect.findtext(SVG + "title"))
            for group in plot.iter(SVG + "g") for rect in group.findall(SVG + "rect")]


def live_line(chart):
    """[(x, bytes)] of the corners of the line of live bytes."""
    path = next(e for e in chart.iter(SVG + "path") if e.get("class") == "live").get("d")
    start = re.match(r"M0 (\d+)", path)
    corners = [(0, int(start[1]))]
    corners += [(int(x), int(y)) for x, y in re.findall(r"H(\d+)V(\d+)", path)]
    return corners
