"""A Keras model as a plain list of the calls of its layers, models within it taken apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import keras

Shape = tuple[int | None, ...]


class TraceError(ValueError):
    """A layer or a meeting of branches that cannot be traced."""


@dataclass(frozen=True)
class Step:
    """One call of a layer.

    Attributes:
        name: the layer's, behind those of the models it lies in: `"stem/conv"`; from its second
            call on with the number of the call: `"conv#2"`.
        layer: the Keras layer or operation.
        again: whether an earlier step calls the same layer.
        inputs, outputs: numbers of tensors, each written by one step.
        input_shapes, output_shape: with the batch axis; the first output's.
    """

    name: str
    layer: Any
    again: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape


def steps_of(tensors: Iterable[Any]) -> tuple[list[Step], list[int]]:
    """Return the steps that compute tensors, inputs first, and the tensors' numbers.

    Args:
        tensors: KerasTensors of one graph.
    """
    reader = _Reader()
    numbers = reader.read(list(tensors), "", {})
    return reader.steps, numbers


def steps_of_model(model: keras.Model) -> tuple[list[Step], list[int]]:
    """Return `steps_of` a model's outputs.

    Raises:
        TraceError: if the model is no graph of layers, or not built.
    """
    try:
        outputs = model.outputs
    except (AttributeError, ValueError):
        outputs = None
    if not outputs:
        raise TraceError(
            f"'{model.name}' has no graph of layers to follow: it must be a functional or a built "
            f"sequential model. Received: {type(model).__name__}"
        )
    return steps_of(outputs)


def known_sizes(name: str, shape: Shape) -> tuple[int, ...]:
    """Return the spatial sizes of the map that a layer reads or writes.

    Raises:
        TraceError: if one is unknown.
    """
    sizes = tuple(n for n in shape[1:-1] if n is not None)
    if len(sizes) < len(shape) - 2:
        raise TraceError(
            f"The map at layer '{name}' has an unknown size, so its pixels cannot be counted: "
            f"give the model's input its sizes. Received: {shape}"
        )
    return sizes


class _Reader:
    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.shapes: dict[int, Shape] = {}
        self.calls: dict[str, int] = {}
        self.fresh: Iterator[int] = itertools.count()

    def read(self, tensors: list[Any], prefix: str, known: dict[int, int]) -> list[int]:
        """Return the tensors' numbers; `known` has those of their graph so far, by id."""
        for node in _nodes_before(tensors, known):
            layer, inputs = node.operation, [known[id(x)] for x in node.input_tensors]
            if isinstance(layer, keras.Model):
                within = {id(x): i for x, i in zip(layer.inputs, inputs, strict=True)}
                outputs = self.read(layer.outputs, f"{prefix}{layer.name}/", within)
            else:
                outputs = self._add(node, prefix + layer.name, inputs)
            known.update(zip(map(id, node.outputs), outputs, strict=True))
        return [known[id(x)] for x in tensors]

    def _add(self, node: Any, name: str, inputs: list[int]) -> list[int]:
        call = self.calls[name] = self.calls.get(name, 0) + 1
        outputs = [next(self.fresh) for _ in node.outputs]
        shapes = tuple(self.shapes[i] for i in inputs)
        step = Step(
            name=name if call == 1 else f"{name}#{call}",
            layer=node.operation,
            again=call > 1,
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            input_shapes=shapes,
            output_shape=_output_shape(node, shapes),
        )
        self.shapes.update({i: tuple(x.shape) for i, x in zip(outputs, node.outputs, strict=True)})
        self.shapes[outputs[0]] = step.output_shape
        self.steps.append(step)
        return outputs


def _output_shape(node: Any, shapes: tuple[Shape, ...]) -> Shape:
    """A model within another may know less of its sizes than the other does."""
    shape = tuple(node.outputs[0].shape)
    if (
        None not in shape[1:]
        or len(node.outputs) > 1
        or not isinstance(node.operation, keras.Layer)
    ):
        return shape
    if not shapes or all(
        tuple(x.shape) == s for x, s in zip(node.input_tensors, shapes, strict=True)
    ):
        return shape
    return tuple(node.operation.compute_output_shape(shapes[0] if len(shapes) == 1 else shapes))


def _nodes_before(tensors: list[Any], known: dict[int, int]) -> list[Any]:
    """Return the graph's nodes behind those `known`, in an order in which inputs come first."""
    order: list[Any] = []
    done: set[int] = set()
    stack = [(_node(x), False) for x in reversed(tensors) if id(x) not in known]
    while stack:
        node, inputs_done = stack.pop()
        if id(node) in done:
            continue
        if inputs_done:
            done.add(id(node))
            order.append(node)
        else:
            stack.append((node, True))
            stack += [(_node(x), False) for x in reversed(node.input_tensors) if id(x) not in known]
    return order


def _node(tensor: Any) -> Any:
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]
