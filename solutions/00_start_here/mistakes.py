"""What newcomers write for the practice exercise: wrong, or right and unusual."""

import torch
from scipy import stats

from genssl_utils.course.catalogue import mistake, oracle, variant


@oracle("standardise")
def z_scores(x):
    return torch.from_numpy(stats.zscore(x.double().numpy(), axis=0))


@mistake("standardise", "One mean over all numbers. Each column needs its own: say which dim.")
def one_mean_for_all(x):
    return (x - x.mean()) / x.std(correction=0)


@mistake("standardise", "The mean is over all numbers. Each column needs its own: mean(dim=0).")
def one_mean_only(x):
    return (x - x.mean()) / x.std(0, correction=0)


@mistake("standardise", "The spread is over all numbers. Each column needs its own: say which dim.")
def one_deviation_only(x):
    return (x - x.mean(0)) / x.std(correction=0)


@mistake("standardise", "Mean and spread are over all numbers, and the spread divides by B - 1.")
def everything_at_once(x):
    return (x - x.mean()) / x.std()


@mistake("standardise", "You go along the rows. The batch is dimension 0.")
def over_rows(x):
    return (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True, correction=0) + 1e-12)


@mistake("standardise", "This divides by B - 1. Here the spread is over the batch: correction=0.")
def sample_deviation(x):
    return (x - x.mean(0)) / x.std(0)


@mistake("standardise", "You divide by the variance. Take its square root first.")
def divided_by_variance(x):
    return (x - x.mean(0)) / x.var(0, correction=0)


@mistake("standardise", "The mean is right; the spread is still that of x. Divide by it.")
def centred_only(x):
    return x - x.mean(0)


@mistake("standardise", "You changed x in place. Others still need it: make a new tensor.")
def in_place(x):
    x -= x.mean(0)
    return x / x.std(0, correction=0)


@variant("standardise")
def by_std_mean(x):
    deviation, mean = torch.std_mean(x, dim=0, correction=0)
    return (x - mean) / deviation


@variant("standardise")
def in_float32(x):
    x = x.float()
    return (x - x.mean(0)) / x.var(0, correction=0).sqrt()


@variant("standardise")
def column_by_column(x):
    return torch.stack([(c - c.mean()) / c.std(correction=0) for c in x.unbind(1)], dim=1)


SURVIVORS: dict[str, str] = {}
