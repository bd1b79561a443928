"""The verbs in a terminal: a thin skin over the Python API."""

from __future__ import annotations

import os


def main() -> None:
    """The `primeta` command."""
    # Our own threads share the cores (`stats.threads`); BLAS threads beside them only get in the way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from primeta.cli.app import run

    run()
