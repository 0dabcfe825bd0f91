"""TensorBoard on a finished study, looked at in a browser as a person does."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from experiments.report import writing as report
from experiments.report.compare.differences import Declared, against_baseline
from experiments.report.compare.families import families
from experiments.report.compare.reading import read
from experiments.report.events import PICTURES
from experiments.report.pages import html, image_border
from experiments.report.pages.document import Table, number
from experiments.run.record import files
from experiments.study.plan import Plan
from tests import made
from tests.conftest import TINY
from tests.helpers import environment

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 40  # seconds
VISIBLE = """
    cells => cells.map(cell => {
        const box = cell.getBoundingClientRect();
        return {text: cell.innerText.trim(), x: box.x, y: box.y, seen: box.width * box.height > 0};
    }).filter(cell => cell.seen && cell.text)
"""
SIZES = "shapes => shapes.map(s => { const b = s.getBBox(); return b.width * b.height; })"
COLOURS = """
    pictures => pictures.map(picture => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
        if (!canvas.width || !canvas.height) return 0;
        const context = canvas.getContext("2d");
        context.drawImage(picture, 0, 0);
        const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
    })
"""


@dataclass(frozen=True)
class Study:
    """A finished study: its folder, and cell -> its mean test accuracy."""

    folder: Path
    accuracies: dict[str, float]


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; CI must have one."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        reason = f"no browser: none of {', '.join(BROWSERS)} is installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def study(tmp_path_factory, data_dir):
    """Two paddings, two seeds each, trained and reported."""
    import train

    folder = tmp_path_factory.mktemp("dashboard")
    words = [*TINY, f"data.data_dir={data_dir}", "padding=same,valid", "seed=0,1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["train.py", "-m", *words])
        assert train.main() == 0
    found = report.write(folder / "runs" / "default")
    cells = {cell.name: cell.records.values() for cell in found.study.cells}
    means = {name: sum(r.points() for r in runs) / 100 / len(runs) for name, runs in cells.items()}
    return Study(folder / "runs" / "default", means)


@pytest.fixture(scope="module", params=["the whole study", "the summary alone"])
def page(request, study, browser):
    """`page("hparams")` opens a tab of TensorBoard."""
    folder = study.folder / ("_summary" if "summary" in request.param else "")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    board = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)], env=environment(), **quiet
    )
    opened = browser.new_page(viewport={"width": 1500, "height": 1300})
    opened.set_default_timeout(1000 * PATIENCE)

    def turn_to(tab):
        opened.goto(f"http://127.0.0.1:{port}/#{tab}")
        return opened

    try:
        wait_for_runs(board, port, len(list(folder.rglob("events.out.tfevents.*"))))
        yield turn_to
    finally:
        opened.close()
        board.terminate()
        board.wait(PATIENCE)


def wait_for_runs(board, port, wanted):
    """Until TensorBoard lists so many runs."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert board.poll() is None, "TensorBoard has ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/data/runs") as answer:
                if answer.read().count(b'"') == 2 * wanted:
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"TensorBoard did not list {wanted} runs within {PATIENCE} s")


def settled(page, selector, measure, wanted):
    """What `measure` says of the elements, once it is as wanted; else what it last was."""
    page.wait_for_selector(selector, state="attached")
    until = time.monotonic() + PATIENCE
    while not wanted(found := page.locator(selector).evaluate_all(measure)):
        if time.monotonic() > until:
            return found
        page.wait_for_timeout(200)
    return found


@pytest.mark.full
def test_the_hparams_table_has_one_row_per_cell(page, study):
    def names(cells):
        return sorted(cell["text"] for cell in cells if cell["text"].startswith("small_cnn-"))

    wanted = sorted(study.accuracies)
    cells = settled(
        page("hparams"),
        "tf-hparams-table-view vaadin-grid-cell-content",
        VISIBLE,
        lambda cells: names(cells) == wanted,
    )
    assert names(cells) == wanted
    column = next(cell["x"] for cell in cells if cell["text"] == "test accuracy")
    for name, accuracy in study.accuracies.items():
        row = next(cell["y"] for cell in cells if cell["text"] == name)
        (shown,) = [
            cell["text"]
            for cell in cells
            if abs(cell["x"] - column) < 5 and abs(cell["y"] - row) < 5
        ]
        assert float(shown) == pytest.approx(accuracy, abs=1e-4)


@pytest.mark.full
def test_the_custom_scalars_draw_a_band_for_every_padding(page, study):
    """Each once in the chart of all paddings, and once in its own."""
    wanted = 2 * len(study.accuracies)
    sizes = settled(
        page("custom_scalars"),
        "tf-custom-scalar-margin-chart-card path.area",
        SIZES,
        lambda sizes: len(sizes) == wanted and min(sizes) > 10,
    )
    assert len(sizes) == wanted
    assert min(sizes) > 10, "square pixels"


