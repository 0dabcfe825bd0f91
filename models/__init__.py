"""The zoo: what is trained. `models.build` is the door; importing it loads no framework."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from models.checks import INPUT, close_matches
from models.padding import Padding, PaddingError

if TYPE_CHECKING:
    import keras

Kind = Literal["image", "sequence"]

REGISTRY: dict[str, Kind] = {
    "small_cnn": "image",
    "vgg16": "image",
    "inception": "image",
    "causal_conv1d": "sequence",
}
SPATIAL_RANK: dict[Kind, int] = {"sequence": 1, "image": 2}
LARGEST_SEARCHED = 8192


class ModelError(ValueError):
    """A model that does not exist or cannot be built as asked, in one plain line."""


class DoesNotFitError(ModelError):
    """A good model that does not take this data or this padding."""


def names() -> list[str]:
    """Return the names of all models."""
    return list(REGISTRY)


def kind(name: str) -> Kind:
    """Return what a model takes, `"image"` or `"sequence"`; raises ModelError if unknown."""
    if name not in REGISTRY:
        raise ModelError(
            f"Unknown model.{close_matches(name, REGISTRY)} Allowed: {', '.join(REGISTRY)}. "
            f"Received: model={name!r}"
        )
    return REGISTRY[name]


def options(name: str) -> dict[str, Any]:
    """Return a model's options with their defaults; raises ModelError if it is unknown."""
    parameters = inspect.signature(_builder(name)).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def build(
    name: str,
    *,
    input_shape: tuple[int | None, ...],
    num_classes: int,
    padding: Padding | str | Mapping[str, Any] = "same",
    overrides: Mapping[str, Padding | str | Mapping[str, Any]] | None = None,
    pools: Literal["neutral", "follow"] = "neutral",
    padding_seed: int = 0,
    scored_steps: int | None = None,
    **options: Any,
) -> keras.Model:
    """Build a model with a padding bound to its layers.

    The initial weights depend on the seed (`keras.utils.set_random_seed`), not on the padding.

    Args:
        name: one of `names()`.
        input_shape: (height, width, channels) of an image, (steps, channels) of a sequence.
        num_classes: of the logits.
        padding, overrides, pools: as in `models.layers.bind`. With amount `"input"` the picture
            is padded once, by what keeps the last map as it is under `same`, and the layers get
            `valid`.
        padding_seed: from which mode `"random"` draws; it moves nothing else.
        scored_steps: how many steps at the end of a sequence get logits each; None: the whole
            example does.
        **options: the architecture's own; see `options(name)`.

    Returns:
        A Keras model called `name`, from (batch, *input_shape) to float32 logits
        (batch, num_classes), or (batch, scored_steps, num_classes).

    Raises:
        ModelError: for an unknown name or option, data of the wrong kind, a head for other
            labels, a padding that does not fit, an override that matches no layer, or a map that
            collapses; that message names the layer, and the smallest input that works.
    """
    _check_kind(name, input_shape)
    _check_options(name, options)

    def make(shape: tuple[int | None, ...]) -> keras.Model:
        recipe = _Recipe(name, num_classes, overrides, pools, padding_seed, options)
        border = Padding.of(padding)
        return (
            recipe.padded_once(shape, border) if border.amount == INPUT else recipe(shape, border)
        )

    from models.pad import CollapseError
    from models.steps import scored

    try:
        model = make(tuple(input_shape))
    except CollapseError as error:
        message = f"{name} collapses: {error} {_advice(make, tuple(input_shape))}"
        raise DoesNotFitError(message) from None
    except ValueError as error:
        # Keras writes some of its errors on many lines
        raise ModelError(" ".join(str(error).split())) from None
    try:
        return scored(model, scored_steps)
    except ValueError as error:
        raise DoesNotFitError(str(error)) from None


def _builder(name: str) -> Callable[..., keras.Model]:
    kind(name)
    return importlib.import_module(f"models.{name}").build


