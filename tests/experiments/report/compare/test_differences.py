import dataclasses

import numpy as np
import pytest

from experiments.report.compare.differences import Declared, against_baseline
from experiments.report.compare.families import families
from experiments.report.compare.reading import read
from experiments.report.pages import descriptive
from experiments.report.statistics.items import TestSet, intervals
from tests import made


def compared(study, plan=None, **declared):
    found = Declared(plan=plan, **declared)
    (family,) = families(read(study, found.metric, plan=plan).cells)
    return against_baseline(family, found)


def difference(padding, seeds):
    """Of a padding from same, in points."""
    pairs = [(made.outcomes(padding, seed), made.outcomes("same", seed)) for seed in seeds]
    return np.mean([100 * (own.mean() - base.mean()) for own, base in pairs])


def test_every_cell_is_paired_with_the_baseline_by_seed(tmp_path):
    made.study(tmp_path, seeds=range(7))
    found = compared(tmp_path)
    assert found.baseline == "same"
    assert [c.name for c in found.comparisons] == ["reflect", "valid"]
    for c in found.comparisons:
        assert c.mean == pytest.approx(difference(c.name, range(7)))
    assert found.seeds == list(range(7))
    assert found.of("valid").verdict == "differs"
    assert found.left_out == {}


def test_a_tie_is_not_called_identical(tmp_path):
    made.study(tmp_path, ("same",))
    turned = {}
    for seed in range(6):
        right = made.outcomes("same", seed)
        made.run(tmp_path, "half", seed, right=right)  # the same predictions
        turned[seed] = right.copy()  # as many right, of other items
        turned[seed][[right.argmax(), right.argmin()]] = False, True
        made.run(tmp_path, "valid", seed, right=turned[seed])
    found = compared(tmp_path)
    assert {c.name: c.verdict for c in found.comparisons} == {
        "half": "identical, bit for bit",
        "valid": "a tie in 6 seeds",
    }
    assert str(found.of("valid")) == "valid − same: a tie in 6 seeds"


def test_equal_classes_with_other_probabilities_are_a_tie(tmp_path):
    made.study(tmp_path, ("same", "half"), range(6), right=made.outcomes("same", 0))
    (cell,) = tmp_path.glob("small_cnn-half-*")
    file = cell / "seed=3" / "predictions.npz"
    with np.load(file) as stored:
        arrays = dict(stored)
    arrays["probability"][7] += 1e-9
    np.savez(file, **arrays)
    assert compared(tmp_path).of("half").verdict == "a tie in 6 seeds"


def test_without_predictions_of_the_metric_a_tie_is_a_tie(tmp_path):
    made.study(tmp_path, ("same", "half"), range(6), right=made.outcomes("same", 0))
    assert compared(tmp_path, metric="validation_accuracy").of("half").verdict == (
        "a tie in 6 seeds"
    )


def test_what_computes_the_same_is_identical(tmp_path):
    made.study(tmp_path, ("same",))
    for seed in range(6):
        made.run(tmp_path, "half", seed, right=made.outcomes("same", seed))
    (half,) = compared(tmp_path).comparisons
    assert (half.verdict, half.p) == ("identical, bit for bit", None)


OTHER = {
    "device": ({"device": "another"}, "device (another here and a processor there)"),
    "threads": ({"threads": 1}, "threads (1 here and 2 there)"),
    "cores, as they were told": (
        {"device": "a processor, 4 cores", "threads": None},
        "threads (4 here and 2 there)",
    ),
    "versions": (
        {"versions": {"python": "3.11.7", "keras": "3.16.0"}},
        "versions (keras 3.16.0 here and keras 3.15.1 there)",
    ),
    "sources": ({"source_hash": "ffff"}, "sources (ffff here and 0a1b2c3d4e5f there)"),
    "instruction sets": (
        {"instruction_sets": ["avx", "avx2"]},
        "instruction sets (['avx', 'avx2'] here and None there)",
    ),
    "oneDNN": ({"onednn": True}, "onednn (True here and None there)"),
    "precision": ({"precision": "mixed_bfloat16"}, "precision (mixed_bfloat16 here and float32"),
}


@pytest.mark.parametrize("what", OTHER)
def test_runs_that_differ_in_more_than_the_padding_are_not_paired(tmp_path, what):
    change, said = OTHER[what]
    made.study(tmp_path, ("same", "reflect"))
    made.study(tmp_path, ("valid",), starts=[made.START | change])
    found = compared(tmp_path)
    assert [c.name for c in found.comparisons] == ["reflect"]
    assert f"differs from same in {said}" in found.left_out["valid"].why
    assert found.left_out["valid"].difference is None


