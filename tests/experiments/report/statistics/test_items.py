import numpy as np
import pytest
from scipy import stats

from experiments.report.statistics import items, looks
from experiments.report.statistics.items import TestSet, components, half_widths, mean_squares

FIRST = np.array([[1.0, 2, 2, 3], [3, 4, 4, 5], [2, 6, 6, 10]])  # three seeds on four images


def one_set(values, groups=None):
    """A test set of these differences: (comparisons, seeds, images)."""
    groups = np.arange(values.shape[-1]) if groups is None else groups
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.zeros((*values.shape[:-1], len(sizes)))
    for image, source in enumerate(place):
        sums[..., source] += values[..., image]
    return TestSet(sums, sizes)


def halves(sets, seeds, k=1):
    """Half the width of each comparison's interval, of one look at all seeds."""
    (found,) = items.intervals(sets, [seeds], k)
    return np.ptp(found, axis=-1) / 2


def test_mean_squares_are_those_computed_by_hand():
    """The means of the seeds are 2, 4 and 6, of the images 2, 4, 4 and 6, of all 4.

    Seeds: 4 · (4 + 0 + 4) / 2 = 16. Images: 3 · (4 + 0 + 0 + 4) / 3 = 8. What is left over is
    (1, 0, 0, −1) twice and (−2, 0, 0, 2): (2 + 2 + 8) / 6 = 2.
    """
    found = mean_squares(FIRST[None])
    assert (found.images[0], found.error[0], found.sources) == (8, 2, 4)
    variance = FIRST.mean(axis=1).var(ddof=1, keepdims=True)
    assert 4 * variance == 16
    total, freedom = components(variance, 3, [found])
    assert total[0] == pytest.approx((16 + 8 - 2) / 12)
    assert freedom[0] == pytest.approx(22**2 / (16**2 / 2 + 8**2 / 3 + 2**2 / 6))


def test_a_sum_of_squares_is_that_of_its_parts():
    """Whatever the table: seeds, images and what is left over make up the whole."""
    table = np.stack([FIRST, FIRST[::-1, ::-1] ** 2])
    found = mean_squares(table)
    of_seeds = 4 * ((table.mean(axis=2) - table.mean(axis=(1, 2))[:, None]) ** 2).sum(axis=1)
    whole = ((table - table.mean(axis=(1, 2), keepdims=True)) ** 2).sum(axis=(1, 2))
    assert of_seeds + 3 * found.images + 6 * found.error == pytest.approx(whole)


def test_where_images_add_nothing_it_is_the_interval_that_decides():
    random = np.random.default_rng(1)
    for seeds in (2, 3, 8):
        column = random.normal(0, 2, (seeds, 3))  # three comparisons, alike on every image
        table = np.repeat(column.T[:, :, None], 5, axis=2)
        (found,) = items.intervals([one_set(table)], [seeds], 4)
        assert found == pytest.approx(looks.intervals(column, [seeds], 4)[0])


def test_where_seeds_add_little_it_is_students_interval_over_images():
    random = np.random.default_rng(2)
    image = random.normal(1, 3, 40)
    table = image + random.normal(0, 1e-4, (1, 6, 40))
    half = stats.t.ppf(0.975, 39) * stats.sem(image)
    assert halves([one_set(table)], 6) == pytest.approx(half, rel=1e-3)


def test_it_is_never_narrower_than_the_interval_that_decides():
    random = np.random.default_rng(3)
    for seeds, images in random.integers(2, 12, (100, 2)):
        sd = random.exponential(1, 3)
        table = sd[0] * random.standard_normal((2, seeds, 1))
        table = table + sd[1] * random.standard_normal((2, 1, images))
        table = table + sd[2] * random.standard_normal((2, seeds, images))
        over_seeds = looks.intervals(table.mean(axis=2).T, [seeds], 5)[0]
        assert (halves([one_set(table)], seeds, 5) >= np.ptp(over_seeds, axis=-1) / 2 - 1e-12).all()


def test_sources_of_one_size_count_as_single_images():
    random = np.random.default_rng(4)
    once = random.integers(-1, 2, (2, 4, 60)) + random.normal(0, 2, (2, 1, 60))
    groups = np.repeat(np.arange(60), 10)
    copies = np.repeat(once, 10, axis=2)
    wide = halves([one_set(once)], 4)
    assert halves([one_set(copies, groups)], 4) == pytest.approx(wide)
    assert (halves([one_set(copies)], 4) < 0.8 * wide).all(), "copies are no new images"
    shuffled = random.permutation(600)
    assert halves([one_set(copies[..., shuffled], groups[shuffled])], 4) == pytest.approx(wide)


