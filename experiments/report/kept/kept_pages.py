"""The pages of a kept report, written anew where they follow from its committed files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from experiments.report.kept.kept_runs import read
from experiments.report.pages import content, descriptive, html, more_tables, sheets
from experiments.report.pages.content import Report
from experiments.report.pages.document import Block, Picture, markdown
from experiments.report.pages.pictures import canvas, every_picture
from experiments.run.record import files

DATED = ": declared before the first run."
UNDATED = ": declared in the study's plan, which does not say when."
FOREST = "differences"
REDRAWN = (FOREST, "contrasts", "accuracy", "cost", "curves")
# The captions of the pictures, today's and earlier ones.
OF = {
    FOREST: re.compile("Paired differences"),
    "contrasts": re.compile("Declared contrasts"),
    "accuracy": re.compile(r"\S.* by padding"),
    "margin": re.compile("Accuracy by margin"),
    "cost": re.compile(r"\S.* against cost"),
    "curves": re.compile("Learning curves"),
}


def write(folder: Path) -> Report:
    """Write the parts of a folder's report that follow from its runs.csv."""
    report = read(folder)
    text = (folder / "report.md").read_text()
    drawn = every_picture.draw(report.compared, report.declared, report.contrasts)
    pictures = {picture.name: picture for picture in drawn}
    rows = [row for one in report.compared for row in sheets.comparisons(one)]
    text = text.replace(DATED, UNDATED)
    text = _renewed(text, report, pictures, lambda blocks: f"\n{markdown(blocks)}", "\n![")
    for name, picture in pictures.items():
        shown = markdown([picture]).strip()
        for before in re.findall(rf"!\[[^\]]*\]\({name}\.png\)", text):
            text = text.replace(before, shown)
    written = {"report.md": text}
    if (folder / "report.html").exists():
        page = (folder / "report.html").read_text().replace(DATED, UNDATED)
        page = _renewed(page, report, pictures, _body, "<figure>")
        page = page.replace(_style(page), _style(html.page("", [])))
        for picture in pictures.values():
            page = _redrawn(page, picture)
        written["report.html"] = page
    files.write_csv(folder / "differences.csv", rows)
    if report.contrasts.comparisons:
        files.write_csv(folder / "contrasts.csv", sheets.contrasts(report.contrasts))
    for name, whole in written.items():
        files.write(folder / name, whole.encode())
    for name in REDRAWN:
        if name in pictures and (name == FOREST or (folder / f"{name}.png").exists()):
            files.write(folder / f"{name}.png", canvas.png(pictures[name].figure))
    return report


def _renewed(
    text: str,
    report: Report,
    pictures: Mapping[str, Picture],
    rendered: Callable[[Sequence[Block]], str],
    mark: str,
) -> str:
    """A page with today's tables, and with the forest plot before its first picture and table.

    Args:
        text: of the page.
        report: from which the tables are made.
        pictures: by name.
        rendered: writes blocks as a part of the page.
        mark: with which a picture begins; the first one after the tables ends them.
    """
    compared, cells = (
        content.comparisons(report),
        descriptive.of_cells(report.compared, report.declared.metric),
    )
    crossed = more_tables.of_contrasts(report.contrasts, report.declared.baseline)
    parts = [
        *compared,
        *crossed,
        *(cells if rendered(cells[:1]) in text else ()),
    ]  # some have no cells
    heads = [head for blocks in (cells, compared) if (head := rendered(blocks[:1])) in text]
    if not heads:
        raise ValueError(f"its page has no part that begins {compared[0]}")
    start = min(heads, key=text.index)
    before, _, rest = text.partition(start)
    _, found, after = rest.partition(mark)
    if not found:
        raise ValueError(f"its page has no picture after {start.strip()[:60]!r}")
    if FOREST in pictures and not OF[FOREST].search(text):
        head, picture, tail = before.partition(mark)
        before = head + rendered([pictures[FOREST]]) + picture + tail
    return before + rendered(parts) + mark + after


def _style(page: str) -> str:
    """The style sheet of a page."""
    return page.partition("<style>")[2].partition("</style>")[0]


def _body(blocks: Sequence[Block]) -> str:
    """The blocks as a part of a page."""
    page = html.page("", blocks)
    return page.partition("<body>\n")[2].partition("<script>")[0]


def _redrawn(page: str, picture: Picture) -> str:
    """The page with this picture, or only its caption where the runs are needed to draw it."""
    caption = OF[picture.name].match(picture.says)
    for figure in re.findall(r"<figure>.*?</figure>\n", page, re.DOTALL):
        says = figure.rpartition("<figcaption>")[2]
        if caption and OF[picture.name].match(says):
            drawn = _body([picture])
            if picture.name not in REDRAWN:
                new = drawn.rpartition("<figcaption>")[2]
                drawn = figure.removesuffix(says) + new
            page = page.replace(figure, drawn)
    return page
