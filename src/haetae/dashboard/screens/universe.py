"""종목 50: the names that may be traded, and why the others may not."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import streamlit as st

from haetae.dashboard import board, states
from haetae.dashboard.board import Card, Cell, Column
from haetae.dashboard.client import ServiceClient
from haetae.dashboard.figures import NONE, count, percent_change, shares, tone, won
from haetae.dashboard.words import EXCLUSION, say, word
from haetae.service import schemas


def show(client: ServiceClient, day: dt.date | None) -> None:
    """Draw the page."""
    told = client.universe()
    markets = Counter(row.market for row in told.members)
    held = sum(row.held > 0 for row in told.members)
    board.cards(
        [
            Card(say("선정 기준일", "Selected on"), told.day.isoformat()),
            Card(
                say("선정", "Selected"),
                say(f"{len(told.members)}종목", f"{len(told.members)} names"),
                " · ".join(f"{name} {many}" for name, many in sorted(markets.items())),
            ),
            Card(say("제외", "Excluded"), count(sum(told.exclusions.values()))),
            Card(say("지금 보유", "Held now"), say(f"{held}종목", f"{held} names")),
        ]
    )
    members, others = st.tabs([say("종목 50", "The fifty"), say("제외된 이유", "Why not the others")])
    with members:
        _members(told)
    with others:
        _excluded(told)


def _members(told: schemas.Universe) -> None:
    if not told.members:
        states.nothing(say("아직 선정된 종목이 없습니다.", "No names have been selected yet."))
        return
    columns = (
        Column("#", number=True),
        Column(say("종목", "Name")),
        Column(say("코드", "Code")),
        Column(say("시장", "Market")),
        Column(say("업종 코드", "Sector")),
        Column(say("종가", "Close"), number=True),
        Column(say("등락률", "Change"), number=True),
        Column(say("보유", "Held"), number=True),
    )
    rows = [
        (
            f"{place}",
            row.name,
            row.symbol,
            row.market,
            row.sector or NONE,
            won(row.close),
            Cell(percent_change(row.change_rate), tone(row.change_rate)),
            shares(row.held) if row.held else "",
        )
        for place, row in enumerate(told.members, start=1)
    ]
    board.table("members", columns, rows, height_px=760)


def _excluded(told: schemas.Universe) -> None:
    left, right = st.columns([1, 2], gap="medium")
    with left:
        columns = (Column(say("이유", "Reason")), Column(say("종목 수", "Names"), number=True))
        ordered = sorted(told.exclusions.items(), key=lambda item: -item[1])
        board.table(
            "exclusions", columns, [(word(EXCLUSION, code), f"{many:,}") for code, many in ordered], height_px=700
        )
    with right:
        heads = (
            Column(say("종목", "Name")),
            Column(say("코드", "Code")),
            Column(say("이유", "Reason")),
            Column(say("근거", "Detail"), wraps=True),
        )
        rows = [(row.name, row.symbol, word(EXCLUSION, row.code), row.detail) for row in told.reasons]
        board.table("reasons", heads, rows, height_px=700)
