import dataclasses

from experiments.study.plan import Cell, Plan
from experiments.study.seed_order import (
    Runs,
    founders,
    joined,
    one_look,
    reached,
    taken,
    together,
    usable,
)

ORDER = [20, 21, 22, 23, 0, 1]
WHOLE, FAILED = Runs({*ORDER}), Runs({20, 22, 23, 0, 1}, {21})
BEGUN = Runs({20, 21, 23})
DAY = "2026-01-0{}T00:00:00+00:00"


def test_seeds_are_used_in_their_order_until_one_is_yet_to_run():
    assert usable(ORDER, [WHOLE]) == ORDER
    assert usable(ORDER, [WHOLE, FAILED]) == [20, 22, 23, 0, 1]
    assert usable(ORDER, [WHOLE, BEGUN]) == [20, 21]


def test_a_single_look_waits_for_its_seeds_and_not_for_lost_ones():
    assert reached([4], ORDER, [WHOLE, FAILED]) == 1
    assert taken([4], ORDER, [WHOLE, FAILED]) == ([20, 22, 23], (3,))
    assert reached([4], ORDER, [BEGUN]) == 0
    assert taken([4], ORDER, [WHOLE, BEGUN]) == ([20, 21, 23], (4,))
    assert reached([9], ORDER, [WHOLE]) == 0


def test_of_several_looks_each_has_its_number_and_others_stand_in_for_the_lost():
    assert reached([2, 4, 9], ORDER, [WHOLE, FAILED]) == 2
    assert taken([2, 4, 9], ORDER, [WHOLE, FAILED]) == ([20, 22, 23, 0, 1], (2, 4, 9))
    assert reached([2, 4, 9], ORDER, [BEGUN]) == 1
    assert taken([3, 9], ORDER, [BEGUN]) == ([20, 21], (3, 9))


def test_a_family_goes_on_when_those_who_were_declared_first_have():
    cells = {"reflect": [WHOLE], "valid": [BEGUN]}
    assert together([2, 4], ORDER, cells, ["reflect", "valid"]) == (1, ["reflect", "valid"])
    assert together([2, 4], ORDER, cells, ["reflect"]) == (2, ["reflect"])
    assert together([4], ORDER, cells, ["reflect", "valid"]) == (1, ["reflect"])
    assert together([4], ORDER, {"valid": [BEGUN]}, ["valid"]) == (0, ["valid"])


def cell(padding, seeds, day=1):
    own = Cell("small_cnn", padding, "mnist", "jax", [*range(seeds)], padding)
    told = {"declared": DAY.format(day), "declared_seeds": seeds}
    return dataclasses.replace(own, overrides=[f"padding={padding}"], **told)


def test_a_family_is_looked_at_with_the_seeds_of_its_first_comparison():
    def look(**cells):
        return one_look(Plan(cells=cells), "same", list(cells))

    first = {"same": cell("same", 20), "reflect": cell("reflect", 20)}
    assert look(**first, valid=cell("valid", 3, day=2)) == (20,)
    assert look(**first, valid=cell("valid", 40, day=2)) == (20,)
    assert look(reflect=cell("reflect", 8), same=cell("same", 20, day=2)) == (8,)
    assert look(same=cell("same", 8), valid=cell("valid", 20, day=2)) == (8,)
    assert look(same=cell("same", 1), valid=cell("valid", 1)) == ()


def test_who_came_first_and_who_joined():
    plan = Plan(
        cells={
            "same": cell("same", 8),
            "reflect": cell("reflect", 8),
            "valid": cell("valid", 8, day=3),
        }
    )
    assert founders(plan, "same", ["same", "reflect", "valid"]) == ["reflect"]
    assert founders(plan, "same", ["same", "valid"]) == ["valid"], "reflect has no run"
    starts = {"same": {0: DAY.format(2)}, "reflect": {}, "valid": {0: DAY.format(4)}}
    assert joined(plan, starts) == ["valid"]
    assert joined(plan, {**starts, "same": {0: DAY.format(3)}}) == []
    old = {"same": {0: "2025-01-01T00:00:00+00:00", 1: DAY.format(3)}, "valid": {}}
    assert joined(plan, old) == [], "a run older than its declaration is of another study"
