"""The training loop that a PyTorch user would write, in a separate process.

The process reads one JSON object per line and answers each with one: `{"threads": …}` with
PyTorch's version; `{"network": …}`, the arguments of `prepare`, when the loop is ready;
`{"precision": …}` with the seconds that the loop took; `{"profiled": …}`, a precision, with the
milliseconds a step of each operation, and of "the step".
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


class Peer:
    """The other process, seen from the comparing one. It sleeps between requests."""

    def __init__(self, module: str = "torch_loop") -> None:
        command = [sys.executable, "-m", f"experiments.benchmarks.pytorch.{module}"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, cwd=ROOT, **pipes)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send one request and wait for its answer; raises RuntimeError if the process died."""
        process = self._process
        assert process.stdin and process.stdout
        if process.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                print(json.dumps(request), file=process.stdin, flush=True)
        answer = "" if process.stdout.closed else process.stdout.readline()
        if not answer:
            raise RuntimeError("the PyTorch process has ended")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


class Loop:
    """AdamW on cross entropy in train mode, channels last, with mean loss and accuracy.

    It uses a GPU if PyTorch finds one; the arrays of an epoch are then in its memory.
    """

    def __init__(
        self,
        network: Any,
        decay: float,
        epsilon: float,
        betas: tuple[float, float],
        compiled: bool = False,
    ) -> None:
        import torch

        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.backends.cudnn.benchmark = True
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")  # TF32, as in JAX
        # There is no channels-last format for sequences.
        self.format = torch.channels_last if _pictures(network) else torch.contiguous_format
        self.network = network.to(self.device, memory_format=self.format).train()
        self.call = torch.compile(self.network) if compiled else self.network
        named = list(network.named_parameters())  # "original0" is weight normalisation's g
        kernels = [p for name, p in named if p.ndim > 1 and not name.endswith("original0")]
        others = [p for _, p in named if not any(p is kernel for kernel in kernels)]
        groups: list[dict[str, Any]] = [
            {"params": kernels, "weight_decay": decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, eps=epsilon, betas=betas, fused=True)
        self.loss = torch.nn.CrossEntropyLoss()

    def epoch(
        self, x: Any, y: Any, batch_size: int, rates: list[float], precision: str = "float32"
    ) -> tuple[float, float]:
        """One pass over NumPy arrays in their order; returns the mean loss and the accuracy."""
        import torch

        total = torch.zeros((), device=self.device)
        hits = torch.zeros((), dtype=torch.int64, device=self.device)
        inputs, labels = self.moved(x, y)
        for rate, begin in zip(rates, range(0, len(x), batch_size), strict=True):
            batch = inputs[begin : begin + batch_size]
            expected = labels[begin : begin + batch_size]
            loss, right = self.step(batch, expected, rate, precision)
            total += loss * len(batch)
            hits += right
        return float(total) / len(x), float(hits) / len(x)

    def moved(self, x: Any, y: Any) -> tuple[Any, Any]:
        """NumPy arrays on the device of the network: (n, channels, *spatial) and (n,)."""
        import torch

        inputs = torch.from_numpy(x).to(self.device).movedim(-1, 1)
        return inputs, torch.from_numpy(y).to(self.device).long()

    def step(self, batch: Any, expected: Any, rate: float, precision: str) -> tuple[Any, Any]:
        """One training step; returns the loss and the number of hits without waiting."""

        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        with self.mixed(precision):
            logits = self.call(batch.contiguous(memory_format=self.format))
        loss = self.loss(logits.float(), expected)
        loss.backward()
        self.optimizer.step()
        return loss.detach(), (logits.detach().argmax(1) == expected).sum()

    def mixed(self, precision: str) -> Any:
        """The context in which layers compute in that precision."""
        import torch

        on = precision == "mixed_bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=on)


def _pictures(network: Any) -> bool:
    return any(p.ndim == 4 for p in network.parameters())


def prepare(
    network: str,
    batch_size: int,
    steps: int,
    rates: list[float],
    order_seed: int,
    **optimizer: Any,
) -> Callable[[str], float]:
    """Build a loop; returns a function that runs it in a precision and returns the seconds."""
    import torch

    from data import AugmentConfig
    from data.epochs.pipeline import plan_epoch
    from experiments.benchmarks.loop import cases
    from experiments.benchmarks.loop.cases import CLASSES, examples
    from experiments.benchmarks.pytorch import torch_networks

    torch.manual_seed(0)
    case = cases.case(network)
    built = torch_networks.build(case.model, case.input_shape[-1], CLASSES, case.options)
    loop = Loop(built, **optimizer)
    split = examples(case, steps * batch_size)
    plan: dict[str, Any] = {"batch_size": batch_size, "epoch": 0, "augment": AugmentConfig()}

    def run(precision: str) -> float:
        begun = time.perf_counter()
        order = plan_epoch(split, order_seed=order_seed, augment_seed=0, **plan).order
        loop.epoch(split.x[order], split.y[order], batch_size, rates, precision)
        return time.perf_counter() - begun

    return run


def profiled(run: Callable[[str], float], precision: str, steps: int) -> dict[str, float]:
    """The milliseconds a step of each operation, without those that it calls, and of the step."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        seconds = run(precision)
    each = {e.key: e.self_cpu_time_total / 1000 / steps for e in profiler.key_averages()}
    return {**each, "the step": 1000 * seconds / steps}


def serve() -> None:
    """Answer each line of standard input with a line on standard output."""
    import torch

    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        if "threads" in request:
            torch.set_num_threads(request["threads"])
            answer["version"] = torch.__version__
        elif "network" in request:
            run, steps = prepare(**request), request["steps"]
        elif "profiled" in request:
            answer["milliseconds"] = profiled(run, request["profiled"], steps)
        else:
            answer["seconds"] = run(request["precision"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
