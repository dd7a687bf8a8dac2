"""Who clicked on which home, and the truth about homes that nobody has seen yet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from genssl_utils.realistic_users.homes import Home, Homes, draw_homes, homes_of
from genssl_utils.realistic_users.people import People, Tastes, draw_people

__all__ = ["Market", "Truth", "market"]

PUBLIC = 40_000
"""People of whom the truth is read off."""


@dataclass(frozen=True)
class Truth:
    """A public so large that shares in it are nearly those of the law that made it.

    Attributes:
        people: who they are.
        tastes: what they like.
    """

    people: People
    tastes: Tastes

    def popularity(self, homes: Homes) -> Tensor:
        """The chance that somebody who sees a home clicks on it, (homes,)."""
        return self.tastes.chance(homes).mean(0)

    def buyers(self, home: Home | Homes, n: int, generator: torch.Generator) -> People:
        """People drawn as those who click on a home: each with its chance to click.

        Args:
            home: one home.
            n: how many.
            generator: the source of chance.
        """
        one = home if isinstance(home, Homes) else homes_of([home]).to(self.people.rows.device)
        chance = self.tastes.chance(one)[:, 0]
        return self.people[torch.multinomial(chance, n, True, generator=generator)]


@dataclass(frozen=True)
class Market:
    """What a seller of homes has recorded, and new homes to be judged on.

    Attributes:
        people: who came, (N).
        homes: what they saw, (M).
        clicks: who clicked (row) on what (column), (n, 2), int64.
        kept: clicks that were taken out, to judge a recommender by, (k, 2).
        new: homes that nobody has seen.
        later: who will click on what of the new ones, if shown all of them, (l, 2).
        truth: what nobody knows but the maker of the data.
    """

    people: People
    homes: Homes
    clicks: Tensor
    kept: Tensor
    new: Homes
    later: Tensor
    truth: Truth

    @cached_property
    def matrix(self) -> Tensor:
        """1 where somebody clicked, 0 where not, or where the home was never seen: (N, M)."""
        seen = torch.zeros(len(self.people), len(self.homes), device=self.clicks.device)
        seen[self.clicks[:, 0], self.clicks[:, 1]] = 1
        return seen

    def buyers_of(self, j: int) -> People:
        """All who clicked on one home."""
        return self.people[self.clicks[self.clicks[:, 1] == j, 0]]


def market(
    people: int = 3000, homes: int = 240, *, new: int = 60, shown: int = 60, kept: float = 0.1,
    seed: int = 0, device: torch.device | str = "cpu",
) -> Market:  # fmt: skip
    """A year of a seller of homes.

    Each person is shown some homes by chance, and clicks on each with the chance that `Tastes`
    says: 1 / (1 + exp(−utility)). What they would like is known to the last digit, so the crowd
    that any home would draw can be computed.

    Data card:
        Source: made here; nobody is meant.
        Licence: MIT, as this code.
        Size: as the arguments say; about 10 clicks a person as they stand.
        Split: the new homes are in no click. Of the clicks, `kept` are held back to judge a
            recommender; the truth is drawn apart, from 40,000 other people.
        Must not be used for: claims about real people or about a real market of homes.

    Args:
        people: how many come.
        homes: how many homes they are shown some of.
        new: homes nobody has seen.
        shown: homes each person sees, at most `homes`.
        kept: share of the clicks that is held back.
        seed: everything depends on it.
        device: where the tensors live.

    Raises:
        ValueError: more homes are shown than there are.
    """
    if shown > homes:
        raise ValueError(f"Nobody can be shown {shown} of {homes} homes.")
    draw = torch.Generator(device).manual_seed(seed)
    old, fresh = draw_homes(homes, draw), draw_homes(new, draw)
    who, tastes = draw_people(people, draw)
    order = torch.rand(people, homes, generator=draw, device=device)
    seen = order.argsort(1).argsort(1) < shown
    luck = torch.rand(people, homes, generator=draw, device=device)
    clicks = (seen & (luck < tastes.chance(old))).nonzero()
    held = torch.rand(len(clicks), generator=draw, device=device) < kept
    luck = torch.rand(people, new, generator=draw, device=device)
    later = (luck < tastes.chance(fresh)).nonzero()
    truth = Truth(*draw_people(PUBLIC, draw))
    return Market(who, old, clicks[~held], clicks[held], fresh, later, truth)
