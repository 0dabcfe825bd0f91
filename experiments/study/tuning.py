"""Settings that are tuned for each arm of a study, on validation data and with seeds of their own.

An arm is a configuration without its seed. With `sweep.tuned={optimizer.learning_rate: [0.001,
0.003, 0.01]}` every arm is first trained with every value, in the study `<study>-tuning`, where the
test split is left alone; the value with the best mean measure on validation data, such as the
highest accuracy or the lowest error, becomes the arm's. As long as one arm is best at an edge of a
grid of positive numbers, the grid is widened by its own ratio, for all arms. The study then
compares fresh seeds.

The first complete tuning of an arm fixes its value, in tuning.json with its time. A later command
tunes further arms over the grid with which the first one ended, so that all arms of a study have
the same; and it is refused if an arm comes out with another value, once runs have started.
"""

from __future__ import annotations

import itertools
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from conf.reader import ConfigError
from data.tasks import LOSS, TASKS, VALIDATION, Task, of_metric
from data.tasks.metrics import LOSSES
from experiments import terminal
from experiments.run.record import files, provenance
from experiments.study.jobs import Sweep
from experiments.study.plan import NO_PART, has_started

SEEDS = (1000, 1001, 1002)
WIDENINGS = 2  # of a grid, at each of its edges
RECORD = "tuning.json"
# Of the runs that tune; they neither test nor compare.
OWN = {
    "trainer.test": "false",
    "trainer.test_epochs": "[]",
    "sweep.tuned": "null",
    "sweep.contrasts": "null",
    "sweep.looks": "null",
}
Overrides = list[str]
Grid = dict[str, list[Any]]
Values = tuple[Any, ...]
Arm = tuple[str, ...]


def tune(
    runs: Sequence[Overrides],
    grid: Mapping[str, Sequence[Any]],
    study: Path,
    metric: str,
    train: Callable[[list[Overrides]], Sweep],
) -> list[Overrides]:
    """Tune every arm of the runs; returns the runs with the values of their arms.

    Args:
        runs: overrides of each run.
        grid: setting -> values, as declared.
        study: the folder of the study, in which tuning.json records what was chosen and why.
        metric: whose measure on validation data chooses, as of `judge`.
        train: trains runs, those that are complete excepted.

    Raises:
        ConfigError: a run sets what is tuned, or has a seed that tunes; an arm was not validated;
            or runs of the study have started with another value of an arm.
    """
    for run in runs:
        _check(run, grid)
    if len({override for run in runs for override in run if override.startswith("study=")}) > 1:
        raise ConfigError("sweep.tuned tunes one study in a command: give one study=…")
    judged = of_metric(metric)
    known = _recorded(study, grid)
    arms = list(dict.fromkeys(_arm(run) for run in runs))
    wide = {key: _sorted(values) for key, values in (known[-1]["grid"] if known else grid).items()}
    most = 0 if known else WIDENINGS
    widened = {(key, edge): 0 for key in wide for edge in (0, -1)}
    found = _train(arms, wide, study.name, judged, train)
    while True:
        best = {arm: _best(scores, judged) for arm, scores in found.items()}
        edges = {
            (key, edge)
            for at, (key, values) in enumerate(wide.items())
            for edge in (0, -1)
            if any(chosen[at] == values[edge] for chosen in best.values())
            and widened[key, edge] < most
            and _next(values, edge) is not None
        }
        if not edges:
            break
        wider = dict(wide)
        for key, edge in sorted(edges):
            widened[key, edge] += 1
            value = _next(wider[key], edge)
            wider[key] = [*wider[key], value] if edge else [value, *wider[key]]
            terminal.say(f"tuning: an arm is best at the edge of {key}; for all arms also {value}")
        try:
            again = [tuple(o for o in arm if not o.startswith("rerun=")) for arm in arms]
            scores = _train(again, wider, study.name, judged, train)
        except ConfigError as refusal:  # as of a fraction that would be above 1
            terminal.say(f"tuning: the grid is not widened: {refusal}")
            break
        wide, found = wider, {a: scores[b] for a, b in zip(arms, again, strict=True) if b in scores}
    record = _settled(_described(arms, wide, found, best, _validated(judged)), known, study)
    # Another command may have tuned other arms, such as those of another back end.
    mine = [_identity(one["overrides"]) for one in record]
    others = [one for one in known if _identity(one["overrides"]) not in mine]
    declared = {key: list(values) for key, values in grid.items()}
    content = {"declared": declared, "seeds": list(SEEDS), "arms": [*others, *record]}
    files.write_json(study / RECORD, content)
    for one in record:
        terminal.say(f"tuned: {said(one)}")
    settings = {
        arm: [f"{k}={_text(v)}" for k, v in zip(wide, chosen, strict=True)]
        for arm, chosen in best.items()
    }
    return [[*run, *settings.get(_arm(run), [])] for run in runs]


