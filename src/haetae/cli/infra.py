"""``haetae infra plan|up|status|down``: the AWS side of an installation."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from haetae.cli.options import JSON
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from haetae.wiring.clouds import Stacks

nouns = typer.Typer(no_args_is_help=True, help=hint("AWS 기반 (CloudFormation 스택 넷)", "the AWS side: four stacks"))

Name: TypeAlias = Annotated[str, typer.Option(help=hint("설치 이름", "name of the installation"))]
Region: TypeAlias = Annotated[str, typer.Option(help=hint("AWS 지역", "AWS region"))]
Endpoint: TypeAlias = Annotated[
    str | None, typer.Option(help=hint("다른 AWS 주소 (시험용)", "another AWS, for trials"))
]
Templates: TypeAlias = Annotated[Path | None, typer.Option(help=hint("템플릿 폴더", "folder of the templates"))]
Values: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Repository=owner/name, Email=…, MonthlyUsd=…, InstanceType=…"),
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help=hint("묻지 않고 실행", "do not ask"))]


def _stacks(name: str, region: str, endpoint_url: str | None, templates: Path | None) -> Stacks:
    from haetae.wiring.clouds import stacks

    return stacks(name, region=region, endpoint_url=endpoint_url, templates=templates)


def _given(values: list[str] | None) -> dict[str, str]:
    pairs = [value.partition("=") for value in values or []]
    if wrong := [key for key, sign, _ in pairs if not key or not sign]:
        raise ConfigError(
            Text(ko="값의 꼴이 틀립니다", en="a value is malformed"),
            expected="Repository=owner/name",
            found=", ".join(wrong),
            next_step="--set KEY=VALUE",
        )
    return {key: value for key, _, value in pairs}


def _agreed(yes: bool, question: Text) -> None:
    if not yes:
        typer.confirm(say(question), abort=True)


@nouns.command("plan", help=hint("무엇이 바뀔지 보입니다. 아무것도 바꾸지 않습니다.", "Show what would change."))
def plan(
    values: Values = None,
    name: Name = "haetae",
    region: Region = "ap-northeast-2",
    endpoint_url: Endpoint = None,
    templates: Templates = None,
    json_file: JSON = None,
) -> None:
    """Show what ``up`` would do."""
    check_target(json_file)
    record = {}
    for each in _stacks(name, region, endpoint_url, templates).plan(_given(values)):
        print(f"{each.name:<9} {each.status or say(Text(ko='없음', en='absent'))}")
        for change in each.changes:
            loses = say(Text(ko="  ← 새로 만들며 옛것을 없앱니다", en="  <- replaces the old one"))
            print(f"  {change.action:<7} {change.kind:<36} {change.resource}{loses if change.replaced else ''}")
        if not each.changes:
            print("  " + say(Text(ko="그대로", en="unchanged")))
        record[each.name] = dataclasses.asdict(each)
    write_record(json_file, record)


@nouns.command("up", help=hint("스택을 템플릿대로 만듭니다.", "Bring the stacks to their templates."))
def up(
    values: Values = None,
    name: Name = "haetae",
    region: Region = "ap-northeast-2",
    endpoint_url: Endpoint = None,
    templates: Templates = None,
    yes: Yes = False,
    json_file: JSON = None,
) -> None:
    """Bring every stack to its template; running it again changes only what differs."""
    check_target(json_file)
    given = _given(values)
    there = _stacks(name, region, endpoint_url, templates)
    _agreed(yes, Text(ko="비용이 드는 자원을 만듭니다. 계속할까요?", en="This makes things that cost money. Go on?"))
    record = {}
    for each in there.up(given):
        print(f"{each.name:<9} {each.status}")
        for key, value in sorted(each.outputs.items()):
            print(f"  {key} = {value}")
        record[each.name] = dataclasses.asdict(each)
    write_record(json_file, record)


@nouns.command("status", help=hint("서 있는 것을 보입니다.", "Show what stands."))
def status(
    name: Name = "haetae",
    region: Region = "ap-northeast-2",
    endpoint_url: Endpoint = None,
    templates: Templates = None,
    json_file: JSON = None,
) -> None:
    """Show each stack and its outputs."""
    check_target(json_file)
    states = _stacks(name, region, endpoint_url, templates).status()
    for each in states:
        print(f"{each.name:<9} {each.status or say(Text(ko='없음', en='absent'))}")
        for key, value in sorted(each.outputs.items()):
            print(f"  {key} = {value}")
    write_record(json_file, {each.name: dataclasses.asdict(each) for each in states})


@nouns.command("down", help=hint("스택을 지웁니다. 자료 버킷은 남습니다.", "Remove the stacks; the bucket stays."))
def down(
    name: Name = "haetae",
    region: Region = "ap-northeast-2",
    endpoint_url: Endpoint = None,
    templates: Templates = None,
    storage: Annotated[bool, typer.Option("--storage", help=hint("이미지 저장소까지", "the images too"))] = False,
    yes: Yes = False,
) -> None:
    """Remove the stacks in reverse order; images and bucket stay unless ``--storage``, and then the bucket still."""
    there = _stacks(name, region, endpoint_url, templates)
    _agreed(yes, Text(ko="서버를 지웁니다. 열린 포지션을 확인했나요?", en="Remove the host? Are positions closed?"))
    for each in there.down(keep=() if storage else ("storage",)):
        print(f"{each.name:<9} {say(Text(ko='지움', en='removed'))}")
