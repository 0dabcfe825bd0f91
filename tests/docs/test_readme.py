"""The README's tables are written by `python -m docs`, and are today's."""

import keras
import pytest

from conf import commandline
from docs import readme_tables
from experiments.report import writing
from experiments.report.kept import kept_runs
from models import layers
from models.padding import NAMED
from tests.helpers import full

ROOT = readme_tables.PAGE.parent
RESULTS = ROOT / "experiments" / "results"
PAGE = readme_tables.PAGE.read_text()
DEEP = ("alexnet", "fcn8", "googlenet", "resnet", "resnet18", "tcn", "vgg16")
OLD = "README.md is not today's: python -m docs writes its tables anew"


@pytest.mark.parametrize("name", ["paddings", "data"])
def test_a_table_is_todays(name):
    assert readme_tables.written(PAGE, name) == readme_tables.TABLES[name](), OLD


def test_the_demo_prints_what_its_committed_report_says():
    report = kept_runs.read(RESULTS / "demo")
    (one,) = report.compared
    told = "\n".join(writing.table(one, report.declared))
    assert f"{told}\n\nreport         runs/demo/" in PAGE
    assert f"({(RESULTS / 'demo' / 'differences.png').relative_to(ROOT)})" in PAGE


def rows():
    lines = readme_tables.written(PAGE, "models").splitlines()[2:]
    return {line.split("`")[1]: line for line in lines}


def test_every_model_has_a_row():
    assert list(rows()) == list(commandline.options("model")), OLD


@pytest.mark.parametrize(
    "name", [full(name) if name in DEEP else name for name in commandline.options("model")]
)
def test_a_models_row_is_todays(name):
    row = readme_tables.markdown([], [readme_tables.network(name)]).splitlines()[-1]
    assert rows().get(name) == row, OLD


def test_a_model_that_gives_an_image_is_measured_with_one_channel_of_it(monkeypatch):
    monkeypatch.setattr(readme_tables.registry, "constants", lambda *_: {"small_cnn": "image"})
    row = readme_tables.network("small_cnn")
    assert row[2] == "classification"  # the tasks are those of the network itself
    with_ten_classes = readme_tables.written(PAGE, "models").split("`small_cnn`")[1].split("|")
    parameters = int(with_ten_classes[5].replace(",", ""))
    assert int(row[5].replace(",", "")) == parameters - 9 * (64 + 1)  # the head's weights


def test_a_models_paddings_are_those_that_its_layers_take():
    """A transposed convolution takes no even_split, and the input's amount asks no layer."""
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(1, 3)(inputs)
    assert readme_tables.taken(keras.Model(inputs, x), 2) == "all but `causal`"
    x = layers.Conv2DTranspose(1, 3)(x)
    assert readme_tables.taken(keras.Model(inputs, x), 2) == "all but `causal`, `even_split`"
    steps = keras.Input((8, 1))
    sequence = readme_tables.taken(keras.Model(steps, layers.Conv1D(1, 3)(steps)), 1)
    assert "`causal_rows`" in sequence
    assert "`causal`" not in sequence


def test_every_padding_has_its_picture():
    table = readme_tables.written(PAGE, "paddings")
    for name in NAMED:
        assert f"| ![{name}](docs/pictures/padding-{name}.svg) |" in table
        assert (readme_tables.PAGE.parent / f"docs/pictures/padding-{name}.svg").is_file()


def test_a_page_is_brought_up_to_date_and_the_rest_of_it_stays(monkeypatch):
    monkeypatch.setitem(readme_tables.TABLES, "models", lambda: rows and "the models")
    begin, end = readme_tables.begin("data"), readme_tables.END
    page = PAGE.replace(f"{begin}\n{readme_tables.data_sets()}\n{end}", f"{begin}\nold\n{end}")
    assert page != PAGE
    found = readme_tables.updated(page)
    assert readme_tables.written(found, "data") == readme_tables.data_sets()
    assert readme_tables.written(found, "models") == "the models"
    assert found.split("## Paddings")[0] == PAGE.split("## Paddings")[0]
