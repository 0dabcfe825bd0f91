"""The position read-out, where it is known."""

import json

import keras
import numpy as np
import pytest

from experiments.probes import readout
from experiments.probes.shared.readers import position_maps as maps
from experiments.probes.shared.readers import ridge
from experiments.probes.shared.subject import NotApplicableError
from models.architectures import causal_conv1d, small_cnn, vgg16
from models.bind import bind
from models.geometry import trace
from tests.experiments.probes.looked_at import alike, noise, state, subject, tiny_cnn, unchanged


def natural(count, size, seed=0):
    """Pictures with the spectrum of natural ones, 1 / frequency, that know no place; mean 0.5."""
    rng = np.random.default_rng(seed)
    frequencies = np.fft.fftfreq(size)
    each = np.hypot(*np.meshgrid(frequencies, frequencies)) + 1 / size
    white = np.fft.fft2(rng.normal(size=(count, size, size)))
    pictures = np.fft.ifft2(white / each).real
    pictures = (pictures - pictures.mean()) / pictures.std()
    return (0.5 + 0.2 * pictures)[..., None].astype(np.float32)


@pytest.mark.parametrize("rank", [1, 2])
def test_the_reader_is_the_least_squares_solution(rank, monkeypatch):
    monkeypatch.setattr(ridge, "TOLERANCE", 1e-6)
    rng = np.random.default_rng(0)
    size = (7, 8)[:rank]
    x = rng.normal(2, [1, 3], size=(30, *size, 2))
    targets = rng.normal(size=(*(n - 2 for n in size), 2))
    reader = ridge.fit(x, targets)
    scaled = (x - reader.mean) / reader.sd
    columns = [scaled[window].reshape(-1, 2) for window in ridge._windows(size)]
    design = np.concatenate(columns, axis=1)
    wanted = np.broadcast_to(targets, (30, *targets.shape)).reshape(len(design), 2)
    centred = design - design.mean(axis=0)
    normal = centred.T @ centred / len(design) + ridge.PENALTY * np.eye(design.shape[1])
    weights = np.linalg.solve(normal, centred.T @ wanted / len(design))
    assert reader.weights.reshape(-1, 2) == pytest.approx(weights, abs=1e-6)
    read = centred @ weights + wanted.mean(axis=0)
    assert reader(x).reshape(-1, 2) == pytest.approx(read, abs=1e-5)


def test_known_answer_zeros_of_its_own_tell_a_convolution_where_it_is():
    x, x_test = natural(150, 28), natural(60, 28, seed=1)
    spc = []
    for pad in (0, 1, 2):
        around = ((0, 0), (pad, pad), (pad, pad), (0, 0))
        told = readout.read(np.pad(x, around), np.pad(x_test, around))
        spc.append(
            {k: maps.spearman(v, maps.target(k, v.shape[1:])).mean() for k, v in told.items()}
        )
    for name in "HVG":
        none, one, two = (found[name] for found in spc)
        assert abs(none) < 0.08 and one > 0.15 and two > one + 0.03


@pytest.mark.full
def test_circular_random_features_know_no_place_and_padded_ones_do():
    x, found = natural(200, 16), {}
    for padding in ("circular", "same"):
        keras.utils.set_random_seed(2)
        model = tiny_cnn(padding, widths=[8], convs_per_stage=[3], batch_norm=False)
        found[padding] = readout.probe(subject(model, x)).values
    for name in "HVG":
        assert abs(found["circular"][name]["input"]) < 0.1
        assert abs(found["circular"][name]["spc"]) < 0.1 and found["same"][name]["spc"] > 0.5
        assert found["same"][name]["mae"] < found["circular"][name]["mae"]


def test_the_last_map_of_each_resolution_is_read():
    nn = bind("same")
    of = {
        "small_cnn": small_cnn.build(nn, (32, 32, 1), 3),
        "vgg16": vgg16.build(nn, (32, 32, 3), 3, width=0.1),
        "one size": tiny_cnn("valid", widths=[4], convs_per_stage=[7]),
    }
    chosen = {name: readout.chosen(trace(model)) for name, model in of.items()}
    assert chosen["small_cnn"] == ["stage1_relu2", "stage2_relu2", "stage3_relu1"]
    assert len(chosen["vgg16"]) == 5 and all("relu" in name for name in chosen["vgg16"])
    assert chosen["one size"] == [f"stage1_relu{i}" for i in (1, 3, 4, 5, 7)]


def test_the_network_is_left_as_it_was_and_told_the_same_again():
    keras.utils.set_random_seed(0)
    one = subject(tiny_cnn("random"), noise(20, 16, 16, 1))
    before = state(one.model)
    first, second = readout.probe(one), readout.probe(one)
    assert alike(first, second) and unchanged(before, state(one.model))
    json.dumps(first.values, allow_nan=False)
    known = first.values["H"]
    assert f"H {known['spc']:.2f} ({known['input']:.2f})" in first.line
    assert first.maps["H"].shape == (26, 26) and first.picture.dtype == np.uint8


def test_of_a_sequence_the_time_is_read():
    keras.utils.set_random_seed(0)
    found = {}
    for padding in ("causal", "valid"):
        model = causal_conv1d.build(bind(padding), (40, 1), 3, channels=8, levels=2)
        found[padding] = readout.probe(subject(model, noise(150, 40, 1))).values
    assert set(found["causal"]) == {"layers", "n", "H"}
    assert found["causal"]["H"]["spc"] > abs(found["valid"]["H"]["spc"]) + 0.3


def test_a_network_without_maps():
    inputs = keras.Input((4, 4, 1))
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs)))
    with pytest.raises(NotApplicableError, match="there are none"):
        readout.probe(subject(model, noise(4, 4, 4, 1)))
