"""What a GPU gives: one command that needs an NVIDIA GPU, JAX and nine minutes.

    python -m experiments.benchmarks.gpu [--minutes 9] [--out FOLDER] [SECTION …] [--tiny]

Without names the sections run in the order of their worth; one that the time left does not allow
is skipped, one that fails stops no other. Each writes FOLDER/<section>.json, .md and .log as it
ends. PyTorch is the peer where it is installed. --tiny rehearses everything on a CPU in a few
minutes; its figures say nothing. docs/gpu.md says more.
"""

from __future__ import annotations

import argparse
import math
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
            "no NVIDIA GPU was found that JAX is installed to use; --tiny rehearses on the CPU"
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
                f"--out {plan.out} holds what a GPU gave ({name}.json): a rehearsal needs a folder "
                "of its own"
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
    add("--sweep", metavar="NAME", help=f"preset with which study goes on; default: {SWEEP}")
    add("--tiny", action="store_true", help="a rehearsal on the CPU, in a few minutes")
    return parser


if __name__ == "__main__":
    sys.exit(terminal.call(main))