def judge(metric: str, task: str) -> str:
    """The metric on validation data that chooses, where `metric` is compared: loss, or the measure.

    Example:
        >>> judge("training_loss", "reconstruction"), judge("error_at/0", "reconstruction")
        ('validation_loss', 'validation_mae')
    """
    losses = metric.startswith(LOSSES)
    return f"{VALIDATION}{LOSS.measure if losses else TASKS[task].measure}"


def said(arm: Mapping[str, Any]) -> str:
    """A line on an arm of tuning.json: what was chosen, and the measures it was chosen by."""
    (metric,) = (key for key in arm if key.startswith(VALIDATION))
    judged = of_metric(metric)
    among = ", ".join(
        f"{'/'.join(str(v) for k, v in row.items() if k != 'mean')}: {judged.told(row['mean'])}"
        for row in arm[metric]
    )
    chosen = " ".join(f"{key}={_text(value)}" for key, value in arm["chosen"].items())
    edge = f"; at the edge of {', '.join(arm['edge'])}" if arm["edge"] else ""
    return f"{' '.join(arm['arm'])}: {chosen} (validation {judged.label} {among}){edge}"


def _validated(judged: Task) -> str:
    return f"{VALIDATION}{judged.measure}"


def _best(scores: Mapping[Values, float], judged: Task) -> Values:
    """The first values with the best mean."""
    choose = max if judged.higher_is_better else min
    return choose(scores, key=lambda values: scores[values])


def _described(
    arms: Sequence[Arm],
    grid: Grid,
    found: Mapping[Arm, Mapping[Values, float]],
    best: Mapping[Arm, Values],
    metric: str,
) -> list[dict[str, Any]]:
    """What was chosen for each arm, among what, and why; `arm` is that in which the arms differ."""
    shared = set.intersection(*map(set, arms)) if len(arms) > 1 else set()
    return [
        {
            "overrides": [o for o in arm if o.partition("=")[0] not in NO_PART],
            "time": provenance.now(),
            "arm": [override for override in arm if override not in shared],
            "grid": grid,
            "chosen": dict(zip(grid, chosen, strict=True)),
            "edge": [k for k, v in zip(grid, chosen, strict=True) if v in _ends(grid[k])],
            metric: [
                {**dict(zip(grid, values, strict=True)), "mean": mean}
                for values, mean in found[arm].items()
            ],
        }
        for arm, chosen in best.items()
    ]


def _settled(
    record: list[dict[str, Any]], known: Sequence[Mapping[str, Any]], study: Path
) -> list[dict[str, Any]]:
    """The record, in which arms that were tuned before stand as they were then.

    Raises:
        ConfigError: one has another value now, and runs of the study have started.
    """
    before = {_identity(one["overrides"]): dict(one) for one in known}
    found = []
    for one in record:
        then = before.get(_identity(one["overrides"]), one)
        if then["chosen"] != one["chosen"]:
            if has_started(study):
                values = " ".join(f"{key}={_text(value)}" for key, value in one["chosen"].items())
                raise ConfigError(
                    f"{' '.join(one['arm'] or then['arm'])} was tuned again, to {values}, which is "
                    f"not its value in {study / RECORD}, with which runs have started: choose "
                    "another study=…"
                )
            then = one
        found.append(then)
    return found


