"""PyTorch's padding modes, in a separate process: layers and networks, channels last.

The process reads one JSON object per line and answers each with one: `{"threads": …}` with
PyTorch's version; `{"key": …}`, the arguments of `prepare`, when the training step is ready; and
`{"run": key, "steps": n}` with the seconds per step of n steps.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from experiments.benchmarks.options import timed
from experiments.benchmarks.padding.padding_cases import CLASSES
from experiments.benchmarks.pytorch import torch_networks
from experiments.benchmarks.pytorch.torch_loop import Loop

Steps = Callable[[int], None]


def prepare(kind: str, shape: list[int], options: dict[str, Any], mode: str) -> Steps:
    """Return a warm training step; arguments as in a Case, `mode` with PyTorch's name."""
    torch.manual_seed(0)
    make = _layer if kind == "Conv2D" else _network
    steps = make(kind, shape, options, mode)
    steps(1)
    return steps


def _layer(kind: str, shape: list[int], options: dict[str, Any], mode: str) -> Steps:
    size, channels = options["kernel_size"], shape[-1]
    layer = torch.nn.Conv2d(channels, channels, size, padding=size // 2, padding_mode=mode)
    layer = layer.to(memory_format=torch.channels_last)
    x = _noise(shape).movedim(-1, 1).requires_grad_()  # channels last in memory
    upstream = _noise(shape).movedim(-1, 1)
    sources = [layer.weight, layer.bias, x]

    def steps(count: int) -> None:
        for _ in range(count):
            torch.autograd.grad(torch.relu(layer(x)), sources, upstream)

    return steps


def _network(kind: str, shape: list[int], options: dict[str, Any], mode: str) -> Steps:
    network = with_mode(torch_networks.build(kind, shape[-1], CLASSES, options), mode)
    loop = Loop(network, decay=0.004, epsilon=1e-7, betas=(0.9, 0.999))
    x = _noise(shape).numpy()
    y = np.random.default_rng(1).integers(0, CLASSES, len(x), dtype=np.int32)

    def steps(count: int) -> None:
        for _ in range(count):
            loop.epoch(x, y, len(x), [1e-6])

    return steps


def with_mode(network: torch.nn.Module, mode: str) -> torch.nn.Module:
    """Set the padding mode of every convolution of a network."""
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.padding_mode = mode
    return network


def _noise(shape: list[int]) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal(shape, dtype=np.float32))


def serve() -> None:
    """Answer each line of standard input with a line on standard output."""
    kept: dict[str, Steps] = {}
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, Any] = {}
        if "threads" in request:
            torch.set_num_threads(request["threads"])
            answer["version"] = torch.__version__
        elif "run" in request:
            steps, count = kept[request["run"]], request["steps"]
            answer["seconds"] = timed(lambda: steps(count))() / count  # noqa: B023
        else:
            key = request.pop("key")
            if request.pop("forget"):
                kept.clear()
            kept[key] = prepare(**request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
