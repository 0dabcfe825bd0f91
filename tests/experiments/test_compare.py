import pytest

from experiments.compare import cut, lines, main
from experiments.statistics.paired import paired_interval


def test_the_paired_interval_is_students():
    # Differences 1, 2, 3: mean 2, sd 1, standard error 1/sqrt(3); t(0.975, 2) = 4.302653.
    mean, low, high = paired_interval([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert mean == pytest.approx(2.0)
    assert high - mean == pytest.approx(4.302653 / 3**0.5, rel=1e-6)
    assert mean - low == pytest.approx(high - mean)


def test_one_pair_has_no_interval():
    with pytest.raises(ValueError, match="at least 2 values"):
        paired_interval([1.0], [2.0])


def test_a_table_pairs_by_seed_over_the_seeds_that_both_have():
    cells = {"same": {0: 90.0, 1: 92.0, 5: 10.0}, "valid": {7: 99.0, 1: 82.0, 0: 81.0}}
    head, valid, same = lines(cells, "same")
    assert head.endswith("− same, points [95 %]")
    assert valid.split() == ["valid", "3", "87.33", "10.12", "-9.50", "[-15.85,", "-3.15]"]
    assert same.split() == ["same", "3", "64.00", "46.78", "–"]


def test_a_single_seed_has_neither_spread_nor_interval():
    _, row, _ = lines({"same": {0: 1.0}, "valid": {0: 2.0}}, "same")
    assert row.split() == ["valid", "1", "2.00", "–", "–"]


def test_every_back_end_is_compared_with_its_own_baseline():
    cells = {
        "same, jax": {0: 80.0, 1: 82.0},
        "same, tensorflow": {0: 90.0, 1: 92.0},
        "valid, jax": {0: 79.0, 1: 81.0},
        "valid, tensorflow": {0: 87.0, 1: 89.0},
    }
    head, *rows = lines(cells, "same")
    differences = {row[:17].strip(): row.split()[-3:] for row in rows}
    assert differences["valid, jax"] == ["-1.00", "[-1.00,", "-1.00]"]
    assert differences["valid, tensorflow"] == ["-3.00", "[-3.00,", "-3.00]"]
    assert all(differences[f"same, {name}"][-1] == "–" for name in ("jax", "tensorflow"))
    assert head.index("n ") == rows[0].index("2 ")
    _, *against_jax = lines(cells, "same, jax")
    assert against_jax[0].split()[-3:] == ["+10.00", "[+10.00,", "+10.00]"]


def test_cut_is_weighted_by_the_number_of_examples():
    bins = {
        "below -4": {"accuracy": 0.5, "n": 10},
        "-4 to 0": {"accuracy": 1.0, "n": 30},
        "0 to 3": {"accuracy": 0.0, "n": 100},
    }
    assert cut({"accuracy_by_margin": bins}) == pytest.approx(87.5)
    assert cut({}) is None


def test_the_command_reads_a_study(tiny, capsys):
    tiny("-m", "padding=same,valid", "seed=0,1")
    assert main(["runs/default"]) == 0
    printed = capsys.readouterr().out
    assert "small_cnn on placed_digits: test accuracy where the border cuts" in printed
    tiny("trainer.epochs=1", "padding=valid")
    main(["runs/default"])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    valid = [row for row in rows if row and row[0] == "valid"]
    assert len({row[1] for row in valid}) == 2, "two cells of one padding are never merged"
