"""The peer's trainings are train.py's: same rates, same batches; and its process answers."""

import numpy as np
import pytest

from conf.schema import Component
from experiments.benchmarks.gpu import processes

torch = pytest.importorskip("torch")
NET = ["model=vgg16", "model.width=0.0625", "trainer.epochs=15", "trainer.batch_size=8"]


@pytest.fixture
def pictures(tmp_path):
    """Two classes of pictures, dark and bright; the path of their file."""
    random = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 30), ("test", 10)):
        labels = np.arange(count) % 2
        noise = random.integers(0, 60, (count, 32, 32, 3)) + 150 * labels[:, None, None, None]
        arrays |= {f"x_{split}": noise.astype(np.uint8), f"y_{split}": labels}
    np.savez(tmp_path / "pictures.npz", **arrays)
    return tmp_path / "pictures.npz"


@pytest.mark.parametrize("steps", [1, 2, 7, 100])
def test_the_rates_are_those_of_the_training_loop(steps):
    from experiments.benchmarks.pytorch.torch_speed import _config, _rates
    from experiments.run.loop import optimizers

    config = _config(["optimizer.learning_rate=0.02", "schedule.final=0.1"])
    adamw = Component("adamw", {"learning_rate": 0.02, "weight_decay": 0.0})
    schedule = optimizers.build(adamw, config.schedule, steps=steps)._learning_rate
    assert _rates(config, steps) == pytest.approx([float(schedule(i)) for i in range(steps)])


def test_another_schedule_is_refused():
    from experiments.benchmarks.pytorch.torch_speed import _config, _rates

    with pytest.raises(ValueError, match="schedule=constant"):
        _rates(_config(["schedule=constant"]), 10)


def test_a_training_on_pictures_learns_and_answers(pictures):
    from experiments.benchmarks.pytorch import torch_speed

    overrides = [*NET, "data=npz", f"data.path={pictures}", "data.augment.flip=true"]
    found = torch_speed.cifar({"overrides": [*overrides, "trainer.precision=float32"]})
    assert found["epochs"] == 15 and found["images_per_second"] > 0
    assert found["test_accuracy"] == 1.0


def test_the_process_measures_a_step_at_a_batch(tmp_path):
    asked = {"what": "vgg", "side": 32, "classes": 5, "width": 0.0625, "batch": 2}
    asked |= {"precision": "float32", "rounds": 2, "steps": 1, "compiled": False}
    module = "experiments.benchmarks.pytorch.torch_speed"
    found = processes.ask(module, asked, seconds=120, log=tmp_path / "log")
    assert found["batch"] == 2 and found["images_per_second"] > 0
