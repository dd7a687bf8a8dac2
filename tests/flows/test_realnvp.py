"""The flow: what it undoes, what it counts, and what a fresh one does."""

import itertools
import math

import pytest
import torch
from flows_student import RECIPE

from genssl_utils.flows.pictures import logit_layer
from genssl_utils.flows.realnvp import (
    CouplingNet,
    RealNVP,
    alternating_masks,
    checkerboard_masks,
    standard_normal_log_prob,
)


def wild(masks, **options) -> RealNVP:
    """A flow with random weights in every layer, in float64."""
    torch.manual_seed(0)
    flow = RealNVP(RECIPE, masks, hidden=(16, 16), **options).double()
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return flow.eval()


FLOWS = {
    "plane": lambda: wild(alternating_masks(2, 6)),
    "odd": lambda: wild(alternating_masks(5, 4)),
    "pictures": lambda: wild(checkerboard_masks(3, 4)),
}
each_flow = pytest.mark.parametrize("name", FLOWS)


@each_flow
def test_the_way_back_undoes_the_way_there(name):
    flow = FLOWS[name]()
    x = torch.randn(20, flow.dims, dtype=torch.float64)
    assert torch.allclose(flow.decode(flow.encode(x)), x, atol=1e-8)
    assert torch.allclose(flow.encode(flow.decode(x)), x, atol=1e-8)


@each_flow
def test_log_prob_is_the_change_of_variables_by_autograd(name):
    flow = FLOWS[name]()
    x = torch.randn(4, flow.dims, dtype=torch.float64)
    for row, got in zip(x, flow.log_prob(x), strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda r: flow.encode(r[None])[0], row)
        z = flow.encode(row[None])
        law = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum()
        assert torch.isclose(got, law + torch.linalg.slogdet(jacobian).logabsdet)


@each_flow
def test_gradients_reach_every_parameter(name):
    flow = FLOWS[name]().train()
    (-flow.log_prob(torch.randn(50, flow.dims, dtype=torch.float64)).mean()).backward()
    for at, parameter in flow.named_parameters():
        assert parameter.grad is not None, at
        assert parameter.grad.abs().sum() > 0, at


def test_the_density_of_a_wild_flow_sums_to_one():
    flow = wild(alternating_masks(2, 2))
    line = torch.linspace(-30, 30, 1201, dtype=torch.float64)
    with torch.no_grad():
        density = flow.log_prob(torch.cartesian_prod(line, line)).exp()
    assert density.sum().item() * (line[1] - line[0]).item() ** 2 == pytest.approx(1, abs=2e-3)


def test_a_fresh_flow_changes_nothing():
    flow = RealNVP(RECIPE, alternating_masks(3, 4))
    x = torch.randn(7, 3)
    assert torch.equal(flow.encode(x), x)
    assert torch.allclose(flow.log_prob(x), standard_normal_log_prob(x))


def test_the_base_is_the_standard_normal():
    z = torch.randn(9, 4, dtype=torch.float64)
    law = torch.distributions.MultivariateNormal(torch.zeros(4).double(), torch.eye(4).double())
    assert torch.allclose(standard_normal_log_prob(z), law.log_prob(z))


def test_the_way_back_shows_every_layer_and_moves_one_coordinate_at_a_time():
    flow = wild(alternating_masks(2, 6))
    z = torch.randn(30, 2, dtype=torch.float64)
    with torch.no_grad():
        states = list(flow.undo(z))
    assert len(states) == 7
    for k in range(6):
        moved = (states[k + 1] - states[k]).abs().sum(0) > 0
        assert moved.tolist() == (reversed_masks(flow)[k] == 0).tolist()
    assert torch.equal(states[-1], flow.decode(z))


def reversed_masks(flow):
    return list(reversed(flow.masks))


def test_layers_in_front_belong_to_the_chain():
    flow = wild(checkerboard_masks(2, 2), first=[logit_layer(0.05)])
    x = torch.rand(6, 4, dtype=torch.float64)
    assert torch.allclose(flow.decode(flow.encode(x)), x)
    jacobian = torch.autograd.functional.jacobian(lambda r: flow.encode(r[None])[0], x[0])
    want = standard_normal_log_prob(flow.encode(x[:1])) + torch.linalg.slogdet(jacobian)[1]
    assert torch.allclose(flow.log_prob(x[:1]), want)


def test_no_layer_scales_by_more_than_its_bound():
    net = CouplingNet(3, (8,), bound=1.5)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=30.0)
    log_s, t = net(torch.randn(100, 3))
    assert log_s.abs().max() <= 1.5
    assert t.abs().max() > 1.5


def test_dropout_rests_when_the_flow_is_asked():
    flow = wild(alternating_masks(4, 4), dropout=0.5)
    x = torch.randn(5, 4, dtype=torch.float64)
    assert torch.equal(flow.log_prob(x), flow.log_prob(x))
    flow.train()
    assert not torch.equal(flow.log_prob(x), flow.log_prob(x))


@pytest.mark.parametrize("masks", [alternating_masks(4, 6), checkerboard_masks(4, 6)])
def test_two_neighbouring_masks_move_everything_once(masks):
    for one, other in itertools.pairwise(masks):
        assert torch.equal(one + other, torch.ones_like(one))


def test_a_chessboard_has_no_equal_neighbours():
    board = checkerboard_masks(5, 1).reshape(5, 5)
    assert (board[1:] != board[:-1]).all()
    assert (board[:, 1:] != board[:, :-1]).all()


@pytest.mark.parametrize(
    "masks", [torch.ones(2, 3), torch.zeros(2, 3), torch.full((1, 2), 0.5), torch.ones(3)]
)
def test_a_mask_that_makes_no_coupling_is_refused(masks):
    with pytest.raises(ValueError, match="mask"):
        RealNVP(RECIPE, masks)


def test_samples_follow_the_density():
    """The mean of −log p over samples is the entropy, which the base and the log-dets give."""
    flow = wild(alternating_masks(2, 4))
    draw = torch.Generator().manual_seed(1)
    x = flow.sample(20_000, draw)
    with torch.no_grad():
        nll, z = -flow.log_prob(x), flow.encode(x)
    volume = (nll + standard_normal_log_prob(z)).mean().item()  # minus the mean log-det
    entropy = math.log(2 * math.pi) + 1 + volume
    assert nll.mean().item() == pytest.approx(entropy, abs=6 * (1 / 20_000) ** 0.5)
    assert flow.sample(5, draw, temperature=0.0).std(0).max() < 1e-6
