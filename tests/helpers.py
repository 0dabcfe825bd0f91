"""Small readers of what a run leaves."""

import os
from pathlib import Path


def only_run(folder: Path = Path("runs")) -> Path:
    """The directory of the one run there is."""
    (status,) = folder.glob("*/*/seed=*/status.json")
    return status.parent


def environment(**variables: str) -> dict[str, str]:
    """A user's environment for a child process, and `variables`.

    Importing JAX, as some test may have done in this process, sets how much TensorFlow says.
    """
    inherited = {name: v for name, v in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    return inherited | variables
