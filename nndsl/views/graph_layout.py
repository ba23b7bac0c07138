"""Where the boxes of a drawing go: a layered layout (Sugiyama's), top to bottom, the same on every run.

Ranks by longest path; arrows over several ranks get a bend on each; ranks are ordered by the mean place of their
neighbours; places are then moved towards their neighbours as far as the order allows, and chains made straight.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from nndsl.records import fresh, mutable

_SWEEPS = 8
_TURNS = 40
GAP = 28.0  # between two boxes of a rank
BEND_GAP = 16.0


@mutable
class Place:
    """A box (`box` is its number) or a bend of an arrow (-1). `x` is its middle."""

    rank: int
    width: float
    box: int = -1
    x: float = 0.0
    above: list[Place] = fresh(default_factory=list)
    below: list[Place] = fresh(default_factory=list)
    order: float = 0.0


@mutable
class Layout:
    """`ranks` are the places from left to right, rank by rank; `paths` are the places that each arrow runs through."""

    ranks: list[list[Place]]
    paths: list[list[Place]]
    width: float


def lay_out(widths: Sequence[float], arrows: Sequence[tuple[int, int]]) -> Layout:
    """A layout of boxes of these widths; arrows are pairs of numbers of boxes, and lead to higher numbers."""
    ranks_of = _ranks(len(widths), arrows)
    ranks: list[list[Place]] = [[] for _ in range(max(ranks_of, default=-1) + 1)]
    places = []
    for box, (rank, width) in enumerate(zip(ranks_of, widths, strict=True)):
        place = Place(rank, width, box)
        places.append(place)
        ranks[rank].append(place)
    paths = []
    for source, target in arrows:
        path = [places[source]]
        for rank in range(ranks_of[source] + 1, ranks_of[target]):
            bend = Place(rank, 0.0)
            ranks[rank].append(bend)
            path.append(bend)
        path.append(places[target])
        for upper, lower in pairwise(path):
            upper.below.append(lower)
            lower.above.append(upper)
        paths.append(path)
    _order(ranks)
    _position(ranks)
    left = min((place.x - place.width / 2 for rank in ranks for place in rank), default=0.0)
    right = max((place.x + place.width / 2 for rank in ranks for place in rank), default=0.0)
    for rank_ in ranks:
        for place in rank_:
            place.x -= left
    return Layout(ranks, paths, right - left)


def _ranks(count: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """Each box below all that lead to it; those that nothing leads to right above the first that they lead to."""
    ranks = [0] * count
    into: list[list[int]] = [[] for _ in range(count)]
    out: list[list[int]] = [[] for _ in range(count)]
    for source, target in arrows:
        into[target].append(source)
        out[source].append(target)
    for box in range(count):
        ranks[box] = max((ranks[source] + 1 for source in into[box]), default=0)
    for box in range(count):
        if not into[box] and out[box]:
            ranks[box] = min(ranks[target] for target in out[box]) - 1
    return ranks


def _order(ranks: list[list[Place]]) -> None:
    _number(ranks)
    best = [list(rank) for rank in ranks]
    fewest = _crossings(ranks)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for rank in ranks if down else reversed(ranks):
            keys = {id(place): _mean(place.above if down else place.below, place.order) for place in rank}
            rank.sort(key=lambda place: keys[id(place)])
            for number, place in enumerate(rank):
                place.order = number
        crossings = _crossings(ranks)
        if crossings < fewest:
            fewest, best = crossings, [list(rank) for rank in ranks]
    ranks[:] = best
    _number(ranks)


def _number(ranks: list[list[Place]]) -> None:
    for rank in ranks:
        for number, place in enumerate(rank):
            place.order = number


def _mean(neighbours: list[Place], otherwise: float) -> float:
    return sum(place.order for place in neighbours) / len(neighbours) if neighbours else otherwise


def _crossings(ranks: list[list[Place]]) -> int:
    """How many pairs of arrows cross: inversions among the lower ends, counted with a Fenwick tree."""
    total = 0
    for rank in ranks:
        ends = [int(below.order) for place in rank for below in sorted(place.below, key=lambda p: p.order)]
        tree = [0] * (max(ends, default=0) + 2)
        for seen, end in enumerate(ends):
            at, before = end + 1, 0
            while at:
                before += tree[at]
                at -= at & -at
            total += seen - before
            at = end + 1
            while at < len(tree):
                tree[at] += 1
                at += at & -at
    return total


def _position(ranks: list[list[Place]]) -> None:
    for rank in ranks:
        _settle(rank, [0.0] * len(rank))
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for rank in ranks if down else reversed(ranks):
            _settle(rank, [_middle(place.above if down else place.below, place.x) for place in rank])
    _straighten(ranks, _chains(ranks))


def _middle(neighbours: Sequence[Place], otherwise: float) -> float:
    return sum(other.x for other in neighbours) / len(neighbours) if neighbours else otherwise


def _chains(ranks: list[list[Place]]) -> list[list[Place]]:
    """Runs of places of which each leads to the next alone: they should stand one below the other."""
    chains = []
    for rank in ranks:
        for place in rank:
            if len(place.above) == 1 and len(place.above[0].below) == 1:
                continue  # it belongs to the chain of the place above
            chain = [place]
            while len(chain[-1].below) == 1 and len(chain[-1].below[0].above) == 1:
                chain.append(chain[-1].below[0])
            chains.append(chain)
    return chains


def _straighten(ranks: list[list[Place]], chains: list[list[Place]]) -> None:
    """Alternating projections: each chain to one place, each rank back into its order; at first drawn towards the
    chain's neighbours as well."""
    wishes: dict[int, float] = {}
    for turn in range(_TURNS):
        pull = max(0.5 - turn / _TURNS, 0.0)
        for chain in chains:
            own = _middle(chain, 0.0)
            ends = [_middle(side, own) for side in (chain[0].above, chain[-1].below) if side]
            towards = sum(ends) / len(ends) if ends else own
            wish = own + pull * (towards - own)
            for place in chain:
                wishes[id(place)] = wish
        for rank in ranks:
            _settle(rank, [wishes[id(place)] for place in rank])
    for chain in chains:  # what is all but straight is made so; the gaps can spare that much
        if max(place.x for place in chain) - min(place.x for place in chain) < GAP / 3:
            own = _middle(chain, 0.0)
            for place in chain:
                place.x = own


def _settle(rank: list[Place], wishes: list[float]) -> None:
    """Puts the places of a rank as near to their wishes (least squares) as order and gaps allow: isotonic regression,
    by pooling neighbours that want past each other."""
    offsets = [0.0]
    for left, right in pairwise(rank):
        gap = GAP if left.box >= 0 and right.box >= 0 else BEND_GAP
        offsets.append(offsets[-1] + (left.width + right.width) / 2 + gap)
    pools: list[tuple[float, int]] = []  # (sum of wishes, members)
    for wish, offset in zip(wishes, offsets, strict=True):
        pool = (wish - offset, 1)
        while pools and pools[-1][0] / pools[-1][1] > pool[0] / pool[1]:
            last = pools.pop()
            pool = (last[0] + pool[0], last[1] + pool[1])
        pools.append(pool)
    spots = [total / members for total, members in pools for _ in range(members)]
    for place, spot, offset in zip(rank, spots, offsets, strict=True):
        place.x = spot + offset
