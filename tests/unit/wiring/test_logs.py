"""Log lines go to a file while it is open, and afterwards where they went before."""

import json
from pathlib import Path

import structlog

from haetae.wiring.logs import logging_to


def test_lines_go_to_the_file_while_it_is_open_and_never_to_a_closed_one(tmp_path: Path) -> None:
    before = structlog.get_config()
    log = structlog.get_logger("haetae.test")
    with logging_to(tmp_path / "run.log"):
        log.warning("inside", number=1)
    log.warning("after")
    (line,) = (tmp_path / "run.log").read_text(encoding="utf-8").splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["number"]) == ("inside", "warning", 1)
    assert structlog.get_config() == before


def test_the_second_run_of_a_folder_goes_on_in_its_log(tmp_path: Path) -> None:
    for event in ("first", "second"):
        with logging_to(tmp_path / "run.log"):
            structlog.get_logger().info(event)
    told = [json.loads(line)["event"] for line in (tmp_path / "run.log").read_text(encoding="utf-8").splitlines()]
    assert told == ["first", "second"]
