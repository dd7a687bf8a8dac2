# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   genssl:
#     part: generative models
#     hours: 0.2
#     after: []
#     needs: a mean
#     learn: say how long a row is
# ---

# %% [markdown]
# # Squares: how long is a row?
#
# **A question.** Which of a thousand rows holds the most signal?

# %% tags=["parameters"]
scale = "laptop"  # or "full"
device = "auto"
seed = 0

# %% tags=["setup"]
import torch

from genssl_utils.kit import check, results

results.begin("20_squares", seed=seed, scale=scale)

# %% [markdown]
# ## Exercise 1: the mean square
#
# Write `mean_square(x)`: for x of shape (B, D), the mean of the squares of each row, shape (B,).
#
# *By hand:* the row (1, 3) gives (1 + 9) / 2 = 5.


# %% nbgrader={"grade": false, "grade_id": "mean_square", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def mean_square(x):
    """The mean of the squares of each row.

    Args:
        x: float tensor of shape (B, D).

    Returns:
        Tensor of shape (B,).
    """
    ### BEGIN SOLUTION
    return x.square().sum(dim=1) / x.shape[1]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_mean_square", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("squares", "mean_square", points=2)
with ex.check("the worked number"):
    ex.value(mean_square(torch.tensor([[1.0, 3.0]])), torch.tensor([5.0]))
with ex.check("two rows of three"):
    ex.value(mean_square(torch.tensor([[1.0, -2.0, 5.0], [0.5, 0.0, 2.0]])))
### BEGIN HIDDEN TESTS
with ex.hidden("other rows", hint="Each row has its own mean."):
    x = torch.randn(7, 4, generator=ex.fresh, dtype=torch.float64)
    want = torch.linalg.vector_norm(x, dim=1) ** 2 / 4
    ex.value(mean_square(x), want)
with ex.hidden("its slope, and x as it was", hint="Stay in torch, and leave x alone."):
    x = torch.randn(3, 5, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    want = 2 * x.detach() / 5
    ex.gradient(mean_square(x).sum(), x, want)
    ex.unchanged(mean_square, x.detach())
### END HIDDEN TESTS
ex.report()

# %% tags=["experiment"]
check.finished("squares", "mean_square")
rows = torch.randn(1000, 64, generator=torch.Generator().manual_seed(seed))
largest = mean_square(rows).max()

# %% tags=["claim"]
results.claim("largest mean square", float(largest))
