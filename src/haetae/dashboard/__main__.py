"""``python -m haetae.dashboard [--port N]``: Streamlit on loopback with this room's look."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

DEFAULT_PORT = 8711


def command(port: int) -> list[str]:
    """Return the arguments of Streamlit's own command line."""
    script = Path(__file__).with_name("app.py")
    return ["run", str(script), "--server.address=127.0.0.1", f"--server.port={port}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the pages until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m haetae.dashboard")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    asked = parser.parse_args(arguments)
    from streamlit.web import cli

    return int(cli.main(command(asked.port), standalone_mode=False) or 0)


if __name__ == "__main__":
    sys.exit(main())
