from __future__ import annotations

import datetime as dt
import json
import math
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.errors import DataError, ModelError
from haetae.domain.learning import Trial
from haetae.registry.trials import TrialBook

DAY = dt.date(2024, 1, 2)


def trial(number: int = 0, **other: object) -> Trial:
    made: dict[str, object] = {
        "family": "highs",
        "parameters": {"top": number, "share": 0.5, "word": "up\nand\rdown \x85", "brave": True},
        "code": "abc",
        "data": "def",
        "first": DAY,
        "last": DAY + dt.timedelta(days=30),
        "sessions": 20,
        "sharpe": 0.05,
        "why": "run",
        "at": 1_700_000_000_000_000_000 + number,
    }
    return Trial(**(made | other))  # type: ignore[arg-type]


def many(path: Path, start: int) -> None:
    book = TrialBook(path)
    for number in range(start, start + 15):
        book.append([trial(number)])


def test_an_absent_file_is_an_empty_book_and_nothing_is_made(tmp_path: Path) -> None:
    book = TrialBook(tmp_path / "deep" / "trials.jsonl")
    assert book.trials() == ()
    assert not (tmp_path / "deep").exists()


@given(st.lists(st.floats(-3, 3) | st.just(math.nan), min_size=1, max_size=6))
def test_what_was_appended_comes_back_in_order(tmp_path_factory: pytest.TempPathFactory, found: list[float]) -> None:
    book = TrialBook(tmp_path_factory.mktemp("book") / "trials.jsonl")
    for number, sharpe in enumerate(found):
        assert book.append([trial(number, sharpe=sharpe)]) == number + 1
    back = book.trials()
    assert [one.parameters for one in back] == [trial(number).parameters for number in range(len(found))]
    assert [one.sharpe for one in back] == pytest.approx(found, nan_ok=True, abs=0)


def test_a_half_written_last_line_is_dropped_by_the_next_writer(tmp_path: Path) -> None:
    book = TrialBook(tmp_path / "trials.jsonl")
    book.append([trial(1), trial(2)])
    whole = book.path.read_bytes()
    for cut in (1, 40, len(whole) // 3):
        book.path.write_bytes(whole[:-cut])
        assert len(book.trials()) == 1
        assert book.append([trial(3)]) == 2
        assert [one.parameters["top"] for one in book.trials()] == [1, 3]


@pytest.mark.parametrize("line", [0, 1, 2])
@pytest.mark.parametrize("how", ["taken out", "changed", "swapped", "garbled"])
def test_a_book_that_was_tampered_with_is_refused_for_reading_and_writing(tmp_path: Path, how: str, line: int) -> None:
    book = TrialBook(tmp_path / "trials.jsonl")
    book.append(trial(number) for number in range(4))
    lines = [line.decode() + "\n" for line in book.path.read_bytes().split(b"\n")[:-1]]
    match how:
        case "taken out":
            del lines[line]
        case "changed":
            record = json.loads(lines[line])
            record["trial"] = record["trial"].replace("0.05", "0.01")
            lines[line] = json.dumps(record) + "\n"
        case "swapped":
            lines[line], lines[line + 1] = lines[line + 1], lines[line]
        case _:
            lines[line] = "not JSON\n"
    book.path.write_text("".join(lines))
    for use in (book.trials, lambda: book.append([trial(9)])):
        with pytest.raises(ModelError, match="damaged") as fault:
            use()
        assert f"line {line + 1}" in fault.value.found


def test_two_processes_append_at_once_and_no_trial_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=many, args=(path, start)) for start in (0, 100)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    found = sorted(one.parameters["top"] for one in TrialBook(path).trials())
    assert found == [*range(15), *range(100, 115)]


def test_the_same_configuration_on_the_same_days_counts_once(tmp_path: Path) -> None:
    book = TrialBook(tmp_path / "trials.jsonl")
    book.append([trial(1), trial(1, at=5), trial(2), trial(1, code="other"), trial(1, family="lows")])
    assert len(book.of("highs")) == 3
    assert len(book.of("lows")) == 1
    assert book.of("nobody") == ()


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        (20240101, 20240131, 1),
        (20240201, 20240301, 1),
        (20240202, 20240301, 0),
        (20230101, 20240101, 0),
        (0, 99999999, 1),
    ],
)
def test_only_trials_on_overlapping_days_count(tmp_path: Path, first: int, last: int, count: int) -> None:
    book = TrialBook(tmp_path / "trials.jsonl")
    book.append([trial(1)])
    assert len(book.of("highs", first, last)) == count


def test_a_folder_that_cannot_be_written_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="file"):
        TrialBook(tmp_path / "file" / "trials.jsonl").append([trial()])