@dataclass(frozen=True)
class _Recipe:
    """A network but for its input's shape and its padding."""

    name: str
    num_classes: int
    overrides: Any
    pools: Any
    seed: int
    options: Mapping[str, Any]

    def __call__(
        self, shape: tuple[int | None, ...], padding: Padding, around: Padding | None = None
    ) -> keras.Model:
        """Build the network, with a border `around` its input."""
        from models.layers import bind

        nn = bind(padding, self.overrides, self.pools, around, self.seed)
        model = _builder(self.name)(nn, shape, self.num_classes, **self.options)
        if nn.owes_input:
            raise PaddingError(f"{self.name} does not begin with pad_input, which 'input' needs.")
        if nn.unmatched():
            raise PaddingError(
                f"No padded layer of {self.name} is called {nn.unmatched()[0]!r}. Its padded "
                f"layers: {', '.join(nn.names)}. Received: overrides={sorted(self.overrides)}"
            )
        return model

    def padded_once(self, shape: tuple[int | None, ...], padding: Padding) -> keras.Model:
        """Build the network without padding, on an input padded by what it will eat."""
        from models.overlap import input_widths
        from models.search import random_state_kept

        *sizes, channels = shape

        # An override replaces fields of the padding that was asked for, not of `valid`.
        overrides = {name: padding.overridden(by) for name, by in (self.overrides or {}).items()}
        unpadded = replace(self, overrides=overrides)

        def make(amount: str, sizes: tuple[int, ...]) -> keras.Model:
            return unpadded((*sizes, channels), Padding(amount))

        with random_state_kept():
            widths = input_widths(make, tuple(sizes))
        return unpadded(shape, Padding("valid"), padding.replace({"amount": widths}))


def _check_kind(name: str, input_shape: tuple[int | None, ...]) -> None:
    rank = len(input_shape) - 1
    if SPATIAL_RANK[kind(name)] == rank:
        return
    wanted = {
        "image": "an image, (height, width, channels)",
        "sequence": "a sequence, (steps, channels)",
    }
    fitting = [other for other, k in REGISTRY.items() if SPATIAL_RANK[k] == rank]
    raise DoesNotFitError(
        f"{name} takes {wanted[kind(name)]}. Models that take this data: "
        f"{', '.join(fitting) or 'none'}. Received: input_shape={tuple(input_shape)}"
    )


def _check_options(name: str, given: Mapping[str, Any]) -> None:
    allowed = options(name)
    for option in given:
        if option not in allowed:
            raise ModelError(
                f"Unknown option of {name}.{close_matches(option, allowed)} Allowed: "
                f"{', '.join(allowed)}. Received: {option}={given[option]!r}"
            )
    types = get_type_hints(_builder(name))
    for option, value in given.items():
        if not _fits(value, types[option]):
            raise ModelError(
                f"`{option}` of {name} must be {_spoken(types[option])}. "
                f"Received: {option}={value!r}"
            )


def _spoken(wanted: Any) -> str:
    """An annotation in words: int, 'average' or 'max', a list of int, bool or null."""
    if get_origin(wanted) is Literal:
        return " or ".join(map(repr, get_args(wanted)))
    if get_origin(wanted) in (Union, UnionType):
        return " or ".join(map(_spoken, get_args(wanted)))
    if get_origin(wanted) is Sequence:
        return f"a list of {_spoken(get_args(wanted)[0])}"
    return "null" if wanted is type(None) else wanted.__name__


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value is of the type that a builder annotates its option with."""
    if get_origin(wanted) is Literal:
        return value in get_args(wanted)
    if get_origin(wanted) in (Union, UnionType):
        return any(_fits(value, option) for option in get_args(wanted))
    if get_origin(wanted) is Sequence:
        (item,) = get_args(wanted)
        return isinstance(value, (list, tuple)) and all(_fits(part, item) for part in value)
    if wanted is float:
        return type(value) in (int, float)
    return type(value) is wanted


def _advice(
    make: Callable[[tuple[int | None, ...]], keras.Model], input_shape: tuple[int | None, ...]
) -> str:
    """Say which smallest input works: one length on all axes, found by rebuilding."""
    from models.search import smallest_size

    *spatial, channels = input_shape
    rank = len(spatial)
    size = smallest_size(lambda n: make((n,) * rank + (channels,)), LARGEST_SEARCHED)
    received = f"Received: input_shape={input_shape}"
    if size is None:
        return f"No input of up to {LARGEST_SEARCHED} pixels an axis works. {received}"
    if rank == 1:
        return f"The shortest sequence that works has {size} steps. {received}"
    return f"The smallest square input is {size}x{size}: data.resize={size}. {received}"
