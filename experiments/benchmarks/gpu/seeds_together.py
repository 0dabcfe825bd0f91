"""Several seeds of one configuration in one process: an experiment outside the training loop.

Keras' training step on JAX is a pure function of four lists, so the states of several seeds can be
stacked and stepped together (`jax.vmap`), or one compiled program can be called with one state
after another. Batches and order are those of the training loop, and the results are equal up to
rounding, which a test shows at tiny size. An epoch is one compiled scan over its full batches; a
smaller last batch has a program of its own.

Under `vmap`, a convolution whose kernels differ between seeds becomes a grouped convolution, whose
gradients are slow on CUDA. `convolved_as("patches")` computes it from patches by a matrix product,
which becomes a batched product.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from conf.schema import Config
from data import Data
from data.epochs.pipeline import plan_epoch
from experiments.run import framework, inputs

GROUPED, PATCHES = "grouped", "patches"
State = (
    Any  # the four lists of Keras' training step, for one seed or, with a first axis, for several
)
_convolve = jax.lax.conv_general_dilated


@dataclass(frozen=True)
class Trained:
    """One model of a configuration, whose training step is used with the states of many seeds."""

    config: Config
    data: Data
    model: Any

    @property
    def batch_size(self) -> int:
        return self.config.trainer.batch_size

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """The indices of the examples of an epoch, in the training loop's order for this seed."""
        found = plan_epoch(
            self.data.train,
            batch_size=self.batch_size,
            epoch=epoch,
            order_seed=inputs.derived(seed, self.config.seeds)["order"],
            augment_seed=0,
            augment=self.config.data.augment,
        )
        return found.order


def prepare(config: Config, data: Data) -> Trained:
    """Build and compile the network; its metrics get their variables."""
    return Trained(config, data, compiled(config, data, 0))


def compiled(config: Config, data: Data, seed: int) -> Any:
    """The network of a seed as in train.py before its first step."""
    from experiments.run.loop import optimizers, training
    from experiments.run.loop.engines.chunks import build_metrics

    derived = inputs.derived(seed, config.seeds)
    framework.fresh(precision=config.trainer.precision, seed=derived["init"])
    model = inputs.build(config.model, config.padding, data.spec, padding_seed=derived["padding"])
    _, steps = training.plan(config.trainer, len(data.train))
    optimizer = optimizers.build(config.optimizer, config.schedule, steps=steps)
    training.compile_model(model, optimizer, config.trainer)
    build_metrics(model, data.train)
    return model


def initial(trained: Trained, seeds: Sequence[int]) -> list[State]:
    """The initial state of the training loop for each seed, in the computer's memory."""
    return [_initial(trained, seed) for seed in seeds]


def _initial(trained: Trained, seed: int) -> State:
    with jax.default_device(_beside()):  # where many small operations are faster
        model = compiled(trained.config, trained.data, seed)
    lists = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    return tuple([np.asarray(variable.value) for variable in part] for part in lists)


def _beside() -> Any:
    try:
        return jax.devices("cpu")[0]
    except RuntimeError:  # JAX_PLATFORMS excludes the CPU
        return jax.devices()[0]


def stacked(states: Sequence[State]) -> State:
    """The states of several seeds as one, with a first axis over them."""
    return jax.tree.map(lambda *values: np.stack(values), *states)


def apart(state: State) -> list[State]:
    """The opposite of `stacked`."""
    first = jax.tree.leaves(state)[0]
    return [jax.tree.map(lambda value, i=i: value[i], state) for i in range(len(first))]


class Program:
    """A compiled epoch: for one seed, or (`many`) for several together.

    `epoch(state, orders)` takes a state and the order of an epoch, (examples,) or (seeds,
    examples), and returns the state after it.
    """

    def __init__(self, trained: Trained, *, many: int | None = None) -> None:
        self.batch_size = trained.batch_size
        self.many = many
        train = trained.data.train
        self.x, self.y = jax.device_put((np.asarray(train.x), np.asarray(train.y)))
        step = trained.model.train_step

        def whole(state: State, batches: Any, x: Any, y: Any) -> State:
            def one(state: State, ids: Any) -> tuple[State, None]:
                return step(state, (x[ids], y[ids]))[1], None

            return jax.lax.scan(one, state, batches)[0]

        axes = (0, 0, None, None)
        self._whole = jax.jit(jax.vmap(whole, axes) if many else whole, donate_argnums=0)
        self._compiled: dict[tuple[int, ...], Any] = {}

    def epoch(self, state: State, orders: np.ndarray) -> State:
        """Train an epoch; returns at once, before it is computed."""
        for batches in self.batches(orders):
            state = self._program(state, batches)(state, batches, self.x, self.y)
        return state

    def compile(self, state: State, orders: np.ndarray) -> None:
        """Compile the programs that `epoch` calls with arguments of these shapes."""
        for batches in self.batches(orders):
            self._program(state, batches)

    def batches(self, orders: np.ndarray) -> list[np.ndarray]:
        """The full batches, (…, batches, batch size), and a smaller last one, (…, 1, size)."""
        examples = orders.shape[-1]
        count = examples // self.batch_size
        cut = count * self.batch_size
        ids = orders.astype(np.int32)
        found = []
        if count:
            found.append(ids[..., :cut].reshape(*ids.shape[:-1], count, self.batch_size))
        if cut < examples:
            found.append(ids[..., None, cut:])
        return found

    def _program(self, state: State, batches: np.ndarray) -> Any:
        if batches.shape not in self._compiled:
            lowered = self._whole.lower(state, batches, self.x, self.y)
            self._compiled[batches.shape] = lowered.compile()
        return self._compiled[batches.shape]


