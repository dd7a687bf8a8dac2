"""One encoder and one decoder for two languages, trained with pairs or without any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genssl_utils.kit.nets import mlp
from genssl_utils.kit.training import Objective, fit, seed_all
from genssl_utils.unpaired_translation.words import MANY, Aligned
from genssl_utils.unpaired_translation.world import Pair, Sentence, Texts

__all__ = ["Translator", "Vocabulary", "learn_from_pairs", "learn_without_pairs"]

WIDTH, HIDDEN, BATCH, RATE, LONGEST = 48, 64, 32, 5e-3, 14
"""Numbers in a word's vector and in a state; sentences of a kind in a step; learning rate; the
most words of a translation."""
DROP, SHUFFLE, ADVERSARY = 0.05, 1, 0.3
"""Share of words dropped, how far one may move, and the weight of the adversary."""

Noise = Callable[[Tensor, float, int, torch.Generator], Tensor]
LatentLoss = Callable[[Tensor, Tensor], Tensor]
BackTranslate = Callable[[Callable, Callable, Tensor], tuple[Tensor, Tensor]]


class Vocabulary:
    """Words of two languages as numbers; 0 fills, 1 ends, 2 and 3 say which language to speak."""

    def __init__(self, texts: Texts) -> None:
        self.sides = tuple(
            sorted({word for sentence in side for word in sentence})
            for side in (texts.first, texts.second)
        )
        marks = [("", 0), ("", 1), ("", 2), ("", 3)]
        self.words = marks + [(w, side) for side in (0, 1) for w in self.sides[side]]
        self.place = {word: i for i, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, sentences: Sequence[Sentence], side: int) -> Tensor:
        """Sentences as rows of numbers, (N, LONGEST); a word that is not known is left out."""
        rows = torch.zeros(len(sentences), LONGEST, dtype=torch.long)
        for row, sentence in zip(rows, sentences, strict=True):
            known = [self.place[w, side] for w in sentence if (w, side) in self.place]
            known = [*known[: LONGEST - 1], 1]
            row[: len(known)] = torch.tensor(known)
        return rows

    def decode(self, rows: Tensor) -> list[Sentence]:
        """Rows of numbers as sentences, up to the end mark."""
        told = []
        for row in rows.tolist():
            until = row.index(1) if 1 in row else len(row)
            told.append(tuple(self.words[i][0] for i in row[:until] if i > 3))
        return told


class Translator(nn.Module):
    """A recurrent encoder and decoder with attention, shared by both languages.

    Args:
        vocabulary: the words of both.
        start: aligned word vectors to begin from; None for random ones.
    """

    def __init__(self, vocabulary: Vocabulary, start: Aligned | None = None) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.embed = nn.Embedding(len(vocabulary), WIDTH, padding_idx=0)
        nn.init.normal_(self.embed.weight, 0, 0.3)
        self.encoder = nn.GRU(WIDTH, HIDDEN // 2, batch_first=True, bidirectional=True)
        self.decoder = nn.GRU(WIDTH, HIDDEN, batch_first=True)
        self.ask = nn.Linear(HIDDEN, HIDDEN, bias=False)
        self.mix = nn.Linear(2 * HIDDEN, WIDTH)
        self.bias = nn.Parameter(torch.zeros(len(vocabulary)))
        if start is not None:
            self._begin_from(start)

    @torch.no_grad()
    def _begin_from(self, start: Aligned) -> None:
        clouds = (start.first.unit(MANY) @ start.turn, start.second.unit(MANY))
        for side, (words, cloud) in enumerate(
            zip((start.first.words, start.second.words), clouds, strict=True)
        ):
            for word, vector in zip(words, cloud, strict=True):
                self.embed.weight[self.vocabulary.place[word, side], :MANY] = 1.5 * vector

    def encode(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """States (B, T, HIDDEN) of sentences (B, T), and where there is no word (B, T)."""
        empty = rows == 0
        return self.encoder(self.embed(rows))[0].masked_fill(empty[..., None], 0), empty

    def mean(self, states: Tensor, empty: Tensor) -> Tensor:
        """One vector a sentence, (B, HIDDEN)."""
        return states.sum(1) / (~empty).sum(1, keepdim=True)

    def speak(self, states: Tensor, empty: Tensor, given: Tensor, hidden: Tensor) -> tuple:
        """Scores (B, S, V) of the word after each of the given ones (B, S), and the new state."""
        out, hidden = self.decoder(self.embed(given), hidden)
        look = (self.ask(out) @ states.transpose(1, 2)).masked_fill(empty[:, None], -1e9).softmax(2)
        word = torch.tanh(self.mix(torch.cat([out, look @ states], 2)))
        return word @ self.embed.weight.T + self.bias, hidden

    def loss(self, encoded: tuple[Tensor, Tensor], target: Tensor, side: Tensor) -> Tensor:
        """Cross-entropy of the target's words (B, T), told in the languages `side` (B,)."""
        states, empty = encoded
        given = torch.cat([side[:, None] + 2, target[:, :-1]], 1)
        scores, _ = self.speak(states, empty, given, self.mean(states, empty)[None].contiguous())
        return F.cross_entropy(scores.flatten(0, 1), target.flatten(), ignore_index=0)

    @torch.no_grad()
    def translate(self, rows: Tensor, side: int) -> Tensor:
        """The most likely word each time, (B, LONGEST), in the language `side`."""
        states, empty = self.encode(rows)
        hidden = self.mean(states, empty)[None].contiguous()
        word = torch.full((len(rows), 1), side + 2, device=rows.device)
        told, ended = [], torch.zeros(len(rows), 1, dtype=torch.bool, device=rows.device)
        for _ in range(LONGEST):
            scores, hidden = self.speak(states, empty, word, hidden)
            word = scores[:, -1].argmax(1, keepdim=True)
            told.append(word.masked_fill(ended, 0))
            ended = ended | (word == 1)
        out = torch.cat(told, 1)
        out[:, -1] = torch.where(ended[:, 0], out[:, -1], 1)
        return out

    def say(self, sentences: Sequence[Sentence], side: int) -> list[Sentence]:
        """Translate sentences of the other language into the language `side`."""
        rows = self.vocabulary.encode(sentences, 1 - side).to(self.bias.device)
        return self.vocabulary.decode(self.translate(_short(rows), side))


