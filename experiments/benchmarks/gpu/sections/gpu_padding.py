"""The cost of each padding mode relative to zeros, in whole networks."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import replace

from experiments.benchmarks.gpu.setting import Cost, Setting
from experiments.benchmarks.padding import padding_cases, triplets
from experiments.benchmarks.padding.padding_cases import (
    CONTROL,
    HALVED_FROM_28,
    OTHERS,
    Case,
    against_zeros,
)
from experiments.run import framework

PLACE = 6
TITLE = "The cost of padding"
ASKS = (
    "The time of a training step of a whole network under each mode, relative to the steps under "
    "zeros before and after it, on a batch in the GPU's memory. "
    f"'{CONTROL}' is a second build of zeros and shows the noise."
)
GOAL = "at most 1.10 for every mode"
SECONDS = Cost(least=45, most=150, tiny=20)
MOST = 1.10
ROUNDS, SECONDS_A_MEASUREMENT, MOST_STEPS = 7, 0.05, 200
TINY_MODES = ("reflect", "partial")
TABLE = "A step's time over that under zeros"


def measure(setting: Setting) -> None:
    cases = networks(TINY_MODES)[:1] if setting.tiny else networks(OTHERS)
    compare(setting, cases)


def networks(modes: Sequence[str]) -> list[Case]:
    """small_cnn and vgg16 at full width, with a GPU's batch."""
    same, of_28 = against_zeros("same", modes), against_zeros("same", modes, maps=HALVED_FROM_28)
    return [
        Case("models", "models, same", "small_cnn", (512, 28, 28, 1), *of_28),
        Case("models", "models, same", "vgg16", (256, 32, 32, 3), *same),
    ]


def compare(setting: Setting, cases: Sequence[Case]) -> None:
    """Measure every variant of the cases, one row each; those without time are named."""
    framework.start("jax")
    rounds = 2 if setting.tiny else ROUNDS
    for case in cases:
        with setting.noted(case.name):  # the next network may fit
            _case(setting, case.shrunk() if setting.tiny else case, rounds)
        gc.collect()
    rows = [row for row in setting.record.rows(TABLE) if row["mode"] != CONTROL]
    if not rows:
        raise RuntimeError("no mode could be measured: see the notes")
    dearest = max(rows, key=lambda row: row["ratio"])
    over = sum(row["ratio"] > MOST for row in rows)
    setting.record.say(
        n=f"{rounds} rounds",
        summary=f"{len(rows) - over} of {len(rows)} within {MOST:.2f}; at most "
        f"{dearest['ratio']:.2f} ({dearest['mode']}, {dearest['network']})",
    )


def _case(setting: Setting, case: Case, rounds: int) -> None:
    from experiments.benchmarks.padding import steps

    framework.fresh(precision=setting.precision, seed=0)
    begun = time.monotonic()
    reference = steps.timed_steps(steps.ready(case, case.reference))
    longest = time.monotonic() - begun
    count = 1
    if not setting.tiny:
        reference(2)
        count = triplets.steps_in(SECONDS_A_MEASUREMENT, lambda: reference(2), MOST_STEPS)
    left_out = []
    for variant in case.variants:
        if not setting.tiny and setting.left < 1.3 * longest:
            left_out.append(variant.label)
            continue
        begun = time.monotonic()
        own = steps.timed_steps(steps.ready(case, variant))
        compiling = time.monotonic() - begun
        found = triplets.measure(
            lambda: reference(count),
            {variant.label: lambda own=own: own(count)},  # type: ignore[misc]
            rounds,
        )[variant.label]
        low, middle, high = found.quartiles()
        setting.record.row(
            TABLE,
            network=case.kind,
            batch=case.shape[0],
            precision=setting.precision,
            mode=variant.label,
            ratio=round(middle, 3),
            q1=round(low, 3),
            q3=round(high, 3),
            milliseconds=round(1000 * sorted(found.seconds)[len(found.seconds) // 2], 3),
            compile_seconds=round(compiling, 1),
        )
        longest = max(longest, time.monotonic() - begun)
        del own
        gc.collect()
    if left_out:
        setting.record.note(f"Skipped for lack of time: {case.kind} under {', '.join(left_out)}.")


def others() -> list[Case]:
    """The networks other than small_cnn and vgg16, and causal amounts, with a GPU's batch."""
    own = ("small_cnn", "vgg16")
    found = [case for case in padding_cases.models() if case.kind not in own]
    same = against_zeros("same", OTHERS, maps=HALVED_FROM_28)
    pictures = Case("models", "models, same", "inception", (256, 28, 28, 1), *same)
    return [*(replace(case, shape=(512, *case.shape[1:])) for case in found), pictures]