def test_runs_on_other_data_are_not_paired(tmp_path):
    made.study(tmp_path, ("same",))
    made.study(tmp_path, ("valid",), fingerprint="placed_digits/2")
    why = compared(tmp_path).left_out["valid"].why
    here, there = "placed_digits/2", made.FINGERPRINT
    assert why == f"differs from same in data fingerprint ({here} here and {there} there)"


def test_every_start_of_a_run_counts(tmp_path):
    made.study(tmp_path, ("same",))
    elsewhere = made.START | {"device": "another"}
    for seed in range(6):
        made.run(tmp_path, "valid", seed, starts=[elsewhere, made.START] if seed == 3 else None)
    why = compared(tmp_path).left_out["valid"].why
    assert why == "its own runs differ in device (a processor and another)"


def test_a_baseline_that_differs_in_itself_is_compared_with_nothing(tmp_path):
    made.study(tmp_path, ("valid",))
    for seed in range(6):
        start = made.START | ({"source_hash": "ffff"} if seed == 3 else {})
        made.run(tmp_path, "same", seed, starts=[start])
    found = compared(tmp_path)
    assert found.comparisons == []
    assert "the runs of same differ in sources" in found.left_out["valid"].why


FILES = {"train.py": "aa", "models/bind.py": "bb", "models/architectures/small_cnn.py": "cc"}


def from_files(files, **changes):
    """A start of a run that tells its sources file by file."""
    return made.START | {"source_hash": "of all", "sources": files} | changes


def test_cells_pair_by_the_files_that_both_have(tmp_path):
    made.study(tmp_path, ("same",), starts=[from_files(FILES)])
    more = FILES | {"models/layers/reflect.py": "dd"}
    made.study(tmp_path, ("reflect",), starts=[from_files(more)])
    made.study(tmp_path, ("valid",), starts=[from_files(more | {"models/bind.py": "xx"})])
    found = compared(tmp_path)
    assert [c.name for c in found.comparisons] == ["reflect"]
    assert found.left_out["valid"].why == "differs from same in sources (models/bind.py)"


def test_the_seeds_of_one_cell_agree_on_every_file(tmp_path):
    made.study(tmp_path, ("same",), starts=[from_files(FILES)])
    for seed in range(6):
        files = FILES | ({"models/layers/reflect.py": "dd"} if seed == 3 else {})
        made.run(tmp_path, "valid", seed, starts=[from_files(files)])
    why = compared(tmp_path).left_out["valid"].why
    assert why == "its own runs differ in sources (models/layers/reflect.py)"


def test_runs_recorded_with_one_hash_do_not_pair_with_those_told_file_by_file(tmp_path):
    made.study(tmp_path, ("same",))
    made.study(tmp_path, ("valid",), starts=[from_files(FILES)])
    why = compared(tmp_path).left_out["valid"].why
    assert why == "differs from same in sources (one digest per file here and 0a1b2c3d4e5f there)"


def test_of_two_processors_the_instruction_sets_that_one_lacks_are_named(tmp_path):
    old, new = (made.START | {"instruction_sets": sets} for sets in (["avx2"], ["avx2", "avx512f"]))
    made.study(tmp_path, ("same",), starts=[old])
    made.study(tmp_path, ("valid",), starts=[new])
    why = compared(tmp_path).left_out["valid"].why
    assert why == "differs from same in instruction sets (avx512f here and none there)"


def test_a_family_is_compared_over_the_seeds_that_its_cells_share(tmp_path):
    """One missing seed in each cell, another each time."""
    for padding, missing in (("same", 6), ("reflect", 3), ("valid", 5)):
        made.study(tmp_path, (padding,), (s for s in range(8) if s != missing))
    found = compared(tmp_path)
    assert found.seeds == [0, 1, 2, 4, 7]
    assert {c.n for c in found.comparisons} == {5}
    assert found.of("valid").mean == pytest.approx(difference("valid", found.seeds))
    told = "lacks seed {}: all are compared over the seeds that they share"
    assert f"reflect {told.format(3)}" in found.notes
    assert f"valid {told.format(5)}" in found.notes
    assert found.left_out == {}