def learn_from_pairs(
    texts: Texts, vocabulary: Vocabulary, *, steps: int = 250, seed: int = 0,
    device: torch.device | str = "cpu",
) -> Translator:  # fmt: skip
    """The same network trained on sentences with their translations, in both directions."""
    draw = seed_all(seed)
    net = Translator(vocabulary).to(device)
    pairs: list[Pair] = texts.paired
    rows = [vocabulary.encode([pair[side] for pair in pairs], side).to(device) for side in (0, 1)]

    def loss(step: int) -> Tensor:
        pick = torch.randint(len(pairs), (2 * BATCH,), generator=draw).to(device)
        a, b = rows[0][pick], rows[1][pick]
        side = _sides(2 * BATCH, device)
        return net.loss(net.encode(_short(torch.cat([b, a]))), _short(torch.cat([a, b])), side)

    optimizer = torch.optim.Adam(net.parameters(), RATE)
    pace = _pace(optimizer, steps)
    fit(
        Objective(optimizer, loss, 1.0), steps, title="with pairs", picture=False,
        after_step=lambda step: pace.step(),
    )  # fmt: skip
    return net.eval()


def learn_without_pairs(
    texts: Texts, vocabulary: Vocabulary, start: Aligned,
    noise: Noise, latent_adversarial_loss: LatentLoss, back_translate_batch: BackTranslate, *,
    iterations: int = 3, steps: int = 120, seed: int = 0, adversary: float = ADVERSARY,
    watch: Callable[[Translator, int, int], Mapping[str, float]] | None = None,
    device: torch.device | str = "cpu",
) -> tuple[Translator, list[dict[str, float]]]:  # fmt: skip
    """Lample et al. 2018 (arXiv:1711.00043): rebuild, translate back, fool a critic.

    In each iteration both texts are translated by what the last one learned (the first: word by
    word), and the network learns to get the true sentences back from these and from noisy copies.

    Args:
        texts: sentences of both languages; the pairs are not looked at.
        vocabulary: the words of both.
        start: the aligned words.
        noise: (tokens (T,), p_drop, k, generator) → noisy tokens, under test.
        latent_adversarial_loss: (logits (B,), language (B,)) → loss of the encoder, under test.
        back_translate_batch: (translate, corrupt, batch) → (sources, targets), under test.
        iterations: how often to translate anew.
        steps: of training in each.
        seed: of weights, batches and noise.
        adversary: weight of the critic; 0 for none.
        watch: called after every third of an iteration with the network, the number of the
            iteration from 1, and the steps done in all; what it returns is kept.
        device: where to compute.

    Returns:
        The network, and what `watch` returned each time.
    """
    draw = seed_all(seed)
    net = Translator(vocabulary, start).to(device)
    critic = mlp(HIDDEN, 1, hidden=(64,)).to(device)
    true = [
        vocabulary.encode(side, i).to(device) for i, side in enumerate((texts.first, texts.second))
    ]
    lexicons = [_table(vocabulary, start, side).to(device) for side in (0, 1)]
    both = torch.optim.Adam(net.parameters(), RATE, betas=(0.5, 0.99))
    against = torch.optim.RMSprop(critic.parameters(), 1e-3)
    seen: list[dict[str, float]] = []

    def corrupt(rows: Tensor) -> Tensor:
        """Noisy copies on the rows' device; `noise` works on the CPU, a sentence at a time."""
        noisy = torch.zeros_like(rows)
        for row, out in zip(rows.cpu(), noisy, strict=True):
            words = noise(row[row > 3], DROP, SHUFFLE, draw)
            out[: len(words)] = words
            out[len(words)] = 1
        return noisy

    copies = [corrupt(rows) for rows in true]

    def iterate(iteration: int) -> None:

        def ask(rows: Tensor, side: int) -> Tensor:
            return lexicons[side][rows] if iteration == 1 else net.translate(rows, side)

        net.eval()
        sources = []
        for side in (0, 1):
            made, kept = back_translate_batch(
                lambda rows, other=1 - side: ask(rows, other), corrupt, true[side]
            )
            sources.append((made, kept))
        net.train()
        last: dict[str, Tensor] = {}

        def batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
            given, target = [], []
            for side in (0, 1):
                made, kept = sources[side]
                one = torch.randint(len(true[side]), (BATCH,), generator=draw).to(device)
                two = torch.randint(len(made), (BATCH,), generator=draw).to(device)
                given += [copies[side][one], made[two]]
                target += [true[side][one], kept[two]]
            said = _sides(2 * BATCH, device)
            heard = torch.tensor([0, 1, 1, 0], device=device).repeat_interleave(BATCH)
            return _short(torch.cat(given)), _short(torch.cat(target)), said, heard

        def translator_loss(step: int) -> Tensor:
            given, target, said, heard = batch()
            encoded = net.encode(given)
            means = net.mean(*encoded)
            last["means"], last["heard"] = means.detach(), heard.float()
            loss = net.loss(encoded, target, said)
            if adversary:
                loss = loss + adversary * latent_adversarial_loss(critic(means)[:, 0], heard)
            return loss

        def critic_loss(step: int) -> Tensor:
            smooth = 0.1 + 0.8 * last["heard"]
            return F.binary_cross_entropy_with_logits(critic(last["means"])[:, 0], smooth)

        def record(done: int) -> None:
            if watch is not None:
                net.eval()
                seen.append(dict(watch(net, iteration, (iteration - 1) * steps + done)))
                net.train()

        turns = {
            "translator": Objective(both, translator_loss, 1.0),
            "critic": Objective(against, critic_loss),
        }
        pace = _pace(both, steps)
        fit(
            turns, steps, title=f"iteration {iteration}", picture=False,
            record_every=max(1, steps // 3), on_record=record, after_step=lambda step: pace.step(),
        )  # fmt: skip

    for number in range(1, iterations + 1):
        iterate(number)
    return net.eval(), seen


def _short(rows: Tensor) -> Tensor:
    """Without the columns in which no sentence has a word."""
    return rows[:, : max(1, int((rows > 0).sum(1).max()))]


def _sides(half: int, device: torch.device | str) -> Tensor:
    return torch.tensor([0, 1], device=device).repeat_interleave(half)


def _pace(optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """A learning rate that rises over 20 steps, stays, and falls over the second half."""
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 20, 2 * (1 - step / steps) + 0.05)
    )


def _table(vocabulary: Vocabulary, start: Aligned, side: int) -> Tensor:
    """For every number of the vocabulary: its best match in the language `side`."""
    table = torch.arange(len(vocabulary))
    for word, match in start.lexicon(backwards=side == 0).items():
        table[vocabulary.place[word, 1 - side]] = vocabulary.place[match, side]
    return table
