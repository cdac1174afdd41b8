"""Bad input of ``train ml``: refused before anything is read, with what was expected and the fix."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from haetae.cli.main import main
from haetae.cli.train import _window

GOOD = {"--train": "2019:2021", "--valid": "2022:2022", "--test": "2023:2023"}


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--train", "2019", "a window cannot be read"),
        ("--train", "2019-13:2021", "a window cannot be read"),
        ("--valid", "2021-02-30:2022", "a window cannot be read"),
        ("--valid", "2021-06:2022", "the windows train and valid overlap"),
        ("--test", "2018:2019", "the windows valid and test overlap or are not in order"),
        ("--test", "2024:2023", "the test window ends before it begins"),
        ("--models", "lightgbm,ranknet", "--models has an unknown value"),
        ("--objective", "mse", "--objective has an unknown value"),
        ("--device", "tpu", "--device has an unknown value"),
        ("--scaling", "minmax", "--scaling has an unknown value"),
        ("--missing", "zero", "--missing has an unknown value"),
        ("--horizon", "0,5", "the horizons cannot be read"),
        ("--budget", "0", "a budget is more than no minutes"),
        ("--json", "absent/folder/x.json", "the JSON file cannot be written there"),
        ("--lake", "absent", "the lake has no daily bars"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: str,
    value: str,
    told: str,
) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")
    monkeypatch.chdir(tmp_path)
    words = [word for pair in {**GOOD, option: value}.items() for word in pair]
    assert main(["train", "ml", *words]) in (2, 3)
    message = capsys.readouterr().err
    assert told in message
    assert message.count("next:") == 1
    assert list(tmp_path.iterdir()) == []


def test_years_and_months_stand_for_their_first_and_last_days() -> None:
    window = _window("2020:2021-02", "--train")
    assert (window.first, window.last) == (dt.date(2020, 1, 1), dt.date(2021, 2, 28))
