"""A GAN that writes sentences: two ways to learn through a choice of words, side by side.

A writer draws one word after another. A discriminator scores whole sentences, real against
written (Goodfellow et al. 2014, arXiv:1406.2661). The writer wants high scores, but a drawn word
has no gradient. `StraightThrough` sends the score's gradient through the choice (Jang et al. 2017,
arXiv:1611.01144); `Reinforce` uses the score as a reward (as in SeqGAN, Yu et al. 2017,
arXiv:1609.05473). Nets, data, optimisers and number of updates are the same for both.

The functions that choose and the loss are the student's own, and come in as arguments.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, one_hot, softplus

from genssl_utils.gumbel_softmax.grammar import LENGTH, Measures, measure, small_grammar
from genssl_utils.kit.nets import mlp
from genssl_utils.kit.training import History, Objective, cpu_threads, fit, pick_device

__all__ = [
    "Estimator",
    "Reinforce",
    "StraightThrough",
    "Training",
    "Writer",
    "make_discriminator",
    "train_sentence_gan",
]


class Estimator(Protocol):
    """How a writer chooses words, and how it learns from the discriminator's scores."""

    name: str

    def choose(self, log_pi: Tensor, generator: torch.Generator | None) -> Tensor:
        """One word a row: log-probabilities (B, V) → one-hot rows (B, V)."""

    def loss(self, scores: Tensor, log_prob: Tensor) -> Tensor:
        """The writer's loss, from the sentences' scores (B,) and their log-probabilities (B,)."""