def _identity(overrides: Sequence[str]) -> frozenset[str]:
    """An arm in any order of its overrides, without those that are no part of a configuration."""
    return frozenset(o for o in overrides if o.partition("=")[0] not in NO_PART)


def _recorded(study: Path, grid: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """The arms that earlier commands have tuned over this grid; `DamagedError` if it is damaged.

    A study that is planned declares its grid, so that a record of another is older than the plan.
    """
    known = files.read_json(study / RECORD)
    if known is None:
        return []
    with files.content_of(study / RECORD):
        for arm in known["arms"]:
            said(arm)
            dict(known["declared"]), dict(arm["grid"]), list(arm["overrides"])
        arms = list(known["arms"])
    return arms if known["declared"] == {key: list(v) for key, v in grid.items()} else []


def _train(
    arms: Sequence[Arm],
    grid: Grid,
    study: str,
    judged: Task,
    train: Callable[[list[Overrides]], Sweep],
) -> dict[Arm, dict[Values, float]]:
    """Arm -> values -> mean of the measure on validation data over the seeds.

    Without values with which a run failed, as by divergence, and arms that make no sense.
    """
    own = {**OWN, "sweep.metric": _validated(judged), "study": f"{study}-tuning"}
    asked: dict[tuple[Arm, Values], list[Overrides]] = {}
    for arm, values in itertools.product(arms, itertools.product(*grid.values())):
        kept = [o for o in arm if o.partition("=")[0] not in own]
        tuned = {**dict(zip(grid, map(_text, values), strict=True)), **own}
        one = [*kept, *(f"{key}={value}" for key, value in tuned.items())]
        asked[arm, values] = [[*one, f"seed={seed}"] for seed in SEEDS]
    sweep = train([run for some in asked.values() for run in some])
    found: dict[Arm, dict[Values, float]] = {}
    for (arm, values), some in asked.items():
        made = [sweep.of[tuple(run)] for run in some if tuple(run) in sweep.of]
        results = [run.results for run in made if run.complete and run.results]
        scores: list[Any] = [one.get(_validated(judged)) for one in results]
        if None in scores:
            raise ConfigError("sweep.tuned needs a validation split: data.validation > 0")
        if made:
            own_scores = found.setdefault(arm, {})
            if len(scores) == len(SEEDS):
                own_scores[values] = statistics.mean(scores)
    if failed := [" ".join(arm) for arm, scores in found.items() if not scores]:
        raise ConfigError(f"tuning: no value trained with every seed: {'; '.join(failed)}")
    return found


def _check(run: Overrides, grid: Mapping[str, Any]) -> None:
    for override in run:
        key, _, value = override.partition("=")
        if key in grid:
            raise ConfigError(f"{override}: {key} is tuned by sweep.tuned, so it is not set")
        if key == "seed" and value in map(str, SEEDS):
            raise ConfigError(f"{override}: this seed tunes; compare others")


def _arm(run: Overrides) -> Arm:
    return tuple(o for o in run if o.partition("=")[0] not in ("seed", "probes"))


def _sorted(values: Sequence[Any]) -> list[Any]:
    """Numbers in increasing order; other values as they are."""
    return sorted(values) if _are_positive(values) else list(values)


def _are_positive(values: Sequence[Any]) -> bool:
    return all(type(v) in (int, float) and v > 0 for v in values)


def _ends(values: Sequence[Any]) -> tuple[Any, ...]:
    return (values[0], values[-1]) if _are_positive(values) else ()


def _next(values: Sequence[Any], edge: int) -> float | None:
    """The value beyond an edge, first (0) or last (−1); None where there is no order."""
    if not _are_positive(values):
        return None
    last, before = (values[-1], values[-2]) if edge else (values[0], values[1])
    value = float(f"{last * last / before:.2g}")
    if all(type(v) is int for v in values):
        value = round(value)
    return None if value in values or value <= 0 else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
