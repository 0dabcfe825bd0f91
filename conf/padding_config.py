"""The padding of a configuration: amount, mode, and exceptions for single layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from conf import label
from conf.reader import ConfigError
from models.padding import Padding


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
        name = label.of_padding(self.padding)
        return name + "+overrides" * bool(self.overrides) + "+pools" * (self.pools == "follow")
