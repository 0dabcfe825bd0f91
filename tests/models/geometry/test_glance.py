"""A look at a network that stops nothing."""

import keras

from models.geometry import glance as module
from models.geometry.findings.lint import lint
from models.geometry.glance import glance
from models.geometry.tracing.trace import trace


def network(*layers):
    return keras.Sequential([keras.Input((8, 8, 2)), *layers])


def test_what_can_be_followed_is_traced_and_linted():
    model = network(keras.layers.Conv2D(2, 2, padding="same"))
    seen = glance(model)
    assert seen.rows == trace(model)
    assert seen.findings == lint(model) != []
    assert seen.not_followed == []


def test_a_layer_that_is_not_followed_is_named_in_a_line():
    seen = glance(network(keras.layers.Permute((2, 1, 3), name="turned")))
    assert seen.rows == []
    (line,) = seen.not_followed
    assert line.startswith(
        "The network's geometry could not be determined: Layer 'turned' of type Perm"
    )
    (finding,) = seen.findings
    assert (finding.code, finding.message) == ("not_followed", line)


def test_an_error_of_the_lints_own_leaves_the_trace(monkeypatch):
    def broken(model):
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr(module, "lint", broken)
    model = network(keras.layers.Conv2D(2, 3))
    seen = glance(model)
    assert seen.rows == trace(model)
    assert seen.not_followed == ["Its findings could not be determined: ZeroDivisionError: by zero"]


def test_a_network_that_is_no_graph_is_no_error():
    class Own(keras.Model):
        def call(self, x):
            return x

    assert "has no graph of layers" in glance(Own()).not_followed[0]
