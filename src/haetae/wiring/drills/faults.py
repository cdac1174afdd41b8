"""The 101 faults of the table, and how each is drilled.

Here: ``FAULTS``. A fault is drilled in the rig (``plan`` draws it), on a day of the calendar that is one (the rig
again), in a scene of its own (``scenes``), or it is proven by a test elsewhere, which is named and must exist. Not
here: what a fault does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from haetae.domain.errors import Text
from haetae.emulator.faults.catalogue import BY_ID


class How(Enum):
    """How a fault is drilled."""

    RIG = "rig"
    DAY = "day"
    SCENE = "scene"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Drilled:
    """One fault: its words, how it is drilled, and the tests that prove what is proven elsewhere, all or in part."""

    id: str
    words: Text
    how: How
    where: tuple[str, ...] = ()


def _rig(name: str, ko: str = "", en: str = "") -> Drilled:
    entry = BY_ID.get(name)
    words = Text(ko=ko, en=en) if ko else entry.words if entry is not None else Text(ko=name, en=name)
    return Drilled(name, words, How.RIG)


def _day(name: str, ko: str, en: str) -> Drilled:
    return Drilled(name, Text(ko=ko, en=en), How.DAY)


def _scene(name: str, ko: str, en: str, *where: str) -> Drilled:
    return Drilled(name, Text(ko=ko, en=en), How.SCENE, where)


def _by(name: str, ko: str, en: str, *where: str) -> Drilled:
    return Drilled(name, Text(ko=ko, en=en), How.ELSEWHERE, where)


_ACCESS = "tests/unit/service/test_access.py"
_POWER = "tests/unit/store/test_power_cut.py"
_CRASH = "tests/unit/store/test_crash.py"
_POSTGRES = "tests/contract/test_postgres_journal.py"
_UNIVERSES = "tests/unit/wiring/test_universes.py"
_DAY = "tests/unit/live/test_the_day.py"
_PURSE = "tests/unit/llm/test_purse.py"

FAULTS = (
    *(_rig(f"T{number:02d}") for number in range(1, 22)),
    *(_rig(f"B{number:02d}") for number in range(1, 15)),
    _scene("B15", "주문번호가 다음 날 다시 쓰임", "an order number is used again the next day"),
    *(_rig(f"B{number:02d}") for number in range(16, 22)),
    *(_rig(f"M{number:02d}") for number in range(1, 9)),
    _day("M09", "휴장일, 늦은 개장일 (수능)", "holidays, days that open late (the exam)"),
    _day("M10", "새 거래시간표가 시행되는 날들", "the days on which new hours come into force"),
    _rig("D01", "분봉이 빠지고, 두 번 오고, 뒤바뀌고, 고쳐짐", "minutes missing, doubled, out of order, revised"),
    _rig("D02", "끝나기 전에 온 분봉", "a minute that comes before it is over"),
    _by(
        "D03", "자료 파일이 깨지거나 다른 것이 옴", "a vendor's file is damaged, or something else",
        "tests/unit/store/test_importer.py::test_a_damaged_file_is_refused_by_name_and_reason",
        "tests/unit/store/test_importer.py::test_a_file_that_does_not_fit_is_refused_before_anything_is_written",
    ),
    _scene(
        "D04", "유니버스 밖의 이름, 거래정지 이름, 모르는 코드",
        "a name outside the universe, a halted one, an unknown code",
        f"{_UNIVERSES}::test_an_empty_lake_one_without_bars_and_too_few_names_are_refused",
        f"{_UNIVERSES}::test_a_damaged_snapshot_is_refused_by_its_file",
    ),
    _rig("P01", "아무 때나 kill -9, 두 번", "kill -9 at any moment, twice"),
    _rig("P02", "주문이 나가려는 순간 죽음", "death as an order is about to leave"),
    _rig("P03", "주문이 나간 뒤, 답을 받기 전에 죽음", "death when an order has left, before its answer"),
    _rig("P04", "10분에 다섯 번 넘게 죽음", "more than five deaths in ten minutes"),
    _rig("P05", "60초 동안 멈춤 (SIGSTOP, 가상 머신)", "60 s of standing still (SIGSTOP, a paused machine)"),
    _rig("P06", "언어 모델이 죽고, 데스크도 죽음", "the model's process is gone, then the desk's own"),
    _rig("P07", "이벤트 루프가 10초 막힘", "the event loop is blocked for 10 s"),
    _scene("P08", "두 번째 데스크를 켬", "a second instance is started"),
    _by(
        "P09", "주문이 열린 채 배포: 같은 일지, 같은 명령",
        "a deployment with open orders: the same journal, the same commands",
        f"{_DAY}::test_a_process_that_dies_in_the_middle_goes_on_as_if_it_had_not",
        f"{_DAY}::test_recovery_refuses_a_desk_with_other_settings",
        "tests/unit/journal/test_journal.py::test_a_journal_of_a_newer_program_is_refused_and_not_touched",
    ),
    _rig("P10", "일지에 쓰다가 오류", "a failure inside the journal's writer"),
    _rig("S01", "k 번째 쓰기에서 디스크 가득 참", "the disk is full at the k-th write"),
    _rig("S02", "fsync 오류", "an error of fsync"),
    _rig("S03", "정전: 확인되지 않은 쓰기가 사라짐", "a power cut: writes that were not acknowledged are gone"),
    _scene("S04", "일지 파일의 비트가 뒤집힘", "a bit of the journal's file is flipped"),
    _rig("S05", "fsync 마다 5초", "5 s for every fsync"),
    _scene("S06", "어제의 일지로 되돌림", "yesterday's journal is put back"),
    _by(
        "S07", "PostgreSQL 이 멈추거나 거절함", "PostgreSQL stops or refuses",
        f"{_POSTGRES}::test_a_server_that_ends_the_session_in_the_middle_of_a_write_ends_the_journal",
        f"{_POSTGRES}::test_a_write_that_meets_another_transaction_is_made_again_as_a_whole",
        f"{_POSTGRES}::test_a_server_that_does_not_keep_what_it_acknowledges_is_refused",
    ),
    _by(
        "S08", "Parquet 를 쓰다가 죽음", "death while a Parquet file is written",
        f"{_POWER}::test_after_a_power_cut_a_reader_finds_the_old_version_or_the_new_one",
        f"{_CRASH}::test_a_writer_killed_at_any_call_of_the_disk_leaves_a_whole_version",
    ),
    _rig("C01", "시계가 한 시간 앞뒤로, 10초 뒤로 감", "the clock steps an hour back or forth, or ten seconds back"),
    _rig("C02", "시계가 200 ppm 어긋남", "the clock drifts by 200 ppm"),
    _day(
        "C03", "월말, 연말, 윤일; 다른 시간대의 컴퓨터",
        "month end, year end, 29 February; a machine of another time zone",
    ),
    _rig("L01", "모델이 침묵, 지연, 장애, 빈 답, 거절", "the model is silent, slow, down, empty, or refuses"),
    _rig("L02", "깨진 JSON, 덧붙인 칸, NaN, 거대한 답", "broken JSON, more keys, NaN, a huge reply"),
    _rig("L03", "모르는 종목을 말함", "it names a stranger"),
    _rig("L04", "가격·수량을 지어냄", "it invents prices and quantities"),
    _rig("L05", "주입된 지시", "injected instructions"),
    _rig("L06", "사자와 팔자를 오감", "it flips between buying and selling"),
    _rig("L07", "모두 한꺼번에 사려 함", "everything shall be bought at once"),
    _rig("L08", "어제의 질문에 답함", "it answers yesterday's question"),
    _by(
        "L09", "모델이 말없이 바뀜", "the model was changed silently",
        "tests/unit/llm/test_transport.py::test_case_53_another_model_in_the_reply_stops_the_reviews",
    ),
    _by(
        "L10", "비용 폭주", "spending runs away",
        f"{_PURSE}::test_case_58_at_the_daily_cap_the_rest_abstains_without_a_call",
        f"{_PURSE}::test_a_runaway_loop_is_stopped_by_the_pace",
    ),
    _by(
        "O01", "모의 설정이나 다른 계좌로 실전 시작", "a live start with paper settings, or another account",
        "tests/unit/wiring/test_livegate.py::test_another_number_host_or_paper_settings_keep_it_shut",
        "tests/unit/wiring/test_livegate.py::test_no_build_of_this_repository_is_live",
    ),
    _scene("O02", "한도에 0 하나를 더 씀, 음수 한도", "a limit with a zero too many, a negative one"),
    _rig("O03", "정지 스위치: 두 번 누르고 풂", "the kill switch: pressed twice, and released"),
    _rig("O04", "정지 스위치: 다른 순간에", "the kill switch, at another moment"),
    _rig("O05", "주인이 앱에서 직접 주문", "the owner orders in the app"),
    _by(
        "O06", "대시보드를 마구 새로 고침", "a storm of refreshes of the dashboard",
        "tests/unit/service/test_figures.py::test_a_growing_journal_is_folded_to_the_same_figures",
    ),
    _by(
        "X01", "세션 없이, 만료된 세션으로 API 호출", "API calls without a session, or with an expired one",
        f"{_ACCESS}::test_every_route_lets_in_its_role_and_nobody_below",
        f"{_ACCESS}::test_a_wrong_revoked_or_expired_token_is_refused",
    ),
    _by(
        "X02", "다른 페이지가 보낸 요청, DNS 리바인딩", "requests of foreign pages, DNS rebinding",
        f"{_ACCESS}::test_rebound_names_and_foreign_pages_are_refused_before_anything",
    ),
    _scene(
        "X03", "밖의 주소를 설정에 넣음 (메타데이터 서버)",
        "an address outside in the settings (the metadata server)",
    ),
    _by(
        "X04", "경로 탈출, 위험한 역직렬화, 손댄 파일", "path traversal, unsafe loaders, tampered files",
        f"{_CRASH}::test_a_damaged_file_is_never_read_as_data",
        f"{_ACCESS}::test_long_bodies_are_refused_announced_or_not",
    ),
    _rig("X05", "오류 속의 비밀 값", "secrets in errors"),
    _by(
        "X06", "서명된 요청을 다시 보냄", "a signed request is sent again",
        "tests/unit/wiring/test_livegate.py::test_only_todays_token_of_this_account_fits",
    ),
    _by(
        "X07", "바꿔치기한 패키지, 고정되지 않은 의존성", "a tampered wheel, an unpinned dependency",
        "tests/unit/bootstrap/test_run.py::test_the_locks_are_hashed_and_name_no_index",
        "tests/unit/delivery/test_images.py::test_every_install_of_an_image_is_from_a_hashed_lock",
    ),
    _scene("X08", "일지를 손으로 고침", "a row of the journal is edited by hand"),
)  # fmt: skip
"""Every fault of the table, in its order."""
