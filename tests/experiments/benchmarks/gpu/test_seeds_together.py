"""Seeds trained together come to what the training loop comes to, one by one."""

import os
import subprocess
import sys

import pytest

from conf.commandline import ROOT
from tests.helpers import slow

# In a process of its own, on JAX: this one may run another back end.
COMPARE = """
import os, sys
import numpy as np
from experiments.run import framework, inputs
framework.start("jax")
from experiments.benchmarks.gpu import seeds_together as experiment
from experiments.benchmarks.gpu.gpu_record import Record
from experiments.benchmarks.gpu.sections import gpu_seeds
from experiments.benchmarks.gpu.setting import Setting
from experiments.run.loop import training
from pathlib import Path

work = Path(sys.argv[1])
setting = Setting(record=None, out=work, work=work, deadline=0.0, tiny=True)
name, ways = sys.argv[2], sys.argv[3].split(",")
short = gpu_seeds.SHORT[name]
config, data = gpu_seeds._loaded(setting, (*gpu_seeds.CONFIGURATIONS[name], *short, *sys.argv[4:]))
trained = experiment.prepare(config, data)
seeds, epochs = (0, 1), 2
states = experiment.initial(trained, seeds)
orders = lambda i, epoch: trained.order(seeds[i], epoch)

def train(how):
    if how in ("grouped", "patches"):
        with experiment.convolved_as(how):
            program = experiment.Program(trained, many=len(seeds))
            return experiment.together(program, states, orders, epochs)
    program = experiment.Program(trained)
    if how == "threads":
        return experiment.in_threads(program, states, orders, epochs, 2)
    return experiment.one_after_the_other(program, states, orders, epochs)

found = {how: train(how) for how in ways}
assert len(data.train) % config.trainer.batch_size, "a smaller last batch belongs to the test"
for i, seed in enumerate(seeds):
    derived = inputs.derived(seed, config.seeds)
    model = experiment.compiled(config, data, seed)
    before = [np.asarray(v) for v in model.trainable_variables]
    steps = epochs * training.batches(len(data.train), config.trainer.batch_size)
    for epoch in range(epochs):
        training.train_epoch(model, data.train, config.trainer, epoch=epoch,
            augment=config.data.augment, seeds=derived, steps=steps, callbacks=[])
    for how in ways:
        trainable, others = found[how][i][:2]
        for own, start, mine in zip(model.trainable_variables, before, trainable):
            own = np.asarray(own)
            assert np.abs(own - start).max() > 1e-3, own.path  # it was trained
            np.testing.assert_allclose(mine, own, rtol=2e-3, atol=2e-4, err_msg=f"{how} {seed}")
        for own, mine in zip(model.non_trainable_variables, others):
            if "seed" not in own.path:
                np.testing.assert_allclose(mine, np.asarray(own), rtol=2e-3, atol=2e-4)
print("equal")
"""
CELLS = ("small_cnn, placed_digits", "causal_conv1d, mnist1d")
UNEVEN = ("data.examples=36", "trainer.epochs=2")  # two batches of 16 and one of 4


def compared(folder, *arguments):
    environment = {**os.environ, "KERAS_BACKEND": "jax", "CUDA_VISIBLE_DEVICES": "-1"}
    environment["XLA_FLAGS"] = "--xla_backend_optimization_level=0"
    command = [sys.executable, "-c", COMPARE, str(folder), *arguments]
    ended = subprocess.run(
        command, cwd=ROOT.parent, env=environment, capture_output=True, text=True
    )
    assert ended.stdout.endswith("equal\n"), ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.mark.parametrize("cell", [*map(slow, CELLS)])
def test_seeds_trained_any_way_come_to_what_the_training_loop_comes_to(cell, folder):
    compared(folder, cell, "grouped,patches,one by one,threads", *UNEVEN, "model.dropout=0.3")
