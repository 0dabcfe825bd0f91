"""Brute force: which input pixels move an output, from the gradients of a running network."""

import keras
import numpy as np


def gradients_of(model):
    """Return a function from inputs and weights to the gradient of sum(weights * model(inputs)).

    It takes (1, *spatial, channels), and weights (*map,) that are the same for all channels; it
    returns floats of shape (*spatial,), summed over the channels.
    """
    whole = _in_jax(model) if keras.backend.backend() == "jax" else _in_tensorflow(model)

    def gradient(x, weights):
        weights = np.asarray(weights)[None, ..., None].astype(x.dtype)
        return np.asarray(whole(x, weights), np.float64).sum(axis=-1)[0]

    return gradient


def _in_jax(model):
    import jax

    def whole(x, weights):
        return jax.grad(lambda x: (model(x, training=False) * weights).sum())(x)

    return whole


def _in_tensorflow(model):
    import tensorflow as tf

    # A graph computes no gradient that nobody asks for: that of a 1x1 kernel with stride 2
    # corrupts memory in TensorFlow 2.21 on a CPU.
    @tf.function
    def whole(x, weights):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            total = tf.reduce_sum(model(x, training=False) * weights)
        return tape.gradient(total, x)

    return lambda x, weights: whole(tf.constant(x), tf.constant(weights))


def one_hot(shape, at):
    """Return zeros with a one `at` a place."""
    weights = np.zeros(shape)
    weights[tuple(at)] = 1
    return weights


def bounds(found, axis):
    """Return the first and the last pixel on an axis that has a gradient."""
    others = tuple(i for i in range(found.ndim) if i != axis)
    places = np.flatnonzero(np.abs(found).sum(axis=others))
    return int(places[0]), int(places[-1])
