import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from matplotlib.figure import Figure

from experiments.report import writing as report
from experiments.report.compare.families import families
from experiments.report.compare.reading import read
from experiments.report.pages import html
from experiments.report.pages.document import (
    Heading,
    Items,
    Paragraph,
    Picture,
    Table,
    Value,
    markdown,
    number,
)
from experiments.report.pages.pictures import canvas, plots
from tests import made

VOID = {"meta", "br"}
AWKWARD = '<b> & *a_b* | "c"'


class Nesting(HTMLParser):
    """Every element that opens closes, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.links, self.texts = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.links += [v for k, v in attributes if k in ("src", "href", "xlink:href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append(text)


def parsed(text):
    parser = Nesting()
    parser.feed(text)
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    study = made.study(tmp_path_factory.mktemp("page") / "some")
    report.write(study)
    return (study / "report" / "report.html").read_text()


def test_the_page_is_well_formed_and_holds_everything(page):
    seen = parsed(page).seen
    assert seen.count("h1") == 1
    assert seen.count("figure") == seen.count("figcaption") == 5
    assert seen.count("table") == 4
    assert seen.count("script") == 1


def test_the_page_asks_nobody_for_anything(page):
    assert all(link.startswith("#") for link in parsed(page).links)
    assert not re.search(r"https?://|@import|url\((?!#)|fetch|XMLHttp", page)


def test_the_pictures_take_the_colour_of_the_page(page):
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 5
    for drawing in drawings:
        ElementTree.fromstring(drawing)
        assert "currentColor" in drawing
        assert canvas.INK not in drawing
        assert not re.search(r"#000000|black|#ffffff", drawing)
    assert "prefers-color-scheme: dark" in page


def test_numbers_sort_as_numbers():
    table = Table(["n"], [[number(10.0)], [number(9.5)], ["–"]])
    text = html.page("t", [table])
    assert re.findall(r'data-number="(.*?)">(.*?)<', text) == [("10.0", "10.00"), ("9.5", "9.50")]
    assert 'setAttribute("aria-sort"' in text


def test_a_text_is_a_text():
    blocks = [
        Heading(AWKWARD),
        Paragraph(AWKWARD),
        Items([AWKWARD]),
        Items([AWKWARD], code=True),
        Table([AWKWARD], [[Value(AWKWARD, 1.0)], [AWKWARD]]),
        Picture("drawn", AWKWARD, Figure()),
    ]
    text = html.page(AWKWARD, blocks)
    assert parsed(text).texts.count(AWKWARD) == 9
    assert "<b>" not in text
    shown = '&lt;b> &amp; \\*a\\_b\\* | "c"'
    cell = shown.replace("|", "\\|")
    assert markdown(blocks).split("\n\n") == [
        f"## {shown}",
        shown,
        f"- {shown}",
        f"- `{AWKWARD}`",
        f"| {cell} |\n|---|\n| {cell} |\n| {cell} |",
        f"![{shown}](drawn.png)\n",
    ]


def test_a_drawing_is_the_same_bytes_again(tmp_path):
    found = families(read(made.study(tmp_path)).cells)
    first, second = (html.element(plots.accuracy(found)) for _ in range(2))
    assert first == second
