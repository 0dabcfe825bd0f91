"""The border holds the padding's `value`, one number or one per channel: v v [a b c] v v."""

from __future__ import annotations

from ..definitions import IndexRule

MODE = IndexRule(takes_value=True, looks_ahead=False)
