"""The cloud as faces use it: stacks of this checkout, releases on a host, a lake in a bucket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from haetae.cloud import bucket
from haetae.cloud.aws import client
from haetae.cloud.releases import Host, HostState, Running, archive
from haetae.cloud.stacks import Stacks
from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.units import NS_PER_MINUTE, Instant, day_of, kst_text
from haetae.krx import Rulebook
from haetae.krx.calendar import is_trading_day
from haetae.ports.tables import DERIVED, TABLES
from haetae.store.objects import LOG
from haetae.store.snapshots import FOLDER as SNAPSHOTS
from haetae.wiring.clocks import SystemClock

CHECKOUT = Path(__file__).resolve().parents[3]
BEFORE_MINUTES, AFTER_MINUTES = 30, 20
"""Around the session: the desk prepares before the open and reconciles after the close."""

__all__ = ["Host", "HostState", "Running", "Stacks", "archive", "refuse_market_hours", "stacks"]


def stacks(name: str, *, region: str, endpoint_url: str | None, templates: Path | None) -> Stacks:
    """Return the stacks of one installation."""
    formation = client("cloudformation", region=region, endpoint_url=endpoint_url)
    return Stacks(formation, templates or CHECKOUT / "infra", name)


def refuse_market_hours(at: Instant | None = None) -> None:
    """Refuse while the desk may be trading; ``at`` is now unless given."""
    at = SystemClock().now() if at is None else at
    day = day_of(at)
    if not is_trading_day(day):
        return
    session = Rulebook.on(day).session
    first = session.orders_from - BEFORE_MINUTES * NS_PER_MINUTE
    last = session.close_at + AFTER_MINUTES * NS_PER_MINUTE
    if first <= at < last:
        raise MarketRuleError(
            Text(ko="장중에는 판을 바꾸지 않습니다", en="releases are not switched while the market is open"),
            expected=f"< {kst_text(first)} | >= {kst_text(last)}",
            found=kst_text(at),
            next_step=Text(ko="장 마감 뒤에 하거나, 급하면 --force", en="wait for the close, or --force"),
        )


def _of_lake(name: str) -> bool:
    """Tell a file of a lake from locks, half-written files and what else lies beside."""
    parts = name.split("/")
    return (
        (parts[0] in {*TABLES, SNAPSHOTS} or parts[0].startswith(DERIVED))
        and not any(part.startswith(".") for part in parts)
        and name.endswith((".parquet", ".json"))
    )


def _makes_exist(name: str) -> bool:
    return f"/{LOG}/" in name


def move_lake(
    lake: Path,
    address: str,
    *,
    up: bool,
    region: str,
    endpoint_url: str | None,
    progress: Callable[[str, int, int], None] | None = None,
) -> bucket.Moved:
    """Send a lake to a bucket or fetch it; log entries travel last, so readers see whole versions only."""
    place, s3 = bucket.Place.of(address), client("s3", region=region, endpoint_url=endpoint_url)
    if up:
        return bucket.push(s3, lake, place, last=_makes_exist, wanted=_of_lake, progress=progress)
    return bucket.pull(s3, place, lake, last=_makes_exist, wanted=_of_lake, progress=progress)
