"""The names of the metrics that a study can declare, their directions and units."""

import pytest

from data.tasks.metrics import is_metric, is_tested, measured, split_epoch, split_part


@pytest.mark.parametrize(
    ("metric", "unit", "higher", "tested"),
    [
        ("test_accuracy", "%", True, True),
        ("test_loss", "", False, True),
        ("test_loss@3", "", False, True),
        ("validation_loss", "", False, False),
        ("training_loss@2", "", False, False),
        ("training_accuracy", "%", True, False),
        ("training_mae", "", False, False),
        ("test_psnr", "dB", True, True),
        ("balanced_accuracy@4", "%", True, True),
        ("accuracy_on/far", "%", True, True),
        ("accuracy_of/a b@c", "%", True, True),
        ("accuracy_by_margin/-4 to 0", "%", True, True),
        ("error_at/0", "", False, True),
        ("step_ms", "ms", False, False),
        ("images_per_second", "images/s", True, False),
    ],
)
def test_a_metric_has_a_unit_and_a_direction(metric, unit, higher, tested):
    assert is_metric(metric)
    assert (measured(metric).unit, measured(metric).higher_is_better) == (unit, higher)
    assert is_tested(metric) == tested


@pytest.mark.parametrize(
    "metric", ["loss", "accuracy_on/", "test_accurcy", "test_loss@x", "step_ms@3", "@3", ""]
)
def test_other_names_are_none(metric):
    assert not is_metric(metric)


def test_a_part_may_have_any_name():
    assert split_epoch("accuracy_on/a@b") == ("accuracy_on/a@b", "")
    assert split_part("accuracy_on/a/b@12") == ("accuracy_on/", "a/b")