@dataclass(frozen=True)
class StraightThrough:
    """One-hot words forward, the Gumbel-softmax gradient backward (arXiv:1611.01144).

    Attributes:
        gumbel_softmax: the student's; (log_pi, tau, generator=…) → soft rows.
        straight_through: the student's; soft rows → one-hot rows with the soft gradient.
        tau: the temperature.
    """

    gumbel_softmax: Callable[..., Tensor]
    straight_through: Callable[[Tensor], Tensor]
    tau: float = 0.7
    name: str = "straight-through"

    def choose(self, log_pi: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw words whose gradient is that of the soft choice."""
        return self.straight_through(self.gumbel_softmax(log_pi, self.tau, generator=generator))

    def loss(self, scores: Tensor, log_prob: Tensor) -> Tensor:
        """−mean log σ(score), whose gradient flows through the words themselves."""
        return -logsigmoid(scores).mean()


@dataclass(frozen=True)
class Reinforce:
    """Drawn words, with log σ(score) as the reward of the whole sentence (arXiv:1609.05473).

    Attributes:
        gumbel_max: the student's; (log_pi, generator=…) → word numbers.
        reinforce_loss: the student's; (log_prob, reward, baseline) → scalar.
        baseline: take the batch's mean reward off each reward. A sentence's own share in that
            mean scales its gradient by 1 − 1/B and changes nothing else.
    """

    gumbel_max: Callable[..., Tensor]
    reinforce_loss: Callable[[Tensor, Tensor, float], Tensor]
    baseline: bool = True
    name: str = "REINFORCE"

    def choose(self, log_pi: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw words; they carry no gradient."""
        z = self.gumbel_max(log_pi.detach(), generator=generator)
        return one_hot(z, log_pi.shape[1]).to(log_pi)

    def loss(self, scores: Tensor, log_prob: Tensor) -> Tensor:
        """The score-function loss of the rewards log σ(score)."""
        reward = logsigmoid(scores.detach())
        return self.reinforce_loss(log_prob, reward, reward.mean().item() if self.baseline else 0.0)


class Writer(nn.Module):
    """Writes a sentence word by word: p(x) = Π_t p(x_t | x_1 … x_{t−1}), with a GRU.

    There is no other noise than that of the choices.

    Args:
        vocabulary: number of words V.
        hidden: size H of the memory.
    """

    def __init__(self, vocabulary: int, hidden: int = 64) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.zeros(hidden))
        self.embed = nn.Linear(vocabulary, hidden, bias=False)  # takes one-hot and soft rows
        self.cell = nn.GRUCell(hidden, hidden)
        self.out = nn.Linear(hidden, vocabulary)

    def forward(self, n: int, choose: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Write n sentences.

        Args:
            n: number of sentences B.
            choose: log-probabilities (B, V) → one-hot rows (B, V).

        Returns:
            The words as one-hot rows (B, LENGTH, V), and log p of each sentence (B,).
        """
        inputs = self.start.expand(n, -1)  # (B, H)
        memory = torch.zeros_like(inputs)  # (B, H)
        words, log_prob = [], torch.zeros_like(inputs[:, 0])
        for _ in range(LENGTH):
            memory = self.cell(inputs, memory)
            log_pi = self.out(memory).log_softmax(dim=1)  # (B, V)
            word = choose(log_pi)  # (B, V)
            log_prob = log_prob + (log_pi * word.detach()).sum(dim=1)
            inputs = self.embed(word)
            words.append(word)
        return torch.stack(words, dim=1), log_prob

    @torch.no_grad()
    def write(self, n: int, estimator: Estimator, generator: torch.Generator | None) -> Tensor:
        """Word numbers of n sentences, shape (n, LENGTH), chosen as in training.

        Raises:
            ValueError: the estimator's choices are no one-hot rows.
        """
        words, _ = self(n, lambda log_pi: estimator.choose(log_pi, generator))
        top, choice = words.max(dim=2)
        if not torch.allclose(top, torch.ones_like(top), atol=1e-4) or not torch.allclose(
            words.sum(dim=2), torch.ones_like(top), atol=1e-4
        ):
            raise ValueError(
                f"The words that {estimator.name} chose are not one-hot, so that the "
                "discriminator could tell them from real words at a glance. Check what "
                "straight_through gives forward."
            )
        return choice


def make_discriminator(vocabulary: int, hidden: int = 128) -> nn.Sequential:
    """Scores sentences (B, LENGTH, V) → (B, 1): embeds each word by its place, then an MLP."""
    net = mlp(
        LENGTH * vocabulary, 1, hidden=(hidden, hidden), activation=partial(nn.LeakyReLU, 0.2)
    )
    return nn.Sequential(nn.Flatten(), *net)


@dataclass
class Training:
    """A trained writer and how it got there.

    Attributes:
        name: the estimator's name.
        writer: the trained net.
        history: losses, and `valid` and `coverage` as they came (from 2000 sentences each).
        examples: number of updates done → a few sentences written then.
        measures: of the trained writer.
        seconds: CPU time of the training.
    """

    name: str
    writer: Writer
    history: History
    measures: Measures
    examples: dict[int, list[str]] = field(default_factory=dict)
    seconds: float = 0.0


@cpu_threads(1)
def train_sentence_gan(
    estimator: Estimator,
    *,
    steps: int = 1000,
    batch: int = 128,
    learning_rate: float = 4e-3,
    penalty: float = 10.0,
    seed: int = 0,
    device: torch.device | str = "auto",
    samples: int = 10_000,
    picture: bool = True,
) -> Training:
    """Train a writer against a discriminator of sentences, and measure what it writes.

    In each step the discriminator moves once, then the writer. The slope of the scores in the
    words is penalised, on real and on written sentences (Mescheder et al. 2018,
    arXiv:1801.04406). Without that the discriminator is soon sure of every written sentence, and
    the writer flees to a few sentences.

    Args:
        estimator: `StraightThrough(…)` or `Reinforce(…)`, made of the student's functions.
        steps: number of updates of each net.
        batch: sentences an update.
        learning_rate: of both nets at the start; it falls to zero in a straight line. (Adam with
            β₁ = 0: momentum would chase the other net's last moves.)
        penalty: weight of the gradient penalty; 0 for none.
        seed: of the nets, the data and the choices.
        device: where to train; see `pick_device`.
        samples: sentences to measure the trained writer with.
        picture: whether to draw the losses in a notebook.

    Returns:
        The training, with its measures and example sentences after 0, 25 and 100 % of the steps.

    Raises:
        ValueError: a number is not positive, or the estimator's choices are not one-hot.
    """
    if steps < 4 or batch < 2 or samples < 1 or penalty < 0:
        raise ValueError("Take steps ≥ 4, batch ≥ 2, samples ≥ 1 and penalty ≥ 0.")
    device, grammar = pick_device(str(device)), small_grammar()
    vocabulary = len(grammar.words)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        writer = Writer(vocabulary).to(device)
        discriminator = make_discriminator(vocabulary).to(device)
    generator = torch.Generator(device).manual_seed(seed)
    watching = torch.Generator(device).manual_seed(seed)  # looking on must not change training

    def choose(log_pi: Tensor) -> Tensor:
        return estimator.choose(log_pi, generator)

    def discriminate(step: int) -> Tensor:
        real = one_hot(grammar.sample(batch, generator), vocabulary).float()
        draft[:] = writer(batch, choose)  # both nets learn from the same written sentences
        sentences = torch.cat([real, draft[0].detach()])  # (2B, LENGTH, V)
        scores = discriminator(sentences.requires_grad_(penalty > 0))[:, 0]
        loss = softplus(-scores[:batch]).mean() + softplus(scores[batch:]).mean()
        if penalty > 0:
            (slope,) = torch.autograd.grad(scores.sum(), sentences, create_graph=True)
            loss = loss + penalty * slope.flatten(1).square().sum(dim=1).mean()
        return loss

    def write(step: int) -> Tensor:
        written, log_prob = draft
        return estimator.loss(discriminator(written)[:, 0], log_prob)

    draft: list[Tensor] = []
    every = max(1, steps // 20)
    examples: dict[int, list[str]] = {}
    moments = (0, every * 5, steps)

    def look(done: int) -> dict[str, float]:
        tokens = writer.write(2000, estimator, watching)
        if done in moments:
            examples[done] = [grammar.decode(row) for row in tokens[:6]]
        now = measure(tokens, grammar)
        return {"valid": now.valid, "coverage": now.coverage}

    optimizers = [
        torch.optim.Adam(net.parameters(), learning_rate, betas=(0.0, 0.99))
        for net in (discriminator, writer)
    ]
    schedules = [
        torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
        for optimizer in optimizers
    ]
    began = time.process_time()
    look(0)
    history = fit(
        {
            "discriminator": Objective(optimizers[0], discriminate),
            "writer": Objective(optimizers[1], write),
        },
        steps,
        title=f"sentences by {estimator.name}",
        record_every=every,
        on_record=look,
        after_step=lambda step: [schedule.step() for schedule in schedules],
        picture=picture,
    )
    seconds = time.process_time() - began
    measures = measure(writer.write(samples, estimator, watching), grammar)
    return Training(estimator.name, writer, history, measures, examples, seconds)
