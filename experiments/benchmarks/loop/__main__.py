"""The training loop's speed on a CPU, compared with a bare Keras fit and with PyTorch.

    python -m experiments.benchmarks.loop [--networks small_cnn vgg16] [--batch-sizes 64 128]

Every network trains on noise of its usual shape, with the defaults of `train.py`: in padzoo's loop
(`experiments.run.loop.training`), in a bare compiled `fit`, in padzoo's loop in bfloat16 if the CPU
computes it, and, if PyTorch is installed (`make install-bench`), in PyTorch with the same network,
batch, order and AdamW, channels last. All have as many threads as this process has cores.

A round runs each loop once, in an order that rotates from round to round. A figure is the median
of the rounds' ratios, because single rounds depend on the load of the machine. PyTorch runs in a
separate process that sleeps between its turns, because in one process its threads and TensorFlow's
wait for each other. Goals: 0.97 of the bare fit's images per second, 1.0 of PyTorch's.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from conf import commandline, device
from conf.schema import FIT, SCAN, Config, from_dict
from data import Spec, Split
from experiments import terminal
from experiments.benchmarks.loop import cases
from experiments.benchmarks.loop.cases import CASES, Case, examples, spec
from experiments.benchmarks.options import Parser, at_least, facts, timed, use_threads
from experiments.benchmarks.pytorch.torch_loop import Peer
from experiments.run import framework, inputs

Loops = dict[str, Callable[[], float]]
OURS, BY_FIT, BARE, TORCH = "padzoo", "padzoo by fit", "bare fit", "PyTorch"
BFLOAT16 = " bfloat16"
SECONDS_A_ROUND, FEWEST_STEPS, MOST_STEPS = 2.0, 5, 200


@dataclass(frozen=True)
class On:
    """The setting of the loops.

    Attributes:
        backend: the running back end.
        precisions: those of padzoo and PyTorch; the bare fit uses the first.
        seconds, most_steps: of a round, if its steps are not given.
        engine: padzoo's.
    """

    backend: str
    precisions: Sequence[str]
    seconds: float = SECONDS_A_ROUND
    most_steps: int = MOST_STEPS
    engine: str = "auto"


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.quick:
        options.rounds, options.steps, options.batch_sizes = 2, options.steps or 2, [8]
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    threads = len(os.sched_getaffinity(0))
    framework.start("tensorflow")
    use_threads(threads)
    from experiments.benchmarks.loop import loop_report

    peer = Peer() if importlib.util.find_spec("torch") else None
    if peer is None:
        terminal.errors.print(
            "PyTorch is not installed (make install-bench): comparing only with Keras"
        )
    try:
        versions = framework.versions()
        if peer:
            versions["torch"] = peer.ask(threads=threads)["version"]
        bfloat16 = ["mixed_bfloat16"] * device.find("tensorflow").bfloat16
        on = On("tensorflow", ["float32", *bfloat16])
        rows: list[dict[str, Any]] = []
        for name in options.networks:
            for batch_size in options.batch_sizes:
                with terminal.busy(f"{name}, batch {batch_size}"):
                    loops, steps = prepare(name, batch_size, options.steps, peer, on)
                    seconds = interleave(loops, options.rounds)
                rows += loop_report.rows(name, batch_size, steps, seconds)
    finally:
        if peer:
            peer.close()
    loop_report.show(rows)
    how = f"medians of {options.rounds} interleaved rounds, {threads} threads"
    stated = facts("loop", arguments, versions, how, "tensorflow")
    terminal.say("\n".join(map(str, loop_report.write(options.out, rows, stated))))
    return 0


def prepare(
    name: str, batch_size: int, steps: int | None, peer: Peer | None, on: On
) -> tuple[Loops, int]:
    """Prepare and warm up every loop for one network; returns the loops and their steps."""
    case = cases.case(name)
    main = on.precisions[0]
    framework.fresh(precision=main, seed=0)
    engine = f"trainer.engine={on.engine}"
    configs = {p: compose(case, batch_size, p, on.backend, engine) for p in on.precisions}
    models = {p: compiled(config, spec(case)) for p, config in configs.items()}

    def ours(precision: str, steps: int) -> Callable[[], float]:
        split = examples(case, steps * batch_size)
        return epoch(models[precision], configs[precision], split, steps)

    if steps is None:
        short = ours(main, FEWEST_STEPS)
        short()  # traces
        wanted = round(on.seconds / short() * FEWEST_STEPS)
        steps = min(max(wanted, FEWEST_STEPS), on.most_steps)
    labels = {p: BFLOAT16 * (p != main) for p in on.precisions}
    loops = {OURS + label: ours(p, steps) for p, label in labels.items()}
    if configs[main].trainer.engine == SCAN:
        by_fit = dataclasses.replace(configs[main].trainer, engine=FIT)
        config = dataclasses.replace(configs[main], trainer=by_fit)
        split = examples(case, steps * batch_size)
        loops[BY_FIT] = epoch(compiled(config, spec(case)), config, split, steps)
    loops[BARE] = _bare(compiled(configs[main], spec(case)), case, batch_size, steps)
    if peer:
        optimizer = models[main].optimizer
        schedule = optimizer._learning_rate
        peer.ask(
            network=name,
            batch_size=batch_size,
            steps=steps,
            rates=[float(schedule(i)) for i in range(steps)],
            order_seed=inputs.derived(0, configs[main].seeds)["order"],
            decay=optimizer.weight_decay,
            epsilon=optimizer.epsilon,
            betas=[optimizer.beta_1, optimizer.beta_2],
        )
        loops |= {TORCH + label: _theirs(peer, p) for p, label in labels.items()}
    for loop in loops.values():
        loop()
    return loops, steps


def interleave(loops: Loops, rounds: int) -> dict[str, list[float]]:
    """The seconds of every loop in every round; each round begins with another loop."""
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for i in range(rounds):
        turn = i % len(loops)
        names = [*loops][turn:] + [*loops][:turn]
        for name in names:
            seconds[name].append(loops[name]())
    return seconds


def compose(case: Case, batch_size: int, precision: str, backend: str, *more: str) -> Config:
    """The configuration of train.py for this network."""
    import hydra
    from omegaconf import OmegaConf

    overrides = [f"trainer.batch_size={batch_size}", f"trainer.precision={precision}"]
    overrides += ["optimizer=adamw", f"backend={backend}", *case.overrides(), *more]
    with hydra.initialize_config_dir(str(commandline.ROOT), version_base="1.3"):
        composed: Any = OmegaConf.to_container(hydra.compose("config", overrides), resolve=True)
    return from_dict(composed)


def compiled(config: Config, spec: Spec) -> Any:
    """The network as train.py builds and compiles it."""
    import keras

    from experiments.run.loop import optimizers, training

    keras.config.set_dtype_policy(config.trainer.precision)
    seed = inputs.derived(config.seed, config.seeds)["padding"]
    model = inputs.build(config.model, config.padding, spec, padding_seed=seed)
    optimizer = optimizers.build(config.optimizer, config.schedule, steps=100_000)
    training.compile_model(model, optimizer, config.trainer)
    return model


def epoch(model: Any, config: Config, split: Split, steps: int) -> Callable[[], float]:
    """padzoo's loop over the first `steps` batches, as a function that returns its seconds."""
    from experiments.run.loop import training
    from experiments.run.loop.engines import epochs
    from experiments.run.loop.progress import Bar

    bar = Bar(epochs=1, steps=steps, batch_size=config.trainer.batch_size, visible=False)
    watch = training.Watch(config.trainer.batch_size, len(split), steps)

    own = None

    def run() -> None:
        nonlocal own
        epochs.swap(own)  # not traced again after another loop's turn
        watch.step = 0
        training.train_epoch(
            model,
            split,
            config.trainer,
            epoch=0,
            augment=config.data.augment,
            seeds=inputs.derived(config.seed, config.seeds),
            steps=steps,
            callbacks=[watch, bar],
        )
        own = epochs.swap(None)

    return timed(run)


