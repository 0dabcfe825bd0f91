import numpy as np
import pytest

from experiments.run.loop import checkpoint


def model(width=3):
    import keras

    layers = [keras.Input((4,)), keras.layers.Dense(width), keras.layers.Dropout(0.5)]
    built = keras.Sequential([*layers, keras.layers.BatchNormalization(), keras.layers.Dense(2)])
    built.compile("adam", "mse")
    built.optimizer.build(built.trainable_variables)
    return built


def train(built):
    x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
    built.fit(x, x[:, :2], batch_size=4, epochs=1, verbose=0, shuffle=False)


def everything(built):
    return [np.asarray(v) for v in [*built.variables, *built.optimizer.variables]]


def test_training_goes_on_exactly_dropout_included(tmp_path):
    path = tmp_path / "checkpoint.npz"
    first = model()
    train(first)
    best = first.get_weights()
    checkpoint.save(path, first, {"history": [{"epoch": 1, "loss": 0.1 + 0.2}]}, best)
    train(first)
    second = model()
    state = checkpoint.restore(path, second)
    for a, b in zip(state.pop("best"), best, strict=True):
        assert np.array_equal(a, b)
    assert state == {"history": [{"epoch": 1, "loss": 0.1 + 0.2}]}
    train(second)
    for a, b in zip(everything(first), everything(second), strict=True):
        assert np.array_equal(a, b)


def test_another_models_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    checkpoint.save(path, model(3), {})
    with pytest.raises(checkpoint.CheckpointError, match="another model"):
        checkpoint.restore(path, model(5))


@pytest.mark.parametrize("size", [0, 100])
def test_a_damaged_checkpoint_is_refused(tmp_path, size):
    path = tmp_path / "checkpoint.npz"
    checkpoint.save(path, model(), {})
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(checkpoint.CheckpointError, match="cannot be read"):
        checkpoint.restore(path, model())


def test_a_checkpoint_without_its_state_is_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    np.savez(path, state=np.array('{"state": 3}'))
    with pytest.raises(checkpoint.CheckpointError, match="cannot be read"):
        checkpoint.restore(path, model())


def test_a_resume_goes_on_with_the_noise_of_random_borders(tmp_path):
    """Two epochs are one, a checkpoint, a fresh model, and one more: bit for bit."""
    import keras

    import models

    x = np.random.default_rng(0).normal(size=(12, 10, 9, 1)).astype("float32")

    def made():
        keras.utils.set_random_seed(3)
        options = {"widths": (3, 4), "convs_per_stage": (1, 1), "dropout": 0.5}
        built = models.build(
            "small_cnn", input_shape=(10, 9, 1), num_classes=2, padding="random", **options
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        built.compile("adam", loss)
        built.optimizer.build(built.trainable_variables)
        return built

    def epoch(built):
        built.fit(x, np.arange(12) % 2, batch_size=4, epochs=1, verbose=0, shuffle=False)

    path, straight = tmp_path / "checkpoint.npz", made()
    epoch(straight)
    noise = straight.get_layer("stage1_conv1").noise.state
    assert any(variable is noise for variable in straight.variables)
    checkpoint.save(path, straight, {})
    drawn = np.array(noise)
    epoch(straight)
    assert not np.array_equal(drawn, noise)
    resumed = made()
    checkpoint.restore(path, resumed)
    assert np.array_equal(drawn, resumed.get_layer("stage1_conv1").noise.state)
    epoch(resumed)
    for a, b in zip(everything(straight), everything(resumed), strict=True):
        assert np.array_equal(a, b)
