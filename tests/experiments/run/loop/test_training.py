import numpy as np
import pytest


def network():
    import keras

    layers = [keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="stage1_conv1")]
    layers += [keras.layers.BatchNormalization(name="stage1_bn1"), keras.layers.Flatten()]
    return keras.Sequential([*layers, keras.layers.Dense(2, name="logits")])


def compiled(pattern):
    import keras

    from conf.schema import TrainerConfig
    from experiments.run.loop.training import compile_model

    model = network()
    settings = TrainerConfig(freeze=pattern, jit=False)
    compile_model(model, keras.optimizers.SGD(0.1), settings)
    return model


@pytest.mark.parametrize(("pattern", "frozen"), [
    (None, set()),
    ("stage1_*", {"stage1_conv1", "stage1_bn1"}),
    ("logits", {"logits"}),
    ("*conv?", {"stage1_conv1"}),
])  # fmt: skip
def test_what_matches_stays_as_it_starts(pattern, frozen):
    model = compiled(pattern)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    x = np.random.default_rng(0).normal(size=(6, 8, 8, 1)).astype("float32")
    model.fit(x, np.arange(6) % 2, epochs=2, batch_size=3, verbose=0)
    for layer in model.layers:
        if not layer.weights:
            continue
        kept = [
            np.array_equal(a, b)
            for a, b in zip(before[layer.name], layer.get_weights(), strict=True)
        ]
        assert all(kept) == (layer.name in frozen), layer.name
        assert any(kept) == all(kept), layer.name
    slots = [v for v in model.optimizer.variables if "iteration" not in v.path]
    assert len(model.trainable_variables) == 6 - 2 * len(frozen)
    assert len(slots) <= 1 + len(model.trainable_variables)


def test_a_pattern_that_matches_no_weights_lists_those_there_are():
    from conf.reader import ConfigError

    for pattern in ("stage2*", "flatten*"):
        with pytest.raises(ConfigError) as caught:
            compiled(pattern)
        assert f"trainer.freeze={pattern} matches no layer" in str(caught.value)
        assert str(caught.value).endswith("layers: stage1_conv1, stage1_bn1, logits")


def test_the_program_ends_with_one_line_and_exit_code_2(tiny):
    outcome = tiny("trainer.freeze=stgae1*")
    assert outcome.code == 2
    assert "trainer.freeze=stgae1* matches no layer; layers: stage1_conv1" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.full
def test_the_program_trains_the_rest(tiny):
    assert tiny("trainer.freeze=stage1_*").code == 0


@pytest.mark.parametrize(
    ("executions", "seconds"),
    [
        ([(1, 9.0), (2, 9.1), (22, 11.1)], 2.1 / 21),  # the first one may trace
        ([(11, 9.0), (22, 10.1)], 0.1),
        ([(21, 2.1), (22, 2.2)], 0.1),  # a whole epoch, and a smaller batch of 28
        ([(22, 2.2)], 0.1),
    ],
)
def test_the_speed_is_that_of_most_of_the_steps(monkeypatch, executions, seconds):
    from experiments.run.loop import training

    clock = iter([0.0, *(ended for _, ended in executions)])
    monkeypatch.setattr(training.time, "perf_counter", lambda: next(clock))
    watch = training.Watch(32, 700, 22)
    watch.on_epoch_begin(0)
    for step, _ in executions:
        watch.on_train_batch_end(step - 1, {"loss": 1.0})
    found = watch.speed()
    skipped = executions[0][0] if len(executions) > 1 and executions[0][0] <= 11 else 0
    assert found["step_ms"] == pytest.approx(1000 * seconds)
    images = (700 - 32 * skipped) / ((22 - skipped) * seconds)
    assert found["images_per_second"] == pytest.approx(images)
