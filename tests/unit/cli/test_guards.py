"""``haetae guards``: every guard with its limits, and an order explained as the guards saw it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from haetae.cli.guards import REDUCED, REFUSED
from haetae.cli.main import main
from haetae.desk import step
from haetae.domain.events import ManualOrder, Note, Submit
from haetae.domain.orders import Side
from haetae.domain.units import instant_at
from haetae.guards import CEILINGS, GUARDS, Limits
from haetae.journal import JournalDb
from haetae.krx import Rulebook
from haetae.wiring.desks import DayPlan, Plan, plan_path, plan_record
from haetae.wiring.records import write_json
from rigs.desk_day import CASH, DAY, loose
from rigs.desk_folder import SYMBOLS, Folder, make_folder
from rigs.desk_folder import told as journalled

WISH = ManualOrder(instant_at(DAY, 101_000), "R1", SYMBOLS[0], Side.BUY, 10, 50_000, "owner", "for the test")
"""A buy after the escape took everything out: refused."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    made = make_folder(tmp_path_factory.mktemp("desk"))
    journal = made.path / "journal.db"
    day = DayPlan(DAY, SYMBOLS, 0, loose())
    with JournalDb(journal) as book:
        journalled(book, made.day.desk, WISH)
    write_json(plan_path(journal), plan_record(Plan(made.path / "lake", CASH, 10, 5, (day,)), journal))
    return made


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")


def run(folder: Folder, tmp_path: Path, *arguments: str) -> tuple[int, dict]:
    """Explain an order; the exit code and the facts."""
    target = tmp_path / "found.json"
    target.unlink(missing_ok=True)
    code = main(["guards", "explain", *arguments, "--out", str(folder.path), "--json", str(target)])
    return code, json.loads(target.read_text("utf-8")) if target.exists() else {}


def notes(folder: Folder, kind: str) -> list[Note]:
    return [c for c in folder.day.commands if isinstance(c, Note) and c.kind == kind]


def test_show_tells_every_guard_with_value_default_and_bound(tmp_path: Path, capsys) -> None:
    config = tmp_path / "own.toml"
    config.write_text("[desk.limits]\nmax_order_ppm = 15_000\n", "utf-8")
    target = tmp_path / "guards.json"
    assert main(["guards", "show", "--config", str(config), "--json", str(target)]) == 0
    told = {row["code"]: row for row in json.loads(target.read_text("utf-8"))["guards"]}
    assert list(told) == [guard.code for guard in GUARDS] and len(told) == 30
    (limit,) = told["G12"]["limits"]
    assert limit == {
        "name": "max_order_ppm", "value": 15_000, "default": Limits().max_order_ppm,
        "ceiling": CEILINGS["max_order_ppm"], "floor": None,
    }  # fmt: skip
    text = capsys.readouterr().out
    assert "max_order_ppm = 15,000 (default 20,000) ≤ 50,000" in text
    assert "G23 confidence" in text and "min_confidence = 0.65 ≤ 1.0 ≥ 0.5" in text


