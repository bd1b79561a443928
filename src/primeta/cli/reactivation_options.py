"""Options, and checks of them, that several verbs on lapsed customers share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from primeta.cli.terminal import Language, language_of, open_at, put
from primeta.errors import BadInput

if TYPE_CHECKING:
    from primeta.show.result import Table
    from primeta.workspace import Workspace

Flag = Annotated[bool, Parameter(negative="")]
Pairs = Annotated[list[str] | None, Parameter(negative_iterable="", consume_multiple=True)]
Margin = Annotated[
    float | None,
    Parameter(
        help="Of the list price, such as .4; where orders carry a margin of their own, that counts.",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Shown:
    """How the answer is shown, in a language of its own or the workspace's."""

    json: Flag = False
    """Print one JSON document."""
    language: Language = ""
    """en or ru."""

    @property
    def lang(self) -> Literal["en", "ru"]:
        """Where there is no workspace."""
        return "ru" if self.language == "ru" else "en"


@dataclass(frozen=True, kw_only=True)
class ShownThere(Shown):
    """The same; the words name the workspace."""

    language: Language = ""
    """en or ru; default: the workspace's."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class LogFile:
    """How one file of orders is read."""

    columns: str = ""
    """Names in the file, separated by commas: customer_id=client,ordered_at=date."""
    timezone: str = "UTC"
    """Of times that carry none; days are cut in it."""
    date_format: str = ""
    """Of ordered_at, where it cannot be told from the values: "dd.mm.yyyy HH:MM"."""

    def asked(self) -> dict[str, Any]:
        return {
            "columns": columns_of([self.columns]),
            "timezone": self.timezone,
            "date_format": self.date_format,
        }


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Files:
    """How several files are read together."""

    columns: Pairs = None
    """canonical=theirs, such as revenue=paid; for one table only orders.revenue=paid."""
    timezone: str = "UTC"
    """Of times that carry none."""
    currency: str = ""
    """ISO code in which money is written."""

    def asked(self) -> dict[str, Any]:
        return {
            "columns": columns_of(self.columns),
            "timezone": self.timezone,
            "currency": self.currency,
        }


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Terms:
    """How the files of an experiment are read, and how sure its intervals are."""

    columns: str = ""
    """canonical=theirs,… where the files call a column otherwise."""
    timezone: str = "UTC"
    """Of times that carry none; --until ends in it."""
    level: float | None = None
    """Of the intervals."""
    currency: str = ""
    """ISO code in which money is written, such as RUB."""

    @property
    def sure(self) -> float:
        """The level where neither a person nor a workspace gave one."""
        return 0.95 if self.level is None else self.level

    def asked(self) -> dict[str, Any]:
        return {
            "columns": columns_of([self.columns]),
            "timezone": self.timezone,
            "level": self.sure,
            "currency": self.currency,
        }


def columns_of(given: list[str] | None) -> dict[str, str]:
    """canonical=theirs,… as a mapping."""
    from primeta.experiments.experiment import pairs

    return pairs(given, "--columns")


def known(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was said; what was not is left to the defaults, or to the workspace."""
    return {name: value for name, value in asked.items() if value is not None}


def days_and_day(horizon: str, until: str) -> dict[str, Any]:
    """--horizon and --until as a workspace takes them; None where nothing was said."""
    from primeta.reactivation.door import day_given, days_of

    return {
        "horizon_days": days_of(horizon, "--horizon") if horizon else None,
        "until": day_given(until, "--until") if until else None,
    }


def opened(directory: Path, shown: Shown) -> tuple[Workspace, Literal["en", "ru"]]:
    """The workspace, and the language of its answer."""
    ws = open_at(directory)
    return ws, language_of(ws, shown.language)


def put_tables(*tables: Table) -> None:
    """Those that have rows, one under the other."""
    for table in tables:
        if table.rows:
            put("\n" + table.text())


# Refusals


def refuse_files(directory: Path, given: Mapping[str, Any], why: str = "") -> None:
    """What a workspace has of its own is refused beside it, not silently left aside."""
    named = next((name for name, value in given.items() if value), "")
    if named:
        option = named.replace("_", "-")
        raise BadInput(f"give a workspace or files, not both: {directory} and --{option}{why}")


def need_experiment(directory: Path, experiment: str, what: str = "is measured") -> None:
    if not experiment:
        raise BadInput(f"say which experiment of {directory} {what}: --experiment NAME")


def need_until(until: str) -> None:
    if not until:
        raise BadInput("give --until, the last day up to which the order log is complete: --until 2026-11-26")
