"""The training loop with the other networks, and with batch 64."""

from __future__ import annotations

from experiments.benchmarks.gpu.sections import gpu_loop
from experiments.benchmarks.gpu.setting import Cost, Setting

PLACE = None
TITLE = "The training loop: the other networks and batch 64"
ASKS = gpu_loop.ASKS
GOAL = gpu_loop.GOAL
SECONDS = Cost(least=60, most=600, tiny=20)
CASES = (
    *(("inception", 512), ("tcn", 512), ("vgg16", 512)),
    *((name, 64) for name in ("small_cnn", "vgg16_full", "causal_conv1d", "inception", "tcn")),
)
TINY_CASES = (("causal_conv1d", 8),)


def measure(setting: Setting) -> None:
    gpu_loop.compare(setting, TINY_CASES if setting.tiny else CASES)
