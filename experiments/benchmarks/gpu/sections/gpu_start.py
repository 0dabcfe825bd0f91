"""The measured limits of the GPU, to which the figures of other sections are relative."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from experiments.benchmarks.gpu.setting import BFLOAT16, Cost, Setting, quartiles
from experiments.run import framework

PLACE = 1
TITLE = "The measured peak"
ASKS = (
    "The rate of a large matrix product, the bandwidth of the memory, and the time to start a "
    "small program: the limits for everything else."
)
GOAL = ""
SECONDS = Cost(least=20, most=60, tiny=12)
TABLE = "Ceilings"
ROUNDS = 11


def measure(setting: Setting) -> None:
    framework.start("jax")
    rounds = 2 if setting.tiny else ROUNDS
    size = 256 if setting.tiny else 8192
    low, middle, high = product(size, setting.precision, rounds)
    kind = "bfloat16" if setting.precision == BFLOAT16 else "float32"
    what = f"matrix product {size}³, {kind}"
    setting.record.row(TABLE, what=what, unit="TFLOP/s", median=middle, q1=low, q3=high)
    if setting.precision == BFLOAT16:
        low, middle32, high = product(size, "float32", rounds)
        row = {"median": middle32, "q1": low, "q3": high}
        what32 = f"matrix product {size}³, float32 (TF32 where JAX chooses it)"
        setting.record.row(TABLE, what=what32, unit="TFLOP/s", **row)
    low, speed, high = _bandwidth(setting, rounds)
    row = {"median": speed, "q1": low, "q3": high}
    setting.record.row(TABLE, what="memory, read and write", unit="GB/s", **row)
    low, latency, high = _latency(rounds)
    row = {"median": latency, "q1": low, "q3": high}
    setting.record.row(TABLE, what="starting a small program", unit="µs", **row)
    setting.record.say(
        n=f"{rounds} rounds",
        summary=f"{middle:.0f} TFLOP/s in {kind} at {size}³, {speed:,.0f} GB/s",
    )


def product(n: int, precision: str, rounds: int) -> tuple[float, float, float]:
    """Quartiles of TFLOP/s of the product of two n × n matrices of random numbers."""
    import jax
    import jax.numpy as jnp

    dtype = jnp.bfloat16 if precision == BFLOAT16 else jnp.float32
    a, b = (jax.random.normal(jax.random.key(i), (n, n), dtype) for i in range(2))
    multiply = jax.jit(lambda a, b: a @ b)
    seconds = timed(lambda: multiply(a, b), rounds, 20)
    return quartiles([2 * n**3 / s / 1e12 for s in seconds])


def _bandwidth(setting: Setting, rounds: int) -> tuple[float, float, float]:
    import jax
    import jax.numpy as jnp

    x = jnp.ones(2**20 if setting.tiny else 2**29, jnp.float32)
    add = jax.jit(lambda x: x + 1)
    seconds = timed(lambda: add(x), rounds, 2 if setting.tiny else 10)
    return quartiles([2 * x.nbytes / s / 1e9 for s in seconds])


def _latency(rounds: int) -> tuple[float, float, float]:
    import jax
    import jax.numpy as jnp

    x = jnp.ones(8)
    add = jax.jit(lambda x: x + 1)
    return quartiles([1e6 * s for s in timed(lambda: add(x), rounds, 200)])


def timed(call: Callable[[], Any], rounds: int, calls: int) -> list[float]:
    """Seconds of one call, in each round; a round waits for the last of its calls."""
    import jax

    jax.block_until_ready(call())
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(calls):
            result = call()
        jax.block_until_ready(result)
        found.append((time.perf_counter() - begun) / calls)
    return found
