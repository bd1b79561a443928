"""What the doctor found: rule by rule, with counts, money, an example and what Primeta does about it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from primeta.show.locale import number, percent
from primeta.show.result import Head, Table
from primeta.warehouse.rules import ACTIONS, RULES, Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule held against one table; `rows` break it (0: none; 1 where the table as a whole does).

    `share` is of the table's rows before the rule; `money` is the sum of the absolute amounts of
    those rows, NaN where the table holds no money. `before` and `after` count the rows that go on
    to be used; they differ only where the action is "drops".
    """

    rule: str
    table: str
    rows: int
    share: float
    money: float
    example: str
    action: Action
    before: int
    after: int
    note: dict[str, str] = field(default_factory=dict)
    """More about it, in `en` and `ru`: what was recognised by what, what to do."""

    def label(self, lang: str = "en") -> str:
        """The rule in words."""
        return RULES[self.rule]["ru" if lang == "ru" else "en"]

    def as_dict(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "table": self.table,
            "rows": self.rows,
            "share": _finite(self.share),
            "money": _finite(self.money),
            "example": self.example,
            "action": self.action,
            "before": self.before,
            "after": self.after,
            "note": self.note.get("en", ""),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFill:
    """A column of the source: how many rows have a value, how many different ones there are."""

    name: str
    filled: int
    distinct: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSummary:
    """A table as it was found, before any rule."""

    table: str
    source: str
    rows: int
    used: int
    customers: int
    ids: int
    """Different ids of the table's key (orders: invoices)."""
    money: float
    first: str
    last: str
    columns: tuple[ColumnFill, ...] = ()
    files: tuple[dict[str, Any], ...] = ()
    time_format: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "source": self.source,
            "rows": self.rows,
            "used": self.used,
            "customers": self.customers,
            "ids": self.ids,
            "money": _finite(self.money),
            "first": self.first,
            "last": self.last,
            "time_format": self.time_format,
            "columns": [
                {"name": column.name, "filled": column.filled, "distinct": column.distinct}
                for column in self.columns
            ],
            "files": list(self.files),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Every rule that was checked, with what it found; `ok` where nothing waits for a person."""

    rules: tuple[Finding, ...]
    tables: tuple[TableSummary, ...]
    currency: str = ""

    @property
    def ok(self) -> bool:
        return not self.questions

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The rules that found something."""
        return tuple(finding for finding in self.rules if finding.rows)

    @property
    def questions(self) -> tuple[Finding, ...]:
        """The findings that need a person."""
        return tuple(finding for finding in self.findings if finding.action == "asks")

    def find(self, rule: str, table: str) -> Finding | None:
        return next((f for f in self.rules if f.rule == rule and f.table == table), None)

    def line(self, lang: str = "en") -> str:
        rows = sum(table.rows for table in self.tables)
        used = sum(table.used for table in self.tables)
        questions = len(self.questions)
        if lang == "ru":
            verdict = "вопросов нет" if self.ok else f"ждёт ответа: {questions}"
            return (
                f"Проверено строк: {number(rows, lang, digits=0)}, учитывается: {number(used, lang, digits=0)}; "
                f"замечаний: {len(self.findings)}, {verdict}."
            )
        verdict = "nothing waits for you" if self.ok else f"waiting for an answer: {questions}"
        return (
            f"Rows checked: {number(rows, lang, digits=0)}, used: {number(used, lang, digits=0)}; "
            f"remarks: {len(self.findings)}, {verdict}."
        )

    def table(self, lang: str = "en") -> Table:
        """The findings, those that need a person first; notes below say what was recognised by what."""
        language = "ru" if lang == "ru" else "en"
        heads = {
            "en": ("table", "rule", "rows", "share", "money", "what Primeta does", "example"),
            "ru": ("таблица", "правило", "строк", "доля", "деньги", "что делает Primeta", "пример"),
        }[language]
        ordered = sorted(self.findings, key=lambda finding: finding.action != "asks")
        rows = tuple(
            (
                finding.table,
                RULES[finding.rule][language],
                number(finding.rows, language, digits=0),
                "" if math.isnan(finding.share) else percent(finding.share, language),
                "" if math.isnan(finding.money) else number(finding.money, language, digits=0),
                ACTIONS[finding.action][language],
                finding.example,
            )
            for finding in ordered
        )
        notes = [
            f"{finding.table}, {RULES[finding.rule][language]}: {finding.note[language]}"
            for finding in ordered
            if language in finding.note
        ]
        return Table(
            heads=tuple(Head(text, "right" if at in (2, 3, 4) else "left") for at, text in enumerate(heads)),
            rows=rows,
            note="\n".join(notes),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "rules": [finding.as_dict() for finding in self.rules],
            "tables": [table.as_dict() for table in self.tables],
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
