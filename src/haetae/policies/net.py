"""A trained net as a policy: view in, target weights out, numpy only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from haetae.domain.decisions import Proposal, View
from haetae.domain.errors import ModelError, Text
from haetae.policies.actions import target_weights
from haetae.policies.artefact import WEIGHTS_FILE, NetArtefact, from_files
from haetae.policies.network import forward
from haetae.policies.observe import observe, session_progress


class NetPolicy:
    """A net from an artefact; deterministic, refuses features it was not trained on."""

    def __init__(self, artefact: NetArtefact, policy_id: str) -> None:
        self._artefact = artefact
        self._policy_id = policy_id

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], expected_features: Sequence[str] | None = None) -> NetPolicy:
        """Load from ``policy.npz`` and ``manifest.json``; see ``artefact.from_files`` for refusals."""
        digest = hashlib.sha256(files.get(WEIGHTS_FILE, b"")).hexdigest()
        return cls(from_files(files, expected_features), f"net-{digest[:12]}")

    @property
    def policy_id(self) -> str:
        """``net-`` with the first twelve digits of the weights' hash."""
        return self._policy_id

    def propose(self, view: View) -> Proposal:
        """Return target weights for the symbols that should change; raises ``ModelError`` on other features."""
        artefact = self._artefact
        if view.feature_names != artefact.feature_names:
            raise ModelError(
                Text("관측된 특징이 학습 때와 다릅니다.", "the view's features are not those of the training"),
                expected=", ".join(artefact.feature_names),
                found=", ".join(view.feature_names),
                next_step=Text("모델을 다시 학습하거나 이전 판을 쓰십시오.", "train again, or run the former version"),
            )
        equity = max(view.equity, 1)
        held = (view.held * view.last / equity).astype(np.float32)
        observation = observe(
            artefact.scaler.apply(view.features),
            view.scores,
            held,
            np.float32(view.cash / equity),
            np.float32(session_progress(view.at)),
        )
        scores = forward(artefact.weights, observation[None]).scores[0]
        targets = target_weights(scores, held, view.tradable & (view.last > 0), artefact.limits)
        chosen = np.flatnonzero(~np.isnan(targets))
        return Proposal(
            proposal_id=f"{self._policy_id}@{view.at}",
            at=view.at,
            policy_id=self._policy_id,
            targets={view.symbols[i]: round(float(targets[i]), 9) for i in chosen},
            scores={view.symbols[i]: round(float(scores[i]), 6) for i in chosen},
        )
