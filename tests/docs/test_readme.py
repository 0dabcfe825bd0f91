"""The README's tables are written by `python -m docs`, and are today's."""

import pytest

from conf import commandline
from docs import readme_tables
from models.padding import NAMED
from tests.helpers import full

PAGE = readme_tables.PAGE.read_text()
DEEP = ("googlenet", "tcn", "vgg16")
OLD = "README.md is not today's: python -m docs writes its tables anew"


@pytest.mark.parametrize("name", ["paddings", "data"])
def test_a_table_is_todays(name):
    assert readme_tables.written(PAGE, name) == readme_tables.TABLES[name](), OLD


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