def _bare(model: Any, case: Case, batch_size: int, steps: int) -> Callable[[], float]:
    split = examples(case, steps * batch_size)
    fit: dict[str, Any] = {"batch_size": batch_size, "epochs": 1, "verbose": 0}
    return timed(lambda: model.fit(split.x, split.y, **fit))


def _theirs(peer: Peer, precision: str) -> Callable[[], float]:
    return lambda: peer.ask(precision=precision)["seconds"]


def _parser() -> Parser:
    parser = Parser("loop", __doc__)
    add = parser.add_argument
    add(
        "--networks",
        nargs="+",
        choices=CASES,
        default=list(CASES),
        metavar="NETWORK",
        help=f"some of {', '.join(CASES)}",
    )
    add("--batch-sizes", nargs="+", type=at_least(1), default=[64, 128], metavar="N")
    add("--rounds", type=at_least(2), default=11, metavar="N", help="at least 2")
    add(
        "--steps",
        type=at_least(1),
        metavar="N",
        help="steps per round; default: as many as take about two seconds",
    )
    parser.add_out("loop")
    add(
        "--quick",
        action="store_true",
        help="2 rounds of 2 steps of 8 examples, to see that it runs",
    )
    return parser


if __name__ == "__main__":
    sys.exit(terminal.call(main))
