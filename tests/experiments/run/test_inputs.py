"""The seeds that a run derives from one."""

from conf.schema import Seeds
from experiments.run.inputs import derived


def test_every_source_of_chance_has_a_seed_of_its_own():
    seeds = derived(0, Seeds())
    assert len(set(seeds.values())) == len(seeds) == 4
    assert seeds != derived(1, Seeds())


def test_a_seed_that_is_set_apart_moves_no_other():
    assert derived(7, Seeds(padding=5)) == {**derived(7, Seeds()), "padding": 5}
    assert derived(7, Seeds(order=0)) == {**derived(7, Seeds()), "order": 0}
