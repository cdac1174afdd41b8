"""The start script of the web pages: side bar (token, day, refresh), navigation, one page.

Streamlit runs this file from top to bottom for every visitor and every click. The token lives in the
visitor's session only; it is sent to the service and never written anywhere.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable

import streamlit as st

from haetae.dashboard import board, states
from haetae.dashboard.client import Kind, ServiceClient, Trouble
from haetae.dashboard.screens import decisions, holdings, models, review, safety, today, universe
from haetae.dashboard.settings import DashboardSettings, from_environment
from haetae.dashboard.words import say
from haetae.domain.errors import ConfigError

_LOGO = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='150' height='36' viewBox='0 0 150 36'>"
    "<circle cx='18' cy='18' r='15' fill='#b45309'/>"
    "<path d='M9 22c2-9 5-12 9-12s7 3 9 12c-4-4-14-4-18 0z' fill='#fff'/>"
    "<text x='42' y='25' font-family='NanumSquareRound, Noto Sans KR, sans-serif' font-size='20' font-weight='700'"
    " fill='#1c1917'>해태</text></svg>"
)
Show = Callable[[ServiceClient, dt.date | None], None]
_ROLES = {"viewer": ("보기", "viewer"), "trader": ("거래", "trader"), "admin": ("관리", "admin")}


def pages() -> list[tuple[str, str, str, Show]]:
    """Return path, title, icon and body of every page in the order of the menu."""
    return [
        ("today", say("오늘", "Today"), ":material/today:", today.show),
        ("holdings", say("보유·주문·체결", "Holdings and orders"), ":material/receipt_long:", holdings.show),
        ("decisions", say("AI 의사결정", "AI decisions"), ":material/psychology:", decisions.show),
        ("safety", say("안전장치", "Safety"), ":material/shield:", safety.show),
        ("universe", say("종목 50", "Universe"), ":material/list_alt:", universe.show),
        ("models", say("모델·백테스트", "Models and backtest"), ":material/query_stats:", models.show),
        ("review", say("회고", "Review"), ":material/history_edu:", review.show),
    ]


def _side_bar(settings: DashboardSettings) -> tuple[ServiceClient, dt.date | None, Trouble | None]:
    """Draw the side bar; return the client, the day asked for, and what stands in the way of all pages."""
    with st.sidebar:
        typed = st.text_input(
            say("접속 토큰", "Access token"),
            type="password",
            key="token",
            placeholder=say("시작할 때 받은 토큰 사용 중", "using the token given at start") if settings.token else "",
            help=say("haetae token new --role viewer 로 만듭니다", "made by haetae token new --role viewer"),
        )
        client = ServiceClient(settings, typed.strip() or settings.token)
        try:
            who, newest = client.whoami(), client.today()
        except Trouble as trouble:
            return client, None, trouble
        finally:
            st.caption(f"`{settings.service_url}`")
        st.caption(say(f"권한: {_ROLES[who.role][0]} · {who.label}", f"Role: {who.role} · {who.label}"))
        day = st.selectbox(say("거래일", "Trading day"), newest.days[::-1], format_func=dt.date.isoformat, key="day")
        st.button(say("새로 고침", "Refresh"), icon=":material/refresh:", width="stretch")
        st.toggle(say(f"{settings.refresh_s}초마다 자동", f"Every {settings.refresh_s} seconds"), key="live")
    return client, day, None


def _body(title: str, show: Show, client: ServiceClient, day: dt.date | None, blocked: Trouble | None) -> None:
    board.style()
    st.title(title, anchor=False)
    if blocked is not None and blocked.kind is not Kind.NOTHING_THERE:
        states.explain(blocked)
        return
    try:
        show(client, day)
    except Trouble as trouble:
        states.explain(trouble)


def main() -> None:
    """Draw what the visitor asked for."""
    st.set_page_config(page_title=say("해태", "Haetae"), page_icon="🦁", layout="wide")
    try:
        settings = from_environment(os.environ)
    except ConfigError as fault:
        states.misconfigured(fault)
        return
    st.logo(_LOGO, size="large")
    menu = {path: (title, icon, show) for path, title, icon, show in pages()}
    links = {
        path: st.Page(_nothing, title=title, icon=icon, url_path=path, default=path == "today")
        for path, (title, icon, _) in menu.items()
    }
    chosen = st.navigation(list(links.values()))
    client, day, blocked = _side_bar(settings)
    path = next(path for path, link in links.items() if link == chosen)
    title, _, show = menu[path]
    again = settings.refresh_s if st.session_state.get("live") and blocked is None else None
    st.fragment(_body, run_every=again)(title, show, client, day, blocked)


def _nothing() -> None:
    """Stand for a page in the menu; ``main`` draws it, so that all share one frame."""


if __name__ == "__main__":
    main()
