"""What a draft of the rules would have done to the log, beside the rules in force: rows of the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from primeta.show.locale import Figure
from primeta.web.reader import Reader, capital

WHOSE = ("purpose", "programme", "campaign", "team")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure: as it was, under the rules in force, under the draft."""

    name: str
    was: Figure | None
    in_force: Figure | None
    draft: Figure | None
    note: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedRow:
    """Of one purpose, campaign, programme or team."""

    name: str
    sends: int
    in_force: int | None
    draft: int
    share: float
    """Of its messages that the draft would have stopped."""


def heading(reader: Reader, replay: Mapping[str, Any]) -> str:
    """What the replay of the draft found, in a sentence."""
    sends, stopped = replay["sends"], replay["stopped"]
    before = sum(row["before"] for row in replay["broken"])
    after = sum(row["after"] for row in replay["broken"])
    if not stopped:
        return str(reader._("The draft would have stopped nothing"))
    share = reader.percent(stopped / sends)
    if before > after:
        return str(
            reader._(
                "The draft would have stopped {share} of the messages, and promises would have been broken {after:int} "
                "times, not {before:int}",
                share=share,
                after=after,
                before=before,
            )
        )
    return str(reader._("The draft would have stopped {share} of the messages", share=share))


def compared(
    reader: Reader,
    draft: Mapping[str, Any],
    in_force: Mapping[str, Any] | None,
    texts: Mapping[str, str],
) -> list[Compared]:
    """The figures of a replay, those of the rules in force beside them.

    Args:
        texts: Promise → its text.
    """
    _ = reader._

    def count(value: float | None) -> Figure | None:
        return None if value is None else reader.figure(float(value), "count")

    def of(found: Mapping[str, Any] | None, *path: str) -> Any:
        for key in path:
            found = None if found is None else found.get(key)  # type: ignore[assignment]
        return found

    rows = [
        Compared(
            name=str(_("Messages sent")),
            was=count(draft["sends"]),
            in_force=None if in_force is None else count(in_force["sends"] - in_force["stopped"]),
            draft=count(draft["sends"] - draft["stopped"]),
        )
    ]
    for rule, words in (
        ("cap", _("stopped by a cap")),
        ("quiet-hours", _("stopped by quiet hours")),
        ("first-touches", _("stopped among the first touches")),
    ):
        if draft["by_rule"].get(rule) or of(in_force, "by_rule", rule):
            rows.append(
                Compared(
                    name=capital(str(words)),
                    was=None,
                    in_force=count(of(in_force, "by_rule", rule)),
                    draft=count(draft["by_rule"].get(rule, 0)),
                )
            )
    others = {row["promise"]: row["after"] for row in (in_force or {}).get("broken", ())}
    for row in draft["broken"]:
        rows.append(
            Compared(
                name=str(_("Promise broken: {text}", text=texts.get(row["promise"]) or row["promise"])),
                was=count(row["before"]),
                in_force=count(others.get(row["promise"])),
                draft=count(row["after"]),
            )
        )

    def amount(found: Mapping[str, Any] | None, key: str, unit: str = "count") -> Figure | None:
        told = of(found, key)
        value = None if told is None else told.get("credit_kept" if key == "credit" else "value")
        if value is None or not math.isfinite(value):
            return None
        return reader.figure(value, unit, told["low"], told["high"])  # type: ignore[arg-type]

    for key, name, note in (
        ("welcomes", _("Welcomes of the stopped messages"), _("counted, some would have come anyway")),
        ("opt_outs", _("Opt-outs within 72 hours of them"), _("counted, others might have come as well")),
    ):
        rows.append(
            Compared(
                name=str(name),
                was=None,
                in_force=amount(in_force, key),
                draft=amount(draft, key),
                note=str(note),
            )
        )
    cost = draft.get("cost")
    if cost is not None and math.isfinite(cost):
        other = of(in_force, "cost")
        rows.append(
            Compared(
                name=str(_("Cost of the stopped messages")),
                was=None,
                in_force=None if other is None else reader.figure(other, "money"),
                draft=reader.figure(cost, "money"),
            )
        )
    why_not = {
        "no-lottery": _("too few of these messages were drawn by lot"),
        "no-orders": _("orders are not mapped"),
        "": "",
    }
    for key, name, unit in (
        ("orders", _("Customers who ordered because of them"), "count"),
        ("revenue", _("What those paid because of them"), "money"),
    ):
        figure = amount(draft, key, unit)
        if key == "revenue" and figure is None:
            continue
        rows.append(
            Compared(
                name=str(name),
                was=None,
                in_force=amount(in_force, key, unit),
                draft=figure,
                note=str(_("from the lottery, within 72 hours")) if figure else "",
                why_not=""
                if figure
                else str(why_not.get(draft.get("why_not", ""), draft.get("why_not", ""))),
            )
        )
    credit = amount(draft, "credit")
    basis = of(draft, "credit", "basis")
    rows.append(
        Compared(
            name=str(_("Credit kept")),
            was=None,
            in_force=amount(in_force, "credit"),
            draft=credit,
            note=str(
                _("customers’ worth, from the lottery")
                if basis == "randomised"
                else _("customers’ worth, observational: rest and other campaigns are in it too")
            )
            if credit
            else "",
            why_not="" if credit else str(_("no reactions are known, or nothing would have been stopped")),
        )
    )
    return rows


def stopped_rows(
    reader: Reader, draft: Mapping[str, Any], in_force: Mapping[str, Any] | None
) -> list[tuple[str, list[StoppedRow]]]:
    """(heading, rows) by purpose, programme, campaign and team, as far as the log names them."""
    names = {
        "purpose": reader._("By purpose"),
        "programme": reader._("By programme"),
        "campaign": reader._("By campaign"),
        "team": reader._("By team"),
    }
    beside = {(row["whose"], row["name"]): row["stopped"] for row in (in_force or {}).get("by", ())}
    found: list[tuple[str, list[StoppedRow]]] = []
    for whose in WHOSE:
        rows = [
            StoppedRow(
                name=_name(reader, whose, row["name"]),
                sends=row["sends"],
                in_force=beside.get((whose, row["name"])) if in_force else None,
                draft=row["stopped"],
                share=row["stopped"] / row["sends"] if row["sends"] else math.nan,
            )
            for row in draft.get("by", ())
            if row["whose"] == whose
        ]
        if rows:
            found.append((str(names[whose]), rows))
    return found


def _name(reader: Reader, whose: str, name: str) -> str:
    from primeta.attention.policy_words import PURPOSES

    if whose == "purpose" and name in PURPOSES:
        return PURPOSES[name]["ru" if reader.lang == "ru" else "en"]
    return name or str(reader._("not named"))