def test_sources_of_unequal_sizes_keep_the_seeds_means():
    random = np.random.default_rng(5)
    table = random.integers(-1, 2, (2, 5, 80)).astype(float)
    groups = np.sqrt(np.arange(80)).astype(int)  # of 1 to 16 images
    found = one_set(table, groups)
    assert sorted(set(found.sizes)) == [1, 3, 5, 7, 9, 11, 13, 15, 16]
    assert found.values.mean(axis=2) == pytest.approx(table.mean(axis=2))
    assert one_set(table).values == pytest.approx(table)
    # The variance over sources is that of a ratio estimate, as it is known for one seed's means.
    sums, sizes = found.sums[0].mean(axis=0), found.sizes
    rest = sums - sizes * sums.sum() / 80
    assert found.values[0].mean(axis=0).var(ddof=1) == pytest.approx(
        (rest**2).sum() / 8 * (9 / 80) ** 2
    )


def test_a_contrast_on_one_test_set_is_that_of_the_differences():
    random = np.random.default_rng(6)
    a, b, c, d = random.integers(0, 2, (4, 1, 5, 50)).astype(float)
    whole = one_set((a - b) - (c - d))
    parts = TestSet(one_set(a - b).sums - one_set(c - d).sums, whole.sizes)
    assert halves([parts], 5) == pytest.approx(halves([whole], 5))


def test_of_a_contrast_on_two_test_sets_the_components_add_up():
    random = np.random.default_rng(7)
    seed = random.normal(0, 1, (1, 6, 1))
    first = seed + random.normal(0, 4, (1, 1, 30)) + random.normal(0, 1, (1, 6, 30))
    second = seed + random.normal(0, 2, (1, 1, 50)) + random.normal(0, 1, (1, 6, 50))
    (found,) = items.intervals([one_set(first), one_set(-second)], [6], 3)
    contrast = first.mean(axis=2) - second.mean(axis=2)
    squares = [mean_squares(first), mean_squares(second)]
    total, freedom = components(contrast.var(axis=1, ddof=1), 6, squares)
    added = sum((s.images - s.error) / (6 * s.sources) for s in squares)
    assert total == pytest.approx(contrast.var(ddof=1) / 6 + added)
    half = stats.t.ppf(1 - 0.05 / 6, freedom) * np.sqrt(total)
    assert found[0] == pytest.approx([contrast.mean() - half[0], contrast.mean() + half[0]])


def test_it_covers_new_seeds_and_new_images():
    """Every image and seed drawn; the interval over seeds alone covers much less."""
    random = np.random.default_rng(8)
    hits, over_seeds = 0, 0
    for _ in range(20):  # of 100 studies each
        table = 0.5 + random.normal(0, 0.1, (100, 6, 1)) + random.normal(0, 1, (100, 1, 50))
        table += random.normal(0, 1, (100, 6, 50))
        (found,) = items.intervals([one_set(table)], [6], 1)
        hits += ((found[:, 0] <= 0.5) & (found[:, 1] >= 0.5)).sum()
        alone = looks.intervals(table.mean(axis=2).T, [6], 1)[0]
        over_seeds += ((alone[:, 0] <= 0.5) & (alone[:, 1] >= 0.5)).sum()
    assert 0.935 <= hits / 2000 <= 0.97
    assert over_seeds / 2000 < 0.8


def test_looks_take_the_first_seeds_and_their_levels():
    random = np.random.default_rng(9)
    table = random.normal(0, 1, (2, 14, 20))
    found = items.intervals([one_set(table)], looks.DEFAULT, 3)
    assert found.shape == (2, 2, 2), "twenty seeds are not there yet"
    for (n, level), shown in zip([(8, 0.01), (12, 0.015)], found, strict=True):
        first = table[:, :n]
        variance = first.mean(axis=2).var(axis=1, ddof=1)
        half = half_widths(variance, n, [mean_squares(first)], level / 3)
        mean = first.mean(axis=(1, 2))
        assert shown == pytest.approx(np.stack([mean - half, mean + half], axis=1))


def test_a_tie_excludes_nothing():
    table = np.zeros((2, 3, 4))
    table[:, range(3), range(3)] = 1  # every seed is ahead on one image, each on another
    table[1, 0, 0] = 0
    (found,) = items.intervals([one_set(table)], [3], 2)
    assert found[0].tolist() == [-np.inf, np.inf]
    assert np.isfinite(found[1]).all()


def test_one_seed_or_one_source_has_no_interval():
    with pytest.raises(ValueError, match="2 seeds and 2 sources. Received: 3 and 1"):
        items.intervals([one_set(np.ones((1, 3, 4)), np.zeros(4))], [3], 1)
    with pytest.raises(ValueError, match="2 seeds and 2 sources. Received: 1 and 4"):
        mean_squares(np.ones((1, 1, 4)))
    with pytest.raises(ValueError, match="increasing numbers, from 2 on"):
        items.intervals([one_set(np.ones((1, 1, 4)))], [1], 1)
