"""What every probe owes, as checks that say what to write where."""

import ast
import functools
import json
from pathlib import Path

import keras
import numpy as np

from conf import choices
from conf.reader import ConfigError
from data.tasks import RECONSTRUCTION, SEGMENTATION, SUPER_RESOLUTION, TASKS
from experiments.probes.shared import running
from experiments.probes.shared.record import plain
from experiments.probes.shared.subject import Measured, NotApplicableError
from models import registry
from tests import subjects
from tests.contract.faults import fault

TESTS = Path(__file__).resolve().parents[1] / "experiments" / "probes"
KNOWN = "test_known_answer"
# A network and an input for each kind of data, and for each task whose network gives images.
NETWORKS = {
    "image": ("small_cnn", (16, 16, 1)),
    "sequence": ("causal_conv1d", (40, 1)),
    SEGMENTATION: ("unet", (16, 16, 1)),
    RECONSTRUCTION: ("autoencoder", (16, 16, 1)),
    SUPER_RESOLUTION: ("subpixel", (12, 12, 1)),
}
N = 40


def check_the_file(name):
    """The probe's own file: MEASURES, and a function `probe`."""
    try:
        choices.probes_of(name)
        running.find(name)
    except ConfigError as error:
        raise fault(str(error)) from None


def check_the_known_answer(name):
    """Its test asserts what the probe must find where the answer is known."""
    file = TESTS / f"test_{name}.py"
    where = f"tests/experiments/probes/test_{name}.py"
    todo = (
        f"{where} must have a function {KNOWN}…: what the probe finds on a network of which it is "
        "known, with an assert (docs/extending.md)"
    )
    if not file.is_file():
        raise fault(todo)
    functions = [node for node in ast.parse(file.read_text()).body if _is_known(node)]
    if not functions:
        raise fault(todo)
    if not any(isinstance(node, ast.Assert) for one in functions for node in ast.walk(one)):
        raise fault(f"{where}: {functions[0].name} asserts nothing")


def _is_known(node):
    return isinstance(node, ast.FunctionDef) and node.name.startswith(KNOWN)


def subject(kind):
    """An untrained network of that kind of data, with all that draws: dropout, a random border."""
    keras.utils.set_random_seed(0)
    network, shape = NETWORKS[kind]
    if kind in TASKS:
        options = registry.tiny(network)
        loaded = subjects.images(kind, shape, n=8, factor=options.get("factor", 1))
        return subjects.subject(network, loaded, "random", kind, **options)
    loaded = subjects.noise(shape, n=N, margin=np.zeros(N, np.float32))
    options = {**registry.tiny(network), "dropout": 0.3}
    return subjects.subject(network, loaded, "random", **options)


@functools.cache
def measured(probe, kind):
    """What a probe brings back of that kind of data, or its refusal; the network stays as it is."""
    of = subject(kind)
    before = [np.array(weight) for weight in of.model.get_weights()]
    try:
        return probe(of)
    except NotApplicableError as reason:
        return reason
    finally:
        if not all(map(np.array_equal, before, of.model.get_weights())):
            where = f"{probe.__module__.replace('.', '/')}.py"
            raise fault(
                f"{where}: the probe changed the network's weights, and the probes after it would "
                "measure another network"
            )


def tiny(name):
    """The first subject that a probe applies to."""
    for kind in NETWORKS:
        if not isinstance(measured(running.find(name), kind), NotApplicableError):
            return subject(kind)
    raise fault(
        f"experiments/probes/{name}.py applies neither to images nor to sequences: it must measure "
        f"one of {', '.join(network for network, _ in NETWORKS.values())}"
    )


def check_what_it_brings_back(name):
    """Plain values, a small picture or none, and named arrays; refusals are one plain line."""
    where, applies = f"experiments/probes/{name}.py", []
    for kind in NETWORKS:
        found = measured(running.find(name), kind)
        if isinstance(found, NotApplicableError):
            if not str(found) or "\n" in str(found):
                raise fault(
                    f"{where}: NotApplicableError takes one plain line: why not for {kind} data"
                )
            continue
        applies.append(kind)
        if not isinstance(found, Measured):
            raise fault(
                f"{where}: probe returns Measured(values={{…}}), not {type(found).__name__}"
            )
        try:
            json.dumps(plain(found.values))
        except (TypeError, ValueError) as error:
            raise fault(
                f"{where}: values are finite numbers, text, lists and dicts of these: {error}"
            ) from None
        picture = found.picture
        if picture is not None and (picture.dtype != np.uint8 or picture.shape[2:] != (3,)):
            raise fault(f"{where}: a picture is uint8 (height, width, 3)")
        if not all(isinstance(array, np.ndarray) for array in (found.maps or {}).values()):
            raise fault(f"{where}: maps are NumPy arrays by name")
    if not applies:
        tiny(name)
