"""PyTorch's speed on VGG-16 at 224 pixels and in a training on cifar10; one request per process.

    python -m experiments.benchmarks.pytorch.torch_speed '{"what": "vgg", …}'

The last JSON object of its output is the answer.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from experiments.benchmarks.pytorch import torch_networks
from experiments.benchmarks.pytorch.torch_loop import Loop

ADAMW: dict[str, Any] = {"decay": 0.004, "epsilon": 1e-7, "betas": (0.9, 0.999)}


def vgg(asked: dict[str, Any]) -> dict[str, Any]:
    """A training step on one batch in the device's memory; the batch is halved until it fits.

    Args:
        asked: side, classes, width, batch, precision, rounds, steps, compiled.
    """
    batch = asked["batch"]
    while True:
        try:
            run = _stepper(asked, batch)
            run(2)
            break
        except torch.OutOfMemoryError:
            if batch == 1:
                raise
            batch //= 2
            torch.cuda.empty_cache()
    seconds = [run(asked["steps"]) for _ in range(asked["rounds"])]
    low, middle, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return {
        "batch": batch,
        "compiled": asked["compiled"],
        "images_per_second": round(batch / middle, 1),
        "milliseconds": round(1000 * middle, 2),
        "q1": round(1000 * low, 2),
        "q3": round(1000 * high, 2),
    }


def _stepper(asked: dict[str, Any], batch: int) -> Any:
    """A function that makes a number of steps and returns the seconds per step."""
    torch.manual_seed(0)
    network = torch_networks.vgg16(3, asked["classes"], asked["width"])
    loop = Loop(network, **ADAMW, compiled=asked["compiled"])
    size = (batch, 3, asked["side"], asked["side"])
    x = torch.randn(size, device=loop.device).contiguous(memory_format=loop.format)
    y = torch.randint(0, asked["classes"], (batch,), device=loop.device)

    def run(count: int) -> float:
        begun = time.perf_counter()
        for _ in range(count):
            loss, _ = loop.step(x, y, 1e-6, asked["precision"])
        float(loss)  # waits
        return (time.perf_counter() - begun) / count

    return run


def cifar(asked: dict[str, Any]) -> dict[str, Any]:
    """A whole training, as with train.py and the same overrides, and its test accuracy."""
    import data
    from data.epochs.pipeline import plan_epoch
    from experiments.run import inputs

    begun = time.perf_counter()
    config = _config(asked["overrides"])
    loaded = data.load(config.data)
    seeds = inputs.derived(config.seed, config.seeds)
    trainer, options = config.trainer, config.optimizer.options
    torch.manual_seed(seeds["init"])
    network = torch_networks.vgg16(
        loaded.spec.input_shape[-1], loaded.spec.num_classes, config.model.options["width"]
    )
    _initialise(network)
    loop = Loop(network, options["weight_decay"], 1e-7, (0.9, 0.999))
    assert trainer.epochs is not None
    per_epoch: list[float] = []
    rates: Iterator[float] | None = None
    for epoch in range(trainer.epochs):
        plan = plan_epoch(
            loaded.train,
            batch_size=trainer.batch_size,
            epoch=epoch,
            order_seed=seeds["order"],
            augment_seed=seeds["augment"],
            augment=config.data.augment,
        )
        if rates is None:
            rates = iter(_rates(config, trainer.epochs * len(plan)))
        started = time.perf_counter()
        for i in range(len(plan)):
            loss, _ = loop.step(*loop.moved(*plan[i]), next(rates), trainer.precision)
        float(loss)  # waits
        per_epoch.append(time.perf_counter() - started)
    images = len(plan.order)
    return {
        "epochs": trainer.epochs,
        "train_seconds": sum(per_epoch),
        "images_per_second": statistics.median(images / seconds for seconds in per_epoch),
        "test_accuracy": _accuracy(loop, loaded.test, trainer.precision),
        "process_seconds": time.perf_counter() - begun,
    }


def _config(overrides: list[str]) -> Any:
    import hydra
    from omegaconf import OmegaConf

    from conf import commandline
    from conf.schema import from_dict

    with hydra.initialize_config_dir(str(commandline.ROOT), version_base="1.3"):
        composed: Any = hydra.compose("config", [*commandline.readable(overrides), "backend=jax"])
    return from_dict(OmegaConf.to_container(composed, resolve=True))  # type: ignore[arg-type]


def _rates(config: Any, steps: int) -> list[float]:
    """The learning rates of `schedule=cosine`: a linear rise, then half a cosine down."""
    if config.schedule.name != "cosine":
        raise ValueError(f"schedule={config.schedule.name} is not implemented here")
    peak, shape = config.optimizer.options["learning_rate"], config.schedule.options
    up = min(int(np.ceil(shape["warmup"] * steps)), steps - 1)
    rise = [peak * i / up for i in range(up)]
    way = np.arange(steps - up) / (steps - up)
    fall = peak * (shape["final"] + (1 - shape["final"]) * (1 + np.cos(np.pi * way)) / 2)
    return [*rise, *map(float, fall)]


@torch.no_grad()
def _initialise(network: torch.nn.Module) -> None:
    """He's normal distribution in the convolutions, Glorot's uniform distribution in the head."""
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, torch.nn.Linear):
            torch.nn.init.xavier_uniform_(module.weight)
            torch.nn.init.zeros_(module.bias)


@torch.no_grad()
def _accuracy(loop: Loop, split: Any, precision: str) -> float:
    loop.network.eval()
    hits = 0
    for begin in range(0, len(split), 1000):
        part = slice(begin, begin + 1000)
        x, y = loop.moved(np.array(split.x[part]), np.array(split.y[part]))
        with loop.mixed(precision):
            logits = loop.network(x.contiguous(memory_format=loop.format))
        hits += int((logits.argmax(1) == y).sum())
    return hits / len(split)


WHAT = {"vgg": vgg, "cifar": cifar}

if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    print("\n" + json.dumps(WHAT[request.pop("what")](request)))
