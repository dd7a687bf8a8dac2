"""The nets: right shapes, examples that do not mix, gradients that reach every parameter."""

import pytest
import torch

from genssl_utils.kit.nets import cnn, mlp

NETS = [
    (lambda: mlp(6, 3), (6,)),
    (lambda: mlp(6, 3, hidden=()), (6,)),
    (lambda: cnn(3, width=4), (1, 8, 8)),
    (lambda: cnn(3, channels=2, width=4, size=12), (2, 12, 12)),
]


@pytest.mark.parametrize(("make", "shape"), NETS)
def test_gradients_reach_every_parameter_and_examples_do_not_mix(make, shape):
    torch.manual_seed(0)
    net, x = make(), torch.randn(5, *shape, requires_grad=True)
    scores = net(x)
    assert scores.shape == (5, 3)
    (own,) = torch.autograd.grad(scores[2].sum(), x, retain_graph=True)
    assert own[2].abs().sum() > 0
    assert own[[0, 1, 3, 4]].abs().sum() == 0
    scores.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_no_hidden_layer_is_a_linear_map():
    torch.manual_seed(0)
    net, x, y = mlp(4, 2, hidden=()), torch.randn(3, 4), torch.randn(3, 4)
    assert torch.allclose(net(x + y) + net(0 * x), net(x) + net(y), atol=1e-6)


def test_the_output_has_no_activation():
    torch.manual_seed(0)
    assert (mlp(4, 1)(torch.randn(500, 4)) < 0).any()


@pytest.mark.parametrize(
    "make",
    [lambda: mlp(0, 1), lambda: mlp(1, 1, hidden=(3, 0)), lambda: cnn(0), lambda: cnn(2, size=10)],
)
def test_impossible_sizes_are_refused(make):
    with pytest.raises(ValueError, match=r"at least 1|multiple of 4"):
        make()
