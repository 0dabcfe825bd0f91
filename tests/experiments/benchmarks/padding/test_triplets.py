"""Ratios between neighbours: robust where the machine's speed wanders."""

import pytest

from experiments.benchmarks.padding.triplets import Measured, measure, steps_in


def test_a_machine_that_slows_down_evenly_leaves_the_ratio_alone():
    clock = iter(range(1, 1000))  # every run is slower than the last

    def reference():
        return float(next(clock))

    def twice():
        return 2.0 * next(clock)

    found = measure(reference, {"twice": twice, "same": reference}, rounds=5)
    assert found["twice"].ratios == pytest.approx([2.0] * 5)
    assert found["same"].ratios == pytest.approx([1.0] * 5)


def test_every_round_puts_each_between_two_references_after_one_that_does_not_count():
    calls = []

    def named(name):
        return lambda: calls.append(name) or 1.0

    measure(named("r"), {name: named(name) for name in "abc"}, rounds=6)
    assert calls[:4] == [*"abcr"]
    rounds = [calls[4 + 7 * i : 11 + 7 * i] for i in range(6)]
    assert all(one[::2] == ["r"] * 4 and sorted(one[1::2]) == [*"abc"] for one in rounds)
    assert len({tuple(one) for one in rounds}) > 1
    assert len(calls) == 4 + 42


def test_the_quartiles_are_those_of_the_ratios():
    one = Measured(seconds=[1.0, 4.0, 9.0], beside=[1.0, 2.0, 3.0])
    assert one.quartiles() == (1.5, 2.0, 2.5)


def test_as_many_steps_as_fit_but_at_least_one():
    assert steps_in(0.1, lambda: 0.02, most=50) == 5
    assert steps_in(0.1, lambda: 3.0, most=50) == 1
    assert steps_in(0.1, lambda: 1e-6, most=50) == 50
