import shutil

import pytest

from experiments import provenance


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A copy of the sources that may be changed."""
    for source in provenance.SOURCES:
        path = provenance.ROOT / source
        if path.is_dir():
            shutil.copytree(path, tmp_path / source, ignore=shutil.ignore_patterns("results"))
        else:
            shutil.copy(path, tmp_path / source)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    provenance.source_hash.cache_clear()
    yield tmp_path
    provenance.source_hash.cache_clear()


@pytest.mark.parametrize(
    ("file", "trains"),
    [
        ("train.py", True),
        ("models/engine.py", True),
        ("experiments/training.py", True),
        ("experiments/report.py", False),
        ("experiments/reporting/html.py", False),
        ("experiments/probes/shift.py", False),
        ("experiments/statistics/family.py", False),
    ],
)
def test_the_hash_is_of_what_trains(checkout, file, trains):
    before = provenance.source_hash()
    provenance.source_hash.cache_clear()
    assert provenance.source_hash() == before
    provenance.source_hash.cache_clear()
    (checkout / file).write_text((checkout / file).read_text() + "# changed\n")
    assert (provenance.source_hash() != before) == trains
