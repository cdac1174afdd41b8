"""The four CloudFormation stacks, brought up in order and down in reverse.

A stack's outputs become parameters of the same name in the stacks after it. Every change of a standing
stack goes through a change set, so what ``plan`` shows is what ``up`` does. Stacks that do not stand yet
are shown and made from their templates, since a change set for them would already leave a trace.

Here: order, change sets, waiting, failures in words. Not here: what is in the stacks (``infra/*.yaml``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haetae.cloud.aws import CloudError, refusals
from haetae.domain.errors import ConfigError, Text

ORDER = ("identity", "storage", "host", "guard")
_PAUSE_S = 5.0
_PATIENCE = 360
"""Half an hour of pauses; an instance takes minutes."""
_GONE = ("", "DELETE_COMPLETE")
_FAILED_CREATION = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS")


@dataclass(frozen=True, slots=True)
class Change:
    """What would become of one resource: ``Add``, ``Modify`` or ``Remove``; ``replaced`` loses the old one."""

    action: str
    resource: str
    kind: str
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What ``up`` would do to one stack; no changes means it stands as it should."""

    name: str
    status: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class StackState:
    """What stands: the status in AWS's words (empty where there is none) and the outputs."""

    name: str
    status: str
    outputs: Mapping[str, str] = field(default_factory=dict)


