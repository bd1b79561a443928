"""`init` and `serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import put


def init(
    directory: Path,
    *,
    name: str = "",
    language: str = "en",
    currency: str = "USD",
    timezone: str = "UTC",
) -> None:
    """A new workspace with a commented primeta.toml.

    Parameters
    ----------
    directory:
        A new or empty folder.
    name:
        What people call it; default: the folder's name.
    language:
        en or ru.
    currency:
        Three capitals, such as RUB.
    timezone:
        Days and weeks are cut in it, such as Europe/Moscow.
    """
    from primeta.workspace.create import create_workspace

    path = create_workspace(directory, name=name, language=language, currency=currency, timezone=timezone)
    put(f"{path}: name your tables in it, then run `primeta doctor {directory}`")


def serve(
    directory: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    open_browser: Annotated[bool, Parameter(name="--open", negative="")] = False,
    processes: int = 1,
) -> None:
    """The pages, on this machine only unless told.

    Parameters
    ----------
    directory:
        The workspace.
    host:
        The address to listen on.
    port:
        The port to listen on.
    open_browser:
        Open the browser too.
    processes:
        How many processes answer, each on a core of its own.
    """
    from primeta.web.serve import serve as serve_pages

    serve_pages(directory, host=host, port=port, open_browser=open_browser, processes=processes)
