import dataclasses

import numpy as np
import pytest

from experiments.report.compare import correct
from experiments.report.compare.reading import read
from experiments.report.compare.tested_items import Items
from experiments.run.record import files
from tests import made


def records(study):
    return [record for cell in read(study).cells for record in cell.records.values()]


def stored(tmp_path, rows):
    files.write_csv(tmp_path / "correct.csv", rows)
    return files.read_csv(tmp_path / "correct.csv")


@pytest.mark.parametrize("bits", [1, 3, 4, 6, 11])
def test_numbers_of_any_size_come_back(bits):
    counts = np.random.default_rng(bits).integers(0, 2**bits, 77)
    text = correct.packed(counts, bits)
    assert correct.unpacked(text, 77, bits).tolist() == counts.tolist()
    assert len(text) == 2 * int(np.ceil(77 * bits / 8))
    with pytest.raises(ValueError, match="99 numbers"):
        correct.unpacked(text, 99, bits)


def test_numbers_below_sixteen_are_a_digit_each():
    assert correct.packed(np.array([5, 0, 12, 15]), 4) == "50cf"


def test_every_run_comes_back_with_its_test_set(tmp_path):
    groups = np.sqrt(np.arange(made.ITEMS)).astype(int)
    made.study(tmp_path, ("same", "valid"), range(2), groups=groups)
    made.study(tmp_path, ("same",), range(3), model={"kernel_size": 4})
    rows = correct.rows(records(tmp_path))
    assert [(row["cell"], row["sources"], row["bits"]) for row in rows[:2]] == [
        (None, 20, 6),
        (None, 400, 1),
    ]
    found = correct.read(stored(tmp_path, rows))
    assert len(found) == len(rows) - 2 == 7
    sets = set()
    for record in records(tmp_path):
        own = found[record.cell, record.seed]
        assert own.correct.tolist() == record.items.correct.tolist()
        assert own.sizes.tolist() == record.items.sizes.tolist()
        assert own.points == pytest.approx(record.points())
        assert (own.predicted, own.classes) == (None, None)
        sets.add((own.key, record.items.key))
    assert len(sets) == 2


def test_runs_without_test_items_are_left_out(tmp_path):
    made.study(tmp_path, ("same",), range(2))
    known, unknown = records(tmp_path)
    rows = correct.rows([known, dataclasses.replace(unknown, items=None)])
    assert [row["seed"] for row in rows] == [None, 0]
    assert correct.rows([dataclasses.replace(unknown, items=None)]) == []


def test_the_table_of_a_hundred_runs_is_small(tmp_path):
    items, sources = 3000, 540
    groups = np.random.default_rng(0).integers(0, sources, items)
    made.run(tmp_path, right=made.outcomes("same", 0, items), groups=groups)
    (record,) = records(tmp_path)
    stored(tmp_path, correct.rows([dataclasses.replace(record, seed=i) for i in range(100)]))
    assert (tmp_path / "correct.csv").stat().st_size < 150_000


def test_more_right_items_than_there_are_are_refused(tmp_path):
    made.study(tmp_path, ("same",), range(2), groups=np.arange(made.ITEMS) // 40)
    lines = stored(tmp_path, correct.rows(records(tmp_path)))
    lines[1]["items"] = "f" * len(lines[1]["items"])
    with pytest.raises(ValueError, match="more items are right than there are: small_cnn-same"):
        correct.read(lines)


def test_sums_of_a_measure_come_back_as_floats(tmp_path):
    """Of images there are no right items: the sums over each source are kept to 7 digits."""
    sums, sizes = np.array([1.25, 1e-7, 3e4]), np.array([2, 1, 3])
    items = Items(sums, sizes, key=7, scale=1.0)
    record = dataclasses.make_dataclass("Run", ["cell", "seed", "items"])("a", 3, items)
    read_back = correct.read(stored(tmp_path, correct.rows([record])))["a", 3]
    np.testing.assert_allclose(read_back.correct, sums, rtol=1e-6)
    np.testing.assert_array_equal(read_back.sizes, sizes)
    assert read_back.points == pytest.approx(items.points)
