"""VGG-16 at 224 pixels: the fraction of the measured peak that a training step reaches."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from conf import device
from experiments.benchmarks.gpu import processes
from experiments.benchmarks.gpu.sections.gpu_start import product
from experiments.benchmarks.gpu.setting import Cost, Setting, quartiles
from experiments.run import framework

PLACE = 4
TITLE = "VGG-16 at 224 pixels"
ASKS = (
    "A training step of vgg16 (batch normalisation, pooled head) on images of 224×224 with 1000 "
    "classes, with the largest batch that fits, in the GPU's memory; for comparison PyTorch "
    "with channels last, autocast and torch.compile, with its largest batch. An image counts as "
    "3 × 2 × its multiply-accumulates."
)
GOAL = "at least 50 % of the measured peak"
SECONDS = Cost(least=60, most=160, tiny=20)
SHARE = 0.5
FITS = 0.85  # fraction of the GPU's memory that may be used
FIRST, LARGEST = 64, 1024
ROUNDS, STEPS = 7, 10
FOR_THE_PEER = 60.0
RATE = "TFLOP_per_second"


def measure(setting: Setting) -> None:
    asked = _request(setting)
    log = setting.work / "logs"
    # A separate process, so that its memory is free again when PyTorch begins.
    ours = processes.ask(__name__, asked, seconds=setting.left, log=log / "vgg.log")
    share, notes = ours.pop("share"), ours.pop("notes")
    setting.record.row("A training step", loop="padzoo", **ours, share_of_the_peak=share)
    for note in notes:
        setting.record.note(note)
    ratio = ""
    if theirs := _peer(setting, {**asked, "batch": ours["batch"]}):
        tflops = theirs["images_per_second"] * ours["gigaflop_an_image"] / 1000
        theirs |= {"TFLOP_per_second": tflops, "share_of_the_peak": tflops * share / ours[RATE]}
        setting.record.row("A training step", loop="PyTorch", **theirs)
        ratio = f", {ours['images_per_second'] / theirs['images_per_second']:.2f} × PyTorch"
    met = "met" if share >= SHARE else "missed"
    setting.record.say(
        n=f"{asked['rounds']} rounds of {asked['steps']} steps",
        summary=f"{ours['images_per_second']:,.0f} images/s at batch {ours['batch']}, "
        f"{share:.2f} of the measured peak ({met}){ratio}",
    )


def _request(setting: Setting) -> dict[str, Any]:
    size = {"side": 32, "classes": 10, "width": 0.0625, "first": 2, "largest": 4, "product": 256}
    if not setting.tiny:
        size = {"side": 224, "classes": 1000, "width": 1.0, "first": FIRST, "largest": LARGEST}
        size["product"] = 8192
    rounds, steps = (2, 1) if setting.tiny else (ROUNDS, STEPS)
    return {**size, "precision": setting.precision, "rounds": rounds, "steps": steps}


def _peer(setting: Setting, asked: dict[str, Any]) -> dict[str, Any] | None:
    if not device.installed("torch"):
        setting.record.note("PyTorch is not installed: there is no comparison.")
        return None
    if not setting.enough(15 if setting.tiny else FOR_THE_PEER / 2, "PyTorch"):
        return None
    for compiled in [False] if setting.tiny else [True, False]:
        request = {"what": "vgg", **asked, "compiled": compiled}
        log = setting.work / "logs" / f"vgg-torch-{compiled}.log"
        with setting.noted(f"PyTorch, {'compiled' if compiled else 'not compiled'}"):
            return processes.ask(
                "experiments.benchmarks.pytorch.torch_speed", request, seconds=setting.left, log=log
            )
    return None


def speed(asked: dict[str, Any]) -> dict[str, Any]:
    """Measure padzoo's step in this process; takes the result of `_request`."""
    framework.start("jax")
    _, peak, _ = product(asked["product"], asked["precision"], asked["rounds"])
    batch, notes, run = _largest(asked)
    seconds = [run(asked["steps"]) for _ in range(asked["rounds"])]
    low, middle, high = quartiles(seconds)
    flops = 3 * 2 * _macs(asked)
    rate = batch / middle * flops / 1e12
    return {
        "batch": batch,
        "compiled": True,
        "images_per_second": round(batch / middle, 1),
        "milliseconds": round(1000 * middle, 2),
        "q1": round(1000 * low, 2),
        "q3": round(1000 * high, 2),
        "gigaflop_an_image": flops / 1e9,
        RATE: rate,
        "share": rate / peak,
        "notes": [f"The measured peak of this process: {peak:.4g} TFLOP/s.", *notes],
    }