def test_a_cell_that_lacks_most_seeds_is_described_and_has_no_verdict(tmp_path):
    made.study(tmp_path, ("same", "reflect"))
    made.study(tmp_path, ("valid",), (1, 4, 9))
    found = compared(tmp_path)
    assert [c.n for c in found.comparisons] == [6]
    assert found.comparisons[0].comparisons == 2, "it was declared"
    assert found.left_out["valid"].why == "lacks seeds 0, 2, 3, 5"
    assert found.left_out["valid"].difference == (2, pytest.approx(difference("valid", (1, 4))))


def test_few_seeds_are_said_to_be_few(tmp_path):
    found = compared(made.study(tmp_path / "few", seeds=range(5)))
    assert any("with 5 seeds the interval assumes roughly normal" in note for note in found.notes)
    assert compared(made.study(tmp_path / "more", seeds=range(6))).notes == []


def declared(plan, when=None, seeds=None, overrides=()):
    """The plan, with the declaration of its cells."""
    for name, cell in plan.cells.items():
        own = [*overrides, f"padding={cell.padding}"]
        told = {"declared": when, "declared_seeds": seeds, "overrides": own}
        plan.cells[name] = dataclasses.replace(cell, **told)
    return plan


def test_seeds_that_were_added_to_a_declared_number_are_left_out_by_name(tmp_path):
    made.study(tmp_path, seeds=range(9))
    plan = declared(made.plan(tmp_path), seeds=6)
    found = compared(tmp_path, plan)
    assert found.seeds == list(range(6))
    assert found.of("valid").mean == pytest.approx(difference("valid", range(6)))
    told = "not part of the verdict: seeds 6, 7, 8 (6 seeds were declared)"
    assert told in found.notes
    assert found.next_look is None


def test_there_is_no_verdict_before_the_declared_number_of_seeds(tmp_path):
    made.study(tmp_path, seeds=range(5))
    plan = declared(made.plan(tmp_path, seeds=range(8)), seeds=8)
    found = compared(tmp_path, plan)
    assert {(c.decided, c.low, c.n) for c in found.comparisons} == {("undecided", None, 5)}
    assert found.of("valid").why == "the look is at 8 seeds"
    assert found.next_look == 8
    for padding in ("same", "valid"):
        made.study(tmp_path, (padding,), range(5, 8))
    found = compared(tmp_path, plan)
    assert (found.of("valid").n, found.of("valid").decided) == (8, "differs")
    assert found.left_out["reflect"].why == "5 of the 8 seeds of this look are complete"
    assert found.left_out["reflect"].difference == (
        5,
        pytest.approx(difference("reflect", range(5))),
    )
    assert found.next_look == 8
    made.study(tmp_path, ("reflect",), range(5, 8))
    whole = compared(tmp_path, plan)
    assert whole.of("valid").low == found.of("valid").low, "what was decided stays"
    assert whole.next_look is None or whole.next_look > 8


@pytest.mark.parametrize("late", [3, 0])
def test_a_run_that_is_completed_later_changes_no_verdict(tmp_path, late):
    made.study(tmp_path, seeds=[seed for seed in range(8) if seed != late])
    plan = declared(made.plan(tmp_path, seeds=range(8)), seeds=8)
    waiting = compared(tmp_path, plan)
    assert {c.decided for c in waiting.comparisons} == {"undecided"}
    assert waiting.notes == [], "no seed is part of a verdict that there is not"
    assert descriptive.counted(waiting, "valid", "test_accuracy") == "7"
    made.study(tmp_path, seeds=[late])
    assert compared(tmp_path, plan).seeds == list(range(8))


def test_smaller_seeds_that_are_added_later_are_beyond_the_look(tmp_path):
    made.study(tmp_path, seeds=range(20, 26))
    plan = declared(made.plan(tmp_path), seeds=6)
    before = compared(tmp_path, plan)
    made.study(tmp_path, seeds=range(6))
    for name, cell in plan.cells.items():
        plan.cells[name] = dataclasses.replace(cell, seeds=[*cell.seeds, *range(6)])
    after = compared(tmp_path, plan)
    assert (after.seeds, after.comparisons) == (list(range(20, 26)), before.comparisons)
    assert any(note.startswith("not part of the verdict: seeds 0, 1, 2") for note in after.notes)


