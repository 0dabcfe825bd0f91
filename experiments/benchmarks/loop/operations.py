"""Where the time of a training step goes, by operation, in padzoo and in PyTorch, on a CPU.

    python -m experiments.benchmarks.loop.operations [--networks small_cnn vgg16] [--batch-sizes 64]

Both train as in `python -m experiments.benchmarks.loop`, but with one thread, so that no two
operations overlap and the milliseconds add up to those of the step. What is left is in no operation
that the profilers record: Python, input, the calls of programs and, in TensorFlow, operations of a
few microseconds. A figure is the median over rounds in which the two take turns. Profiling makes a
step slower; how fast either is without it stands in the loop's table.
"""

from __future__ import annotations

import importlib.util
import os
import re
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from experiments import terminal
from experiments.benchmarks import options
from experiments.benchmarks.loop import __main__ as loop
from experiments.benchmarks.loop import cases
from experiments.benchmarks.options import Parser, at_least
from experiments.benchmarks.pytorch.torch_loop import Peer
from experiments.report.pages import document
from experiments.run import framework

# By the names of operations, TensorFlow's and PyTorch's; the first pattern that is found counts.
KINDS = {
    "optimizer": r"adam|Optimizer|zero_grad",
    "gradients of convolutions": r"Conv\w*Backprop|convolution_backward|ConvolutionBackward",
    "convolutions": r"Conv[123]D|DepthwiseConv|convolution|conv[123]d",
    "normalisation": r"BatchNorm|batch_norm",
    "pooling": r"Pool|pool",
    "dense layer": r"MatMul|\bmm\b|addmm|linear|Addmm",
    "activation and bias": r"Relu|relu|threshold|clamp_min|Bias|Add|add|sum\b|Sum",
    "border, copies": r"Pad|pad|Slice|slice|Concat|cat\b|Space|Gather|Tile|Transpose|copy|fill_",
}
OTHER, NONE, STEP = "other operations", "in no operation", "the step"
FEWEST_STEPS, SECONDS = 20, 1.0
Times = dict[str, float]  # milliseconds a step, by operation and of the step


def main(arguments: list[str]) -> int:
    chosen = _parser().parse_args(arguments)
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    framework.start("tensorflow")
    options.use_threads(1)
    if not importlib.util.find_spec("torch"):
        terminal.complain("PyTorch is not installed: make install-bench")
        return terminal.BAD
    rows: list[dict[str, Any]] = []
    versions = framework.versions()
    for name in chosen.networks:
        for batch_size in chosen.batch_sizes:
            peer = Peer()
            try:
                versions["torch"] = peer.ask(threads=1)["version"]
                with terminal.busy(f"{name}, batch {batch_size}"):
                    rows += compare(name, batch_size, peer, chosen.rounds, chosen.steps)
            finally:
                peer.close()
    how = f"medians of {chosen.rounds} rounds in turn, 1 thread"
    stated = options.facts("loop.operations", arguments, versions, how, "tensorflow")
    title = "A training step by operation"
    written = options.write(chosen.out / "operations", title, rows, stated, table(rows))
    terminal.say("\n".join(map(str, written)))
    return terminal.OK


def compare(
    name: str, batch_size: int, peer: Peer, rounds: int, steps: int | None
) -> list[dict[str, Any]]:
    """The rows of a network: a kind of operation each, and the longest operations of it."""
    on = loop.On("tensorflow", ["float32"], seconds=SECONDS)
    loops, steps = loop.prepare(name, batch_size, steps, peer, on)
    found: dict[str, list[Times]] = {loop.OURS: [], loop.TORCH: []}
    for _ in range(rounds):
        found[loop.OURS].append(of_tensorflow(loops[loop.OURS], steps))
        found[loop.TORCH].append(peer.ask(profiled="float32")["milliseconds"])
    medians = {side: middle(times) for side, times in found.items()}
    kinds = {side: by_kind(times) for side, times in medians.items()}
    return [
        {
            "network": name,
            "batch_size": batch_size,
            "kind": kind,
            **{f"{side}_ms": round(kinds[side].get(kind, 0.0), 3) for side in medians},
            **{f"{side}_longest": longest(medians[side], kind) for side in medians},
        }
        for kind in (*KINDS, OTHER, NONE, STEP)
    ]


def of_tensorflow(run: Callable[[], float], steps: int) -> Times:
    """The milliseconds a step of each operation in a call of `run`, by TensorFlow's profiler."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        seconds = run()
        tf.profiler.experimental.stop()
        (file,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(file.read_bytes())
    times = {STEP: 1000 * seconds / steps}
    for plane in space.planes:
        for line in plane.lines:
            if not line.name.startswith("tf_Compute"):
                continue
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                path, _, operation = name.rpartition(":")
                if path and "::" not in name and " " not in name:
                    update = "adam " if "adam" in path else ""
                    operation = update + operation
                    times[operation] = times.get(operation, 0.0) + event.duration_ps / 1e9 / steps
    return times


def middle(rounds: Sequence[Times]) -> Times:
    """The median of each operation; it took no time in a round in which it is not."""
    names = dict.fromkeys(name for times in rounds for name in times)
    return {name: statistics.median(t.get(name, 0.0) for t in rounds) for name in names}


def kind_of(operation: str) -> str:
    """The kind of an operation of TensorFlow or PyTorch.

    Example: `kind_of("_MklNativeConv2DBackpropFilter")` is "gradients of convolutions".
    """
    return next((kind for kind, names in KINDS.items() if re.search(names, operation)), OTHER)


def by_kind(times: Times) -> Times:
    """The milliseconds of each kind, what is in no operation, and the step."""
    found: Times = {}
    for name, milliseconds in times.items():
        if name != STEP:
            found[kind_of(name)] = found.get(kind_of(name), 0.0) + milliseconds
    return {**found, NONE: times[STEP] - sum(found.values()), STEP: times[STEP]}


def longest(times: Times, kind: str) -> str:
    """The longest two operations of a kind with their milliseconds."""
    of_kind = [(t, name) for name, t in times.items() if name != STEP and kind_of(name) == kind]
    return ", ".join(f"{name} {t:.2f}" for t, name in sorted(of_kind)[:-3:-1] if t >= 0.005)


def table(rows: Sequence[dict[str, Any]]) -> document.Table:
    """One line for each network, batch size and kind."""
    titles = ["network", "batch", "kind", "padzoo, ms", "PyTorch, ms", "longest in padzoo"]
    titles += ["longest in PyTorch"]
    sides = (loop.OURS, loop.TORCH)
    lines = [
        [
            *(str(row[key]) for key in ("network", "batch_size", "kind")),
            *(f"{row[f'{side}_ms']:.2f}" for side in sides),
            *(row[f"{side}_longest"] for side in sides),
        ]
        for row in rows
    ]
    return document.Table(titles, lines, right=(3, 4))


def _parser() -> Parser:
    parser = Parser("loop.operations", __doc__)
    add = parser.add_argument
    networks = [name for name in cases.CASES if name != "tcn"]
    add("--networks", nargs="+", choices=cases.CASES, default=networks, metavar="NETWORK")
    add("--batch-sizes", nargs="+", type=at_least(1), default=[64], metavar="N")
    add("--rounds", type=at_least(1), default=3, metavar="N")
    add("--steps", type=at_least(1), metavar="N", help="default: as many as take a second")
    parser.add_out("loop")
    return parser


if __name__ == "__main__":
    sys.exit(terminal.call(main))
