"""PyTorch's modes pad as the zoo's do, and its process answers."""

import keras
import numpy as np
import pytest

import models
from experiments.benchmarks.loop.cases import CLASSES

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_the_network_under_a_mode_is_the_zoos(mode):
    from experiments.benchmarks.pytorch import torch_networks
    from experiments.benchmarks.pytorch.torch_padding import with_mode

    keras.utils.set_random_seed(1)
    model = models.build("small_cnn", input_shape=(12, 12, 1), num_classes=CLASSES,
                         padding={"mode": mode})  # fmt: skip
    network = with_mode(torch_networks.build("small_cnn", 1, CLASSES, {}), mode)
    torch_networks.copy_weights(model, network)
    x = np.random.default_rng(0).standard_normal((4, 12, 12, 1), dtype=np.float32)
    theirs = network.eval()(torch.from_numpy(x).movedim(-1, 1)).detach().numpy()
    np.testing.assert_allclose(theirs, model(x, training=False).numpy(), atol=1e-4)


def test_the_process_measures_layers_and_networks():
    from experiments.benchmarks.pytorch.torch_loop import Peer

    peer = Peer("torch_padding")
    assert peer.ask(threads=1)["version"] == torch.__version__
    layer = {"kind": "Conv2D", "shape": [2, 8, 8, 3], "options": {"kernel_size": 3}}
    network = {"kind": "small_cnn", "shape": [2, 12, 12, 1], "options": {}}
    for i, made in enumerate((layer, network)):
        peer.ask(key=f"{i}", mode="circular", forget=False, **made)
    assert all(0 < peer.ask(run=f"{i}", steps=2)["seconds"] < 60 for i in range(2))
    peer.close()
