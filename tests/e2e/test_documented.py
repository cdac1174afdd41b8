"""The documents run as they stand: every block that says so, in a folder as a reader has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from documented import Reader, has_shell, read

pytestmark = pytest.mark.skipif(not has_shell(), reason="bash, curl or python3 is not there")

EMULATOR = read("docs/emulator.md")


def whole(told: str) -> list[dict[str, object]]:
    """Return the JSON values of a text, whatever stands between them."""
    found, place, decoder = [], 0, json.JSONDecoder()
    while (place := min((at for at in (told.find("{", place), told.find("[", place)) if at >= 0), default=-1)) >= 0:
        try:
            value, place = decoder.raw_decode(told, place)
        except ValueError:
            place += 1
        else:
            found += value if isinstance(value, list) else [value]
    return found


def test_the_first_steps_on_the_emulator_lead_to_a_price_and_through_the_control_port(tmp_path: Path) -> None:
    reader = Reader(EMULATOR, tmp_path)
    with reader.serving("first") as ready:
        told = whole(reader.run("first"))
    price, state, paused, stepped, fast, armed, listed, gone, calls, ledger = told
    assert (price["rt_cd"], price["output"]["stck_shrn_iscd"]) == ("0", "005930")  # type: ignore[index]
    assert state["addresses"]["control"] == ready["control"]  # type: ignore[index]
    assert (paused["speed"], stepped["speed"], fast["speed"]) == (0.0, 0.0, 60.0)
    assert int(stepped["now"]) - int(paused["now"]) == 60 * 10**9  # type: ignore[call-overload]
    assert (armed["keys"], listed["id"], listed["left"], gone["disarmed"]) == ([1], "T07", 3, 1)
    assert calls["violations"] == 0
    assert ledger["accounts"] == []


def test_the_example_of_a_lost_answer_loses_the_answer_and_takes_the_order(tmp_path: Path) -> None:
    reader = Reader(EMULATOR, tmp_path)
    with reader.serving("lost"):
        told = reader.run("lost")
    assert "nothing wrong: 1 fault(s)" in told
    assert "답 없음 (curl 52)" in told
    (order,) = [row for row in whole(told) if "number" in row]
    assert (order["number"], order["symbol"], order["quantity"]) == ("0000000001", "005930", 1)


def test_the_example_of_a_rough_morning_breaks_the_stream_at_its_time(tmp_path: Path) -> None:
    reader = Reader(EMULATOR, tmp_path)
    with reader.serving("rough"):
        told = reader.run("rough")
    assert "nothing wrong: 4 fault(s)" in told
    fired = {row["id"]: row["fired"] for row in whole(told) if "fired" in row}
    assert fired == {"T15": 1, "T18": 0, "T09": 0, "M03": 0}


def test_no_block_of_the_page_is_left_out() -> None:
    assert EMULATOR.names == {"first", "lost", "rough"}
