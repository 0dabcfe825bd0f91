"""docs/text.md: each statement's command runs as it stands and prints what the page says."""

import contextlib
import csv
import io
import itertools
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from experiments.geometry import __main__ as geometry

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "text.md").read_text()
ROW = re.compile(r"^\| (.*?) \| `(python [^`]*)` \| (.*) \|$", re.MULTILINE)
ROWS = [(command, re.findall(r"`([^`]*)`", prints)) for _, command, prints in ROW.findall(PAGE)]
LAYERS = [row for row in ROWS if row[0].startswith("python -c ")]
GEOMETRY = [row for row in ROWS if row[0].startswith("python -m experiments.geometry ")]
TRAINING = [row for row in ROWS if row[0].startswith("python train.py data=mnist ")]
STUDIES = [row for row in ROWS if row[0].startswith("python train.py -m ")]
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SHARED = Path(os.environ.get("PADZOO_TFDS", ROOT / "../shared/tensorflow_datasets"))
REPORT = ROOT / "experiments" / "results" / "mnist"
SHORT = ("data.examples=100", "trainer.epochs=1", "trainer.progress=false")
needs_mnist = pytest.mark.skipif(
    not (SHARED / "mnist").is_dir(), reason="mnist is not prepared; set PADZOO_TFDS"
)


def lines(printed):
    """What is printed, line by line, a run of spaces as one: in a table there is no other."""
    return [" ".join(line.split()) for line in printed.splitlines() if line.strip()]


def in_this_order(told, printed):
    """Whether the printed lines have those of the page among them, in their order."""
    rest = iter(lines(printed))
    return all(line in rest for line in told)


def test_every_row_of_a_table_has_a_command_and_what_it_prints():
    rows = [
        line for line in PAGE.splitlines() if line.startswith("| ") and "| command |" not in line
    ]
    kinds = (LAYERS, GEOMETRY, TRAINING, STUDIES)
    assert len(rows) == len(ROWS) == sum(map(len, kinds)) and all(kinds)
    assert all(told for _, told in ROWS)


@pytest.mark.parametrize(("command", "told"), LAYERS)
def test_a_python_command_prints_what_the_page_says_and_no_more(command, told):
    _, _, code = shlex.split(command)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, {})
    assert lines(printed.getvalue()) == told


