"""The JSON form: exact for every number a record may hold, equal for equal records, refused where JSON has no word."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pytest

from haetae.domain import codec
from haetae.domain.errors import DataError
from haetae.domain.events import Note
from haetae.domain.orders import BrokerOrderId, Side


@pytest.mark.parametrize(
    "number",
    [0.0, -0.0, 0.1, 1.0, 1e16, 1e22, 1e-5, 1.5e-7, 5e-324, 1.7976931348623157e308, 2.0**53 + 2, 1 / 3, -1e100],
)
def test_a_ratio_comes_back_to_the_bit(number: float) -> None:
    found = codec.decode(codec.encode(Note(1, "k", {"x": number}))).data["x"]
    assert type(found) is float
    assert (found, np.signbit(found)) == (number, np.signbit(number))
    assert codec.decode(codec.encode(np.array([number])))[0].tobytes() == np.float64(number).tobytes()


def test_what_is_no_number_comes_back_as_such() -> None:
    for name in ("nan", "inf", "-inf"):
        assert codec.encode(float(name)) == f'{{"n":"{name}"}}'
        assert repr(codec.decode(codec.encode(Note(1, "k", {"x": float(name)}))).data["x"]) == name
    cells = np.array([1.5, np.nan, np.inf, -np.inf])
    assert codec.encode(cells) == '{"a":"<f8","s":[4],"v":[1.5,"nan","inf","-inf"]}'
    np.testing.assert_array_equal(codec.decode(codec.encode(cells)), cells)


@pytest.mark.parametrize(
    "cells",
    [
        np.arange(6, dtype=np.int64).reshape(2, 3),
        np.arange(12, dtype=np.int64).reshape(3, 4)[:, ::2],
        np.arange(4, dtype=">i8"),
        np.array([0.1, 0.2], np.float32),
        np.array([[0.1], [1e-9]]),
        np.array([True, False]),
        np.array([], np.float64),
        np.array(7, np.int64),
        np.array([-(2**63), 2**63 - 1]),
        np.array([2**64 - 1], np.uint64),
    ],
)
def test_an_array_keeps_its_type_its_shape_and_every_cell(cells: Any) -> None:
    found = codec.decode(codec.encode(cells))
    assert (found.dtype, found.shape) == (cells.dtype, cells.shape)
    np.testing.assert_array_equal(found, cells)
    assert codec.encode(found) == codec.encode(cells)


def test_text_is_sorted_without_spaces_and_names_its_types() -> None:
    number = BrokerOrderId(dt.date(2026, 11, 23), "00950", "1")
    note = Note(1, "가", {"b": (Side.BUY, np.int64(3)), "a": frozenset({"y", "x"}), "c": number, "d": None})
    assert codec.encode(note) == (
        '{"$":"Note","at":1,"data":{"m":{"a":{"f":["x","y"]},"b":[{"e":"Side.BUY"},3],'
        '"c":{"$":"BrokerOrderId","branch":"00950","day":{"d":"2026-11-23"},"number":"1"},"d":null}},"kind":"가"}'
    )
    assert codec.decode(codec.encode(note)) == Note(1, "가", {**note.data, "b": (Side.BUY, 3)})


def test_readers_of_a_few_cells_see_what_the_text_says() -> None:
    note = Note(1, "k", {"b": (Side.SELL, 3)})
    assert codec.parse(codec.encode(note)) == codec.plain(note) == json.loads(codec.encode(note))
    assert codec.text_of(codec.plain(note)) == codec.encode(note)
    assert codec.member(codec.parse(codec.encode(Side.SELL))) is Side.SELL


@pytest.mark.parametrize("value", [object(), {1, 2}, {"x": {"y": object()}}, 2**64, "\ud800", b"bytes"])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        codec.encode(value)


@pytest.mark.parametrize("text", ["", "{", '{"$":"Nobody"}', '{"$":"Note","at":1}', '{"e":"Side.NONE"}', "NaN"])
def test_a_text_that_says_no_record_is_one_message(text: str) -> None:
    with pytest.raises(DataError, match="does not decode"):
        codec.decode(text)


def test_a_text_that_is_none_does_not_parse() -> None:
    with pytest.raises(DataError, match="does not decode"):
        codec.parse("{")
