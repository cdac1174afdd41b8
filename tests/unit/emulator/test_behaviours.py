"""The table of behaviours: every row is usable, and what the code calls a rule has one."""

import re

from haetae.emulator.behaviours import BEHAVIOURS, BY_ID
from haetae.emulator.faults.catalogue import CATALOGUE
from haetae.emulator.quotations import ANSWERS
from haetae.emulator.rates import RATES

KNOWN = (
    "KIS ",
    "measured by users",
    "users' reports",
    "exchange rule",
    "seen with",
    "unverified",
    "design",
    "a sister",
)


def test_rows_have_names_of_their_own_and_a_source() -> None:
    assert len(BY_ID) == len(BEHAVIOURS)
    for row in BEHAVIOURS:
        assert re.fullmatch(r"[a-z]+\.[A-Za-z0-9-]+", row.id)
        assert row.what
        assert row.source.startswith(KNOWN), row
        assert row.verified is not row.source.startswith("unverified")


def test_every_fault_and_every_rate_has_its_row() -> None:
    assert {f"fault.{entry.id}" for entry in CATALOGUE} == {row.id for row in BEHAVIOURS if row.id.startswith("fault.")}
    names = {"real": "rate.real", "mock": "rate.mock", "new": "rate.new-customer"}
    for rate in RATES:
        assert names[rate.customer.value] in BY_ID


def test_every_answer_has_its_row_and_says_what_no_source_tells() -> None:
    told = {row.id.removeprefix("answer.") for row in BEHAVIOURS if row.id.startswith("answer.")}
    assert told == {*ANSWERS, "parameters", "nxt"}
