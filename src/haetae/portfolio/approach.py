"""From a shape to weights within the limits, without a solver.

The limits nest (names inside sectors inside the whole), which makes every step below exact:

1. ``forced``: what must be sold because a name, a sector or the whole is over its limit, as far as
   turnover allows;
2. ``filled``: the shape stretched over the budget, cut at caps and sector caps, the rest going to the others;
3. ``approach``: first the forced sales, then what ``invested_floor`` asks to buy, then the way from
   there to the filled shape, as far as the remaining turnover goes.

Names that cannot be traded keep exactly what they hold. Whether the result meets every limit is
told by ``bounds.breaches``. Long only; all weights are shares of equity.
"""

from __future__ import annotations

import numpy as np

from haetae.domain.market import BoolArray
from haetae.portfolio.bounds import TOLERANCE, sector_tops, upper, whole_top
from haetae.portfolio.request import DUST, FloatArray, Request


def _sold(weights: FloatArray, free: BoolArray, excess: float) -> FloatArray:
    # Everybody who is free gives the same part; less than asked for if there is no more to give.
    there = float(weights[free].sum())
    if excess <= 0.0 or there <= 0.0:
        return weights
    return np.where(free, weights * (1.0 - min(1.0, excess / there)), weights)


def _trimmed(request: Request, weights: FloatArray) -> FloatArray:
    free = request.tradable
    for number, top in enumerate(sector_tops(request)):
        inside = request.in_sector(number)
        weights = _sold(weights, inside & free, float(weights[inside].sum() - top))
    return _sold(weights, free, float(weights.sum()) - whole_top(request))


def forced(request: Request, *, pace: bool = True) -> FloatArray:
    """Return the weights after the sales that the limits demand and no others.

    Parameters
    ----------
    pace : bool
        Whether the turnover cap shortens them, all in the same proportion.
    """
    held, free = request.held, request.tradable
    weights = _trimmed(request, np.where(free, np.minimum(held, request.caps), held))
    traded = float((held - weights).sum())
    if pace and traded > request.limits.turnover_cap:
        weights = held + (weights - held) * (request.limits.turnover_cap / traded)
    return np.where(free, weights, held)


def _level(shape: FloatArray, caps: FloatArray, total: float) -> float:
    """Return the stretch at which ``sum(min(caps, stretch * shape))`` is a total; infinite if it is never."""
    if total <= 0.0:
        return 0.0
    grows = shape > 0.0
    if float(caps[grows].sum()) <= total:
        return float("inf")
    bends = caps[grows] / shape[grows]
    order = np.argsort(bends, kind="stable")
    capped = np.concatenate([[0.0], np.cumsum(caps[grows][order])])
    rest = np.concatenate([np.cumsum(shape[grows][order][::-1])[::-1], [0.0]])
    for k, bend in enumerate(bends[order]):
        if capped[k] + bend * rest[k] >= total:
            return float((total - capped[k]) / rest[k])
    return float("inf")


def _stretched(shape: FloatArray, stretch: float | FloatArray, caps: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):  # 0 x infinity: a name without a shape stays at 0
        wanted = np.where(shape > 0.0, shape * stretch, 0.0)
    return np.minimum(caps, wanted)


def spread(request: Request, shape: FloatArray, room: FloatArray, total: float, taken: FloatArray) -> FloatArray:
    """Return a total shared out in proportion to a shape, within a room per name and per sector.

    Parameters
    ----------
    room : (n,) float64
        Most that each name can be given.
    taken : (n,) float64
        What counts against the sector caps already.
    """
    stretch = np.full(len(shape), np.inf)
    for number, cap in enumerate(sector_tops(request)):
        inside = request.in_sector(number)
        stretch[inside] = _level(shape[inside], room[inside], max(0.0, float(cap - taken[inside].sum())))
    fits = _stretched(shape, stretch, room)
    return _stretched(shape, np.minimum(stretch, _level(shape, fits, total)), fits)


