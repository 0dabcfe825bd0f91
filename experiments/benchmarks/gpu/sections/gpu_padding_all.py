"""The cost of each padding mode in the other networks, with the amounts `same` and `causal`."""

from __future__ import annotations

from experiments.benchmarks.gpu.sections import gpu_padding
from experiments.benchmarks.gpu.setting import Cost, Setting

PLACE = None
TITLE = "The cost of padding: the other networks"
ASKS = gpu_padding.ASKS
GOAL = gpu_padding.GOAL
SECONDS = Cost(least=60, most=600, tiny=20)


def measure(setting: Setting) -> None:
    cases = gpu_padding.others()
    if setting.tiny:
        cases = [gpu_padding.replace(cases[1], variants=cases[1].variants[:2])]
    gpu_padding.compare(setting, cases)
