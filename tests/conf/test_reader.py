from dataclasses import dataclass, field

import pytest

from conf.reader import ConfigError, read, unknown


@dataclass(frozen=True)
class Inner:
    flip: bool = False
    rate: float = 0.1


@dataclass(frozen=True)
class Outer:
    name: str
    epochs: int | None = 3
    jit: bool | str = "auto"
    inner: Inner = field(default_factory=Inner)


def test_a_number_can_be_a_name():
    assert read(Outer, {"name": 2024}).name == "2024"


def test_nested_values_are_read_and_defaults_kept():
    values = {"name": "a", "epochs": None, "jit": True, "inner": {"rate": 2}}
    assert read(Outer, values) == Outer("a", None, True, Inner(rate=2.0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "a", "epoch": 1}, "unknown key 'epoch': did you mean epochs?"),
        ({"name": "a", "inner": {"flop": True}}, "unknown key 'inner.flop'"),
        ({"name": "a", "epochs": "ten"}, "epochs must be a whole number; got 'ten'"),
        ({"name": "a", "epochs": True}, "epochs must be a whole number; got True"),
        ({"name": "a", "epochs": 1.5}, "epochs must be a whole number; got 1.5"),
        ({"name": True}, "name must be text; got True"),
        ({"name": "a", "inner": {"flip": 1}}, "inner.flip must be true or false; got 1"),
        ({"name": "a", "inner": 3}, "inner takes the keys flip, rate; got 3"),
        ({}, "name must be set"),
    ],
)
def test_what_does_not_fit_is_named_in_one_line(values, message):
    with pytest.raises(ConfigError) as caught:
        read(Outer, values)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_names_the_close_and_the_allowed():
    message = str(unknown("padding", "refelct", ["same", "reflect"]))
    assert message == "unknown padding 'refelct': did you mean reflect? allowed: reflect, same"
