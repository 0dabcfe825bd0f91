"""The border holds zeros: 0 0 [a b c] 0 0."""

from __future__ import annotations

from ..definitions import IndexRule

MODE = IndexRule(looks_ahead=False)
