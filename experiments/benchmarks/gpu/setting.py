"""The setting of a section: where to write, the time limit, and helpers for all sections."""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from conf import device
from experiments.benchmarks.gpu import processes
from experiments.benchmarks.gpu.gpu_record import Record

TINY_MODEL = ("model.widths=[4]", "model.convs_per_stage=[1]")
FLOAT32, BFLOAT16 = "float32", "mixed_bfloat16"


class Cost(NamedTuple):
    """The estimated seconds of a section.

    Attributes:
        least: with less time it is not started; otherwise it measures what fits and names the rest.
        most: its limit on a GPU.
        tiny: for the rehearsal, on two quiet cores.
    """

    least: float
    most: float
    tiny: float


@dataclass(frozen=True)
class Setting:
    """The setting of one section.

    Attributes:
        record: for the results.
        out: the folder of results.
        work: a folder for temporary files, shared by the sections of a call.
        deadline: on the clock of `time.monotonic`.
        tiny: a rehearsal on a CPU.
        sweep: the preset that `study` continues.
    """

    record: Record
    out: Path
    work: Path
    deadline: float
    tiny: bool = False
    sweep: str = ""

    @property
    def left(self) -> float:
        """The remaining seconds of the section."""
        return self.deadline - time.monotonic()

    @property
    def precision(self) -> str:
        """The default of train.py: bfloat16 if the GPU has it."""
        return FLOAT32 if self.tiny or not device.find("jax").bfloat16 else BFLOAT16

    def enough(self, seconds: float, what: str) -> bool:
        """Whether there is time for something; if not, a note says so."""
        if self.left >= seconds:
            return True
        left = max(0.0, self.left)
        self.record.note(f"Skipped for lack of time: {what} ({seconds:.0f} s; {left:.0f} s left).")
        return False

    @contextlib.contextmanager
    def noted(self, what: str) -> Iterator[None]:
        """Inside the block, a failure becomes a note, and the rest continues."""
        try:
            yield
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())
            self.record.note(f"Failed: {what}: {said[: processes.TOLD]}")

    def train(
        self, name: str, *overrides: str, cache: Path | None = None, runs: Path | None = None
    ) -> processes.Ended:
        """Call train.py as a user does, on JAX; data and runs go to the work folder.

        Args:
            name: of the log.
            overrides: of train.py, possibly with the flag -m.
            cache: JAX's compilation cache; None: the one shared by all sections.
            runs: the folder of runs; None: a temporary one.
        """
        return processes.run(
            self.command(*overrides, runs=runs),
            seconds=self.left,
            log=self.work / "logs" / f"{self.record.name}-{name}.log",
            environment=cached(cache) if cache else None,
        )

    def command(self, *overrides: str, runs: Path | None = None) -> list[str]:
        """train.py's command line."""
        own = [
            "backend=jax",
            f"runs_dir={runs or self.runs}",
            f"data.data_dir={self.work / 'data'}",
            "trainer.progress=false",
        ]
        program = str(processes.CHECKOUT / "train.py")
        return [sys.executable, program, *overrides, *own]

    @property
    def runs(self) -> Path:
        """The folder of this section's temporary runs."""
        return self.work / f"runs-{self.record.name}"


def cached(folder: Path) -> dict[str, str]:
    """Environment variables that make JAX keep its compiled programs in a folder."""
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def rehearsal() -> dict[str, str]:
    """The environment of a rehearsal: the CPU, without compiler optimisation, to save time."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0"
    return {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags.strip()}
