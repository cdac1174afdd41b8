"""``haetae infra`` against a local AWS."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from haetae.cli.main import main
from haetae.cloud.aws import client
from haetae.cloud.stacks import ORDER
from unit.cloud.test_templates import INFRA, resources

GIVEN = ("--set", "Repository=owner/haetae", "--set", "Email=owner@example.com")
SKIPPED = {
    "AWS::IAM::OIDCProvider",
    "AWS::S3::BucketPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::Budgets::Budget",
}
"""What moto passes over in silence; cfn-lint and the tests of the templates are what these have."""

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")


def infra(verb: str, aws: str, *more: str) -> int:
    return main(["infra", verb, "--endpoint-url", aws, *more])


def test_up_makes_every_resource_of_the_templates_and_hands_outputs_on(aws: str, tmp_path: Path) -> None:
    record = tmp_path / "up.json"
    assert infra("up", aws, "--yes", *GIVEN, "--json", str(record)) == 0
    formation = client("cloudformation", endpoint_url=aws)
    for part in ORDER:
        standing = formation.list_stack_resources(StackName=f"haetae-{part}")["StackResourceSummaries"]
        made = {each["ResourceType"] for each in standing} - {""}
        written = {each["Type"] for each in resources(part).values()}
        assert written - made <= SKIPPED, part
        assert made <= written, part
    told = json.loads(record.read_text())
    assert told["storage"]["outputs"]["DataBucket"] == "haetae-123456789012-ap-northeast-2"
    (reservation,) = client("ec2", endpoint_url=aws).describe_instances()["Reservations"]
    (host,) = reservation["Instances"]
    assert host["InstanceId"] == told["host"]["outputs"]["InstanceId"]
    assert host["InstanceType"] == "m7g.large"
    (policy,) = [
        each
        for role in client("iam", endpoint_url=aws).list_roles()["Roles"]
        for each in client("iam", endpoint_url=aws).list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        if each == "own-things-only"
    ]
    assert policy


def test_up_again_changes_nothing_and_plan_says_so(aws: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert infra("up", aws, "--yes", *GIVEN) == 0
    before = {each["StackName"]: each.get("LastUpdatedTime") for each in _stacks(aws)}
    assert infra("up", aws, "--yes", *GIVEN) == 0
    assert {each["StackName"]: each.get("LastUpdatedTime") for each in _stacks(aws)} == before
    capsys.readouterr()
    assert infra("plan", aws, *GIVEN) == 0
    assert capsys.readouterr().out.count("그대로") == len(ORDER)


def _stacks(aws: str) -> list[dict]:
    return client("cloudformation", endpoint_url=aws).describe_stacks()["Stacks"]


def test_plan_of_nothing_lists_what_would_be_made_and_makes_nothing(
    aws: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infra("plan", aws) == 0
    said = capsys.readouterr().out
    assert all(part in said for part in ORDER)
    assert "AWS::EC2::Instance" in said
    assert _stacks(aws) == []


def test_a_changed_value_shows_in_the_plan_before_it_is_done(
    aws: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infra("up", aws, "--yes", *GIVEN) == 0
    changed = tmp_path / "infra"
    shutil.copytree(INFRA, changed)
    guard = changed / "guard.yaml"
    guard.write_text(guard.read_text().replace("  Alerts:\n", "  More:\n    Type: AWS::SNS::Topic\n  Alerts:\n"))
    capsys.readouterr()
    assert infra("plan", aws, "--templates", str(changed), *GIVEN) == 0
    assert "More" in capsys.readouterr().out
    assert len(client("sns", endpoint_url=aws).list_topics()["Topics"]) == 1
    assert infra("up", aws, "--yes", "--templates", str(changed), *GIVEN) == 0
    assert len(client("sns", endpoint_url=aws).list_topics()["Topics"]) == 2


def test_down_keeps_images_and_data_and_goes_on_where_it_was_stopped(
    aws: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """moto cannot take a network apart in order, so the first try fails in the middle: the same command goes on."""
    assert infra("up", aws, "--yes", *GIVEN) == 0
    if infra("down", aws, "--yes") != 0:
        assert "host" in capsys.readouterr().err
        assert infra("down", aws, "--yes") == 0
    assert [each["StackName"] for each in _stacks(aws)] == ["haetae-storage"]
    assert infra("down", aws, "--yes") == 0
    assert infra("status", aws) == 0
    assert capsys.readouterr().out.count("없음") >= 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("up", "--yes"), ("Repository", "--set Repository=")),
        (("up", "--yes", "--set", "Repository"), ("KEY=VALUE",)),
        (("plan", "--templates", "/nowhere"), ("identity.yaml", "/nowhere")),
    ],
)
def test_a_missing_value_is_named_before_anything_is_made(
    arguments: tuple[str, ...], words: tuple[str, ...], aws: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infra(arguments[0], aws, *arguments[1:]) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in words)
    assert _stacks(aws) == []


def test_without_credentials_the_message_says_how_to_get_some(
    aws: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    assert infra("status", aws) == 2
    said = capsys.readouterr().err
    assert "자격 증명이 없습니다" in said
    assert "aws configure sso" in said


def test_an_endpoint_that_does_not_answer_is_told_with_the_address(
    aws: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infra("status", "http://127.0.0.1:9") == 8
    said = capsys.readouterr().err
    assert "닿지 못했습니다" in said
    assert "127.0.0.1:9" in said


def test_up_asks_before_it_spends_money(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.confirm", _refuses)
    assert infra("up", aws, *GIVEN) == 130
    assert _stacks(aws) == []


def _refuses(*_: object, **__: object) -> bool:
    import typer

    raise typer.Abort