def one_after_the_other(
    program: Program, states: Sequence[State], orders: Callable[[int, int], np.ndarray], epochs: int
) -> list[State]:
    """Train states one by one with one program; `orders(i, epoch)` is the i-th state's order."""
    return [_train(program, state, i, orders, epochs) for i, state in enumerate(states)]


def in_threads(
    program: Program,
    states: Sequence[State],
    orders: Callable[[int, int], np.ndarray],
    epochs: int,
    threads: int,
) -> list[State]:
    """As `one_after_the_other`, from several threads that call the program concurrently."""
    with ThreadPoolExecutor(threads) as pool:
        calls = [
            pool.submit(_train, program, state, i, orders, epochs) for i, state in enumerate(states)
        ]
        return [call.result() for call in calls]


def together(
    program: Program, states: Sequence[State], orders: Callable[[int, int], np.ndarray], epochs: int
) -> list[State]:
    """Train all states in one program."""
    state = jax.device_put(stacked(states))
    for epoch in range(epochs):
        state = program.epoch(state, np.stack([orders(i, epoch) for i in range(len(states))]))
    return apart(jax.device_get(state))


def _train(
    program: Program,
    state: State,
    number: int,
    orders: Callable[[int, int], np.ndarray],
    epochs: int,
) -> State:
    state = jax.device_put(state)
    for epoch in range(epochs):
        state = program.epoch(state, orders(number, epoch))
    return jax.device_get(state)


@contextlib.contextmanager
def convolved_as(how: str) -> Iterator[None]:
    """Inside the block, convolutions are traced in this way: "grouped" or "patches"."""
    if how == GROUPED:
        yield
        return
    jax.lax.conv_general_dilated = patches_convolve
    try:
        yield
    finally:
        jax.lax.conv_general_dilated = _convolve


def patches_convolve(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    **more: Any,
) -> Any:
    """`jax.lax.conv_general_dilated` as concatenated shifted views times the kernel as a matrix.

    This is for channels last and no groups; other convolutions use XLA's own.

    Args:
        lhs: (batch, *spatial, channels).
        rhs: (*kernel_size, channels, filters).
        window_strides, padding, rhs_dilation: as in the original function.

    Returns:
        (batch, *outputs, filters).
    """
    rank = lhs.ndim - 2
    numbers = jax.lax.conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    space = tuple(range(1, rank + 1))
    last = ((0, rank + 1, *space), (rank + 1, rank, *range(rank)), (0, rank + 1, *space))
    stretched = lhs_dilation is not None and max(lhs_dilation) > 1
    if tuple(numbers) != last or stretched or feature_group_count != 1:
        return _convolve(
            lhs,
            rhs,
            window_strides,
            padding,
            lhs_dilation,
            rhs_dilation,
            dimension_numbers,
            feature_group_count,
            **more,
        )
    rates = tuple(rhs_dilation or (1,) * rank)
    kernel = rhs.shape[:rank]
    windows = [rate * (k - 1) + 1 for k, rate in zip(kernel, rates, strict=True)]
    if isinstance(padding, str):
        padding = jax.lax.padtype_to_pads(lhs.shape[1:-1], windows, window_strides, padding)
    x = jnp.pad(lhs, [(0, 0), *padding, (0, 0)])
    outputs = [
        (n - window) // s + 1
        for n, window, s in zip(x.shape[1:-1], windows, window_strides, strict=True)
    ]
    views = []
    for tap in np.ndindex(*kernel):
        view = [slice(None)]
        for at, rate, out, s in zip(tap, rates, outputs, window_strides, strict=True):
            view.append(slice(at * rate, at * rate + (out - 1) * s + 1, s))
        views.append(x[tuple(view)])
    patches = jnp.concatenate(views, axis=-1)
    matrix = rhs.reshape(math.prod(kernel) * rhs.shape[-2], rhs.shape[-1])
    return patches @ matrix
