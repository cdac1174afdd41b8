"""Bad input of features, refused with its name, what was expected, what was found and how to mend it.

Each function returns nothing where all is well. Who calls them: whoever builds (``wiring.materialising``), checks
or trains. Not here: unknown names (``catalogue``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haetae.domain.errors import DataError, ModelError, Text
from haetae.domain.learning import FeatureSpec
from haetae.domain.panel import Panel
from haetae.domain.units import kst_text
from haetae.features.sets import FeatureSet, FloatArray, Grain

_TOLD = 5
"""Names that a message gives; the rest is a number."""


def _some(names: Sequence[str]) -> str:
    rest = len(names) - _TOLD
    return ", ".join(names[:_TOLD]) + (f" (+{rest})" if rest > 0 else "")


def refuse_short_history(feature_set: FeatureSet, rows: int) -> None:
    """Refuse a history in which some feature of a set can have no value: it needs more rows than its look-back."""
    short = [spec for spec in feature_set.specs if spec.look_back >= rows]
    if not short:
        return
    longest = max(short, key=lambda spec: spec.look_back)
    unit = Text(ko="일", en="days") if feature_set.grain is Grain.DAILY else Text(ko="봉", en="bars")
    raise DataError(
        Text(
            ko=f"'{feature_set.name}' 특징 {len(short)}개의 되돌아보는 길이가 가진 역사보다 깁니다",
            en=f"{len(short)} features of '{feature_set.name}' look back further than the history",
        ),
        expected=f"> {longest.look_back:,} {unit} ({longest.name})",
        found=f"{rows:,} {unit}: {_some([spec.name for spec in short])}",
        next_step=Text(
            ko="더 오래된 봉을 수집하거나 가져오세요 (haetae collect backfill, haetae lake import)",
            en="collect or import older bars (haetae collect backfill, haetae lake import)",
        ),
    )


def refuse_duplicates(panel: Panel) -> None:
    """Refuse bars of which two stand at one time, or that run backward: a fold would count a day twice."""
    wrong = np.flatnonzero(np.diff(panel.start) <= 0)
    if len(wrong):
        row = int(wrong[0]) + 1
        raise DataError(
            Text(ko="같은 시각의 봉이 두 번 있습니다", en="two bars stand at one time"),
            expected=Text(ko="시각마다 한 봉, 오래된 것부터", en="one bar a time, oldest first"),
            found=f"{len(wrong)} · {kst_text(int(panel.start[row]))[:19]}",
            next_step=Text(
                ko="그 봉을 하나로 하고 다시 가져오세요 (haetae lake import)",
                en="keep one of them and import again (haetae lake import)",
            ),
        )


def blank(specs: Sequence[FeatureSpec], values: FloatArray) -> tuple[FeatureSpec, ...]:
    """Return the features that have no value anywhere in ``(…, n_features)``."""
    rows = values.reshape(-1, values.shape[-1])
    return tuple(spec for column, spec in enumerate(specs) if bool(np.isnan(rows[:, column]).all()))


def refuse_blank(specs: Sequence[FeatureSpec], values: FloatArray) -> None:
    """Refuse values of which a whole column is NaN: a model would learn from nothing under its name."""
    empty = blank(specs, values)
    if empty:
        inputs = dict.fromkeys(word for spec in empty for word in spec.inputs)
        raise DataError(
            Text(
                ko=f"값이 하나도 없는 특징이 {len(empty)}개 있습니다",
                en=f"{len(empty)} features have no value at all",
            ),
            expected=Text(
                ko=f"특징마다 값 하나 이상 (입력: {', '.join(inputs)})",
                en=f"a value of each (inputs: {', '.join(inputs)})",
            ),
            found=_some([spec.name for spec in empty]),
            next_step=Text(
                ko="그 입력을 수집하거나 (haetae collect), 그 특징을 빼고 쓰세요",
                en="collect those inputs (haetae collect), or leave these features out",
            ),
        )


def refuse_other_hash(feature_set: FeatureSet, trained: str, *, model: str) -> None:
    """Refuse a model that was trained on other features than a set has now."""
    if trained != feature_set.hash:
        raise ModelError(
            Text(
                ko=f"모델 '{model}' 은 다른 특징으로 학습했습니다",
                en=f"model '{model}' was trained on other features",
            ),
            expected=f"{feature_set.name} {feature_set.hash}",
            found=trained,
            next_step=Text(ko="지금 특징으로 다시 학습하세요", en="train again on the features of today"),
        )
