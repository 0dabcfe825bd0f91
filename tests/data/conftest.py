"""Shared by the tests of data: prepared sets, made once for the session."""

from pathlib import Path

import pytest

import data


@pytest.fixture(scope="session")
def prepared(data_dir) -> Path:
    """A folder in which these built sets are prepared."""
    for name in ("placed_digits", "mnist1d", "co2"):
        data.ensure(data.DataConfig(name, "built", data_dir=data_dir))
    return Path(data_dir)


@pytest.fixture(scope="session")
def digits(prepared) -> data.Data:
    return data.load(data.DataConfig("placed_digits", "built", data_dir=str(prepared)))
