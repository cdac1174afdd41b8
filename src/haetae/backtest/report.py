"""Every figure of a report as JSON values; the page is drawn from these (``page``).

A run is never told alone: at least one benchmark that can be beaten is required. Costs, the number of
trials, the fill assumptions and the known sources of bias are part of the figures. The form is
``report.schema.json`` beside this file; ``SCHEMA`` grows with every change that a reader must know of.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from haetae.backtest.breakdown import by_name, by_period
from haetae.backtest.capacity import participation
from haetae.backtest.drawdowns import drawdowns
from haetae.backtest.evidence import Evidence, best_benchmark
from haetae.backtest.metrics import compare, measure
from haetae.backtest.overfitting import Overfitting
from haetae.backtest.result import Result
from haetae.backtest.stress import Stress
from haetae.backtest.trips import round_trips, trip_figures
from haetae.backtest.verdict import ReportNotes, checks, counted, verdict, warnings

SCHEMA = "haetae.report/2"
LOGIT_BINS = 24


def figures(
    run: Result, benchmarks: Sequence[Result], notes: ReportNotes | None = None, evidence: Evidence | None = None
) -> dict[str, Any]:
    """Return every figure of the report as JSON values (NaN and infinity as null).

    Parameters
    ----------
    run : Result
        The run the report is about.
    benchmarks : sequence of Result
        At least one that is no bound, each with a name of its own; raises ``ValueError`` otherwise.
    evidence : Evidence, optional
        From ``gather``. What is missing from it is said to be missing.
    """
    notes = notes or ReportNotes()
    evidence = counted(run, notes, evidence or Evidence())
    names = [one.name for one in benchmarks]
    if len(set(names)) < len(names):
        raise ValueError(f"two benchmarks bear one name: {', '.join(sorted(names))}")
    best = best_benchmark(run, benchmarks)
    measured = {other.name: measure(other) for other in benchmarks}
    compared = {other.name: compare(run, other) for other in benchmarks}
    own, against = measure(run), compared[best.name]
    made = checks(own, against, evidence)
    days = run.daily_days()
    trips = round_trips(run)
    return plain(
        {
            "schema": SCHEMA,
            "name": run.name,
            "from": int(days[0]),
            "to": int(days[-1]),
            "symbols": len(run.symbols),
            "initial_cash_won": run.initial_cash,
            "final_equity_won": int(run.equity[-1]),
            "window": notes.window,
            "verdict": verdict(run, best, against, notes, made),
            "checks": made,
            "warnings": warnings(run, benchmarks, notes, evidence),
            "metrics": own,
            "best_benchmark": best.name,
            "benchmarks": {
                other.name: {
                    "metrics": measured[other.name],
                    "comparison": compared[other.name],
                    "bound": other.bound,
                }
                for other in benchmarks
            },
            "trials": evidence.deflated.trials if evidence.deflated else 0,
            "deflated_sharpe": evidence.deflated,
            "overfitting": _overfitting(evidence.overfitting) if evidence.overfitting else None,
            "intervals": _intervals(evidence),
            "stress": _stress(evidence.stress) if evidence.stress else None,
            "drawdowns": drawdowns(run),
            "trips": trip_figures(run, trips) if len(run.fills) else None,
            "capacity": participation(run),
            "years": by_period(run, best, yearly=True),
            "months": by_period(run, best, yearly=False),
            "names": by_name(run),
            "assumptions": dict(run.assumptions),
            "remarks": list(notes.remarks),
        }
    )


def plain(value: Any) -> Any:
    """Return records, tuples and numbers as JSON values; what is not finite becomes None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    match value:
        case dict():
            return {str(key): plain(one) for key, one in value.items()}
        case enum.Enum():
            return value.value
        case list() | tuple():
            return [plain(one) for one in value]
        case bool() | int() | str() | None:
            return value
        case float():
            return value if math.isfinite(value) else None
    raise TypeError(f"{type(value).__name__} has no form in a report")


def _intervals(evidence: Evidence) -> dict[str, Any] | None:
    found = evidence.intervals
    if found is None:
        return None
    told = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    ranges = ("sharpe", "cagr", "max_drawdown", "excess_cagr")
    return {**told, **{name: getattr(found, name)._asdict() for name in ranges}}


def _overfitting(found: Overfitting) -> dict[str, Any]:
    counts, edges = np.histogram(found.logits, LOGIT_BINS)
    return {
        "probability": found.probability,
        "loss": found.loss,
        "slope": found.slope,
        "blocks": found.blocks,
        "halves": len(found.logits),
        "trials": found.trials,
        "sessions": found.sessions,
        "logit_counts": counts.tolist(),
        "logit_edges": edges.tolist(),
    }


def _stress(found: Stress) -> dict[str, Any]:
    return {
        "costs": found.costs,
        "delays": found.delays,
        "break_even_ppm": found.break_even_ppm,
        "beyond": math.isinf(found.break_even_ppm),
    }