def filled(request: Request, shape: FloatArray) -> FloatArray:
    """Return the shape within caps, sector caps and the cash floor, around what cannot be traded."""
    free = request.tradable & request.wanted
    frozen = np.where(request.tradable, 0.0, request.held)
    budget = max(0.0, whole_top(request) - float(frozen.sum()))
    room = np.where(free, request.caps, 0.0)
    return frozen + spread(request, np.where(free, shape, 0.0), room, budget, frozen)


def _bought_up(request: Request, weights: FloatArray, shape: FloatArray) -> FloatArray:
    # Only as much as the floor of what is invested asks for; toward the shape first, then wherever there is room.
    left = request.limits.turnover_cap - float(np.abs(weights - request.held).sum())
    missing = min(request.limits.invested_floor - float(weights.sum()), left)
    free = request.tradable & request.wanted
    for preference in (np.where(free, shape, 0.0), free.astype(np.float64)):
        if missing > 0.0:
            room = np.where(free, np.maximum(request.caps - weights, 0.0), 0.0)
            added = spread(request, preference, room, missing, weights)
            weights, missing = weights + added, missing - float(added.sum())
    return weights


def _within_room(request: Request, base: FloatArray, moves: FloatArray) -> FloatArray:
    groups = [(request.in_sector(k), float(cap)) for k, cap in enumerate(sector_tops(request))]
    groups.append((np.ones(len(moves), dtype=np.bool_), whole_top(request)))
    for inside, cap in groups:
        buys = inside & (moves > 0.0)
        bought = float(moves[buys].sum())
        room = cap - float((base + np.minimum(moves, 0.0))[inside].sum())
        if bought > max(room, 0.0):
            moves = np.where(buys, moves * (max(room, 0.0) / bought), moves)
    return moves


def approach(request: Request, shape: FloatArray) -> FloatArray:
    """Return the weights nearest to a shape that the limits, turnover and the band allow.

    Parameters
    ----------
    shape : (n,) float64
        Proportions of the wanted names, 0 elsewhere. A held name with 0 is sold.
    """
    held = request.held
    base = _bought_up(request, forced(request), shape)
    goal = filled(request, shape)
    moves = np.where(request.tradable, goal - base, 0.0)
    quiet = (goal > 0.0) & (np.abs(goal - held) < request.limits.band) & (base == held)
    moves[quiet] = 0.0
    # A quiet name may keep more than its goal: buys of the others must leave it the room.
    moves = _within_room(request, base, moves)
    left = request.limits.turnover_cap - float(np.abs(base - held).sum())
    asked = float(np.abs(moves).sum())
    if asked > 0.0:
        moves = moves * min(1.0, max(0.0, left) / asked)
    after = base + moves
    if float(after.sum()) < request.limits.invested_floor - TOLERANCE:
        after = base
    return np.where(request.tradable, np.maximum(after, 0.0), held)


def settled(request: Request, weights: FloatArray) -> FloatArray:
    """Return a solver's weights without its noise: exact where nothing is to be done, and within the limits.

    A change below ``DUST`` is none. Buys then give way to the room that leaves, sectors and the whole
    are trimmed, and turnover is met on the way back to the forced sales. All of these are amounts of
    the solver's own tolerance.
    """
    held = request.held
    after = np.clip(weights, 0.0, upper(request))
    after = np.where(after < DUST, 0.0, after)
    moves = np.where(request.tradable & (np.abs(after - held) > DUST), after - held, 0.0)
    moves = _within_room(request, held, moves)
    after = _trimmed(request, np.where(moves == 0.0, held, np.maximum(held + moves, 0.0)))
    asked = float(np.abs(after - held).sum())
    if asked > request.limits.turnover_cap:
        base = forced(request)
        least = float(np.abs(base - held).sum())
        part = (request.limits.turnover_cap - least) / (asked - least) if asked > least else 0.0
        after = np.where(after == held, held, base + (after - base) * max(0.0, part))
    return after
