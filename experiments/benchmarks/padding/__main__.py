"""The cost of a padding: the time of a training step under each mode, relative to zeros.

    python -m experiments.benchmarks.padding [--backend tensorflow|jax] [--what models …]

A training step is forward and backward. For a single layer, followed by a ReLU and a fixed
gradient, it computes the gradients of the input and the weights; for a whole network it is Keras'
own compiled step with AdamW, on one batch that is repeated. Every measurement is made between two
measurements of zeros at the same amount, in one process; the ratio is its time divided by their
mean. A round measures everything once, in shuffled order; a figure is the median of the rounds'
ratios with their quartiles. "zeros again" is a second build of zeros, measured in the same way; its
distance from 1 shows the noise.

`pytorch` compares PyTorch's modes with PyTorch's zeros, in a separate process, if it is installed
(`make install-bench`). CUDA_VISIBLE_DEVICES=-1 uses only the CPU. Goals for whole networks: 1.05
for TensorFlow on two cores, 1.10 for JAX on a GPU.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from conf import device
from conf.reader import ConfigError
from conf.schema import BACKENDS
from experiments import terminal
from experiments.benchmarks.options import Parser, at_least, facts, use_threads
from experiments.benchmarks.padding import padding_cases, triplets
from experiments.benchmarks.padding.padding_cases import OTHERS, Case, Variant
from experiments.benchmarks.pytorch.torch_loop import Peer
from experiments.run import framework

Steps = Callable[
    [int], float
]  # makes this number of training steps and returns the seconds per step
Ready = Callable[[Case, Variant], Steps]
SECTIONS = ("layers", "models", "pytorch")
SECONDS_A_MEASUREMENT, MOST_STEPS = 0.1, 50


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        framework.start(options.backend)
    except ConfigError as error:
        terminal.complain(str(error))
        return 2
    threads = len(os.sched_getaffinity(0))
    if options.backend == "tensorflow":
        use_threads(threads)
    from experiments.benchmarks.padding import padding_plot, padding_report

    rounds = 2 if options.quick else options.rounds
    versions = framework.versions()
    peer = _peer(options.what)
    try:
        if peer:
            versions["torch"] = peer.ask(threads=threads)["version"]
        rows = list(_measured(_sections(options, peer), rounds, options.quick))
    finally:
        if peer:
            peer.close()
    if not rows:
        terminal.complain(
            "nothing to measure: PyTorch has none of these modes, or is not installed"
        )
        return 2
    how = f"medians of {rounds} rounds [quartiles], {threads} threads"
    stated = facts("padding", arguments, versions, how, options.backend)
    written = padding_report.write(options.out, rows, stated, options.backend)
    written += padding_plot.write(options.out, rows, options.backend)
    terminal.say("\n".join(map(str, written)))
    return 0


def _peer(what: Sequence[str]) -> Peer | None:
    if "pytorch" not in what:
        return None
    if importlib.util.find_spec("torch"):
        return Peer("torch_padding")
    terminal.errors.print("PyTorch is not installed (make install-bench): its modes are skipped")
    return None


def _sections(options: Any, peer: Peer | None) -> list[tuple[Case, Ready]]:
    """Every requested case, with the function that prepares its variants."""
    modes, backend = options.modes, options.backend
    cases: list[Case] = []
    if "layers" in options.what:
        cases += padding_cases.layers(modes)
    if "models" in options.what:
        cases += padding_cases.models(modes)
    slow = options.quick or (backend == "jax" and device.find(backend).kind == "cpu")
    sections: list[tuple[Case, Ready]] = [
        (case, _keras) for case in cases if not (case.heavy and slow)
    ]
    if peer:
        theirs = padding_cases.pytorch(modes)
        sections += [(case, partial(_torch, peer)) for case in theirs if not case.heavy]
    return sections


def _measured(
    sections: Sequence[tuple[Case, Ready]], rounds: int, quick: bool
) -> Iterator[dict[str, Any]]:
    from experiments.benchmarks.padding import padding_report

    for number, (case, ready) in enumerate(sections, start=1):
        if quick:
            case = case.shrunk()
        title = f"{number} of {len(sections)}: {case.table}: {case.name}"
        with terminal.busy(title):
            steps, measured = measure(case, ready, rounds, 1 if quick else None)
        rows = padding_report.rows(case, steps, measured)
        terminal.say(f"{title}: {_worst(rows)}")
        yield from rows


def measure(
    case: Case, ready: Ready, rounds: int, steps: int | None
) -> tuple[int, dict[str, triplets.Measured]]:
    """Measure one case; returns the steps per measurement and the times of each variant."""
    framework.fresh(precision="float32", seed=0)
    reference = ready(case, case.reference)
    if steps is None:
        reference(2)
        run = partial(reference, 2)
        steps = triplets.steps_in(SECONDS_A_MEASUREMENT, run, MOST_STEPS)
    runs = {v.label: partial(ready(case, v), steps) for v in case.variants}
    return steps, triplets.measure(partial(reference, steps), runs, rounds)


def _keras(case: Case, variant: Variant) -> Steps:
    from experiments.benchmarks.padding import steps

    return steps.timed_steps(steps.ready(case, variant))


def _torch(peer: Peer, case: Case, variant: Variant) -> Steps:
    key = f"{case.name} {variant.label}"
    peer.ask(
        key=key,
        kind=case.kind,
        shape=case.shape,
        options=case.options,
        mode=variant.padding.mode,
        forget=variant is case.reference,
    )
    return lambda count: peer.ask(run=key, steps=count)["seconds"]


def _worst(rows: Iterable[dict[str, Any]]) -> str:
    dearest = max(rows, key=lambda row: row["ratio"])
    return f"at most {dearest['ratio']:.2f} ({dearest['variant']})"


def _parser() -> Parser:
    parser = Parser("padding", __doc__)
    add = parser.add_argument
    add("--backend", choices=BACKENDS, default="tensorflow", help="default: tensorflow")
    add(
        "--what",
        nargs="+",
        choices=SECTIONS,
        default=list(SECTIONS),
        metavar="SECTION",
        help=f"some of {', '.join(SECTIONS)}; default: all",
    )
    add(
        "--modes",
        nargs="+",
        choices=OTHERS,
        default=list(OTHERS),
        metavar="MODE",
        help=f"some of {', '.join(OTHERS)}; default: all",
    )
    add("--rounds", type=at_least(2), default=7, metavar="N", help="at least 2; default: 7")
    parser.add_out("padding")
    add(
        "--quick",
        action="store_true",
        help="2 rounds of one step on 2 examples, to see that it runs",
    )
    return parser


if __name__ == "__main__":
    sys.exit(terminal.call(main))
