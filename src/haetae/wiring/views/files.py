"""The files beside the journal as plain values: universe, models, backtest, mood.

A file that is not there is an empty answer, a file that does not parse is a ``DataError``: a folder of
``trade paper`` holds fewer of them than one of the demo.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haetae.domain.errors import DataError, Text
from haetae.domain.learning import ModelCard, ModelState
from haetae.registry.registry import Registry
from haetae.wiring.models import Evidence
from haetae.wiring.selection import mood_word
from haetae.wiring.views.days import Name, Row, moment

_FIGURES = (
    "total_return", "max_drawdown", "sharpe", "sharpe_se", "sortino", "turnover", "exposure", "hit_rate", "volatility",
)  # fmt: skip


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object, empty if the file is not there; raises ``DataError`` if it is torn."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as fault:
        raise _torn(path, str(fault)) from fault
    if not isinstance(found, dict):
        raise _torn(path, type(found).__name__)
    return found


def _torn(path: Path, found: str) -> DataError:
    return DataError(
        Text(ko=f"{path.name} 를 읽을 수 없습니다", en=f"cannot read {path.name}"),
        expected=Text(ko="JSON 객체", en="a JSON object"),
        found=found[:120],
        next_step=Text(ko="파일을 만든 명령을 다시 실행하세요", en="run the command that made it again"),
    )


def mood_row(found: Mapping[str, Any] | None) -> Row | None:
    """Return fear and greed with its word; None where it is not known."""
    if not found or not isinstance(found.get("value"), int | float):
        return None
    value = min(100.0, max(0.0, float(found["value"])))
    ko, en = mood_word(value)
    missing = [str(each) for each in found.get("missing", [])]
    return {"value": value, "word_ko": ko, "word_en": en, "missing": missing, "parts": list(found.get("parts", []))}


def exclusions_row(record: Mapping[str, Any], name: Name) -> Row:
    """Return why names are not in the universe."""
    reasons = [
        {
            "symbol": item["symbol"],
            "name": name(str(item["symbol"])),
            "code": item["code"],
            "detail": item["detail"],
        }
        for item in record.get("reasons", [])
    ]
    return {"exclusions": dict(record.get("exclusions", {})), "reasons": reasons}


def model_row(card: ModelCard, state: ModelState) -> Row:
    """Return one artefact."""
    return {
        "model_id": card.model_id,
        "kind": card.kind,
        "state": state.value,
        "train_from": card.train_from.isoformat(),
        "train_to": card.train_to.isoformat(),
        "seed": card.seed,
        "feature_hash": card.feature_hash,
        "content_hash": card.content_hash,
        "metrics": _finite(card.metrics),
    }


def models_row(registry: Registry) -> Row:
    """Return every artefact and the log of their states."""
    return {
        "rows": [model_row(card, state) for card, state in registry.models()],
        "history": [
            {
                "seq": entry.seq,
                "at": moment(entry.at) if entry.at else None,
                "model_id": entry.model_id,
                "state": entry.state.value,
                "why": entry.why,
                "retires": entry.retires,
            }
            for entry in registry.history()
        ],
    }


def evidence_row(found: Evidence) -> Row:
    """Return what speaks for a change of state."""
    row = {name: getattr(found, name) for name in ("model_id", "kind", "champion", "trained", "content_hash", "code")}
    return {
        **row,
        "now": found.now.value,
        "to": found.to.value,
        "recall": found.recall,
        "demands": [
            {
                "key": one.key,
                "name_ko": one.name.ko,
                "name_en": one.name.en,
                "threshold": one.threshold,
                "found_ko": one.found.ko,
                "found_en": one.found.en,
                "met": one.met,
            }
            for one in found.demands
        ],
        "metrics": _finite(found.metrics),
        "champion_metrics": _finite(found.champion_metrics),
    }


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {key: value for key, value in metrics.items() if _number(value) is not None}


def _number(value: object) -> float | None:
    usable = isinstance(value, int | float) and value == value and abs(value) != float("inf")
    return float(value) if usable else None  # type: ignore[arg-type]


def _figures(name: str, found: Mapping[str, Any]) -> Row:
    return {
        "name": name,
        **{key: _number(found.get(key)) for key in _FIGURES},
        "fees": int(found.get("fees_won", 0)),
        "taxes": int(found.get("taxes_won", 0)),
        "orders": int(found.get("orders", 0)),
        "sessions": int(found.get("sessions", 0)),
    }


def _ranker(name: str, found: Mapping[str, Any], *, baseline: bool) -> Row:
    figures = {key: _number(found.get(key)) for key in ("rank_ic", "icir", "t", "decile_net_bp")}
    return {"name": name, "baseline": baseline, **figures, "days": int(found.get("days", 0))}


def backtest_row(facts: Mapping[str, Any], *, report: bool) -> Row:
    """Return the simulated runs and rankers that a run's facts hold; empty where there are none."""
    tested: Mapping[str, Any] = facts.get("backtest", {})
    learned: Mapping[str, Any] = facts.get("ml", {})
    rl: Mapping[str, Any] = facts.get("rl", {})
    rankers = [_ranker(name, found, baseline=False) for name, found in learned.items() if name != "baselines"]
    rankers += [_ranker(name, found, baseline=True) for name, found in learned.get("baselines", {}).items()]
    notes = [f"{key}={rl[key]}" for key in ("algorithm", "chosen_by", "chosen_seed", "trials") if key in rl]
    policy = tested.get("policy")
    return {
        "engine": str(tested.get("engine", "")),
        "policy": _figures(str(facts.get("policy", "policy")), policy) if policy else None,
        "baselines": [_figures(name, found) for name, found in tested.get("baselines", {}).items()],
        "rankers": rankers,
        "windows": {name: dict(window) for name, window in rl.get("windows", {}).items()},
        "notes": notes,
        "report": report,
    }
