"""Failures as people read them: what was expected, what was found, what to do; and the exit code.

Exit codes: 0 done, 2 wrong use or configuration, 130 interrupted, 141 reader gone, others by the kind
of error (``domain.errors``). An exception that is none of ours keeps its traceback: it is a defect.
"""

from __future__ import annotations

import errno
from typing import Any

import typer

from haetae.cli.text import say
from haetae.domain.errors import HaetaeError, Text

UsageError: Any = typer.BadParameter.__mro__[1]
"""Base of wrong use; typer carries its own copy of click, so it is reached through typer."""

USAGE_EXIT = 2
INTERRUPTED_EXIT = 130
READER_GONE_EXIT = 141

_EXPECTED = Text(ko="기대", en="expected")
_FOUND = Text(ko="발견", en="found")
_NEXT = Text(ko="다음", en="next")
_ERROR = Text(ko="오류", en="error")

_STORAGE = {
    errno.ENOSPC: Text(ko="디스크가 가득 찼습니다", en="the disk is full"),
    errno.EDQUOT: Text(ko="디스크 할당량을 넘었습니다", en="the disk quota is used up"),
    errno.EACCES: Text(ko="권한이 없습니다", en="no permission"),
    errno.EPERM: Text(ko="권한이 없습니다", en="no permission"),
    errno.EROFS: Text(ko="읽기 전용 파일 시스템입니다", en="the file system is read-only"),
    errno.EADDRINUSE: Text(ko="포트를 다른 프로그램이 쓰고 있습니다", en="the port is in use"),
    errno.ENOENT: Text(ko="파일이 없습니다", en="no such file"),
    errno.EISDIR: Text(ko="파일이 아니라 폴더입니다", en="a folder, not a file"),
    errno.ENOTDIR: Text(ko="폴더가 아닙니다", en="not a folder"),
}
_STORAGE_NEXT = {
    errno.ENOSPC: Text(ko="공간을 비우고 다시 실행하세요", en="free some space and run again"),
    errno.EADDRINUSE: Text(ko="다른 포트나 0(자동)을 고르세요", en="choose another port, or 0 for a free one"),
}


def render(
    message: str | Text, *, expected: str | Text = "", found: str | Text = "", next_step: str | Text = ""
) -> str:
    """Return one message of at most four parts, empty ones left out."""
    rows = [f"{say(_ERROR)}: {say(message)}"]
    for label, part in ((_EXPECTED, expected), (_FOUND, found), (_NEXT, next_step)):
        if str(part):
            rows.append(f"  {say(label)}: {say(part)}")
    return "\n".join(rows)


def of_haetae(fault: HaetaeError) -> str:
    """Return the message of an expected failure."""
    return render(fault.message, expected=fault.expected, found=fault.found, next_step=fault.next_step)


def of_system(fault: OSError) -> str:
    """Return the message of a refusal by the operating system (disk, permission, port, missing file)."""
    number = fault.errno or 0
    reason = _STORAGE.get(number, Text(ko="운영체제가 거절했습니다", en="the operating system refused"))
    place = str(fault.filename or "")
    return render(
        reason,
        expected=Text(ko="읽고 쓸 수 있는 경로 또는 빈 포트", en="a path that can be used, or a free port"),
        found=f"{place}: {fault.strerror or fault}" if place else str(fault),
        next_step=_STORAGE_NEXT.get(number, Text(ko="경로와 권한을 확인하세요", en="check path and permission")),
    )


def of_usage(fault: Any) -> str:
    """Return the message of a wrong command, option or value, with what is nearest."""
    context = fault.ctx
    path = context.command_path if context is not None else "haetae"
    kind = type(fault).__name__
    near = ", ".join(sorted(getattr(fault, "possibilities", None) or ()))
    match kind:
        case "NoSuchOption":
            head = Text(ko="모르는 옵션입니다", en="unknown option")
            found = str(fault.option_name)
        case "MissingParameter":
            head = Text(ko="빠진 값이 있습니다", en="a value is missing")
            found = fault.format_message()
        case _:
            unknown = "No such command" in fault.format_message()
            head = (
                Text(ko="모르는 명령입니다", en="unknown command")
                if unknown
                else Text(ko="쓰임이 잘못되었습니다", en="wrong use")
            )
            found = fault.format_message()
            if unknown and context is not None:
                near = near or ", ".join(context.command.list_commands(context))
    return render(
        head,
        expected=near,
        found=found,
        next_step=Text(ko=f"`{path} --help` 를 보세요", en=f"see `{path} --help`"),
    )
