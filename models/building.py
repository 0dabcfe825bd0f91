"""Building a network of the zoo by its name. Importing this loads no framework."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from .messages import LAYOUTS, likely_layout
from .padding import Padding, PaddingError
from .padding.checks import SizeError
from .padding.names import INPUT
from .registry import (
    IMAGE,
    SPATIAL_RANK,
    DoesNotFitError,
    ModelError,
    builder,
    check_kind,
    check_options,
    gives,
    kind,
    place,
    where,
)

if TYPE_CHECKING:
    import keras

    from .bind import Bound

LARGEST_SEARCHED = 8192
# How Keras' merging layers, and its operators, say that maps differ in size.
OF_KERAS_MERGES = (
    "incompatible shapes",
    "requires inputs with matching shapes",
    "must have the same shape except on the `axis`",
    "Cannot broadcast",
)


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
        input_shape: (height, width, channels) of an image, (steps, channels) of a sequence; a model
            that gives an image needs all of them, others take None where the padding does.
        num_classes: of the logits; of a model that gives an image (`gives(name)`) the channels of
            that image: classes at each pixel, or the channels of a picture.
        padding, overrides, pools: as in `padzoo.bind`. With amount `"input"` the image
            is padded once, by what keeps the last map as it is under `same`, and the layers get
            `valid`.
        padding_seed: from which mode `"random"` draws; it moves nothing else.
        scored_steps: how many steps at the end of a sequence get logits each; None: the whole
            example does.
        **options: the architecture's own; see `options(name)`.

    Returns:
        A Keras model called `name`, from (batch, *input_shape) to float32 logits
        (batch, num_classes), or (batch, scored_steps, num_classes), or to an image
        (batch, height, width, num_classes), of float32, too.

    Raises:
        ModelError: for an unknown name or option, data of the wrong kind or size, a head for other
            labels, a padding that does not fit, an override that matches no layer, a map that
            collapses, or one of a size that the padding refuses; such a message names the layer,
            and the smallest input that works, or the next smaller and larger.

    Example:
        >>> model = padzoo.build("small_cnn", input_shape=(32, 32, 3), num_classes=10,
        ...                      padding="circular", widths=(8, 8, 8))
        >>> model.output_shape
        (None, 10)
    """
    check_kind(name, input_shape)
    check_options(name, options)
    if gives(name) == IMAGE and None in input_shape:
        raise ModelError(
            f"{name} gives an image, and its crops and output paddings follow from the size of the "
            f"input: give height and width. Received: input_shape={tuple(input_shape)}"
        )

    def make(shape: tuple[int | None, ...]) -> keras.Model:
        recipe = _Recipe(name, num_classes, overrides, pools, padding_seed, options)
        border = Padding.of(padding)
        return (
            recipe.padded_once(shape, border) if border.amount == INPUT else recipe(shape, border)
        )

    from .layers.engine.extend import CollapseError
    from .sizing import other_inputs, other_sizes, scored

    try:
        model = make(tuple(input_shape))
    except CollapseError as error:
        message = f"{name} collapses: {error} {_advice(make, tuple(input_shape))}"
        raise DoesNotFitError(message) from None
    except SizeError as error:
        message = f"{name}: {error} {other_sizes(make, tuple(input_shape), error.axis)}"
        raise DoesNotFitError(message) from None
    except _SizesDifferError as error:
        if advice := other_inputs(make, tuple(input_shape)):
            raise DoesNotFitError(f"{error} {advice}") from None
        raise ModelError(f"{error} {error.of_keras}") from None
    except ValueError as error:
        raise ModelError(_one_line(error)) from None
    try:
        return model if gives(name) == IMAGE else scored(model, scored_steps)
    except ValueError as error:
        raise DoesNotFitError(str(error)) from None


def smallest_input(
    name: str,
    *,
    input_channels: int = 1,
    num_classes: int = 10,
    padding: Padding | str | Mapping[str, Any] = "valid",
    largest: int = LARGEST_SEARCHED,
    **options: Any,
) -> int | None:
    """Return the smallest input that a model survives: the length of every axis, in pixels.

    Args:
        name, num_classes, padding, **options: as in `build`; no amount "input".
        input_channels: of the input.
        largest: where the search stops.

    Returns:
        None if no length up to `largest` works.

    Raises:
        ModelError: as `build`, but for a map that collapses.

    Example:
        >>> smallest_input("small_cnn")
        24
    """
    check_options(name, options)
    from .sizing import smallest_size

    recipe = _Recipe(name, num_classes, None, "neutral", 0, options)
    border, rank = Padding.of(padding), SPATIAL_RANK[kind(name)]
    return smallest_size(lambda n: recipe((n,) * rank + (input_channels,), border), largest)


class _SizesDifferError(ModelError):
    """Maps that meet have different sizes, at this input or at any.

    Attributes:
        of_keras: what Keras says of it.
    """

    of_keras = ""


