"""Answers for the tests: a student's functions, written another way than the reference."""

from __future__ import annotations

import math

import torch

from genssl_utils.flows.realnvp import Recipe


def affine_log_det(scale):
    return 0.5 * scale.square().log().sum(1)


def coupling_forward(x, mask, net):
    passes = mask.bool()
    log_s, t = net(torch.where(passes, x, 0.0))
    log_s = log_s.masked_fill(passes, 0.0)
    return torch.where(passes, x, x * torch.exp(log_s) + t), log_s.sum(1)


def coupling_inverse(y, mask, net):
    passes = mask.bool()
    log_s, t = net(torch.where(passes, y, 0.0))
    return torch.where(passes, y, (y - t) / torch.exp(log_s))


def flow_log_prob(x, layers, base_log_prob):
    total = 0.0
    for layer in layers:
        x, step = layer(x)
        total = total + step
    return base_log_prob(x) + total


def bits_per_dim(log_prob, dims, bins=256):
    return math.log2(bins) - log_prob / (dims * math.log(2))


RECIPE = Recipe(coupling_forward, coupling_inverse, flow_log_prob)