def test_show_speaks_korean(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("HAETAE_LANG", "ko")
    assert main(["guards", "show"]) == 0
    assert "G01 정지 스위치" in capsys.readouterr().out


def test_an_order_that_went_out_is_explained_as_the_guards_saw_it(folder: Folder, tmp_path: Path) -> None:
    sent = [c.order for c in folder.day.commands if isinstance(c, Submit)]
    reduced = {note.data["intent_id"] for note in notes(folder, "intent.reduced")}
    whole = next(o for o in sent if o.intent.intent_id not in reduced and not o.intent.escape)
    code, told = run(folder, tmp_path, whole.intent.intent_id)
    assert code == 0 and told["verdict"] == "allow" and told["left"] == whole.quantity
    assert [row["code"] for row in told["guards"]] == list(whole.guard_codes)
    assert {row["result"] for row in told["guards"]} == {"PASS"}
    fled = next(o for o in sent if o.intent.escape)
    code, told = run(folder, tmp_path, fled.intent.intent_id)
    assert code == 0 and told["escape"] and [row["code"] for row in told["guards"]] == list(fled.guard_codes)


def test_a_refused_order_names_the_guard_and_what_the_journal_kept_of_it(folder: Folder, tmp_path: Path) -> None:
    _, commands = step(folder.day.desk, WISH, Rulebook.on(DAY))
    note = next(c for c in commands if isinstance(c, Note) and c.kind == "intent.denied")
    code, told = run(folder, tmp_path, str(note.data["intent_id"]))
    assert code == REFUSED and told["verdict"] == "deny" and told["left"] == 0
    (spoken,) = note.data["codes"]
    row = next(row for row in told["guards"] if row["code"] == spoken)
    assert row["result"] == "REFUSE" and row["compared"] == note.data["inputs"][spoken]


@pytest.mark.parametrize(("quantity", "code", "verdict"), [("1", 0, "allow"), ("5000", REDUCED, "reduce")])
def test_an_order_nobody_made_meets_the_moment_asked_for(folder, tmp_path, capsys, quantity, code, verdict) -> None:
    held = set(folder.day.desk.book.positions)
    symbol = next(s for s in SYMBOLS if s not in held)
    price = str(last_price(folder, symbol))
    found, told = run(folder, tmp_path, "--symbol", symbol, "--quantity", quantity, "--price", price, "--at", "09:29")
    assert (found, told["verdict"]) == (code, verdict), [row for row in told["guards"] if row["result"] != "PASS"]
    assert "09:29" in told["at"] or "09:28" in told["at"]
    assert "G01 PASS" in capsys.readouterr().out


def last_price(folder: Folder, symbol: str) -> int:
    """The close of the bar that ended at 09:29."""
    piece = [event for event in folder.events if hasattr(event, "close")][28]
    return int(piece.close[piece.symbols.index(symbol)])


def test_a_file_of_an_order_is_read_as_toml_and_as_json(folder: Folder, tmp_path: Path) -> None:
    order = {"symbol": SYMBOLS[0], "side": "sell", "quantity": 1, "price": 50_000, "escape": True}
    (tmp_path / "o.json").write_text(json.dumps(order), "utf-8")
    (tmp_path / "o.toml").write_text(
        f'symbol = "{SYMBOLS[0]}"\nside = "sell"\nquantity = 1\nprice = 50000\nescape = true\n', "utf-8"
    )
    first, told = run(folder, tmp_path, str(tmp_path / "o.json"))
    second, same = run(folder, tmp_path, str(tmp_path / "o.toml"))
    assert (first, told) == (second, same) and told["escape"] and told["quantity"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["AAAAAAAAAAAAAAAAAAAA"], "no such order"),
        (["--symbol", "000100", "--quantity", "10"], "no order"),
        (["--symbol", "000100", "--quantity", "0", "--price", "1"], "no order"),
        (["--symbol", "000100", "--side", "hold", "--quantity", "1", "--price", "1"], "no order"),
        (["no-such-file.toml"], "no order"),
        (["X", "--symbol", "000100"], "given twice"),
        (["--symbol", "000100", "--quantity", "1", "--price", "1", "--at", "9:30"], "not a time"),
        (["--symbol", "000100", "--quantity", "1", "--price", "1", "--at", "07:00"], "no day up to then"),
    ],
)
def test_what_cannot_be_explained_is_said_with_the_next_step(folder, tmp_path, capsys, arguments, words) -> None:
    code, _ = run(folder, tmp_path, *arguments)
    assert code in (2, 3) and words in capsys.readouterr().err


def test_a_file_with_other_words_is_no_order(folder: Folder, tmp_path: Path, capsys) -> None:
    (tmp_path / "o.toml").write_text('symbol = "000100"\naccount = "1"\n', "utf-8")
    (tmp_path / "o.json").write_text("[1]", "utf-8")
    for name in ("o.toml", "o.json"):
        assert run(folder, tmp_path, str(tmp_path / name))[0] == 2
    assert "account" in capsys.readouterr().err


def test_a_folder_without_a_journal_is_said(tmp_path: Path, capsys) -> None:
    assert main(["guards", "explain", "X", "--out", str(tmp_path)]) == 2
    assert "no journal" in capsys.readouterr().err
