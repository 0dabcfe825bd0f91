"""Measurements on a GPU: one command that needs an NVIDIA GPU, JAX and nine minutes.

    python -m experiments.benchmarks.gpu [--minutes 9] [--out FOLDER] [SECTION …] [--tiny]

Without names the sections run in order of importance; a section is skipped if there is not enough
time, and one that fails does not stop the others. Each writes FOLDER/<section>.json, .md and .log
when it ends. PyTorch is compared if it is installed. --tiny rehearses everything on a CPU in a few
minutes; its figures mean nothing. See docs/gpu.md.
"""

from __future__ import annotations

import argparse
import math
import signal
import sys

from conf import device, presets
from conf.reader import ConfigError, unknown
from experiments import terminal
from experiments.benchmarks.gpu import budget, gpu_page, sections
from experiments.benchmarks.options import Parser
from experiments.run.record import files
from experiments.terminal import BAD, OK

MINUTES, SWEEP, TINY_SWEEP = 9.0, "even_kernels", "demo"


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    names = list(dict.fromkeys(given.sections)) or sections.by_worth()
    sweep = given.sweep or (TINY_SWEEP if given.tiny else SWEEP)
    try:
        for name in names:
            if name not in sections.names():
                raise unknown("section", name, sections.names())
        presets.load(sweep)
        _check_jax(given.tiny)
        plan = budget.Plan(names, given.minutes, given.out.resolve(), given.tiny, sweep)
        _check_folder(plan)
    except ConfigError as mistake:
        terminal.complain(str(mistake))
        return BAD
    for number in (signal.SIGINT, signal.SIGTERM):  # a script's background job ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    found = budget.carry_out(plan)
    if not given.tiny:
        files.write(plan.out / "README.md", gpu_page.overview(plan.out).encode())
    measured = sum(status == budget.MEASURED for status in found.values())
    terminal.say(f"{measured} of {len(found)} sections measured; {plan.out}")
    return OK


def _check_jax(tiny: bool) -> None:
    if not device.installed("jax"):
        raise ConfigError("JAX is not installed; see docs/gpu.md")
    if not tiny and device.find("jax").kind != "gpu":
        raise ConfigError(
            "no NVIDIA GPU was found that this JAX can use; --tiny rehearses on the CPU"
        )


def _check_folder(plan: budget.Plan) -> None:
    try:
        files.check_writable(plan.out)
    except OSError as error:
        raise ConfigError(f"--out {plan.out}: {error.strerror}") from None
    for name in plan.names:
        earlier = files.read_json(plan.out / f"{name}.json")
        if plan.tiny and earlier and gpu_page.on_a_gpu(earlier):
            raise ConfigError(
                f"--out {plan.out} holds results of a GPU ({name}.json): a rehearsal needs another "
                "folder"
            )


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0; got {text}")
    return value


def _parser() -> Parser:
    parser = Parser("gpu", __doc__)
    add = parser.add_argument
    add("sections", nargs="*", metavar="SECTION", help=f"some of {', '.join(sections.names())}")
    add("--minutes", type=_minutes, default=MINUTES, metavar="N", help=f"default: {MINUTES:g}")
    parser.add_out("gpu")
    add(
        "--sweep", metavar="NAME", help=f"preset that the section study continues; default: {SWEEP}"
    )
    add("--tiny", action="store_true", help="a rehearsal on the CPU, in a few minutes")
    return parser


if __name__ == "__main__":
    sys.exit(terminal.call(main))
