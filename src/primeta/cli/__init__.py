"""The verbs in a terminal: a thin skin over the Python API."""

from __future__ import annotations


def main() -> None:
    """The `primeta` command."""
    from primeta.cli.app import run

    run()
