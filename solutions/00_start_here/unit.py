# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Start here
#
# Welcome. This course teaches **deep generative models** and **learning without labels** by having
# you write the few lines that matter. You will spend five minutes in this notebook; then you know how
# every other one works.
#
# A notebook is a page of cells. Click into a cell with code and press **Shift + Enter** to run it. Try
# it on the next two.

# %% tags=["setup"]
import importlib.util
import sys

import torch
from scipy import stats

from genssl_utils.kit import check

# %% tags=["parameters"]
scale = "laptop"
device = "auto"
seed = 0

# %% [markdown]
# ## What is in the course
#
# Each unit takes about two hours and lies in its own folder beside this one. It says at its top what you
# should know before; begin where you like.
#
# | unit | what you will be able to do |
# |---|---|
# | `01_conditional_gans` | draw pictures from words |
# | `02_cycle_consistency` | translate pictures without a pair |
# | `03_unpaired_translation` | translate without translated sentences |
# | `04_adversarial_debiasing` | make a code forget an attribute |
# | `05_gumbel_softmax` | send a gradient through a choice |
# | `06_realistic_users` | make a new product's buyers |
# | `07_gan_or_vae` | draw digits in two ways |
# | `08_flows` | know log p exactly |
# | `09_diffusion` | take noise away until a digit is left |
# | `10_diffflow` | train a diffusion both ways |
# | `14_consistency_training` | learn from unlabelled data |
# | `18_contrastive` | compare things never seen |
#
# More are being written, 21 in all.
#
# Every unit goes the same way: a question, the idea with its formula, a **live figure**,
# **exercises**, an **experiment** on what you wrote, and what came out of it.
#
# The next cell looks at your machine.

# %% tags=["setup"]
needed = (
    "numpy",
    "scipy",
    "sklearn",
    "matplotlib",
    "anywidget",
    "ipywidgets",
    "sacrebleu",
    "tqdm",
    "zuko",
)
missing = [name for name in needed if importlib.util.find_spec(name) is None]
print(f"Python {sys.version_info.major}.{sys.version_info.minor}, torch {torch.__version__}.")
print("A GPU is here too." if torch.cuda.is_available() else "No GPU, and none is needed.")
if missing:
    print(
        "Missing:", ", ".join(missing), "- run `genssl doctor` in a terminal; it says what to do."
    )
else:
    print("Everything is here.")

# %% [markdown]
# ## How an exercise works
#
# You get a statement, a number to check by hand, an answer cell and a check cell. Practise on this one.
#
# **Practice: `standardise(x)`.** Networks learn better when each feature has mean 0 and variance 1. For
# a float tensor `x` of shape (B, D), one example a row, return a tensor of the same shape in which
# every column has mean 0 and standard deviation 1. Use the standard deviation of the batch itself,
# with division by B (`correction=0`). You may assume that no column is constant.
#
# *By hand:* the column (1, 3) has mean 2 and standard deviation 1, so it becomes (−1, 1).
#
# Two lines are enough. Run the check below *before* you write anything: it will tell you, calmly, that
# there is nothing to check yet. Then write your answer, run its cell, and run the check again.


# %% nbgrader={"grade": false, "grade_id": "standardise", "locked": false, "schema_version": 3, "solution": true, "task": false} tags=["exercise"]
def standardise(x):
    """Shift and scale each column to mean 0 and standard deviation 1 over the batch.

    Args:
        x: float tensor of shape (B, D).

    Returns:
        Tensor of shape (B, D).
    """
    ### BEGIN SOLUTION
    centred = x - x.mean(dim=0)  # (B, D)
    return centred / centred.square().mean(dim=0).sqrt()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check_standardise", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false} tags=["check"]
ex = check.exercise("start_here", "standardise", points=1)
batch = torch.tensor([[1.0, 10.0], [3.0, 40.0], [5.0, 10.0]])
with ex.check("the worked number"):
    ex.value(standardise(torch.tensor([[1.0], [3.0]])), torch.tensor([[-1.0], [1.0]]))
with ex.check("two columns, each by itself"):
    ex.value(ex.unchanged(standardise, batch.clone()))
### BEGIN HIDDEN TESTS
with ex.hidden("other columns", hint="Every column has its own mean and its own spread."):
    scale_of_column = torch.tensor([1.0, 5.0, 0.1], dtype=torch.float64)
    x = torch.randn(50, 3, generator=ex.fresh, dtype=torch.float64) * scale_of_column + 7
    ex.value(standardise(x), torch.from_numpy(stats.zscore(x.numpy(), axis=0)))
with ex.hidden("gradients and the input", hint="Work on a new tensor, with torch functions."):
    x = torch.randn(6, 2, generator=ex.fresh, dtype=torch.float64, requires_grad=True)
    # The sum of squares is always B · D, so moving any input moves it by nothing.
    ex.gradient(standardise(x).square().sum(), x, torch.zeros_like(x))
    ex.unchanged(standardise, x.detach())
### END HIDDEN TESTS
ex.report()

# %% [markdown]
# Two things to know about checks:
#
# - They also hold tests that you do not see, on other inputs. So write what the statement asks for.
# - When they recognise a mistake, they say which one. Try it: use `x.mean()` in place of `x.mean(dim=0)`
#   and run the check again.
#
# ## When you are stuck
#
# 1. Do the worked number by hand. Then print the same steps in your code.
# 2. Print shapes: `print(x.shape)`. Most mistakes are a wrong dimension.
# 3. Read the hint again. It says what was seen and what was expected.
# 4. *Kernel → Restart Kernel and Run All Cells* clears what earlier tries left behind.
# 5. In a terminal, `genssl check 05` says where you stand in unit 05, and `genssl doctor` whether your
#    machine lacks something.
#
# ## What to remember
#
# - Shift + Enter runs a cell; run them from the top.
# - Write, check, read the hint, mend, check again.
# - The experiments run on *your* functions.
#
# Now open `01_conditional_gans/01_conditional_gans.ipynb` in the folder list on the left.
