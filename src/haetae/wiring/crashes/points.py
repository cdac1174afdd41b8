"""The points at which a crash test may end the process: each stands in the code as ``passing("name")``.

A test reads the code and holds this table equal to it. What may be lost at a point is what had not been
acknowledged there; what must hold afterwards is the same everywhere (``judging``, ``writing``).
"""

from __future__ import annotations

from dataclasses import dataclass

from haetae.domain.errors import Text


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the code, named by who passes it and what has just happened."""

    name: str
    told: Text


def _point(name: str, ko: str, en: str) -> Point:
    return Point(name, Text(ko=ko, en=en))


_JOURNAL = (
    _point("journal.tables_made", "표를 만든 직후", "the tables are made"),
    _point("journal.opened", "연 직후", "opened, the head read"),
    _point("journal.transaction_begun", "트랜잭션 시작", "a transaction has begun"),
    _point("journal.entry_inserted", "기록을 넣고 투영 전", "an entry is in, its projection is not"),
    _point("journal.entry_projected", "투영까지 쓰고 확정 전", "entry and projection are in, nothing is committed"),
    _point("journal.before_commit", "머리까지 쓰고 확정 직전", "the head is written, the commit is not"),
    _point("journal.committed", "확정 직후", "committed and on the disk"),
    _point("journal.before_close", "닫기 직전", "about to close"),
)
_RUN = (
    _point("run.before_opening", "하루의 첫 기록 전", "before the day's opening note"),
    _point("run.before_session", "장 시작을 알리기 전", "before the desk is told of the session"),
    _point("run.session_told", "장 시작을 알린 뒤", "the desk knows the session"),
    _point("run.resumed", "복구 기록을 남긴 뒤", "the resumption is noted"),
    _point("run.before_unknown", "전송 중이던 주문을 '모름'으로 하기 전", "before an order in flight becomes unknown"),
    _point("run.unknown_told", "전송 중이던 주문이 '모름'이 된 뒤", "an order in flight has become unknown"),
    _point("run.before_first_reading", "첫 계좌 조회 전", "before the first reading of the account"),
    _point("run.first_reading", "첫 계좌 조회 뒤, 비교 전", "the account is read, not yet compared"),
    _point("run.compared", "첫 비교 뒤", "the account is compared"),
    _point("run.proposed", "정책이 답한 뒤", "the policy has answered"),
    _point("run.replied", "에이전트가 답한 뒤", "the agent has answered"),
    _point("run.before_submit", "주문 작업이 시작된 뒤, 보내기 전", "an order's turn has come, nothing is sent"),
    _point("run.submit_answered", "주문 응답을 받고 알리기 전", "the broker has answered, the desk does not know"),
    _point("run.before_cancel", "취소를 보내기 전", "before a cancel is sent"),
    _point("run.cancel_answered", "취소 응답을 받고 알리기 전", "the cancel is answered, the desk does not know"),
    _point("run.account_read", "계좌 조회 뒤, 알리기 전", "the account is read, the desk does not know"),
    _point("run.before_closing", "마감 조회 전", "before the closing reading"),
    _point("run.closing_compared", "마감 비교 뒤, 마감 기록 전", "compared at the close, not yet closed"),
    _point("run.closed", "마감 기록 뒤", "the day is closed"),
    _point("recovery.day_found", "되살릴 하루를 찾은 뒤", "the day to recover is found"),
    _point("recovery.folded", "일지를 접은 뒤", "the journal is folded"),
)
_EVENT = (
    _point("event.taken", "사건을 꺼낸 뒤, 기록 전", "an event is taken, not journalled"),
    _point("event.journalled", "사건을 기록한 뒤, 계산 전", "the event is journalled, not stepped"),
    _point("event.stepped", "계산한 뒤, 명령 기록 전", "stepped, the commands are not journalled"),
    _point("event.commands_journalled", "명령을 기록한 뒤, 실행 전", "the commands are journalled, none is performed"),
    _point("event.command_performed", "명령 하나를 실행한 뒤", "one command is performed"),
    _point("lane.job_begins", "대화 차례가 온 뒤", "a conversation's turn has come"),
    _point("lane.job_done", "대화가 끝난 뒤", "a conversation has ended"),
)
_ORDER = (
    _point("order.before_token", "토큰을 얻기 전", "before the token is taken"),
    _point("order.token_held", "토큰을 얻은 뒤", "the token is held"),
    _point("order.turn_taken", "전송 차례를 얻은 뒤", "the turn of the pace is taken"),
    _point("order.bytes_leave", "첫 바이트가 나가는 때", "the first byte leaves"),
    _point("order.answered", "응답이 온 뒤, 판정 전", "an answer is there, not classified"),
    _point("order.classified", "판정한 뒤, 알리기 전", "the outcome is classified, not told"),
    _point("broker.submit_begun", "주문 접수 준비", "a submit has begun"),
    _point("broker.order_named", "주문 번호를 안 뒤", "the order has its number"),
    _point("broker.order_refused", "주문이 거부된 뒤", "the order is refused"),
    _point("broker.outcome_unknown", "결과를 모르게 된 뒤", "the outcome is unknown"),
    _point("broker.cancel_begun", "취소 시작", "a cancel has begun"),
    _point("broker.cancel_sent", "취소 응답 뒤, 확인 전", "the cancel is sent, not confirmed"),
    _point("broker.cancel_read", "취소를 확인한 뒤", "the cancel is confirmed"),
    _point("broker.order_resumed", "열린 주문을 이어받은 뒤", "an open order is taken up again"),
    _point("broker.reading_begun", "체결 조회 시작", "a reading of the orders has begun"),
    _point("broker.event_read", "체결을 읽은 뒤, 알리기 전", "an execution is read, not told"),
    _point("broker.event_told", "체결을 알린 뒤", "an execution is told"),
)
_FILES = (
    _point("lake.folder_made", "폴더를 만든 뒤", "a folder is made, its name not synced"),
    _point("lake.draft_opened", "임시 파일을 연 뒤", "a draft is open"),
    _point("lake.draft_written", "임시 파일을 쓴 뒤", "a draft is written, not synced"),
    _point("lake.draft_synced", "임시 파일을 내린 뒤", "a draft is on the disk"),
    _point("lake.file_renamed", "이름을 바꾼 뒤", "a file is renamed, its folder not synced"),
    _point("lake.file_durable", "파일이 확정된 뒤", "a file and its name are on the disk"),
    _point("lake.parts_written", "조각을 쓴 뒤, 버전 전", "the parts are there, the version is not"),
    _point("lake.entry_named", "기록의 이름이 생긴 뒤", "the log entry has its name, its folder not synced"),
    _point("lake.entry_durable", "기록이 확정된 뒤", "the log entry is on the disk"),
    _point("lake.version_committed", "버전이 생긴 뒤", "the version exists"),
    _point("lake.checkpoint_written", "체크포인트를 쓴 뒤", "the checkpoint is written"),
    _point("lake.checkpoint_pointed", "체크포인트를 가리킨 뒤", "the checkpoint is pointed at"),
    _point("lake.old_removed", "옛 파일 하나를 지운 뒤", "one old file is removed"),
    _point("lake.old_removal_synced", "삭제가 확정된 뒤", "a removal is on the disk"),
    _point("registry.folder_made", "폴더를 만든 뒤", "a folder is made, its name not synced"),
    _point("registry.artefact_written", "모델 파일 하나를 쓴 뒤", "one file of a model is written"),
    _point("registry.artefact_synced", "모델 초안을 내린 뒤", "a model's draft is on the disk"),
    _point("registry.artefact_renamed", "모델 이름이 생긴 뒤", "a model has its name, its folder not synced"),
    _point("registry.artefact_durable", "모델이 확정된 뒤", "a model is on the disk"),
    _point("registry.file_written", "상태 초안을 쓴 뒤", "a state's draft is written"),
    _point("registry.file_renamed", "상태 이름이 생긴 뒤", "a state has its name"),
    _point("registry.file_durable", "상태가 확정된 뒤", "a state is on the disk"),
    _point("registry.evidence_kept", "근거를 쓴 뒤, 상태 전", "the evidence is kept, the change is not"),
    _point("registry.lines_written", "줄을 쓴 뒤, 내리기 전", "lines are written, not synced"),
    _point("registry.lines_synced", "줄을 내린 뒤", "lines are on the disk"),
    _point("record.draft_written", "기록 초안을 쓴 뒤", "a record's draft is written, not synced"),
    _point("record.draft_synced", "기록 초안을 내린 뒤", "a record's draft is on the disk"),
    _point("record.renamed", "기록 이름을 바꾼 뒤", "a record is renamed, its folder not synced"),
    _point("record.durable", "기록이 확정된 뒤", "a record is on the disk"),
    _point("operator.locked", "비상 파일을 잠근 뒤", "the operator's file is locked"),
    _point("operator.written", "한 줄을 쓴 뒤", "a line is written, not synced"),
    _point("operator.synced", "한 줄을 내린 뒤", "a line is on the disk"),
    _point("operator.durable", "파일 이름까지 확정된 뒤", "the line and the file's name are on the disk"),
    _point("token.draft_written", "토큰 초안을 쓴 뒤", "a token's draft is written, not synced"),
    _point("token.draft_synced", "토큰 초안을 내린 뒤", "a token's draft is on the disk"),
    _point("token.renamed", "토큰 이름을 바꾼 뒤", "the token file is renamed"),
    _point("token.durable", "토큰이 확정된 뒤", "the token is on the disk"),
)

POINTS = (*_JOURNAL, *_RUN, *_EVENT, *_ORDER, *_FILES)
"""Every point, by who passes it."""
