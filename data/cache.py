"""Where on this machine the project keeps what it can make again."""

import os
from pathlib import Path


def folder(name: str) -> Path:
    """A folder of the user's cache, which need not be there yet: `~/.cache/padzoo/<name>`."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "padzoo" / name
