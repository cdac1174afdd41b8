"""``haetae dashboard``: the web pages over a service that is already running."""

from __future__ import annotations

import os
import subprocess
from typing import Annotated

import typer

from haetae.cli.text import hint


def dashboard(
    service: Annotated[
        str, typer.Option(help=hint("서비스 주소 (루프백)", "address of the service (loopback)"))
    ] = "http://127.0.0.1:8710",
    port: Annotated[int, typer.Option(min=1, max=65535, help=hint("페이지를 열 포트", "port of the pages"))] = 8711,
) -> None:
    """Serve the pages until interrupted; a token is typed in the page or given as HAETAE_SERVICE_TOKEN."""
    from haetae.wiring.dashboards import command, environment

    print(
        hint(f"대시보드: http://127.0.0.1:{port} (서비스 {service})", f"dashboard: http://127.0.0.1:{port}"), flush=True
    )
    done = subprocess.run(command(port), env=environment(os.environ, service_url=service), check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
