"""Executing a sweep: the remaining runs are passed to the launcher until none is left.

The state is kept in the runs' directories: two sweeps at the same time, or the workers of one,
share the work by claiming runs there, and the final state of a sweep is read from them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from data.tasks import CLASSIFICATION, TASKS, TEST
from experiments import terminal
from experiments.run.record import files
from experiments.run.record.directory import COMPLETED, FAILED, RUNNING, Claimed, Run
from experiments.study import groups
from experiments.study.jobs import Job, Sweep

ATTEMPTS = 3  # after a run that ends without a status, as when the system kills a worker
POLL_SECONDS = 1.0
PROGRESS = "sweep.json"
Launch = Callable[[list[list[str]]], None]


def carry_out(sweep: Sweep, launch: Launch, folder: Path, *, rerun: bool) -> list[Job]:
    """Run all jobs that are not complete or lack a probe; wait for those of other processes.

    Returns the runs that are missing. A run that fails is tried again only by the next call.

    Args:
        launch: runs each list of overrides, and the seeds that are trained at once with it.
        folder: a folder for this sweep alone, shared by its workers.
        rerun: whether complete runs are trained again.
    """
    Progress.begin(folder, sweep, rerun)
    attempts: Counter[Path] = Counter()
    failed: set[Path] = set()
    waits = False
    while left := [job for job in sweep.jobs if _is_left(job, attempts, failed, rerun)]:
        free = [job for job in left if not _held(job.run)]
        if not free:
            if not waits:
                waits = True
                terminal.say(
                    f"waiting for other processes, which are training the last "
                    f"{terminal.counted(len(left), 'run')}"
                )
            time.sleep(POLL_SECONDS)
            continue
        attempts.update(job.run.directory for job in free)
        at_once = groups.of(free)
        groups.write(folder, at_once)
        try:
            launch([group[0].overrides for group in at_once])
        except (OSError, RuntimeError) as error:  # a pool of workers that has lost one
            terminal.complain(f"the workers ended early: {error}")
        failed |= {job.run.directory for job in free if job.run.status == FAILED}
    return [job for job in sweep.jobs if not job.run.complete]


def tell_end(
    title: str,
    results: dict[str, Any] | None,
    seconds: float,
    progress: object,
    task: str = CLASSIFICATION,
) -> None:
    """After a run of a sweep: print its result and the progress of the sweep."""
    asked = TASKS[task]
    came = asked.told(results[f"{TEST}{asked.measure}"]) if results else "failed"
    terminal.say(f"{title}: {came} in {terminal.clock(seconds)}   [{progress}]")


def complain_of(jobs: list[Job]) -> None:
    """After a sweep: print every missing run, and why it is missing."""
    for job in jobs:
        if damage := job.run.damage():
            terminal.complain(f"no result: {damage}; rerun=true trains the run again")
            continue
        why = job.run.told.get("error") or "it never ended"
        terminal.complain(f"no result: {job.run.directory}: {why}")


def _is_left(job: Job, attempts: Counter[Path], failed: set[Path], rerun: bool) -> bool:
    run = job.run
    if run.directory in failed:
        return False
    if run.complete:
        lacks = rerun or bool(run.not_probed(job.probes))
        return lacks and not attempts[run.directory]
    if not rerun and run.damage():
        return False
    return attempts[run.directory] < ATTEMPTS or _held(run)


def _held(run: Run) -> bool:
    try:
        run.check_free()
    except Claimed:
        return True
    return False


class Progress:
    """The progress of a sweep, counted in the directories of its runs."""

    def __init__(self, folder: Path) -> None:
        content: dict[str, Any] = files.read_json(folder / PROGRESS)
        self.runs = [Run(Path(directory)) for directory in content["runs"]]
        self.not_applicable: int = content["not_applicable"]
        self._begun: float = content["begun"]
        self._before: int = content["done"]

    @staticmethod
    def begin(folder: Path, sweep: Sweep, rerun: bool) -> None:
        """Record the content of the sweep for its workers."""
        content = {
            "runs": [str(job.run.directory) for job in sweep.jobs],
            "not_applicable": len(sweep.not_applicable),
            "begun": time.time(),
            "done": 0 if rerun else sum(job.run.complete for job in sweep.jobs),
        }
        files.write_json(folder / PROGRESS, content)

    def __str__(self) -> str:
        counts = Counter(_statuses(self.runs))
        done, total = counts[COMPLETED], len(self.runs)
        parts = [
            f"{done} of {total} done",
            f"{counts[RUNNING]} running",
            f"{counts[FAILED]} failed",
        ]
        if self.not_applicable:
            parts.append(f"{self.not_applicable} not applicable")
        left, since = total - done - counts[FAILED], done - self._before
        if left > 0 and since > 0:
            pace = (time.time() - self._begun) / since
            parts.append(f"about {terminal.clock(left * pace)} left")
        return ", ".join(parts)


_complete: set[Path] = set()  # complete runs stay complete and are not read again


def _statuses(runs: Iterable[Run]) -> list[str | None]:
    found: list[str | None] = []
    for run in runs:
        if run.directory in _complete:
            found.append(COMPLETED)
            continue
        told = run.told
        status = told.get("status")
        if status == COMPLETED:
            _complete.add(run.directory)
        elif status == RUNNING and not _alive(told.get("pid")):
            status = None
        found.append(status)
    return found


def _alive(process: object) -> bool:
    return Path(f"/proc/{process}").exists()
