"""Why a symbol is left out, and what is not known of one that is judged: every code, in both languages.

A code is stable; its numbers stand beside it in ``Exclusion.detail``. The tables of ``docs/universe.md`` are made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from haetae.domain.errors import Text

REASONS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "kind.preferred": Text(ko="우선주", en="a preferred share"),
        "kind.etf": Text(ko="ETF", en="an ETF"),
        "kind.etn": Text(ko="ETN", en="an ETN"),
        "kind.spac": Text(ko="스팩: 종류가 그렇거나 이름에 스팩·기업인수목적", en="a SPAC, by its kind or its name"),
        "kind.reit": Text(ko="리츠: 종류가 그렇거나 이름이 리츠로 끝남", en="a REIT, by its kind or its name"),
        "kind.other": Text(ko="펀드·선박·인프라 등 주식이 아닌 것", en="a fund or another security that is no share"),
        "listing.later": Text(ko="그날 아직 상장 전", en="not yet listed on the day"),
        "listing.too_young": Text(ko="상장한 지 얼마 안 됨", en="listed too shortly"),
        "listing.ended": Text(ko="상장폐지됨", en="delisted"),
        "listing.unknown": Text(
            ko="일봉은 있으나 그날까지 알려진 종목 목록에 없음",
            en="has bars, but is on no list of names known by the day",
        ),
        "flag.halted": Text(ko="거래정지", en="halted"),
        "flag.administrative": Text(ko="관리종목", en="an administrative issue"),
        "flag.liquidation": Text(ko="정리매매", en="in liquidation trading"),
        "flag.caution": Text(ko="투자주의", en="investment caution"),
        "flag.warning": Text(ko="투자경고", en="investment warning"),
        "flag.danger": Text(ko="투자위험", en="investment danger"),
        "flag.unfaithful_disclosure": Text(ko="불성실공시", en="unfaithful disclosure"),
        "history.none": Text(
            ko="그날까지 1년(252거래일) 안에 거래 없음", en="no trade within 252 sessions up to the day"
        ),
        "history.too_short": Text(ko="일봉 이력 부족", en="too few sessions with a bar"),
        "trading.none_today": Text(ko="그날 거래 없음", en="no trade on the day"),
        "trading.idle": Text(
            ko="최근 60거래일 중 거래 없는 날이 많음", en="too many of the last 60 sessions without trade"
        ),
        "price.below_floor": Text(ko="주가 하한 미달", en="price below the floor"),
        "turnover.below_floor": Text(ko="60일 거래대금 중앙값 하한 미달", en="60-day median turnover below the floor"),
        "market_cap.below_floor": Text(ko="시가총액 하한 미달", en="market cap below the floor"),
        "fundamentals.none": Text(
            ko="재무 자료 없음 (missing_parts = exclude 일 때)", en="no statements (where missing_parts = exclude)"
        ),
        "sector.full": Text(ko="순위는 되지만 업종 한도가 참", en="ranks high enough, but its sector is full"),
        "rank.below_cut": Text(ko="순위 밖", en="ranks below the cut"),
    }
)
"""Every code of an ``Exclusion``. A word that settings add to ``excluded_flags`` gives ``flag.<word>`` as well."""

FLAGS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "value": Text(ko="가치 부분 전체를 모름", en="the whole part value is missing"),
        "value.earnings_yield": Text(ko="순이익 또는 시가총액을 몰라 이익수익률이 없음", en="no earnings yield"),
        "value.book_to_price": Text(ko="자본 또는 시가총액을 몰라 장부가/시가가 없음", en="no book-to-price"),
        "quality": Text(ko="품질 부분 전체를 모름", en="the whole part quality is missing"),
        "quality.return_on_equity": Text(ko="ROE를 모름", en="no return on equity"),
        "quality.debt": Text(ko="부채비율을 모름", en="no debt ratio"),
        "quality.operating_margin": Text(ko="영업이익률을 모름", en="no operating margin"),
        "momentum": Text(
            ko="수익률을 아는 날이 min_momentum_rows 보다 적음", en="fewer known returns than min_momentum_rows"
        ),
        "low_volatility": Text(ko="60일 변동성을 모름", en="no 60-day volatility"),
        "market_cap": Text(
            ko="시가총액을 모름 (주식 수 모름, 목록 뒤의 기준가 변경, 수정주가)",
            en="no market cap: shares not known, prices rebased since the list, or adjusted bars",
        ),
        "sector": Text(ko="업종을 모름: 업종 한도를 적용하지 않음", en="sector not known, so no cap counts it"),
        "statement.stale": Text(
            ko="가장 새로운 재무가 max_statement_age_days 보다 오래됨", en="the newest statement is too old to count"
        ),
        "book.negative": Text(
            ko="자본이 0 이하: ROE는 가장 나쁜 순위", en="book value of zero or below: worst rank of return on equity"
        ),
        "prices.rebased": Text(
            ko="하루 가격제한폭을 넘는 변동(분할·감자 등)이 있어 그날의 수익률은 세지 않음",
            en="a close beyond the daily limit (split, reduction): that day's return is not counted",
        ),
        "listing.assumed": Text(
            ko="종목 목록이 없어 코드와 일봉에서 종류·상장일을 짐작함",
            en="no list of names: kind and day of listing were assumed from code and bars",
        ),
    }
)
"""What may be missing or odd about a candidate: told beside its score, never a silent zero."""
