"""The four templates as they are written: valid, and allowing no more than they should."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

INFRA = Path(__file__).resolve().parents[3] / "infra"
PARTS = ("identity", "storage", "host", "guard")


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, kept as ``{tag: value}``."""


def _short(loader: _Loader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {tag: loader.construct_sequence(node, deep=True)}
    return {tag: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short)


def resources(part: str) -> dict[str, Any]:
    return yaml.load((INFRA / f"{part}.yaml").read_text(), _Loader)["Resources"]


def of_kind(part: str, kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in resources(part).values() if each["Type"] == kind]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every statement of every policy, wherever it stands."""

    def walk(where: str, node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(node, dict):
            for statement in listed(node.get("Statement", [])):
                yield where, statement
            for key, value in node.items():
                if key != "Statement":
                    yield from walk(f"{where}.{key}", value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(where, value)

    for part in PARTS:
        yield from walk(part, resources(part))


@pytest.mark.parametrize("tool", [("cfn-lint",), ("yamllint", "-s")], ids=lambda words: words[0])
def test_the_templates_have_no_finding(tool: tuple[str, ...]) -> None:
    found = shutil.which(tool[0], path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{tool[0]} is not installed")
    names = [str(INFRA / f"{part}.yaml") for part in PARTS]
    done = subprocess.run([found, *tool[1:], *names], cwd=INFRA.parent, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_walker_finds_the_policies_it_judges() -> None:
    assert len(list(statements())) >= 11


def test_no_statement_allows_every_action_of_anything() -> None:
    for where, statement in statements():
        if statement["Effect"] == "Allow":
            assert all("*" not in action for action in listed(statement["Action"])), where


def test_every_resource_is_named_except_for_the_action_that_knows_none() -> None:
    for where, statement in statements():
        if statement["Effect"] == "Allow" and "Resource" in statement and "*" in listed(statement["Resource"]):
            assert listed(statement["Action"]) == ["ecr:GetAuthorizationToken"], where


def test_only_pushes_to_one_repository_become_the_role_that_pushes_images() -> None:
    (role,) = of_kind("identity", "AWS::IAM::Role")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    audience = statement["Condition"]["StringEquals"]
    assert audience == {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
    subjects = statement["Condition"]["StringLike"]["token.actions.githubusercontent.com:sub"]
    assert [subject["Sub"] for subject in subjects] == [
        "repo:${Repository}:ref:refs/heads/${Branch}",
        "repo:${Repository}:ref:refs/tags/v*",
    ]


def test_the_host_has_no_way_in_and_names_each_way_out() -> None:
    (group,) = of_kind("host", "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert {rule["FromPort"] for rule in group["SecurityGroupEgress"]} == {443, 9443, 29443, 21000, 31000}
    assert all(rule["FromPort"] == rule["ToPort"] for rule in group["SecurityGroupEgress"])
    (host,) = of_kind("host", "AWS::EC2::Instance")
    assert "KeyName" not in host
    assert any("AmazonSSMManagedInstanceCore" in str(arn) for arn in of_kind("host", "AWS::IAM::Role")[0]["ManagedPolicyArns"])  # fmt: skip  # noqa: E501


def test_the_host_answers_metadata_only_to_tokens_and_encrypts_its_disks() -> None:
    (shape,) = of_kind("host", "AWS::EC2::LaunchTemplate")
    data = shape["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert all(each["Ebs"]["Encrypted"] for each in data["BlockDeviceMappings"])
    assert all(volume["Encrypted"] for volume in of_kind("host", "AWS::EC2::Volume"))


def test_no_secret_is_in_a_template_and_the_host_reads_only_its_own() -> None:
    text = "".join((INFRA / f"{part}.yaml").read_text().lower() for part in PARTS)
    assert not any(word in text for word in ("appsecret", "app_key", "password", "noecho"))
    (secrets,) = [statement for _, statement in statements() if statement.get("Sid") == "ReadOwnSecrets"]
    assert all("parameter/${Name}/" in each["Sub"] for each in secrets["Resource"])


def test_the_bucket_is_private_versioned_and_survives_its_stack() -> None:
    data = resources("storage")["Data"]
    assert data["DeletionPolicy"] == data["UpdateReplacePolicy"] == "Retain"
    assert set(data["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert data["Properties"]["VersioningConfiguration"]["Status"] == "Enabled"


def test_the_host_may_not_delete_from_the_lake() -> None:
    actions = {action for where, each in statements() if where.startswith("host") for action in listed(each["Action"])}
    assert not any(action.startswith("s3:Delete") or action == "s3:*" for action in actions)


def test_the_budget_warns_four_times_and_stops_nothing() -> None:
    (budget,) = of_kind("guard", "AWS::Budgets::Budget")
    levels = {
        (each["Notification"]["NotificationType"], each["Notification"]["Threshold"])
        for each in budget["NotificationsWithSubscribers"]
    }
    assert levels == {("ACTUAL", 50), ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)}
    assert not of_kind("guard", "AWS::Budgets::BudgetsAction")