def _largest(asked: dict[str, Any]) -> tuple[int, list[str], Any]:
    """The largest batch that fits, notes on it, and a compiled, warm function to time its steps."""
    model = _model(asked)
    batch, notes = asked["first"], []
    limit = _memory()
    step, taken = _compiled(model, asked, batch)
    notes.append(f"Batch {batch} takes {taken / 2**30:.2f} GiB by XLA's estimate.")
    if limit:
        notes.append(f"The GPU has {limit / 2**30:.1f} GiB for it.")
        fits = int(
            FITS * limit / (taken / batch)
        )  # scales the memory of the weights too, to be on the safe side
        while 2 * batch <= min(fits, asked["largest"]):
            batch *= 2
    if batch != asked["first"]:
        step, taken = _compiled(model, asked, batch)
        notes.append(f"Batch {batch} takes {taken / 2**30:.2f} GiB.")
    while True:
        try:
            run = _timer(model, step, asked, batch)
            run(1)
            return batch, notes, run
        except Exception as error:
            if "RESOURCE_EXHAUSTED" not in str(error) or batch == 1:
                raise
            notes.append(f"Batch {batch} did not fit.")
            batch //= 2
            step, _ = _compiled(model, asked, batch)


def _model(asked: dict[str, Any]) -> Any:
    import keras

    import models

    framework.fresh(precision=asked["precision"], seed=0)
    model = models.build(
        "vgg16",
        input_shape=(asked["side"], asked["side"], 3),
        num_classes=asked["classes"],
        padding="same",
        width=asked["width"],
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(1e-6), loss, jit_compile=True)
    model.optimizer.build(model.trainable_variables)
    return model


def _compiled(model: Any, asked: dict[str, Any], batch: int) -> tuple[Any, float]:
    """The compiled step for a batch, and the bytes that it takes."""
    import jax

    from experiments.benchmarks.padding.steps import state_of

    shape = (batch, asked["side"], asked["side"], 3)
    data = (jax.ShapeDtypeStruct(shape, "float32"), jax.ShapeDtypeStruct((batch,), "int32"))
    state = jax.tree.map(lambda v: jax.ShapeDtypeStruct(v.shape, v.dtype), state_of(model))
    step = jax.jit(model.train_step, donate_argnums=0).lower(state, data).compile()
    plan = step.memory_analysis()
    return step, float(plan.temp_size_in_bytes + plan.argument_size_in_bytes)


def _timer(model: Any, step: Any, asked: dict[str, Any], batch: int) -> Any:
    """A function that makes a number of steps on one batch and returns the seconds per step."""
    import jax

    from experiments.benchmarks.padding.steps import state_of

    keys = jax.random.split(jax.random.key(0))
    x = jax.random.normal(keys[0], (batch, asked["side"], asked["side"], 3))
    y = jax.random.randint(keys[1], (batch,), 0, asked["classes"])
    state = state_of(model)

    def run(count: int) -> float:
        nonlocal state
        begun = time.perf_counter()
        for _ in range(count):
            logs, state = step(state, (x, y))
        jax.block_until_ready((logs, state))
        return (time.perf_counter() - begun) / count

    return run


def _memory() -> float | None:
    import jax

    told = jax.devices()[0].memory_stats()
    return told.get("bytes_limit") if told else None


def _macs(asked: dict[str, Any]) -> int:
    from experiments.run.evaluation.tested import cost
    from models.geometry.glance import glance

    model = _model(asked)
    found = cost(model, [row.to_dict() for row in glance(model).rows])["macs"]
    if found is None:
        raise RuntimeError("the network cannot be traced, so its operations cannot be counted")
    return found


if __name__ == "__main__":
    print("\n" + json.dumps(speed(json.loads(sys.argv[1]))))
