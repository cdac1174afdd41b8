"""Account calls for overseas shares, answered as for an account that holds none and never dealt in any.

Third-party clients ask them beside the domestic ones (python-kis whenever no country is named). Here: their rows of
the operation table, and the empty answers. No market stands behind them, so an order abroad is not among them: it
gets the word for an unknown service, as every call that is not served. What the service answers such an account is
unverified; the code for nothing to show is in its own example of the executions (portal example of TTTS3035R).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from haetae import ledger
from haetae.emulator.accounts import Account
from haetae.emulator.answers import Answer
from haetae.emulator.board import Board
from haetae.emulator.gate import Refusal
from haetae.kis.wire import codes
from haetae.kis.wire.fields import row
from haetae.kis.wire.operations import Mode, Operation
from haetae.kis.wire.shape import ACCOUNT, many, one, words

NOTICES: Mapping[Mode, str] = {Mode.REAL: "H0GSCNI0", Mode.MOCK: "H0GSCNI9"}
"""The stream of executions abroad, by domain: it may be registered (python-kis does, beside the domestic one) and
counts, and nothing ever comes."""
_TRADING = "/uapi/overseas-stock/v1/trading/"
_CURSOR = "CTX_AREA_FK200 CTX_AREA_NK200"
_NOTHING = row("nothing", "")
"""The rows of lists that are always empty here."""
_WORTH = row(
    "overseas_worth",
    "pchs_amt_smtl evlu_amt_smtl evlu_pfls_amt_smtl dncl_amt cma_evlu_amt tot_dncl_amt etc_mgna wdrw_psbl_tot_amt "
    "frcr_evlu_tota evlu_erng_rt1:rate pchs_amt_smtl_amt evlu_amt_smtl_amt tot_evlu_pfls_amt:rate tot_asst_amt "
    "buy_mgn_amt mgna_tota frcr_use_psbl_amt:rate ustl_sll_amt_smtl ustl_buy_amt_smtl tot_frcr_cblc_smtl:rate "
    "tot_loan_amt",
)
_PROFIT = row(
    "overseas_profit",
    "stck_sll_amt_smtl stck_buy_amt_smtl smtl_fee1 excc_dfrm_amt ovrs_rlzt_pfls_tot_amt tot_pftrt:rate bass_dt:day "
    "exrt:rate",
)
_HELD = row(
    "overseas_held",
    "frcr_pchs_amt1:rate ovrs_rlzt_pfls_amt:rate ovrs_tot_pfls:rate rlzt_erng_rt:rate tot_evlu_pfls_amt:rate "
    "tot_pftrt:rate frcr_buy_amt_smtl1:rate ovrs_rlzt_pfls_amt2:rate frcr_buy_amt_smtl2:rate",
)

TABLE = (
    Operation(
        "overseas-inquire-present-balance",
        "해외주식 체결기준현재잔고",
        "GET",
        _TRADING + "inquire-present-balance",
        "CTRP6504R",
        "VTRP6504R",
        words(f"{ACCOUNT} WCRC_FRCR_DVSN_CD NATN_CD TR_MKET_CD INQR_DVSN_CD"),
        (many("output1", _NOTHING), many("output2", _NOTHING), one("output3", _WORTH)),
    ),
    Operation(
        "overseas-inquire-balance",
        "해외주식 잔고",
        "GET",
        _TRADING + "inquire-balance",
        "TTTS3012R",
        "VTTS3012R",
        words(f"{ACCOUNT} OVRS_EXCG_CD TR_CRCY_CD {_CURSOR}"),
        (many("output1", _NOTHING), one("output2", _HELD)),
        cursor="200",
    ),
    Operation(
        "overseas-inquire-nccs",
        "해외주식 미체결내역",
        "GET",
        _TRADING + "inquire-nccs",
        "TTTS3018R",
        "VTTS3018R",
        words(f"{ACCOUNT} OVRS_EXCG_CD SORT_SQN {_CURSOR}"),
        (many("output", _NOTHING),),
        cursor="200",
    ),
    Operation(
        "overseas-inquire-ccnl",
        "해외주식 주문체결내역",
        "GET",
        _TRADING + "inquire-ccnl",
        "TTTS3035R",
        "VTTS3035R",
        words(
            f"{ACCOUNT} PDNO ORD_STRT_DT ORD_END_DT SLL_BUY_DVSN CCLD_NCCS_DVSN OVRS_EXCG_CD SORT_SQN ORD_DT "
            f"ORD_GNO_BRNO ODNO {_CURSOR}"
        ),
        (many("output", _NOTHING),),
        cursor="200",
    ),
    Operation(
        "overseas-inquire-period-profit",
        "해외주식 기간손익",
        "GET",
        _TRADING + "inquire-period-profit",
        "TTTS3039R",
        "",
        words(f"{ACCOUNT} OVRS_EXCG_CD NATN_CD CRCY_CD PDNO INQR_STRT_DT INQR_END_DT WCRC_FRCR_DVSN_CD {_CURSOR}"),
        (many("output1", _NOTHING), one("output2", _PROFIT)),
        cursor="200",
    ),
)


def nothing(_board: Board, _account: Account, _asked: Mapping[str, str], _page: int, _after: str) -> Answer | Refusal:
    """No row and blank totals."""
    return Answer({}, code=codes.QUERY_EMPTY)


def worth(_board: Board, account: Account, _asked: Mapping[str, str], _page: int, _after: str) -> Answer | Refusal:
    """No holding; the won that lie in the account, which the totals of this call count too."""
    won = ledger.settled_cash(account.book)
    return Answer({"output3": {"dncl_amt": won, "tot_dncl_amt": won, "tot_asst_amt": won}}, code=codes.QUERY_EMPTY)


QUERIES: Mapping[str, Callable[[Board, Account, Mapping[str, str], int, str], Answer | Refusal]] = {
    operation.name: worth if operation.name == "overseas-inquire-present-balance" else nothing for operation in TABLE
}
"""The function that answers each call, by the name of its operation."""