class Stacks:
    """The stacks of one installation, told apart by ``name``."""

    def __init__(
        self, formation: Any, templates: Path, name: str, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Take a CloudFormation client and the folder of the templates."""
        self._aws = formation
        self._name = name
        self._pause = pause
        absent = [each for each in ORDER if not (templates / f"{each}.yaml").is_file()]
        if absent:
            raise ConfigError(
                Text(ko="템플릿이 없습니다", en="a template is missing"),
                expected=", ".join(f"{each}.yaml" for each in absent),
                found=str(templates),
                next_step="--templates infra",
            )
        self._bodies = {each: (templates / f"{each}.yaml").read_text(encoding="utf-8") for each in ORDER}

    def _full(self, part: str) -> str:
        return f"{self._name}-{part}"

    def state(self, part: str) -> StackState:
        """Return what stands of one stack."""
        from botocore.exceptions import ClientError

        doing = Text(ko=f"{part} 스택 조회", en=f"looking at stack {part}")
        with refusals(doing):
            try:
                found = self._aws.describe_stacks(StackName=self._full(part))["Stacks"][0]
            except ClientError as fault:
                if "does not exist" in str(fault):
                    return StackState(part, "")
                raise
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}
        return StackState(part, found["StackStatus"], outputs)

    def status(self) -> tuple[StackState, ...]:
        """Return what stands of each stack."""
        return tuple(self.state(part) for part in ORDER)

    def _summary(self, part: str) -> Any:
        with refusals(Text(ko=f"{part} 템플릿 확인", en=f"checking template {part}")):
            return self._aws.get_template_summary(TemplateBody=self._bodies[part])

    def _parameters(self, part: str, given: Mapping[str, str]) -> list[dict[str, str]]:
        declared = {each["ParameterKey"]: each.get("DefaultValue") for each in self._summary(part)["Parameters"]}
        known = {"Name": self._name, **given}
        missing = [key for key, default in declared.items() if default is None and not known.get(key)]
        if missing:
            raise ConfigError(
                Text(ko=f"{part} 스택에 필요한 값이 없습니다", en=f"stack {part} needs values"),
                expected=", ".join(missing),
                found=", ".join(sorted(given)) or "-",
                next_step=" ".join(f"--set {key}=…" for key in missing),
            )
        return [{"ParameterKey": key, "ParameterValue": known[key]} for key in declared if known.get(key)]

    def plan(self, given: Mapping[str, str]) -> Iterator[StackPlan]:
        """Yield what ``up`` would do, stack by stack; nothing stays behind."""
        known = dict(given)
        for part in ORDER:
            now = self.state(part)
            if now.status in (*_GONE, *_FAILED_CREATION):
                summary = self._summary(part)
                kinds = summary.get("ResourceIdentifierSummaries") or ()
                rows = [(one, each["ResourceType"]) for each in kinds for one in each["LogicalResourceIds"]]
                rows = rows or [("", kind) for kind in summary["ResourceTypes"]]
                yield StackPlan(part, now.status, tuple(Change("Add", resource, kind) for resource, kind in rows))
            else:
                change_set = self._propose(part, known)
                changes = self._changes(change_set) if change_set else ()
                if change_set:
                    self._aws.delete_change_set(ChangeSetName=change_set)
                yield StackPlan(part, now.status, changes)
            known |= now.outputs

    def up(self, given: Mapping[str, str]) -> Iterator[StackState]:
        """Bring each stack to its template, yielding it when it stands; run again after a failure, it goes on."""
        known = dict(given)
        for part in ORDER:
            now = self.state(part)
            if now.status in _FAILED_CREATION:
                self._delete(part)
                now = StackState(part, "")
            begun = self._begin(part, known, standing=now.status not in _GONE)
            if begun:
                now = self._settled(part)
                if now.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                    raise self._failure(part, now.status)
            known |= now.outputs
            yield now

    def down(self, *, keep: tuple[str, ...] = ()) -> Iterator[StackState]:
        """Remove the stacks in reverse order, but those to keep; what is absent already is passed over."""
        for part in reversed([each for each in ORDER if each not in keep]):
            if self.state(part).status != "":
                self._delete(part)
            yield StackState(part, "")

    def _begin(self, part: str, known: Mapping[str, str], *, standing: bool) -> bool:
        """Start making or changing a stack; ``False`` where there is nothing to do."""
        doing = Text(ko=f"{part} 스택 변경", en=f"changing stack {part}")
        if not standing:
            wanted = self._wanted(part, known)
            with refusals(doing):
                self._aws.create_stack(**wanted)
            return True
        change_set = self._propose(part, known)
        if change_set:
            with refusals(doing):
                self._aws.execute_change_set(ChangeSetName=change_set)
        return bool(change_set)

    def _wanted(self, part: str, known: Mapping[str, str]) -> dict[str, Any]:
        return {
            "StackName": self._full(part),
            "TemplateBody": self._bodies[part],
            "Parameters": self._parameters(part, known),
            "Capabilities": ["CAPABILITY_IAM"],
            "Tags": [{"Key": "project", "Value": self._name}],
        }

    def _propose(self, part: str, known: Mapping[str, str]) -> str:
        """Return the name of a ready change set, or "" where there is nothing to change."""
        from botocore.exceptions import ClientError

        wanted = self._wanted(part, known)
        with refusals(Text(ko=f"{part} 변경 준비", en=f"preparing changes of {part}")):
            try:
                made = self._aws.create_change_set(
                    ChangeSetName=f"{self._name}-change", ChangeSetType="UPDATE", **wanted
                )["Id"]
            except ClientError as fault:
                if "No updates" in str(fault):
                    return ""
                raise
            for _ in range(_PATIENCE):
                seen = self._aws.describe_change_set(ChangeSetName=made, StackName=self._full(part))
                if seen["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                    break
                self._pause(_PAUSE_S)
            if seen["Status"] == "CREATE_COMPLETE" and seen["Changes"]:
                return str(made)
            self._aws.delete_change_set(ChangeSetName=made)
        reason = str(seen.get("StatusReason", ""))
        if seen["Status"] == "CREATE_COMPLETE" or "didn't contain changes" in reason or "No updates" in reason:
            return ""
        raise CloudError(
            Text(ko=f"{part} 스택을 바꿀 수 없습니다", en=f"stack {part} cannot be changed"),
            found=reason or seen["Status"],
            next_step=Text(ko="템플릿과 값을 확인하세요", en="check the template and the values"),
        )

    def _changes(self, change_set: str) -> tuple[Change, ...]:
        with refusals(Text(ko="변경 내용 조회", en="reading the changes")):
            seen = self._aws.describe_change_set(ChangeSetName=change_set)["Changes"]
        rows = [each["ResourceChange"] for each in seen]
        return tuple(
            Change(row["Action"], row["LogicalResourceId"], row["ResourceType"], row.get("Replacement") == "True")
            for row in rows
        )

    def _settled(self, part: str) -> StackState:
        for _ in range(_PATIENCE):
            now = self.state(part)
            if not now.status.endswith("_IN_PROGRESS"):
                return now
            self._pause(_PAUSE_S)
        return now

    def _delete(self, part: str) -> None:
        with refusals(Text(ko=f"{part} 스택 삭제", en=f"removing stack {part}")):
            self._aws.delete_stack(StackName=self._full(part))
        now = self._settled(part)
        if now.status not in _GONE:
            raise self._failure(part, now.status)

    def _failure(self, part: str, status: str) -> CloudError:
        with refusals(Text(ko=f"{part} 스택 기록 조회", en=f"reading the events of {part}")):
            events = self._aws.describe_stack_events(StackName=self._full(part))["StackEvents"]
        failed = [each for each in events if each["ResourceStatus"].endswith("FAILED")]
        first = failed[-1] if failed else {}
        return CloudError(
            Text(ko=f"{part} 스택이 실패했습니다 ({status})", en=f"stack {part} failed ({status})"),
            found=f"{first.get('LogicalResourceId', '-')}: {first.get('ResourceStatusReason', '-')}",
            next_step=Text(
                ko="원인을 고치고 같은 명령을 다시 실행하면 이어집니다",
                en="mend it; the same command goes on",
            ),
        )
