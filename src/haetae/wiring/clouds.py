"""The cloud as faces use it: stacks of this checkout, a host for releases, a bucket for a lake."""

from __future__ import annotations

from pathlib import Path

from haetae.cloud.aws import client
from haetae.cloud.stacks import Stacks

CHECKOUT = Path(__file__).resolve().parents[3]


def stacks(name: str, *, region: str, endpoint_url: str | None, templates: Path | None) -> Stacks:
    """Return the stacks of one installation."""
    formation = client("cloudformation", region=region, endpoint_url=endpoint_url)
    return Stacks(formation, templates or CHECKOUT / "infra", name)