@pytest.mark.parametrize(("command", "told"), GEOMETRY)
def test_a_command_of_the_geometry_prints_the_pages_lines(
    command, told, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES", "-1"))
    assert geometry.main(shlex.split(command)[3:]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert in_this_order(told, printed.out)


@needs_mnist
@pytest.mark.full
@pytest.mark.parametrize(("command", "told"), TRAINING)
def test_a_short_training_prints_the_pages_sizes(command, told, program):
    arguments = shlex.split(command)[2:]
    outcome = program(*arguments, f"data.data_dir={SHARED}", *SHORT)
    assert (outcome.code, in_this_order(told, outcome.out)) == (0, True), outcome.err


@needs_mnist
@pytest.mark.slow
@pytest.mark.parametrize(("command", "told"), TRAINING)
def test_the_training_learns_and_prints_the_pages_sizes(command, told, program):
    outcome = program(*shlex.split(command)[2:], f"data.data_dir={SHARED}")
    assert (outcome.code, in_this_order(told, outcome.out)) == (0, True), outcome.err
    assert float(re.search(r"test accuracy +([\d.]+) %", outcome.out)[1]) > 50


@needs_mnist
@pytest.mark.slow
@pytest.mark.parametrize(("command", "told"), STUDIES)
def test_the_study_runs_in_small(command, told, tiny):
    arguments = [one for one in shlex.split(command)[2:] if not one.startswith("seed=")]
    outcome = tiny(*arguments, f"data.data_dir={SHARED}", *SHORT, "seed=0,1")
    assert outcome.code == 0, outcome.err
    assert in_this_order(told[:1], outcome.out)


def test_the_study_says_what_its_report_says():
    ((command, told),) = STUDIES
    difference, early = one_row("differences.csv"), one_row("differences_at.csv")
    rows = []
    for padding in ("same", "valid"):
        found = accuracies(padding)
        row = f"{padding} {len(found)} {np.mean(found):.2f} {np.std(found, ddof=1):.2f}"
        rows.append(f"{row} {decided(difference) if padding == 'valid' else '– the baseline'}")
    assert told[1:] == rows
    assert f"`{command}" in (REPORT.parent / "README.md").read_text().replace("\n", " ").replace(
        " trainer.threads=1", ""
    )
    text = " ".join(PAGE.split())
    same, valid = np.array(accuracies("same")), np.array(accuracies("valid"))
    assert (valid > same).all() and len(same) == 8
    assert "`valid` is ahead in all eight seeds, by half a point" in text
    assert 0.45 < float(difference["mean"]) < 0.65
    assert (early["metric"], early["verdict"]) == ("test_accuracy@3", "undecided")
    at_three = accuracies("same", "test_accuracy@3")
    assert f"lies between {min(at_three):.1f} and {max(at_three):.1f} %" in text


def one_row(name):
    """The only row of a table of the report."""
    with open(REPORT / name, newline="") as file:
        (row,) = csv.DictReader(file)
    return row


def decided(row):
    """A difference, its interval and its verdict, as the terminal prints them."""
    mean, low, high, new_low, new_high = (
        f"{float(row[name]):+.2f}"
        for name in ("mean", "low", "high", "new_items_low", "new_items_high")
    )
    assert row["new_items_verdict"] == row["verdict"]
    over = f"over new test images [{new_low}, {new_high}]: the same"
    return f"{mean} [{low}, {high}] {row['verdict']}; {over}"


def accuracies(padding, metric="test_accuracy"):
    """A test accuracy of the study's runs under a padding, in per cent."""
    with open(REPORT / "runs.csv", newline="") as file:
        return [100 * float(r[metric]) for r in csv.DictReader(file) if r["padding"] == padding]


def test_the_python_blocks_run():
    codes = [code for kind, code in BLOCKS if kind == "python"]
    assert codes
    for code in codes:
        exec(code, {})


def test_y_is_added_up_by_columns():
    (table,) = [block for kind, block in BLOCKS if not kind]
    *pixels, last = table.splitlines()
    columns: dict[int, int] = {}
    x, w = [], set()
    for line in pixels:
        factor, kernel, products = re.fullmatch(r"(\d) · +\[(.*)\] +(\d.*)", line).groups()
        x.append(int(factor))
        w.add(tuple(map(int, kernel.split())))
        assert [int(factor) * weight for weight in map(int, kernel.split())] == [
            *map(int, products.split())
        ]
        for number in re.finditer(r"\d+", line[line.index("]") :]):
            end = line.index("]") + number.end()
            columns[end] = columns.get(end, 0) + int(number[0])
    y = {number.end(): int(number[0]) for number in re.finditer(r"\d+", last)}
    assert y == columns
    assert list(y.values()) == np.convolve(x, [*w.pop()]).tolist() == [6, 14, 34, 34, 8]
    assert not w


def test_no_other_three_numbers_give_y():
    """The roots of Y are at most 2 in size, so that w1 is at most 4 w0 and 4 · 6 = 24."""
    y = [6, 14, 34, 34, 8]
    assert max(abs(np.roots(y))) < 2.0001
    found = set()
    for first, second in itertools.product(range(1, 7), range(-24, 25)):
        for third in range(-8, 9):
            quotient, rest = np.polydiv(y, [first, second, third])
            if not rest.any() and not (quotient % 1).any() and len(quotient) == 3:
                found.add(frozenset([tuple(quotient), (first, second, third)]))
    assert found == {frozenset([(3, 4, 1), (2, 2, 8)]), frozenset([(6, 8, 2), (1, 1, 4)])}
    text = " ".join(PAGE.split())
    assert "x = [3 4 1] and w = [2 2 8]" in text and "[6 8 2] and [1 1 4]" in text


def test_links_inside_the_page_lead_somewhere():
    headings = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
    linked = set(re.findall(r"\]\(#([^)]*)\)", PAGE))
    assert linked and linked <= anchors


def test_the_readme_links_the_page():
    assert "(docs/text.md)" in (ROOT / "README.md").read_text()
