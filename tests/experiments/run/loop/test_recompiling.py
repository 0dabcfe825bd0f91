"""An epoch after the first, and a seed after the first, trace and compile nothing."""

import contextlib
import dataclasses
import functools
import logging

import keras
import numpy as np
import pytest

from experiments.run.loop import training
from experiments.run.loop.engines import reuse
from experiments.run.record.directory import Run
from tests.helpers import full, trained_by

# Batches of one size: TensorFlow takes any size once it has met two.
EVEN = (f"backend={keras.backend.backend()}", "data.examples=128")
WARMUP = ("schedule=cosine", "schedule.warmup=0.5")
SCANNED = () if keras.backend.backend() != "jax" else (("trainer.engine=scan", *WARMUP),)


class Counter(logging.Handler):
    """How often Python traced a step so far, and how often JAX compiled anything."""

    def __init__(self) -> None:
        super().__init__()
        self.traced = self.compiled = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count what `jax.log_compiles` says."""
        self.compiled += record.getMessage().startswith("Finished XLA compilation")


@pytest.fixture
def counter(monkeypatch):
    """A step's Python runs where it is traced, and at no other time, on either back end."""
    count = Counter()

    def counted(step):
        @functools.wraps(step)
        def run(*arguments, **options):
            count.traced += 1
            return step(*arguments, **options)

        return run

    for name in ("train_step", "test_step"):
        monkeypatch.setattr(keras.Model, name, counted(getattr(keras.Model, name)))
    with contextlib.ExitStack() as until:
        if keras.backend.backend() == "jax":
            import jax

            logger = logging.getLogger("jax")
            logger.addHandler(count)
            until.callback(logger.removeHandler, count)
            until.enter_context(jax.log_compiles())
        yield count


@pytest.fixture
def epochs(counter, monkeypatch):
    """What was traced and compiled by the end of each epoch."""
    found = []
    original = Run.write_metrics

    def written(self, history):
        found.append((counter.traced, counter.compiled))
        original(self, history)

    monkeypatch.setattr(Run, "write_metrics", written)
    return found


@pytest.mark.parametrize(
    "options",
    [
        (),
        full(("data.examples=120",)),  # a batch of 64 and one of 56
        full(("data.augment.flip=true",)),
        full(("trainer.steps_per_execution=2",)),
        full(("data.memory=1e-6",)),
        full(("trainer.jit=true",)),
        *SCANNED,
    ],
)
def test_an_epoch_after_the_first_traces_and_compiles_nothing(tiny, epochs, options):
    outcome = tiny("trainer.epochs=3", *EVEN, *options)
    assert (outcome.code, outcome.err) == (0, "")
    first, *others = epochs
    assert first[0] > 0
    assert (first[1] > 0) == (keras.backend.backend() == "jax")
    assert others == [first, first]


@pytest.mark.parametrize(
    "options",
    [
        (),
        full(("model.dropout=0.5",)),
        full(("optimizer=sgd", "schedule=cosine")),
        full(("trainer.freeze='*conv*'",)),
        *SCANNED,
    ],
)
def test_a_second_seed_compiles_nothing_and_has_the_numbers_of_its_own(tiny, counter, options):
    words = [*EVEN, *options]
    assert tiny(*words, "seed=0").code == 0
    before = (counter.traced, counter.compiled)
    assert before[0] > 0
    assert tiny(*words, "seed=1").code == 0
    assert (counter.traced, counter.compiled) == before
    found = trained_by(1)
    reuse._last = None
    assert tiny(*words, "seed=1", "rerun=true").code == 0
    assert counter.traced > before[0]
    again = trained_by(1)
    assert found.keys() == again.keys()
    for name, values in found.items():
        np.testing.assert_array_equal(values, again[name], err_msg=name)
    assert not np.array_equal(found["weights0"], trained_by(0)["weights0"])


@pytest.mark.full
@pytest.mark.parametrize(
    "change", ["padding=valid", "optimizer.learning_rate=0.1", "data.examples=64"]
)
def test_another_cell_is_compiled_for_itself(tiny, counter, change):
    assert tiny(*EVEN).code == 0
    before = counter.traced
    assert tiny(*EVEN, change).code == 0
    assert counter.traced > before


@pytest.mark.full
def test_random_borders_of_another_seed_are_another_network(tiny, counter):
    assert tiny(*EVEN, "padding=random").code == 0
    before = counter.traced
    assert tiny(*EVEN, "padding=random", "seed=1").code == 0
    assert counter.traced > before


@pytest.mark.full
def test_batches_of_another_size_are_seen(tiny, epochs, monkeypatch):
    original = training.train_epoch

    def smaller(model, train, trainer, *, epoch, **options):
        trainer = dataclasses.replace(trainer, batch_size=64 // 2**epoch)
        return original(model, train, trainer, epoch=epoch, **options)

    monkeypatch.setattr(training, "train_epoch", smaller)
    assert tiny(*EVEN, "trainer.engine=fit").code == 0
    first, second = epochs
    assert second[0] > first[0]
    assert (second[1] > first[1]) == (keras.backend.backend() == "jax")
