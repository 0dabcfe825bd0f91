"""The fields of advection and advection_walls against what physics knows of them."""

import json

import numpy as np
import pytest

import data
from data.builders import advection, advection_walls, transport
from data.builders.digest import content_digest

TORUS, WALLS = False, True
FLOW = {TORUS: advection.VELOCITY, WALLS: advection_walls.VELOCITY}
SETS = {"advection": advection, "advection_walls": advection_walls}
DIGESTS = {"advection": "d4f7f86cb751", "advection_walls": "fa992ad63a14"}


def drawn(walls, n=20):
    return transport.random_fields(np.random.default_rng(0), n, walls)


@pytest.fixture(scope="module", params=SETS)
def made(request):
    name = request.param
    builder = SETS[name].Builder
    return name, transport.make_splits(name, builder.FLOW, builder.WALLS)


@pytest.mark.parametrize("walls", [TORUS, WALLS])
def test_nothing_is_lost_or_made(walls):
    before = drawn(walls)
    later = transport.after(before, FLOW[walls], transport.SPREAD, walls)
    np.testing.assert_allclose(later.sum(axis=(1, 2)), before.sum(axis=(1, 2)), atol=1e-10)
    kept = later.var() / before.var()
    assert 0.7 < kept < 0.9  # most of the variance stays


@pytest.mark.parametrize("walls", [TORUS, WALLS])
def test_two_half_steps_are_a_step(walls):
    before, half = drawn(walls), tuple(v / 2 for v in FLOW[walls])
    spread = transport.SPREAD / np.sqrt(2)
    twice = transport.after(transport.after(before, half, spread, walls), half, spread, walls)
    once = transport.after(before, FLOW[walls], transport.SPREAD, walls)
    np.testing.assert_allclose(twice, once, atol=1e-12)


@pytest.mark.parametrize(("walls", "shift"), [(TORUS, (-2, 3)), (TORUS, (5, 0)), (WALLS, (0, 3))])
def test_whole_cells_without_diffusion_are_a_roll(walls, shift):
    before = drawn(walls)
    later = transport.after(before, shift, 0.0, walls)
    np.testing.assert_allclose(later, np.roll(before, shift, axis=(1, 2)), atol=1e-12)


@pytest.mark.parametrize("walls", [TORUS, WALLS])
def test_a_step_is_one_filter_under_the_right_padding(walls):
    """Sampled in the middle of a picture, the kernel predicts every pixel, also at the border."""
    point = np.zeros((1, transport.SIDE, transport.SIDE))
    point[0, 16, 16] = 1.0
    kernel = np.roll(
        transport.after(point, FLOW[walls], transport.SPREAD, TORUS)[0], (-16, -16), (0, 1)
    )
    before = drawn(walls, 3)
    rows = "symmetric" if walls else "wrap"
    wide = np.pad(before, ((0, 0), (16, 15), (0, 0)), mode=rows)
    wide = np.pad(wide, ((0, 0), (0, 0), (16, 15)), mode="wrap")
    windows = np.lib.stride_tricks.sliding_window_view(wide, (32, 32), axis=(1, 2))
    # The window of a pixel begins 16 before it, and a filter is a flipped kernel.
    flipped = np.roll(kernel[::-1, ::-1], (17, 17), (0, 1))
    later = np.einsum("nijkl,kl->nij", windows, flipped)
    expected = transport.after(before, FLOW[walls], transport.SPREAD, walls)
    # In the channel, which is half of a torus, the kernel's faint ripples are a little different.
    np.testing.assert_allclose(later, expected, atol=1e-3 if walls else 1e-9)


def test_a_channel_is_half_of_a_torus_that_is_even_about_the_walls(monkeypatch):
    before = drawn(WALLS)
    later = transport.after(before, FLOW[WALLS], transport.SPREAD, WALLS)

    def mirrored(u):
        return np.concatenate([u, u[:, ::-1]], axis=1)

    # On a torus of twice as many rows and columns: the columns are repeated.
    monkeypatch.setattr(transport, "SIDE", 64)
    doubled = np.concatenate([mirrored(before)] * 2, axis=2)
    on_torus = transport.after(doubled, FLOW[WALLS], transport.SPREAD, TORUS)
    np.testing.assert_allclose(on_torus[:, :, :32], mirrored(later), atol=1e-12)


