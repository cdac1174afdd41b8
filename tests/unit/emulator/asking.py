"""Typed requests to a core, and for each quotation call one request that it answers."""

from haetae.emulator.calls import Call
from haetae.kis.wire.calls import charts, events, prices, studies
from haetae.kis.wire.envelope import Reply, read_reply
from haetae.kis.wire.typed import Ask
from unit.emulator.service_rig import DAY, Desk

TODAY = f"{DAY:%Y%m%d}"
FIRST = "20260901"
FUND = "069500"
_FINANCE = (
    studies.Ratios,
    studies.ProfitRatios,
    studies.StabilityRatios,
    studies.GrowthRatios,
    studies.OtherRatios,
    studies.IncomeStatement,
    studies.BalanceSheet,
)
SAMPLES: dict[str, Ask] = {
    one.operation.name: one
    for one in (
        *(request(fid_input_iscd="005930", fid_div_cls_code="0") for request in _FINANCE),
        *(request(f_dt=FIRST, t_dt=TODAY) for request in (events.Splits, events.BonusIssues, events.RightsIssues)),
        *(request(f_dt=FIRST, t_dt=TODAY) for request in (events.Mergers, events.Dividends)),
        prices.FundNow(fid_input_iscd=FUND),
        prices.FundMinutes(fid_input_iscd=FUND),
        charts.FundDays(fid_input_iscd=FUND, fid_input_date_1=FIRST, fid_input_date_2=TODAY),
        prices.IndexNow(fid_input_iscd="0001"),
        charts.IndexMinutes(fid_input_iscd="0001"),
        studies.VolumeBoard(),
        studies.CapBoard(),
        studies.FluctuationBoard(fid_rank_sort_cls_code="0"),
        studies.RecentFlows(fid_input_iscd="005930"),
        studies.FlowsOfName(fid_input_iscd="005930", fid_input_date_1=TODAY),
        studies.FlowsOfMarket(
            fid_input_iscd="0001",
            fid_input_date_1=TODAY,
            fid_input_date_2=TODAY,
            fid_input_iscd_1="KSP",
            fid_input_iscd_2="0001",
        ),
        events.Interruptions(fid_input_date_1=TODAY),
        events.Headlines(),
    )
}


def ask(desk: Desk, asked: Ask, **other: str) -> Reply:
    """Send a request, some of its words in other ones, and read the reply as the client does."""
    operation = asked.operation
    params = operation.body(asked.values() | {name.upper(): value for name, value in other.items()})
    tr = operation.tr_id(desk.mode)
    reply = desk.core.handle(Call(desk.mode, "GET", operation.path, desk.headers(tr), params))
    return read_reply(operation, tr, reply.status, reply.tr_cont, reply.body)


def rows(desk: Desk, asked: Ask, **other: str) -> list[dict[str, str]]:
    """Return the list of a successful reply, every field of the table in its order."""
    reply = ask(desk, asked, **other)
    assert (reply.rt_cd, reply.code) == ("0", "MCA00000"), reply.text
    (output,) = [output for output in asked.operation.outputs if output.many]
    found = [dict(row) for row in reply.rows(output.key)]
    for row in found:
        assert list(row) == list(output.row.forms)
        for name in row:
            output.row.value(row, name, tr=reply.tr)
    return found
