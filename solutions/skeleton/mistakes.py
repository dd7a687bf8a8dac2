"""What students write for the mean square: wrong, or right and unusual."""

import torch

from genssl_utils.course.catalogue import mistake, oracle, variant


@oracle("mean_square")
def by_the_norm(x):
    return torch.linalg.vector_norm(x, dim=1) ** 2 / x.shape[1]


@mistake("mean_square", "This is the sum of the squares. Divide by how many there are in a row.")
def sum_of_squares(x):
    return x.square().sum(dim=1)


@mistake("mean_square", "You average down the columns. One number for each row is asked for.")
def over_the_batch(x):
    return x.square().mean(dim=0)


@mistake("mean_square", "One mean over all numbers. Each row needs its own: say which dim.")
def one_mean_for_all(x):
    return x.square().mean()


@mistake("mean_square", "You square the mean. Square each number first.")
def square_of_the_mean(x):
    return x.mean(dim=1).square()


@mistake("mean_square", "You took a square root at the end. The mean square has none.")
def root(x):
    return x.square().mean(dim=1).sqrt()


@variant("mean_square")
def by_a_loop(x):
    return torch.stack([(row * row).mean() for row in x])


@variant("mean_square")
def by_einsum(x):
    return torch.einsum("bd,bd->b", x, x) / x.shape[1]