def test_nothing_flows_through_walls():
    with pytest.raises(ValueError, match=r"nothing flows through walls: the velocity is \(1, 0\)"):
        transport.after(drawn(WALLS), (1, 0), 0.0, WALLS)


@pytest.mark.parametrize("walls", [TORUS, WALLS])
def test_fields_have_the_stated_mean_variance_and_correlation(walls):
    u = drawn(walls, 1500)
    assert u.mean() == pytest.approx(0, abs=0.02)
    assert u.var() == pytest.approx(1, abs=0.03)
    # Between columns, and between rows far from a wall.
    for distance in (1, 2, 4):
        expected = np.exp(-(distance**2) / (2 * transport.LENGTH**2))
        assert (u * np.roll(u, distance, axis=2)).mean() == pytest.approx(expected, abs=0.03)
        one, other = u[:, 12:18], u[:, 12 + distance : 18 + distance]
        assert (one * other).mean() / (one**2).mean() == pytest.approx(expected, abs=0.03)


def test_velocities_are_along_no_axis_and_no_whole_cells():
    assert all(v and v % 1 for v in advection.VELOCITY)
    assert advection_walls.VELOCITY[0] == 0 and advection_walls.VELOCITY[1] % 1


def test_splits_are_of_the_stated_size_and_share_no_field(made):
    _, splits = made
    assert {split: len(columns["image"]) for split, columns in splits.items()} == transport.SPLITS
    numbers = np.concatenate([columns["source_id"] for columns in splits.values()])
    np.testing.assert_array_equal(numbers, np.arange(2700))
    joined = np.concatenate([columns["image"] for columns in splits.values()]).reshape(2700, -1)
    joined = joined - joined.mean(axis=1, keepdims=True)
    joined /= np.linalg.norm(joined, axis=1, keepdims=True)
    alike = np.abs(joined @ joined.T - np.eye(2700, dtype=np.float32))
    assert alike.max() < 0.6  # as 2,700 fields drawn apart; one drawn twice has 1


def test_one_split_does_not_move_another(monkeypatch):
    def validation():
        made = transport.make_splits("advection", advection.VELOCITY, TORUS)
        return made["validation"]["image"]

    before = validation()
    monkeypatch.setitem(transport.SPLITS, "train", 3)
    np.testing.assert_array_equal(validation(), before)


def test_stored_values_are_whole_multiples_of_the_grain(made):
    name, splits = made
    for column in ("image", "target"):
        values = splits["test"][column]
        assert (values.dtype, values.shape) == (np.float32, (500, 32, 32, 1))
        np.testing.assert_array_equal(values % transport.GRAIN, 0)
    builder = SETS[name].Builder
    image = splits["test"]["image"][..., 0].astype(np.float64)
    later = transport.after(image, builder.FLOW, transport.SPREAD, builder.WALLS)
    assert np.abs(splits["test"]["target"][..., 0] - later).max() <= transport.GRAIN / 2 + 1e-9


def test_version_1_0_0_is_this_content(made):
    name, splits = made
    assert content_digest(splits).startswith(DIGESTS[name])


def test_the_prepared_set_is_the_made_one(made, data_dir):
    from data.sources.store import library

    name, splits = made
    data.ensure(data.DataConfig(name, "built", data_dir=data_dir))
    folder = f"{data_dir}/{name}/{SETS[name].VERSION}"
    builder = library().builder_from_directory(folder)
    with open(f"{folder}/metadata.json") as file:
        assert json.load(file)["content"] == content_digest(splits)
    stored = builder.as_data_source(split="test")
    for i in (0, 499):
        for column, values in splits["test"].items():
            np.testing.assert_array_equal(stored[i][column], values[i])