@dataclass(frozen=True)
class _Recipe:
    """A network but for its input's shape and its padding."""

    name: str
    num_classes: int
    overrides: Any
    pools: Any
    seed: int
    options: Mapping[str, Any]
    amounts: Literal["published", "bound"] = "published"

    def __call__(
        self, shape: tuple[int | None, ...], padding: Padding, around: Padding | None = None
    ) -> keras.Model:
        """Build the network, with a border `around` its input."""
        from .bind import bind

        nn = bind(padding, self.overrides, self.pools, around, self.seed, self.amounts)
        model = self._built(nn, shape)
        if unbound := nn.unbound(model):
            kinds = sorted({f"nn.{layer.split()[0]}" for layer in unbound})
            raise ModelError(
                f"{self.name} has layers that no padding is bound to: {', '.join(unbound)}. Its "
                f"builder makes them with {', '.join(kinds)}(…, name=…), not with keras.layers"
            )
        if nn.owes_input:
            raise PaddingError(f"{self.name} does not begin with pad_input, which 'input' needs.")
        if nn.unmatched():
            raise PaddingError(
                f"No padded layer of {self.name} is called {nn.unmatched()[0]!r}. Its padded "
                f"layers: {', '.join(nn.names)}. Received: overrides={sorted(self.overrides)}"
            )
        return model

    def _built(self, nn: Bound, shape: tuple[int | None, ...]) -> keras.Model:
        """Call the builder; what it does wrong is told with its file, in a ModelError."""
        import keras

        from .layers.engine.extend import CollapseError
        from .sizing import check_outputs

        build, file = builder(self.name), where(self.name)
        try:
            model = build(nn, shape, self.num_classes, **self.options)
        except (CollapseError, SizeError):
            raise
        except ValueError as error:
            if not _sizes_differ(str(error)):
                raise ModelError(_one_line(error)) from None
            differ = _SizesDifferError(
                f"{place(self.name, error)}: branches of different sizes meet. Crop them first to "
                "what they share: a, b = nn.align([a, b], name=…)."
            )
            differ.of_keras = _one_line(error)
            raise differ from None
        except (TypeError, AttributeError, NameError, LookupError, AssertionError) as error:
            raise ModelError(
                f"{place(self.name, error)}: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(model, keras.Model):
            raise ModelError(
                f"{file}: build must return a keras.Model. Received: {type(model).__name__}"
            )
        check_outputs(model.output_shape, gives(self.name), self.num_classes, file)
        return model

    def padded_once(self, shape: tuple[int | None, ...], padding: Padding) -> keras.Model:
        """Build the network without padding, on an input padded by what its layers remove."""
        from .geometry.input_border import covering_widths, input_widths
        from .sizing import random_state_kept

        *sizes, channels = shape

        # An override replaces fields of the padding that was asked for, not of `valid`.
        overrides = {name: padding.overridden(by) for name, by in (self.overrides or {}).items()}
        padded = replace(self, overrides=overrides)
        unpadded = replace(padded, amounts="bound")

        def make(amount: str, sizes: tuple[int, ...]) -> keras.Model:
            recipe = unpadded if amount == "valid" else padded
            return recipe((*sizes, channels), Padding(amount))

        with random_state_kept():
            search = covering_widths if gives(self.name) == IMAGE else input_widths
            widths = search(make, tuple(sizes))
        return unpadded(shape, Padding("valid"), padding.replace({"amount": widths}))


def _one_line(error: Exception) -> str:
    """Keras writes some of its errors on many lines."""
    return " ".join(str(error).split())


def _sizes_differ(message: str) -> bool:
    """Whether an error is Keras' of maps that meet, of which the sizes differ, not the channels."""
    if not any(words in message for words in OF_KERAS_MERGES):
        return False
    shapes = re.findall(r"[(\[]((?:\d+|None)(?:, (?:\d+|None))+)[)\]]", message)
    return len({shape.rpartition(", ")[0] for shape in shapes}) > 1


def _advice(
    make: Callable[[tuple[int | None, ...]], keras.Model], input_shape: tuple[int | None, ...]
) -> str:
    """Say which smallest input works: one length on all axes, found by rebuilding."""
    from .sizing import smallest_size

    *spatial, channels = input_shape
    rank = len(spatial)
    received = f"Received: input_shape={input_shape}"
    layout = likely_layout(input_shape)
    hint = LAYOUTS[layout] if layout else ""
    first = f"{hint[0].upper()}{hint[1:]}. " if hint else ""
    if layout == "channels_first":
        return f"{first}{received}"
    size = smallest_size(lambda n: make((n,) * rank + (channels,)), LARGEST_SEARCHED)
    if size is None:
        return f"No input of up to {LARGEST_SEARCHED} pixels an axis works. {received}"
    if rank == 1:
        return f"The shortest sequence that works has {size} steps. {received}"
    return f"{first}The smallest square input is {size}x{size}. {received}"
