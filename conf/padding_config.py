"""The padding of a configuration: amount, mode, exceptions for single layers, and a short name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import models
from conf.reader import ConfigError, DoesNotFitError
from models.padding import MODES, NAMED, Padding
from models.padding.names import INPUT
from models.padding.supports import supports


@dataclass(frozen=True)
class PaddingConfig:
    amount: Any
    mode: Any
    value: float = 0.0
    pools: Literal["neutral", "follow"] = "neutral"
    overrides: dict[str, Any] | None = None

    @property
    def padding(self) -> Padding:
        """The padding of the network, without the exceptions in `overrides`."""
        return Padding(self.amount, self.mode, self.value)

    def exceptions(self) -> list[tuple[str, Padding]]:
        """`overrides` as complete paddings: (pattern, padding), in the order of their use."""
        overrides = self.overrides or {}
        if not all(isinstance(pattern, str) for pattern in overrides):
            raise ConfigError(f"padding.overrides takes layer names; got {list(overrides)}")
        return [(name, self.padding.overridden(by)) for name, by in overrides.items()]

    @property
    def modes(self) -> set[str]:
        """The names of all modes in it, also of the exceptions."""
        paddings = [self.padding, *(padding for _, padding in self.exceptions())]
        return {name for padding in paddings for name in padding.mode_names}

    def check_fits(self, model: str) -> None:
        """Check that the model's convolutions or its input can take the padding.

        These layers take more paddings than any other. Other layers, such as pooling layers with
        pools=follow, are checked by `models.build`, which names the layer.

        Raises:
            DoesNotFitError: they cannot.
        """
        padding, rank = self.padding, models.SPATIAL_RANK[models.kind(model)]
        layer = f"PadInput{rank}D" if padding.amount == INPUT else f"Conv{rank}D"
        if reason := supports(padding.amount, padding.mode, layer):
            raise DoesNotFitError(f"padding={self.label} does not fit model={model}: {reason}")
        for pattern, own in self.exceptions():
            if reason := supports(own.amount, own.mode, f"Conv{rank}D"):
                if own.amount == INPUT:
                    reason += "; give the override its own amount"
                raise DoesNotFitError(
                    f"padding.overrides: {label_of(own)} does not fit {pattern}: {reason}"
                )

    @property
    def draws(self) -> bool:
        """Whether some border is random."""
        paddings = [self.padding, *(padding for _, padding in self.exceptions())]
        return any(padding.draws for padding in paddings)

    def by_axis(self, rank: int) -> dict[str, Any]:
        """The padding in a canonical form: one amount and one mode per axis."""

        def plain(padding: Padding) -> dict[str, Any]:
            amounts = [(a, a) if isinstance(a, int) else a for a in padding.amounts(rank)]
            return {"amount": amounts, "mode": padding.modes(rank), "value": padding.value}

        exceptions = [(name, plain(padding)) for name, padding in self.exceptions()]
        return {**plain(self.padding), "pools": self.pools, "overrides": exceptions}

    @property
    def label(self) -> str:
        """A short name for people: the amount, the mode, or both."""
        name = label_of(self.padding)
        return name + "+overrides" * bool(self.overrides) + "+pools" * (self.pools == "follow")


# Paddings that differ between the axes have a name of their own here, if conf/padding has one.
_BY_AXIS = {
    padding: name
    for name, padding in NAMED.items()
    if isinstance(padding.amount, tuple) or isinstance(padding.mode, tuple)
}


def label_of(padding: Padding) -> str:
    """The amount, the mode, or both: same, reflect, full-reflect, constant0.5, causal_rows."""
    if padding in _BY_AXIS:
        return _BY_AXIS[padding]
    amount, mode = amount_label(padding.amount), mode_label(padding.mode, padding.value)
    return amount if mode == "zeros" else mode if amount == "same" else f"{amount}-{mode}"


def amount_label(amount: Any) -> str:
    """An amount: 1; by axis same_half or 1_2; 1+2_0+1 if before and after differ."""
    parts = [_pixels(part) for part in amount] if isinstance(amount, tuple) else [_pixels(amount)]
    return parts[0] if len(set(parts)) == 1 else "_".join(parts)


def mode_label(mode: Any, value: Any = 0.0) -> str:
    """A mode: reflect; by axis reflect_zeros; a constant with its number, constant0.5."""
    modes = mode if isinstance(mode, tuple) else (mode,)
    parts = [f"{m}{_number(value)}" if MODES[m].takes_value else m for m in modes]
    return parts[0] if len(set(parts)) == 1 else "_".join(parts)


def _pixels(amount: Any) -> str:
    if isinstance(amount, tuple) and amount[0] != amount[1]:
        return f"{amount[0]}+{amount[1]}"
    return str(amount[0] if isinstance(amount, tuple) else amount)


def _number(value: Any) -> str:
    short = f"{value:g}"
    return short if float(short) == value else repr(value)
