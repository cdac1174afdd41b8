"""Scripts of faults: the catalogue is complete and usable, and every mistake is told with its line."""

import re

import pytest

from haetae.domain.errors import ConfigError
from haetae.emulator.faults.catalogue import BY_ID, CATALOGUE
from haetae.emulator.faults.engine import EFFECTS
from haetae.emulator.faults.entries import Form, Site, Timebase
from haetae.emulator.faults.script import Clock, State, check_script, read_fault, read_script

MARKET = [f"M{number:02d}" for number in range(1, 11)]
TRANSPORT = [f"T{number:02d}" for number in range(1, 22)]
BROKER = [f"B{number:02d}" for number in range(1, 22)]


def test_catalogue_has_every_fault_once_in_order() -> None:
    ids = [entry.id for entry in CATALOGUE]
    assert ids == TRANSPORT + BROKER + MARKET
    assert len(BY_ID) == len(ids)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.id)
def test_every_entry_can_be_read_and_done(entry) -> None:
    for words in (entry.words, entry.wants, *(param.words for param in entry.params)):
        assert re.search("[가-힣]", words.ko)
        assert words.en.isascii()
    assert entry.source
    if entry.needs == "calendar":
        assert entry.example.startswith("haetae emulator run --first-day ")
        assert read_fault({"id": entry.id})[1][0].expected.endswith(entry.example)
        return
    script, mistakes = check_script(entry.example)
    assert mistakes == []
    assert {fault.entry.id for fault in script.faults} == {entry.id}
    for param in entry.params:
        assert not param.fault_of(param.default)
        assert param.accepts
    for site in entry.sites(entry.defaults()):
        assert entry.id in EFFECTS[site]
    for name, value, site in entry.elsewhere:
        assert entry.param(name) is not None
        assert entry.id in EFFECTS[site], (name, value)


def test_no_effect_is_without_an_entry() -> None:
    for site, effects in EFFECTS.items():
        for name in effects:
            entry = BY_ID[name]
            reached = {*entry.sites(entry.defaults()), *(other for _, _, other in entry.elsewhere), entry.site}
            assert site in reached


def test_a_script_is_read_whole() -> None:
    script, mistakes = check_script(
        """
seed = 4
[[fault]]
id = "T03"
where = { operation = ["order-cash-buy", "cancel"], symbol = "005930", domain = "real" }
when = { call = 2, every = 3, at = "2026-11-23T10:05", until = 11:00:00, state = "order-open" }
what = { how = "silent" }
times = 0
chance = 0.25
seed = 9
clock = "market"
"""
    )
    assert mistakes == []
    (fault,) = script.faults
    assert script.seed == 4
    assert fault.where.operation == ("order-cash-buy", "cancel")
    assert (fault.when.call, fault.when.every, fault.when.state) == (2, 3, State.ORDER_OPEN)
    assert fault.when.at == Clock(100_500, fault.when.at.day)
    assert fault.when.until == Clock(110_000)
    assert (fault.what["how"], fault.times, fault.chance, fault.seed) == ("silent", 0, 0.25, 9)
    assert (fault.timebase, fault.line) == (Timebase.MARKET, 3)


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    _, mistakes = check_script(
        """sede = 1

[[fault]]
id = "T3"
when = { cal = 1 }

[[fault]]
id = "T05"
times = -2
where = { operation = "order-cash-by", symbol = "59" }
chance = 1.5
clock = "wall"
colour = "red"
[fault.what]
how = "later"
seconds = -1
"""
    )
    told = {(mistake.line, mistake.place.split(": ")[-1]) for mistake in mistakes}
    assert told == {
        (1, "sede"),
        (4, "id"),
        (5, "when.cal"),
        (9, "times"),
        (10, "where.operation"),
        (10, "where.symbol"),
        (11, "chance"),
        (12, "clock"),
        (13, "colour"),
        (15, "what.how"),
        (16, "what.seconds"),
    }
    by_place = {mistake.place: mistake for mistake in mistakes}
    assert "T13" in by_place["fault 1: id"].found or "T03" in by_place["fault 1: id"].found
    assert by_place["fault 2: what.how"].expected == "late | drip"
    assert "order-cash-buy" in by_place["fault 2: where.operation"].found
    assert by_place["fault 2: what.seconds"].expected == "a number from 0 to 86400"


@pytest.mark.parametrize(
    ("table", "place"),
    [
        ({"id": "T18", "when": {"call": 3}}, "when.call"),
        ({"id": "T03", "when": {"frame": 3}}, "when.frame"),
        ({"id": "T03", "where": {"stream": "H0STCNT0"}}, "where.stream"),
        ({"id": "T15", "when": {"call": 3, "frame": 3}}, "when.frame"),
        ({"id": "T15", "when": {"at": "25:00:00"}}, "when.at"),
        ({"id": "T15", "when": {"at": "2026-13-01T10:00:00"}}, "when.at"),
        ({"id": "T15", "when": {"state": "asleep"}}, "when.state"),
        ({"id": "B03", "what": {"parts": []}}, "what.parts"),
        ({"id": "B03", "what": {"parts": [0]}}, "what.parts"),
        ({"id": "T01", "what": {"doors": ["front"]}}, "what.doors"),
        ({"id": "T12", "what": {"ms": 1.5}}, "what.ms"),
        ({"id": "T12", "what": {"ms": True}}, "what.ms"),
        ({"id": "T05", "what": {"seconds": float("nan")}}, "what.seconds"),
        ({"id": "T02", "what": {"how": "reset"}}, "what.how"),
        ({"id": "M03"}, "where.symbol"),
        ({"id": "M09"}, "id"),
        ({"id": "T02", "where": "005930"}, "where"),
        ({"id": "T02", "when": 3}, "when"),
        ({"id": "T02", "what": 3}, "what"),
        ({"id": 3}, "id"),
        ({}, "id"),
    ],
)
def test_what_can_never_happen_is_refused(table: dict, place: str) -> None:
    fault, mistakes = read_fault(table)
    assert fault is None
    assert place in {mistake.place.rpartition(": ")[2] for mistake in mistakes}


@pytest.mark.parametrize("content", ["", "seed = 1", "fault = 3", "[[fault]", "[fault]\nid = 'T01'", "\xff"])
def test_a_file_that_is_no_script_is_one_clear_error(tmp_path, content: str) -> None:
    path = tmp_path / "faults.toml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        read_script(path)
    assert str(path) in str(caught.value)
    assert caught.value.found
    with pytest.raises(ConfigError):
        read_script(tmp_path / "absent.toml")


def test_forms_say_what_they_accept() -> None:
    accepted = {param.form: param.accepts for entry in CATALOGUE for param in entry.params}
    assert accepted[Form.FLAG] == "true | false"
    assert set(accepted) >= {Form.WHOLE, Form.NUMBER, Form.CHOICE, Form.TEXT, Form.WHOLES, Form.DOORS}
    assert {entry.site for entry in CATALOGUE} == set(Site)
