import importlib

import pytest

from conf import packages


@pytest.fixture
def package(tmp_path, monkeypatch):
    """`package(name, content)` makes a package that can be imported, or cannot."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(name, content):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(content)
        importlib.invalidate_caches()

    return make


def line_of(name):
    try:
        importlib.import_module(name)
    except Exception as error:
        return packages.line(error)
    return "it was imported"


def test_a_package_that_is_missing_is_named():
    assert line_of("no_such_package") == (
        "the package no_such_package is missing; install it with: "
        "pip install -c constraints.txt no_such_package (all that training needs: -e '.[train]')"
    )


def test_so_is_the_one_that_needs_it(package):
    package("half_installed", "import no_such_package.part")
    assert "no_such_package, which half_installed needs, is missing" in line_of("half_installed")


@pytest.mark.parametrize(
    "content",
    [
        "raise ImportError('libmissing.so: cannot open shared object file')",
        "raise ValueError('numpy.dtype size changed')",
        "raise OSError('libmissing.so: cannot open')",
        "from math import nothing_like_it",
    ],
)
def test_so_is_one_that_fails_to_import(package, content):
    package("broken_package", content)
    package("whole_package", "import broken_package")
    told = line_of("whole_package")
    assert told.startswith("the package broken_package cannot be imported (")
    assert "pip install --force-reinstall -c constraints.txt " in told


def test_so_is_one_whose_lack_a_package_tells_in_its_own_words(package):
    content = (
        "try:\n import no_such_package\nexcept ImportError as e:\n raise ImportError('?') from e"
    )
    package("explains", content)
    assert "no_such_package, which explains needs, is missing" in line_of("explains")


def test_it_is_called_what_it_is_installed_as():
    error = ModuleNotFoundError("No module named 'sklearn.svm'", name="sklearn.svm")
    assert packages.line(error).endswith(
        f"pip install -c constraints.txt scikit-learn {packages.ALL}"
    )


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'models.nothing'", name="models.nothing"),
        AttributeError("module 'data' has no attribute 'nothing'"),
        RuntimeError("out of luck"),
    ],
)
def test_an_error_of_our_own_is_none_of_a_package(error):
    assert packages.line(error) is None
