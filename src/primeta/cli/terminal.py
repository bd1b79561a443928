"""What the verbs share: JSON on standard output, words for people, progress on standard error."""

from __future__ import annotations

import getpass
import json as _json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from primeta.workspace import Workspace

Language = Literal["", "en", "ru"]


def put_json(document: Any) -> None:
    """One JSON document: NaN is null, times are ISO 8601 with Z."""
    from primeta.show.result import plain

    sys.stdout.write(_json.dumps(plain(document), ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def put(text: str) -> None:
    """Words for a person, on standard output."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def tell(text: str) -> None:
    """A remark beside the answer, on standard error."""
    sys.stderr.write(text.rstrip("\n") + "\n")


def open_at(directory: Path) -> Workspace:
    from primeta.workspace import open_workspace

    return open_workspace(directory)


def language_of(ws: Workspace, wanted: Language) -> Literal["en", "ru"]:
    """The language asked for, else the workspace's."""
    return "ru" if (wanted or ws.config.language) == "ru" else "en"


def user() -> str:
    """Who works at this terminal."""
    return getpass.getuser()


def clock() -> datetime:
    """The only place of the command line that reads the time."""
    return datetime.now(UTC)


@contextmanager
def progress(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error where a person watches; silent in a pipe or a log."""
    if not sys.stderr.isatty():
        yield lambda _step, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        tasks = {}

        def step(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(f"{what}: {name}", total=total)
            bar.update(tasks[name], completed=done, total=total)

        yield step
