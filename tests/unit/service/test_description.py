"""The service and its own description agree: generated requests, right and wrong, on every route."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from haetae.service.app import describe
from haetae.service.tokens import FILE, Role, TokenBook
from haetae.wiring.clocks import SystemClock
from haetae.wiring.views.views import Views
from rigs.desk_folder import Folder

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 8
"""Per route and kind; a longer hunt is `EXAMPLES = 500` and some patience."""
ROUTES = 25


@pytest.fixture(scope="module")
def described(made: Folder, tmp_path_factory: pytest.TempPathFactory) -> tuple[schemathesis.BaseSchema, str]:
    path: Path = tmp_path_factory.mktemp("generated") / "desk"
    shutil.copytree(made.path, path)
    book = TokenBook(path / FILE, SystemClock())
    secret, _ = book.new(Role.ADMIN, label="generated")
    return schemathesis.openapi.from_asgi("/v1/openapi.json", describe(Views(path), book)), secret


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_one_that_the_description_names(
    described: tuple[schemathesis.BaseSchema, str], mode: GenerationMode
) -> None:
    schema, secret = described
    operations = [each.ok() for each in schema.get_all_operations()]
    assert len(operations) == ROUTES
    tried = 0
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and operation.path in _NOTHING_TO_SPOIL:
            continue

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        )
        def ask(case: schemathesis.Case) -> None:
            nonlocal tried
            tried += 1
            case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS)

        ask()
    assert tried >= ROUTES


_NOTHING_TO_SPOIL = frozenset({"/v1/health", "/v1/whoami", "/v1/universe", "/v1/backtest", "/v1/report", "/v1/models"})
"""Routes that take nothing, so nothing can be wrong about a request."""
