"""Answers of interviews as numbers: shares of reasons, whether coders agree, and what those people did later."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa

from primeta.errors import BadInput, BadTable
from primeta.experiments.certificate import clopper_pearson
from primeta.reactivation.inputs import Given
from primeta.reactivation.interviews_words import REASONS, STRATA, WORDS, said
from primeta.reactivation.records import NAN
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.stats.survey import Share, cohen_kappa, stratified_share
from primeta.warehouse.duck import run
from primeta.warehouse.files import read_table

FEW = 5
"""Of fewer people nothing is said but their number."""
POOR = 0.6
"""Kappa below which a code is not clear enough to be counted on (Landis & Koch 1977: "moderate" ends there)."""
LIST = ("call", "customer_id", "stratum", "value", "silence", "cell_customers")
_YES = {"yes", "y", "true", "1", "да"}
_NO = {"no", "n", "false", "0", "нет"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one person said, all coders together."""

    call: str
    stratum: str
    said_at: datetime | None
    reasons: tuple[str, ...]
    """Those that at least half of his coders gave."""
    quote: str
    would_return: bool | None
    language: str
    weight: float
    """Customers that he stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonShare:
    """How many give a reason, in one group or (`stratum` empty) in all."""

    reason: str
    stratum: str
    people: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """What those who gave a reason did after the talk; empty: all who answered."""

    reason: str
    people: int
    """Followed for the whole time."""
    ordered: int
    share: float
    low: float
    high: float
    revenue: float
    """Per person followed."""
    opted_out: int
    """-1: not known."""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Two coders on one reason: Cohen's kappa, the mean over pairs of coders."""

    reason: str
    people: int
    """Coded by at least two."""
    kappa: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Why they left or came back, in the words of those who were called."""

    answers: tuple[Answer, ...]
    shares: tuple[ReasonShare, ...]
    later: tuple[Later, ...]
    agreement: tuple[Agreement, ...]
    would_return: tuple[ReasonShare, ...]
    after_days: int
    names: Mapping[str, Mapping[str, str]]
    not_on_list: int = 0
    currency: str = ""
    why_not: str = ""

    def name(self, reason: str, lang: str) -> str:
        """In words."""
        return self.names[reason][lang]

    def line(self, lang: str = "en") -> str:
        """What comes first."""
        if self.why_not:
            return said(f"cannot.{self.why_not}", lang)
        first = next(row for row in self.shares if not row.stratum)
        share, interval = share_said(first.share, first.low, first.high, lang)
        return said(
            "line.reasons",
            lang,
            people=locale.number(len(self.answers), lang),
            first=self.name(first.reason, lang),
            share=share,
            interval=interval,
        )

    def table(self, lang: str = "en") -> Table:
        """Shares of reasons over all, then by group."""
        heads = (
            Head(WORDS["reason"][lang]),
            Head(WORDS["group"][lang]),
            Head(WORDS["people"][lang], "right"),
            Head(WORDS["share"][lang], "right"),
            Head(WORDS["interval"][lang], "right"),
        )
        rows = []
        for row in self.shares:
            shown = locale.figure(row.share, lang, unit="share", low=row.low, high=row.high)
            group = STRATA[row.stratum][lang] if row.stratum else WORDS["all"][lang]
            rows.append(
                (
                    self.name(row.reason, lang),
                    group,
                    locale.number(row.people, lang),
                    shown.text,
                    shown.interval,
                )
            )
        return Table(heads=heads, rows=tuple(rows), note="\n".join(self.remarks(lang)))

    def later_table(self, lang: str = "en") -> Table:
        """What people did after the talk, by reason."""
        heads = (
            Head(WORDS["reason"][lang]),
            Head(WORDS["people"][lang], "right"),
            Head(said("ordered", lang, days=self.after_days), "right"),
            Head(WORDS["interval"][lang], "right"),
            Head(WORDS["revenue"][lang], "right"),
            Head(WORDS["opted-out"][lang], "right"),
        )
        rows = []
        for row in self.later:
            name = self.name(row.reason, lang) if row.reason else WORDS["all"][lang]
            if row.why_not:
                rows.append((name, locale.number(row.people, lang), said("few", lang, n=FEW), "", "", ""))
                continue
            shown = locale.figure(row.share, lang, unit="share", low=row.low, high=row.high)
            money = (
                locale.money(row.revenue, lang, self.currency)
                if self.currency
                else locale.number(row.revenue, lang, digits=0)
            )
            out = locale.number(row.opted_out, lang) if row.opted_out >= 0 else ""
            rows.append((name, locale.number(row.people, lang), shown.text, shown.interval, money, out))
        return Table(heads=heads, rows=tuple(rows), note=WORDS["later"][lang] if rows else "")

    def agreement_table(self, lang: str = "en") -> Table:
        """Cohen's kappa by reason."""
        heads = (
            Head(WORDS["reason"][lang]),
            Head(WORDS["people"][lang], "right"),
            Head(WORDS["agreement"][lang], "right"),
        )
        rows = tuple(
            (
                self.name(row.reason, lang),
                locale.number(row.people, lang),
                locale.number(row.kappa, lang, digits=2),
            )
            for row in self.agreement
            if math.isfinite(row.kappa)
        )
        return Table(heads=heads, rows=rows)

    def remarks(self, lang: str = "en") -> list[str]:
        """What must be known beside the shares."""
        told = []
        if self.answers:
            told.append(WORDS["weights"][lang])
            told.append(WORDS["multiple"][lang])
        poor = [self.name(row.reason, lang) for row in self.agreement if row.kappa < POOR]
        if poor:
            told.append(
                said(
                    "disagree",
                    lang,
                    reasons=locale.listed(poor, lang),
                    limit=locale.number(POOR, lang, digits=1),
                )
            )
        counts = {code: sum(answer.stratum == code for answer in self.answers) for code in STRATA}
        told += [
            said("small", lang, stratum=STRATA[code][lang], n=n) for code, n in counts.items() if 0 < n < FEW
        ]
        if self.not_on_list:
            told.append(said("not-on-list", lang, n=locale.number(self.not_on_list, lang)))
        return told

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; people are named by their place on the list."""

        def share(row: ReasonShare, **more: Any) -> dict[str, Any]:
            return {
                **more,
                "stratum": row.stratum or None,
                "people": row.people,
                "share": row.share,
                "low": row.low,
                "high": row.high,
            }

        return {
            "answered": len(self.answers),
            "reasons": [
                share(row, reason=row.reason, name=dict(self.names[row.reason])) for row in self.shares
            ],
            "would_return": [share(row) for row in self.would_return],
            "later": [
                {
                    "reason": row.reason or None,
                    "people": row.people,
                    "ordered": None if row.why_not else row.ordered,
                    "share": row.share,
                    "low": row.low,
                    "high": row.high,
                    "revenue": row.revenue,
                    "opted_out": row.opted_out if row.opted_out >= 0 and not row.why_not else None,
                    "why_not": row.why_not or None,
                }
                for row in self.later
            ],
            "after_days": self.after_days,
            "agreement": [
                {"reason": row.reason, "people": row.people, "kappa": row.kappa} for row in self.agreement
            ],
            "quotes": [
                {
                    "call": answer.call,
                    "stratum": answer.stratum,
                    "said_at": answer.said_at,
                    "reasons": list(answer.reasons),
                    "quote": answer.quote,
                    "language": answer.language or None,
                }
                for answer in self.answers
                if answer.quote
            ],
            "not_on_list": self.not_on_list,
        }


def share_said(value: float, low: float, high: float, lang: str) -> tuple[str, str]:
    """A share and its interval as a sentence has them: `40%`, `30 to 50`; `40%`, `от 30 до 50`."""
    digits = min(locale.decimals_for(100 * low, 100 * high), 1)
    share = locale.percent(value, lang, digits=digits)
    return share, locale.interval(100 * low, 100 * high, lang, digits=digits, sentence=True)


def called_rows(rows: Any, *, need: Sequence[str] = LIST) -> pa.Table:
    """A list of people: a file, a table; `customer_id` is text.

    Raises:
        BadTable: cannot be read, or lacks a column.
    """
    table, where = _table(rows, "the list", ("customer_id", "call"))
    missing = [name for name in (*need, "customer_id") if name not in table.column_names]
    if missing:
        raise BadTable(f"{where}: {missing[0]} not found; it has {', '.join(table.column_names)}")
    at = table.column_names.index("customer_id")
    return table.set_column(at, "customer_id", table["customer_id"].cast(pa.string()))


def _table(rows: Any, wording: str, text: Sequence[str]) -> tuple[pa.Table, str]:
    if isinstance(rows, str | Path):
        return read_table(rows, text=text), str(rows)
    try:
        return (rows if isinstance(rows, pa.Table) else pa.table(rows)), wording
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise BadTable(f"{wording} cannot be read: {error}") from None


def reasons_of(
    connection: duckdb.DuckDBPyConnection,
    answers: Any,
    drawn: pa.Table,
    orders: Given,
    *,
    until: date,
    timezone: str = "UTC",
    after_days: int = 90,
    reactions: Given | None = None,
    messages: Given | None = None,
    codes: Mapping[str, str] | None = None,
    currency: str = "",
) -> Reasons:
    """Answers added up.

    Args:
        drawn: The list that was called, as it is exported.
        orders: The canonical log on the connection: what they did later.
    Raises:
        BadTable: a column is missing, a code is unknown, a time cannot be read; the message names the row.
    """
    names: dict[str, Mapping[str, str]] = dict(REASONS)
    for code, words in (codes or {}).items():
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", code):
            raise BadInput(f"--code {code}: small Latin letters, digits and hyphens were expected")
        names[code] = {"en": words, "ru": words}
    rows, where = _table(answers, "the answers", ("customer_id", "call", "quote", "reason", "coder"))
    given = _read_answers(rows, where, names, timezone)
    listed = {str(row["customer_id"]): row for row in drawn.to_pylist()}
    by_call = {str(row["call"]): key for key, row in listed.items()}
    people: dict[str, list[dict[str, Any]]] = {}
    strangers: set[str] = set()
    for row in given:
        key = by_call.get(row["call"]) if row["call"] else row["customer_id"]
        if key is None or key not in listed:
            strangers.add(row["call"] or row["customer_id"])
            continue
        people.setdefault(key, []).append(row)
    weights = _weights(listed, people)
    found = []
    for key, own in sorted(people.items(), key=lambda entry: _place(listed[entry[0]]["call"])):
        # A reason counts where at least half of those who coded this person gave it.
        count: dict[str, int] = {}
        for row in own:
            for code in row["reasons"]:
                count[code] = count.get(code, 0) + 1
        told = next((row for row in own if row["quote"]), own[0])
        found.append(
            Answer(
                call=str(listed[key]["call"]),
                stratum=str(listed[key]["stratum"]),
                said_at=own[0]["said_at"],
                reasons=tuple(sorted(code for code, n in count.items() if 2 * n >= len(own))),
                quote=told["quote"],
                would_return=next(
                    (row["would_return"] for row in own if row["would_return"] is not None), None
                ),
                language=told["language"],
                weight=weights[key],
            )
        )
    ids = {str(listed[key]["call"]): key for key in people}
    if not found:
        return Reasons(
            answers=(),
            shares=(),
            later=(),
            agreement=(),
            would_return=(),
            after_days=after_days,
            names=names,
            not_on_list=len(strangers),
            currency=currency,
            why_not="no-answers",
        )
    return Reasons(
        answers=tuple(found),
        shares=tuple(_shares(found, sorted({code for answer in found for code in answer.reasons}))),
        later=tuple(
            _later(
                connection,
                found,
                ids,
                orders,
                until=until,
                timezone=timezone,
                after_days=after_days,
                reactions=reactions,
                messages=messages,
            )
        ),
        agreement=tuple(_agreement(people)),
        would_return=tuple(_would_return(found)),
        after_days=after_days,
        names=names,
        not_on_list=len(strangers),
        currency=currency,
    )


def _place(call: str) -> tuple[str, int]:
    text = str(call)
    return text[:1], int(text[1:]) if text[1:].isdigit() else 0


def _read_answers(
    rows: pa.Table, where: str, names: Mapping[str, Any], timezone: str
) -> list[dict[str, Any]]:
    columns = rows.column_names
    if not {"customer_id", "call"} & set(columns):
        raise BadTable(f"{where}: customer_id or call not found; it has {', '.join(columns)}")
    for name in ("said_at", "reason"):
        if name not in columns:
            raise BadTable(f"{where}: {name} not found; it has {', '.join(columns)}")
    found = []
    for number, row in enumerate(rows.to_pylist(), 1):
        codes = [code for code in re.split(r"[,;|\s]+", str(row["reason"] or "").strip().lower()) if code]
        for code in codes:
            if code not in names:
                near = difflib.get_close_matches(code, list(names), n=1)
                hint = f" Is it {near[0]!r}?" if near else ""
                raise BadTable(
                    f"{where}, row {number}: no reason is called {code!r}.{hint} Expected some of {', '.join(names)}; add one "
                    f"of your own with --code {code}=WORDS."
                )
        call, customer = (str(row.get(name) or "").strip() for name in ("call", "customer_id"))
        if not call and not customer:
            raise BadTable(f"{where}, row {number}: neither call nor customer_id says who answered")
        found.append(
            {
                "call": call,
                "customer_id": customer,
                "said_at": _moment(row["said_at"], where, number, timezone),
                "reasons": sorted(set(codes)),
                "quote": str(row.get("quote") or "").strip(),
                "would_return": _yes_no(row.get("would_return")),
                "language": str(row.get("language") or "").strip(),
                "coder": str(row.get("coder") or "").strip(),
            }
        )
    return found


def _moment(value: Any, where: str, number: int, timezone: str) -> datetime:
    """In UTC."""
    zone = ZoneInfo(timezone)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        try:
            value = datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise BadTable(
                f"{where}, row {number}: said_at {value!r} is no time; 2026-11-26 or 2026-11-26 14:30 was expected"
            ) from None
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(ZoneInfo("UTC"))


def _yes_no(value: Any) -> bool | None:
    text = str(value).strip().lower() if value is not None else ""
    return True if text in _YES else False if text in _NO else None


def _weights(listed: Mapping[str, Mapping[str, Any]], people: Mapping[str, Any]) -> dict[str, float]:
    """Each stands for the customers of his cell, over its answers; cells nobody of which answered are shared out
    among the others of their group."""
    size = {_cell(row): float(row["cell_customers"]) for row in listed.values()}
    answered: dict[tuple[str, str, str], int] = {}
    for key in people:
        cell = _cell(listed[key])
        answered[cell] = answered.get(cell, 0) + 1
    found = {}
    for key in people:
        cell = _cell(listed[key])
        whole = sum(n for other, n in size.items() if other[0] == cell[0])
        heard = sum(size[other] for other in answered if other[0] == cell[0])
        found[key] = whole * size[cell] / heard / answered[cell]
    return found


def _cell(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(row["stratum"]), str(row["value"]), str(row["silence"])


def _shares(answers: Sequence[Answer], reasons: Sequence[str]) -> list[ReasonShare]:
    found = [_share(answers, reason, "") for reason in reasons]
    found.sort(key=lambda row: (-row.share, row.reason))
    for stratum in STRATA:
        own = [answer for answer in answers if answer.stratum == stratum]
        rows = [_share(own, reason, stratum) for reason in reasons]
        found += sorted((row for row in rows if row.people), key=lambda row: (-row.share, row.reason))
    return found


def _share(answers: Sequence[Answer], reason: str, stratum: str) -> ReasonShare:
    says = [reason in answer.reasons for answer in answers]
    told = _weighed(answers, says)
    return ReasonShare(
        reason=reason, stratum=stratum, people=sum(says), share=told.value, low=told.low, high=told.high
    )


def _weighed(answers: Sequence[Answer], says: Sequence[bool]) -> Share:
    places = {code: at for at, code in enumerate(STRATA)}
    return stratified_share(
        np.array(says, dtype=bool),
        np.array([answer.weight for answer in answers]),
        np.array([places[answer.stratum] for answer in answers], dtype=np.int64),
    )


def _would_return(answers: Sequence[Answer]) -> list[ReasonShare]:
    found = []
    for stratum in ("", *STRATA):
        own = [
            answer
            for answer in answers
            if answer.would_return is not None and stratum in ("", answer.stratum)
        ]
        if own:
            says = [bool(answer.would_return) for answer in own]
            told = _weighed(own, says)
            found.append(
                ReasonShare(
                    reason="",
                    stratum=stratum,
                    people=sum(says),
                    share=told.value,
                    low=told.low,
                    high=told.high,
                )
            )
    return found


def _agreement(people: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Agreement]:
    """Kappa of each reason, mean over the pairs of coders that have at least `FEW` people in common."""
    coded: dict[str, dict[str, frozenset[str]]] = {}
    for key, rows in people.items():
        for row in rows:
            if row["coder"]:
                coded.setdefault(row["coder"], {})[key] = frozenset(row["reasons"])
    coders = sorted(coded)
    found = []
    for reason in sorted({code for own in coded.values() for codes in own.values() for code in codes}):
        kappas, both = [], set()
        for at, one in enumerate(coders):
            for other in coders[at + 1 :]:
                common = sorted(coded[one].keys() & coded[other].keys())
                if len(common) < FEW:
                    continue
                both.update(common)
                kappa = cohen_kappa(
                    [reason in coded[one][key] for key in common],
                    [reason in coded[other][key] for key in common],
                )
                if math.isfinite(kappa):
                    kappas.append(kappa)
        if both:
            found.append(
                Agreement(
                    reason=reason,
                    people=len(both),
                    kappa=float(np.mean(kappas)) if kappas else NAN,
                )
            )
    return found


def _later(
    connection: duckdb.DuckDBPyConnection,
    answers: Sequence[Answer],
    ids: Mapping[str, str],
    orders: Given,
    *,
    until: date,
    timezone: str,
    after_days: int,
    reactions: Given | None,
    messages: Given | None,
) -> list[Later]:
    """Orders, revenue and opt-outs within `after_days` of the talk, of those whose talk lies so long back."""
    end = datetime.combine(until + timedelta(days=1), time(), ZoneInfo(timezone)).astimezone(ZoneInfo("UTC"))
    followed = [
        answer
        for answer in answers
        if answer.said_at is not None and answer.said_at + timedelta(days=after_days) <= end
    ]
    moments = [answer.said_at.replace(tzinfo=None) for answer in followed if answer.said_at is not None]
    talks = pa.table(
        {
            "call": pa.array([answer.call for answer in followed], pa.string()),
            "customer_id": pa.array([ids[answer.call] for answer in followed], pa.string()),
            "said_at": pa.array(moments, pa.timestamp("us")),
        }
    )
    connection.register("interview_talk_rows", talks)
    run(connection, "CREATE OR REPLACE TEMP TABLE interview_talks AS SELECT * FROM interview_talk_rows")
    connection.unregister("interview_talk_rows")
    span = f"said_at AND {{}} < said_at + INTERVAL {after_days} DAY"
    key = "order_id" if "order_id" in orders else "ordered_at"
    did = {
        call: (bool(n), float(revenue))
        for call, n, revenue in run(
            connection,
            "SELECT call, count(*) FILTER (paid >= 0), coalesce(sum(paid), 0) FROM (SELECT call, sum(revenue) AS paid FROM "
            f"{orders.view} JOIN interview_talks USING (customer_id) WHERE ordered_at >= {span.format('ordered_at')} "
            f"GROUP BY call, {key}) GROUP BY call",
        )
    }
    out: set[str] | None = None
    if reactions is not None and messages is not None:
        out = {
            row[0]
            for row in run(
                connection,
                f"SELECT DISTINCT call FROM {reactions.view} r JOIN {messages.view} m USING (message_id) JOIN interview_talks t "
                f"ON m.customer_id = t.customer_id WHERE lower(r.kind) = 'unsubscribed' AND happened_at >= "
                f"{span.format('happened_at')}",
            )
        }
    found = []
    reasons = sorted({code for answer in answers for code in answer.reasons})
    for reason in ("", *reasons):
        own = [answer.call for answer in followed if not reason or reason in answer.reasons]
        n = len(own)
        if n < FEW:
            found.append(
                Later(
                    reason=reason,
                    people=n,
                    ordered=0,
                    share=NAN,
                    low=NAN,
                    high=NAN,
                    revenue=NAN,
                    opted_out=-1,
                    why_not="few",
                )
            )
            continue
        ordered = sum(did.get(call, (False, 0.0))[0] for call in own)
        low, high = clopper_pearson(ordered, n, 0.95)
        found.append(
            Later(
                reason=reason,
                people=n,
                ordered=ordered,
                share=ordered / n,
                low=low,
                high=high,
                revenue=sum(did.get(call, (False, 0.0))[1] for call in own) / n,
                opted_out=sum(call in out for call in own) if out is not None else -1,
            )
        )
    return found


def read_table_of(answers: Any) -> pa.Table:
    """Answers as they were given, to be kept."""
    return _table(answers, "the answers", ("customer_id", "call", "quote", "reason", "coder"))[0]
