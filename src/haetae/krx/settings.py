"""Settings of the market rules: what depends on the account, not on the exchange."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """The broker's commission on both sides, in parts per billion of the amount.

    ``fee_ppb`` defaults to 0.0140527 %, the online rate of the broker without an event rate; the
    rate of an account is in its contract.
    """

    fee_ppb: int = 140_527