@pytest.mark.parametrize("seeds", [range(3), range(6)])
def test_a_padding_that_joins_later_leaves_the_others_theirs(tmp_path, seeds):
    made.study(tmp_path, ("same", "reflect"))
    plan = declared(made.plan(tmp_path), when="2026-01-01T00:00:00+00:00", seeds=6)
    before = compared(tmp_path, plan)
    made.study(tmp_path, ("valid",), seeds)
    ((name, late),) = (
        (name, cell) for name, cell in made.plan(tmp_path).cells.items() if cell.padding == "valid"
    )
    told = {"declared": "2026-01-02T03:04:06+00:00", "declared_seeds": len(seeds)}
    starts = [made.START | {"time": "2026-01-03T00:00:00+00:00"}]
    made.study(tmp_path, ("valid",), seeds, starts=starts)
    plan.cells[name] = dataclasses.replace(late, overrides=["padding=valid"], **told)
    after = compared(tmp_path, plan)
    assert after.seeds == before.seeds
    (low, high), (then_low, then_high) = (
        (c.low, c.high) for c in (after.of("reflect"), before.of("reflect"))
    )
    assert low < then_low < then_high < high, "k is larger"
    assert any(note.startswith("declared when runs of this") for note in after.notes)
    assert not any(note.startswith("declared when runs of this") for note in before.notes)
    if len(seeds) < 6:
        assert after.left_out["valid"].why == "3 of the 6 seeds of this look are complete"


def test_failed_runs_are_named_and_the_rest_is_compared(tmp_path):
    made.study(tmp_path, seeds=range(8))
    failed = {"same": 2, "valid": 5}
    for padding, seed in failed.items():
        (directory,) = tmp_path.glob(f"small_cnn-{padding}-*/seed={seed}")
        (directory / "status.json").write_text('{"status": "FAILED", "error": "NaN"}')
    plan = declared(made.plan(tmp_path), seeds=8)
    found = compared(tmp_path, plan)
    assert found.seeds == [0, 1, 3, 4, 6, 7]
    told = "{} lacks seed {}: all are compared over the seeds that they share"
    assert {told.format(*pair) for pair in failed.items()} <= set(found.notes)
    assert found.next_look is None


def test_seeds_between_two_looks_wait_for_the_next(tmp_path):
    made.study(tmp_path, seeds=range(5))
    found = compared(tmp_path, looks=(3, 7))
    assert (found.seeds, found.of("valid").level) == ([0, 1, 2], pytest.approx(0.015))
    assert "not part of the verdict: seeds 3, 4 (the next look is at 7 seeds)" in found.notes
    assert found.next_look == 7
    assert compared(tmp_path, looks=(3, 4)).next_look is None


def test_runs_older_than_the_declaration_are_left_out_by_name(tmp_path):
    made.study(tmp_path, ("reflect", "same"))
    early = made.START | {"time": "2026-01-01T03:04:05+00:00"}
    for seed in range(6):
        made.run(tmp_path, "valid", seed, starts=[early] if seed in (1, 4) else None)
    plan = declared(made.plan(tmp_path), when="2026-01-02T03:04:05+00:00")
    found = compared(tmp_path, plan)
    told = "older than its declaration and not part of the verdict: valid, seeds 1, 4"
    assert told in found.notes
    assert found.seeds == [0, 2, 3, 5]
    later = declared(made.plan(tmp_path), when="2026-01-02T03:04:06+00:00")
    found = compared(tmp_path, later)
    assert found.comparisons == []
    assert found.left_out["valid"].why == "all its runs are older than its declaration"


def test_k_counts_what_was_planned_whatever_came_of_it(tmp_path):
    made.study(tmp_path)
    plan = declared(made.plan(tmp_path, aliases=[("half", "same")]), overrides=["model.depth=2"])
    assert {c.comparisons for c in compared(tmp_path, plan).comparisons} == {2}
    (valid,) = (cell for cell in plan.cells.values() if cell.padding == "valid")
    never = dataclasses.replace(valid, padding="full", overrides=["padding=full", "model.depth=2"])
    plan.cells["small_cnn-full-placed_digits-00000000"] = never
    other = dataclasses.replace(never, overrides=["padding=full", "model.depth=3"])
    plan.cells["small_cnn-full-placed_digits-11111111"] = other
    narrow = compared(made.study(tmp_path)).of("valid")
    wide = compared(tmp_path, plan).of("valid")
    assert wide.comparisons == 3
    assert wide.low < narrow.low < narrow.high < wide.high


def test_seeds_that_only_the_baseline_has_are_of_no_use(tmp_path):
    made.study(tmp_path, ("same",), range(9))
    made.study(tmp_path, ("valid", "reflect"), range(6))
    found = compared(tmp_path)
    assert {c.n for c in found.comparisons} == {6}
    assert found.left_out == {}


