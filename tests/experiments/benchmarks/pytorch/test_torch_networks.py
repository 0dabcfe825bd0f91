"""The PyTorch networks are the zoo's: same parameters, same outputs, same first steps."""

import numpy as np
import pytest

import models
from conf.schema import Component, TrainerConfig
from experiments.benchmarks.loop.cases import CASES, CLASSES, examples

torch = pytest.importorskip("torch")


def twins(name):
    import keras

    from experiments.benchmarks.pytorch import torch_networks

    keras.utils.set_random_seed(1)
    case = CASES[name]
    model = models.build(
        case.model,
        input_shape=case.input_shape,
        num_classes=CLASSES,
        padding=case.padding,
        **case.options,
    )
    network = torch_networks.build(case.model, case.input_shape[-1], CLASSES, case.options)
    return model, network


@pytest.mark.parametrize("name", CASES)
def test_the_outputs_and_the_parameter_count_are_the_zoos(name):
    from experiments.benchmarks.pytorch.torch_networks import copy_weights

    model, network = twins(name)
    random = np.random.default_rng(0)
    for weight in model.weights:
        if "kernel" not in weight.path and "seed" not in weight.path:  # nothing stays 0 or 1
            weight.assign(weight.numpy() + 0.1 * np.abs(random.standard_normal(weight.shape)))
    copy_weights(model, network)
    count = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert sum(p.numel() for p in network.parameters()) == count
    x = examples(CASES[name], 4).x
    theirs = network.eval()(torch.from_numpy(x).movedim(-1, 1)).detach().numpy()
    ours = model(x, training=False).numpy()
    np.testing.assert_allclose(theirs, ours, atol=1e-4 * max(1, np.abs(ours).max()))


@pytest.mark.parametrize("name", ["small_cnn", "inception", "causal_conv1d"])
def test_an_epoch_gives_the_zoos_loss_accuracy_and_weights(name):
    from experiments.benchmarks.pytorch.torch_loop import Loop
    from experiments.benchmarks.pytorch.torch_networks import copy_weights
    from experiments.run.loop import optimizers, training

    model, network = twins(name)
    copy_weights(model, network)
    adamw = Component("adamw", {"learning_rate": 0.001, "weight_decay": 0.5})
    optimizer = optimizers.build(adamw, Component("constant"), steps=4)
    training.compile_model(model, optimizer, TrainerConfig(jit=False))
    data = examples(CASES[name], 64)
    ours = model.fit(data.x, data.y, batch_size=16, shuffle=False, verbose=0).history
    loop = Loop(network, decay=0.5, epsilon=1e-7, betas=(0.9, 0.999))
    loss, accuracy = loop.epoch(data.x, data.y, 16, [0.001] * 4)
    assert loss == pytest.approx(ours["loss"][0], rel=1e-4)
    assert accuracy == pytest.approx(ours["accuracy"][0], abs=0.02)
    _, expected = twins(name)
    copy_weights(model, expected)
    pairs = zip(network.named_parameters(), expected.named_parameters(), strict=True)
    for (parameter, theirs), (_, zoos) in pairs:
        # On average: Adam makes steps of the rounding where a gradient is next to nothing.
        assert float((theirs - zoos).detach().abs().mean()) < 3e-4, parameter


def test_the_other_process_trains_and_ends():
    from experiments.benchmarks.pytorch.torch_loop import Peer

    peer = Peer()
    assert peer.ask(threads=1)["version"] == torch.__version__
    optimizer = {"decay": 0.01, "epsilon": 1e-7, "betas": [0.9, 0.999]}
    network = {"network": "tcn", "batch_size": 2, "steps": 2, "rates": [0.1, 0.1]}
    peer.ask(**network, order_seed=0, **optimizer)
    assert 0 < peer.ask(precision="mixed_bfloat16")["seconds"] < 60
    peer.close()
    with pytest.raises(RuntimeError, match="ended"):
        peer.ask(precision="float32")