@pytest.mark.full
def test_the_pictures_show(page):
    opened = page("images")
    colours = settled(
        opened,
        "tf-image-loader img",
        COLOURS,
        lambda colours: len(colours) >= 2 and min(colours) > 20,
    )
    assert len(colours) >= 2
    assert min(colours) > 20
    tags = [opened.get_by_text(tag, exact=True).first for tag in PICTURES.values()]
    heights = [tag.bounding_box()["y"] for tag in tags[:2]]
    assert heights == sorted(heights), "the forest plot is first"


@pytest.mark.full
def test_the_tables_are_texts(page):
    opened = page("text")
    opened.wait_for_selector("td:has-text('placed_digits')")
    opened.wait_for_selector("td:has-text('valid − same')")


def test_the_reports_tables_sort_by_number(tmp_path, browser):
    entries = [number(9.5), "–", number(100.0), number(-20.0)]
    page = html.page("some", [Table(["n"], [[entry] for entry in entries])])
    (tmp_path / "report.html").write_text(page)
    opened = browser.new_page()
    opened.goto((tmp_path / "report.html").as_uri())
    for expected in (["-20.00", "9.50", "100.00", "–"], ["100.00", "9.50", "-20.00", "–"]):
        opened.locator("th").click()
        assert opened.locator("td").all_inner_texts() == expected
    opened.close()


WIDE = 1280
BEYOND = """
    () => [...document.querySelectorAll("svg text")].filter(text => {
        const box = text.getBoundingClientRect();
        const all = text.closest("svg").getBoundingClientRect();
        return box.left < all.left - 1 || box.right > all.right + 1
            || box.top < all.top - 1 || box.bottom > all.bottom + 1;
    }).map(text => text.textContent)
"""
WIDTHS = """
    () => [document.documentElement, ...document.querySelectorAll("figure, .table")].map(
        e => [e.tagName, e.scrollWidth - e.clientWidth, e.getBoundingClientRect().right])
"""


def tuned_families(study):
    """A network on each of two data sets and another on one, with what was tuned for each cell."""
    settings = [
        {"model": {"name": model}, "data": {"name": name, "source": "tfds"}}
        for model, name in (
            ("small_cnn", "mnist"),
            ("small_cnn", "mnist1d"),
            ("inception", "mnist"),
        )
    ]
    for setting in settings:
        for padding, rate in (
            ("same", 0.003),
            ("replicate", 0.00033),
            ("latitude_longitude", 0.01),
        ):
            made.study(study, (padding,), range(8), optimizer={"learning_rate": rate}, **setting)
    made.plan(study, looks=[8, 12], tuned={"optimizer.learning_rate": [0.00033, 0.003, 0.01]})


def other_families(study):
    made.study(study, ("same", "valid", "latitude_longitude"), range(10))
    made.study(study, ("reflect",), range(2), starts=[made.START | {"threads": 1}])
    made.study(study, ("same", "valid"), range(10), model={"kernel_size": 4})
    made.study(study, ("same", "valid"), range(10), data={"name": "mnist", "source": "tfds"})
    made.plan(study, aliases=[("symmetric", "latitude_longitude"), ("half", "same")])


def nothing_is_cut(page, browser):
    opened = browser.new_page(viewport={"width": WIDE, "height": 900})
    opened.goto(page.as_uri())
    for tag, hidden, right in opened.evaluate(WIDTHS):
        assert hidden == 0, tag
        assert right <= WIDE, tag
    assert opened.evaluate(BEYOND) == [], "texts that a picture cuts"
    opened.close()


@pytest.mark.parametrize("fill", [other_families, tuned_families])
def test_at_1280_pixels_nothing_of_the_report_is_cut(tmp_path, browser, fill):
    study = tmp_path / "some"
    fill(study)
    report.write(study)
    nothing_is_cut(study / "report" / "report.html", browser)


def test_at_1280_pixels_no_error_by_distance_is_cut(tmp_path, browser):
    study = tmp_path / "some"
    tuned_families(study)
    plan = Plan.read(study)
    for path in study.glob("*/seed=*/results.json"):  # as of networks that give images
        results = json.loads(path.read_text())
        error = 1e4 * results["test_accuracy"]
        rings = [{"distance": i, "error": error, "pixels": 9} for i in range(16)]
        files.write_json(path, results | {"error_by_distance": rings})
    found = families(read(study, plan=plan).cells, plan.declared.tuned)
    blocks = image_border.blocks([against_baseline(one, Declared(plan=plan)) for one in found])
    (tmp_path / "page.html").write_text(html.page("some", blocks))
    assert "latitude_longitude (learning_rate 0.01)" in (tmp_path / "page.html").read_text()
    nothing_is_cut(tmp_path / "page.html", browser)


@pytest.mark.full
def test_the_report_asks_nobody_for_anything(study, browser):
    opened = browser.new_page()
    asked = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto((study.folder / "report" / "report.html").as_uri())
    opened.wait_for_load_state("networkidle")
    assert [url.split(":")[0] for url in asked] == ["file"]
    opened.close()