def test_without_a_baseline_or_with_one_seed_nothing_is_compared(tmp_path):
    made.study(tmp_path, ("same", "valid"), (0,))
    found = compared(tmp_path)
    assert found.left_out["valid"].why == "same has 1 of the 2 seeds that a comparison needs"
    found = compared(tmp_path, baseline="circular")
    assert found.baseline is None
    assert "no run of circular" in found.left_out["same"].why


def test_a_baseline_may_be_an_alias(tmp_path):
    made.study(tmp_path, ("same", "valid"))
    plan = made.plan(tmp_path, aliases=[("half", "same")])
    assert compared(tmp_path, plan, baseline="half").baseline == "same"


def test_over_new_images_sources_are_crossed_with_seeds(tmp_path):
    groups = np.repeat(np.arange(made.ITEMS // 20), 20)
    made.study(tmp_path / "alone", ("same", "valid"))
    made.study(tmp_path / "grouped", ("same", "valid"), groups=groups)
    differences = np.stack(
        [made.outcomes("valid", s).astype(int) - made.outcomes("same", s) for s in range(6)]
    )
    widths = []
    for folder, size in (("alone", 1), ("grouped", 20)):
        new = compared(tmp_path / folder).of("valid").over_new_images
        sums = 100 * differences.reshape(1, 6, -1, size).sum(axis=3)
        (expected,) = intervals([TestSet(sums, np.full(made.ITEMS // size, size))], [6], 1)
        assert (new.low, new.high) == pytest.approx(tuple(expected[0]))
        assert new.decided == "differs"
        widths.append(new.high - new.low)
    assert widths[0] != pytest.approx(widths[1])


def test_over_new_images_k_looks_and_seeds_are_those_of_the_verdict(tmp_path):
    made.study(tmp_path, seeds=range(9))
    plan = made.plan(tmp_path, looks=[4, 8, 20])
    found = compared(tmp_path, plan, looks=(4, 8, 20))
    assert found.seeds == list(range(8))
    for c in found.comparisons:
        differences = np.stack(
            [made.outcomes(c.name, s).astype(int) - made.outcomes("same", s) for s in range(8)]
        )
        new = intervals(
            [TestSet(100 * differences[None], np.ones(made.ITEMS))], (4, 8, 20), c.comparisons
        )[:, 0]
        assert (c.over_new_images.low, c.over_new_images.high) == pytest.approx(
            (new[:, 0].max(), new[:, 1].min())
        )
        assert c.over_new_images.low <= c.low < c.high <= c.over_new_images.high
    before = compared(tmp_path, plan, looks=(10, 20))
    assert {c.over_new_images for c in before.comparisons} == {None}


def test_cells_on_other_items_have_no_interval_over_new_images(tmp_path):
    made.study(tmp_path / "other", ("same", "reflect"))
    for seed in range(6):
        made.run(tmp_path / "other", "valid", seed, right=made.outcomes("valid", seed, 300))
    found = {c.name: c.over_new_images for c in compared(tmp_path / "other").comparisons}
    assert found["reflect"] is not None
    assert found["valid"] is None


def test_ties_and_items_of_one_source_have_no_interval_over_new_images(tmp_path):
    made.study(tmp_path, ("same",))
    for seed in range(6):
        right = made.outcomes("same", seed)
        right[[right.argmax(), right.argmin()]] = False, True
        made.run(tmp_path, "valid", seed, right=right)
    assert compared(tmp_path).of("valid").over_new_images is None
    made.study(tmp_path / "one", ("same", "valid"), groups=np.zeros(made.ITEMS))
    (one,) = compared(tmp_path / "one").comparisons
    assert (one.verdict, one.over_new_images) == ("differs", None)


def test_a_declared_subset_is_compared(tmp_path):
    subsets = np.repeat(["near", "far"], made.ITEMS // 2)
    made.study(tmp_path, ("same", "valid"), subsets=subsets)
    found = compared(tmp_path, metric="accuracy_on/far")
    far = [
        100 * (made.outcomes("valid", s)[200:].mean() - made.outcomes("same", s)[200:].mean())
        for s in range(6)
    ]
    assert found.of("valid").mean == pytest.approx(np.mean(far))
    new = found.of("valid").over_new_images
    assert new.low < np.mean(far) < new.high
    assert compared(tmp_path, metric="accuracy_on/nowhere").left_out["valid"].why == (
        "its runs have no accuracy_on/nowhere"
    )
