"""What the guards ask of the days before: losses of week and peak, corporate actions, whose word counts and how much.

Here: reading it from the journal and the lake before the open. Not here: the rest of what a morning knows
(``desks.session_start``). Everything was known at the close of the session before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path

from haetae import agent
from haetae.domain import codec
from haetae.domain.events import Note, TrackRecord
from haetae.domain.orders import Side
from haetae.domain.units import Symbol, day_of
from haetae.journal import ChainedJournal
from haetae.live.recovery import COMMAND
from haetae.store.lake import Lake
from haetae.wiring.deciders import model_name
from haetae.wiring.desks import Before
from haetae.wiring.journal_places import begun, open_journal
from haetae.wiring.reviews import REVIEW

RECORD_DAYS = 60
"""A model's word is measured over the last sixty days: an older market says little of it."""
STEPS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""Where the classes of confidence begin."""
_UNCHANGED_BASE = "dividend"
"""Cash leaves the company, but the exchange does not lower the base price for it."""


def before(day: dt.date, journal: Path, lake: Lake, env: Mapping[str, str]) -> Before:
    """Return what journal and lake tell of the days before ``day``, and who may decide on it."""
    decider = model_name(env) or agent.DECIDER
    unadjusted = changed_today(lake, day)
    if not begun(journal, env):
        return Before(unadjusted, decider=decider)
    with open_journal(journal, env=env, read_only=True) as book:
        notes = list(_notes(book))
        equities = [
            (dt.date.fromisoformat(str(note.data["day"])), int(str(note.data["equity"])))
            for note in notes
            if note.kind == "session.started"
        ]
        earlier = [(opened, equity) for opened, equity in equities if opened < day]
        monday = day - dt.timedelta(days=day.weekday())
        return Before(
            unadjusted,
            week_equity=next((equity for opened, equity in earlier if opened >= monday), 0),
            peak_equity=max((equity for _, equity in earlier), default=0),
            decider=decider,
            record=_record(book, notes, decider, day),
        )


def changed_today(lake: Lake, day: dt.date) -> frozenset[Symbol]:
    """Return names whose base price today is not the close before, by the corporate actions the lake knows."""
    if "corporate_actions" not in lake.versions():
        return frozenset()
    rows = lake.read("corporate_actions", start=day, end=day).to_pylist()
    return frozenset(str(row["symbol"]) for row in rows if row["kind"] != _UNCHANGED_BASE)


def _notes(book: ChainedJournal) -> Iterable[Note]:
    for _, _, _, text, _ in book.raw(kind=COMMAND):
        if '"session.started"' in text or '"decision.made"' in text:
            yield codec.decode(text)


def _record(book: ChainedJournal, notes: Iterable[Note], decider: str, day: dt.date) -> tuple[TrackRecord, ...]:
    """Count approved entries of the last days by confidence, and how many brought a gain after cost."""
    sure = {
        str(note.data["decision_id"]): float(str(note.data["confidence"]))
        for note in notes
        if note.kind == "decision.made"
        and note.data["decider"] == decider
        and note.data["side"] == Side.BUY.value
        and note.data["status"] in ("MODEL_APPROVE", "MODEL_REDUCE")
    }
    first = day - dt.timedelta(days=RECORD_DAYS)
    outcomes = [
        (sure[record.decision_id], record.outcome_bp > 0)
        for _, _, _, record in book.entries(kind=REVIEW)
        if record.decision_id in sure and first <= day_of(record.resolved_at) < day
    ]
    return track_record(outcomes)


def track_record(outcomes: Iterable[tuple[float, bool]]) -> tuple[TrackRecord, ...]:
    """Return how often each class of confidence was right; classes nobody decided in are empty."""
    right, count = [0] * len(STEPS), [0] * len(STEPS)
    for confidence, gained in outcomes:
        step = max((k for k, least in enumerate(STEPS) if least <= confidence), default=0)
        count[step] += 1
        right[step] += gained
    return tuple(TrackRecord(*row) for row in zip(STEPS, right, count, strict=True)) if any(count) else ()
