"""Every preset of conf/sweep composes, and each of its cells runs one step of training."""

import functools
import os
import shlex
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from conf import presets
from conf.commandline import ROOT, options
from conf.reader import DoesNotFitError
from conf.schema import from_dict
from data.shapes import shape
from data.tasks import TASKS
from experiments.run import inputs
from experiments.run.loop import optimizers, training
from tests.helpers import thinned

PRESETS = [name for name in options("sweep") if name != "none"]
SHARED = Path(os.environ.get("PADZOO_TFDS", ROOT.parent / "../shared/tensorflow_datasets"))
BATCH = 2


def cells(preset):
    """The configuration of each cell: its first seed's."""
    runs = {}
    for run in presets.expand([f"sweep={preset}"]):
        runs.setdefault(tuple(o for o in run if not o.startswith("seed=")), run)
    with initialize_config_dir(str(ROOT), version_base="1.3"):
        for cell, run in runs.items():
            values = OmegaConf.to_container(compose("config", run), resolve=True)
            yield shlex.join(cell), from_dict(values)


@functools.cache
def shape_of(settings):
    return shape(settings)


def one_step(config):
    """The loss of one step of the cell's network, on noise of its data's shape."""
    spec = shape_of(config.data)
    keras.utils.set_random_seed(0)
    model = inputs.build(config.model, config.padding, spec, padding_seed=0)
    optimizer = optimizers.build(config.optimizer, config.schedule, steps=1)
    task, given = TASKS[config.task], model.output_shape[1:]
    of_pictures = SimpleNamespace(target_std=(1.0,) * given[-1], target_range=1.0)
    training.compile_model(model, optimizer, config.trainer, config.task, of_pictures)
    model.run_eagerly = True
    x = np.random.default_rng(0).normal(size=(BATCH, *spec.input_shape)).astype("float32")
    steps = () if spec.scored_steps is None else (spec.scored_steps,)
    target = {"class": steps, "mask": given[:-1], "picture": given}[task.target]
    y = np.zeros((BATCH, *target), "float32" if task.target == "picture" else "int32")
    return model.train_on_batch(x, y, return_dict=True)["loss"]


def of_the_network(config):
    """What a step depends on; cells that differ in anything else take the same one."""
    return repr((config.model, config.padding, shape_of(config.data), config.optimizer))


@pytest.mark.parametrize("preset", thinned(PRESETS, 3))
def test_the_cells_compose_and_one_of_each_network_takes_a_step(preset):
    """One padding of each network: the models' contract has every padding."""
    taken = set()
    for cell, config in cells(preset):
        if (network := repr(config.model)) in taken:
            continue
        taken.add(network)
        assert np.isfinite(one_step(config)), cell
    assert taken


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_every_cell_takes_a_step(preset):
    taken = set()
    for cell, config in cells(preset):
        if (network := of_the_network(config)) not in taken:
            taken.add(network)
            assert np.isfinite(one_step(config)), cell


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_every_cell_is_trained_for_a_step_by_the_program(preset, program, data_dir):
    sources = {(config.data.source, config.data.name) for _, config in cells(preset)}
    fetched = [name for source, name in sources if source == "tfds"]
    if not all((SHARED / name).is_dir() for name in fetched):
        pytest.skip(f"{', '.join(fetched)} is not prepared in {SHARED}; set PADZOO_TFDS")
    for name in fetched:
        if not Path(data_dir, name).exists():
            Path(data_dir, name).symlink_to((SHARED / name).resolve())
    seed = presets.expand([f"sweep={preset}"])[0]
    short = ["trainer.epochs=null", "trainer.steps=1", "trainer.batch_size=4", "data.examples=64"]
    outcome = program(
        "-m", f"sweep={preset}", *short, *(o for o in seed if o.startswith("seed=")),
        "trainer.early_stopping=null", "trainer.restore_best=false",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err


def test_a_preset_that_does_not_compose_is_refused(tmp_path, monkeypatch):
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "mine.yaml").write_text(
        "# mine\nquestion: q?\nbaseline: same\nmetric: test_accuracy\nmargin: 1.0\nseeds: 0\n"
        "common: model=small_cnn\nparts:\n  - padding=causal\n"
    )
    monkeypatch.setattr(presets, "ROOT", tmp_path)
    (run,) = presets.expand(["sweep=mine"])
    with initialize_config_dir(str(ROOT), version_base="1.3"):
        composed = compose("config", [o for o in run if not o.startswith("sweep=")])
    values = OmegaConf.to_container(composed, resolve=True)
    with pytest.raises(DoesNotFitError, match="padding=causal does not fit model=small_cnn"):
        from_dict(values)
