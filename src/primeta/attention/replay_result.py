"""What a replay found: promises kept and broken, credit spent and earned, who has gone blind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TextIO

from primeta.attention.account import Account
from primeta.attention.checks import Checked, Log, PromiseCheck
from primeta.attention.checks_sql import moment_of
from primeta.attention.ledger import Event, key_of
from primeta.attention.records import Broken, CampaignCredit
from primeta.attention.replay_credit import CreditReplay
from primeta.attention.replay_policy import PolicyReplay
from primeta.attention.replay_words import tell
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.locale import Language
from primeta.show.result import Head, Table, plain

NOTHING_KNOWN = ("no-reactions", "no-sends")
"""Codes of `why_not` with which there is no credit at all; with the others it rests on less."""
SHOWN = 30
"""Rows of a table for people."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AttentionReplay:
    """A log of sends held against promises."""

    log: Log
    checked: Checked
    credit: CreditReplay
    policy: PolicyReplay | None = None
    account: Account | None = None
    """None: not asked."""
    code: str = ""
    """Version of the code that worked it out."""
    shown_as: Callable[[str], str] = field(default=str)
    """Customer's id → what is shown of it: a keyed pseudonym in a workspace."""

    @property
    def promises(self) -> tuple[PromiseCheck, ...]:
        return self.checked.promises

    def broken(self) -> Iterator[Broken]:
        """Each breach with the customer as he may be shown."""
        for row in self.checked.broken():
            yield replace(row, customer_id=self.shown_as(row.customer_id))

    def events(self, *, by: str) -> Iterator[Event]:
        """Kept and broken promises for the ledger, derived: with the version of the code that worked them out.

        A breach is one entry for each message. What was promised to come and came is one entry for each customer, at
        the promised time; any other promise that nobody broke is one entry at the end of the log.
        """
        names = ("promise", "version", "message_id", "channel", "campaign", "programme", "team", "knowable")
        for batch in self.checked.rows.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                yield Event(
                    key=key_of(
                        "broken", row["promise"], row["version"], row["customer_id"], row["message_id"]
                    ),
                    kind="broken",
                    customer_id=row["customer_id"],
                    happened_at=moment_of(row["us"]),
                    payload={**{name: row[name] for name in names}, "code": self.code},
                    by=by,
                )
        for batch in self.checked.delivered.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                yield Event(
                    key=key_of("kept", row["promise"], row["version"], row["customer_id"]),
                    kind="kept",
                    customer_id=row["customer_id"],
                    happened_at=moment_of(row["us"]),
                    payload={"promise": row["promise"], "version": row["version"], "code": self.code},
                    by=by,
                )
        for entry in self.promises:
            if entry.state == "kept" and not entry.promise.deliver:
                name, version = entry.promise.name, entry.promise.version
                yield Event(
                    key=key_of("kept", name, version, self.log.first, self.log.last, entry.checked),
                    kind="kept",
                    customer_id="",
                    happened_at=moment_of(self.log.last),
                    payload={"promise": name, "version": version, "code": self.code},
                    by=by,
                )

    def broken_by(self) -> list[dict[str, Any]]:
        """Who breaks which promise: `promise`, `campaign`, `programme`, `team`, `broken`, `knowable`; the most first."""
        keys = ["promise", "campaign", "programme", "team"]
        rows = self.checked.rows.select([*keys, "knowable"])
        told = rows.set_column(4, "knowable", rows.column("knowable").cast("int64"))
        found = told.group_by(keys).aggregate([([], "count_all"), ("knowable", "sum")]).to_pylist()
        listed = [
            {**{key: row[key] for key in keys}, "broken": row["count_all"], "knowable": row["knowable_sum"]}
            for row in found
        ]
        return sorted(listed, key=lambda row: (-row["broken"], *(row[key] for key in keys)))

    def line(self, lang: Language = "en") -> str:
        """One line for a chat."""
        broken, knowable = (
            sum(getattr(entry, name) for entry in self.promises) for name in ("broken", "knowable")
        )
        told = [entry for entry in self.promises if not entry.why_not or entry.broken]
        values = {
            "promises": len([entry for entry in told if entry.broken]) if broken else len(told),
            "sends": locale.number(self.log.sends, lang),
            "broken": locale.number(broken, lang),
            "knowable": locale.number(knowable, lang),
        }
        parts = [tell(lang, "broken" if broken else "none-broken", **values)]
        if unverifiable := [entry for entry in self.promises if entry.why_not]:
            parts.append(tell(lang, "unverifiable", n=len(unverifiable)))
        if self.credit.blind_share == self.credit.blind_share:
            parts.append(tell(lang, "blind", share=locale.percent(self.credit.blind_share, lang, digits=0)))
        return " ".join(parts)

    def table(self, lang: Language = "en") -> Table:
        """Each promise and what came of it."""
        rows = [
            (
                f"{entry.promise.name}: {entry.promise.text}" if entry.promise.text else entry.promise.name,
                tell(lang, f"{entry.state}-state")
                + (f" ({tell(lang, entry.why_not)})" if entry.why_not else ""),
                locale.number(entry.checked, lang),
                locale.number(entry.broken, lang),
                locale.number(entry.knowable, lang),
                locale.number(entry.customers, lang),
            )
            for entry in self.promises
        ]
        heads = ("promise", "state", "checked", "broken-head", "knowable", "customers")
        return Table(
            heads=tuple(
                Head(tell(lang, code), "left" if place < 2 else "right") for place, code in enumerate(heads)
            ),
            rows=tuple(rows),
            note=" ".join(self.notes(lang)),
        )

    def picture(self, lang: Language = "en") -> Picture:
        """Credit spent and earned by campaign, with intervals."""
        from primeta.attention.replay_picture import credit_picture

        return credit_picture(self.credit.campaigns, lang, title=self.line(lang))

    def credit_tables(self, lang: Language = "en") -> tuple[Table, ...]:
        """Credit spent by campaign, programme and team, those that are known."""
        found: list[Table] = []
        for code, rows in (
            ("campaign", self.credit.campaigns),
            ("programme", self.credit.programmes),
            ("team", self.credit.teams),
        ):
            if rows:
                found.append(self._credit_table(code, rows, lang))
        return tuple(found)

    def blind_table(self, lang: Language = "en") -> Table | None:
        """Since when those who no longer look have been silent; None where there are none."""
        if not self.credit.blind_since:
            return None
        return Table(
            title=tell(lang, "blind-title"),
            heads=(Head(tell(lang, "since")), Head(tell(lang, "share"), "right")),
            rows=tuple(
                (month or "—", locale.percent(share, lang, digits=1))
                for month, share in self.credit.blind_since.items()
            ),
        )

    def _credit_table(self, code: str, rows: tuple[CampaignCredit, ...], lang: Language) -> Table:
        title = {"campaign": "credit-title", "programme": "programme-title", "team": "team-title"}[code]
        heads = (code, "messages", "broken-head", "spent", "interval", "basis")
        return Table(
            title=tell(lang, title),
            heads=tuple(
                Head(
                    tell(lang, head),
                    "right" if head in ("messages", "broken-head", "spent", "interval") else "left",
                )
                for head in heads
            ),
            rows=tuple(
                (
                    getattr(row, code) or "—",
                    locale.number(row.touches, lang),
                    locale.number(row.broken, lang),
                    *(
                        ("", "", tell(lang, row.why_not))
                        if row.why_not
                        else (
                            locale.number(row.credit_spent, lang, digits=1),
                            locale.interval(row.low, row.high, lang, digits=1),
                            tell(lang, row.basis),
                        )
                    ),
                )
                for row in rows[:SHOWN]
            ),
            note=tell(lang, "credit-note") if code == "campaign" else "",
        )

    def notes(self, lang: Language = "en") -> tuple[str, ...]:
        """What the reader must know of the figures."""
        found: list[str] = []
        if self.log.duplicates:
            found.append(tell(lang, "duplicates", n=locale.number(self.log.duplicates, lang)))
        if self.log.unreadable:
            found.append(tell(lang, "unreadable", n=locale.number(self.log.unreadable, lang)))
        if self.log.strangers:
            found.append(tell(lang, "strangers", n=locale.number(self.log.strangers, lang)))
        if self.credit.why_not in NOTHING_KNOWN:
            found.append(tell(lang, "no-credit", why=tell(lang, self.credit.why_not)))
        elif self.credit.why_not and self.credit.why_not != "not-asked":
            found.append(tell(lang, self.credit.why_not))
        if self.credit.share < 1:
            found.append(tell(lang, "sample", share=locale.percent(self.credit.share, lang, digits=0)))
        return tuple(found)

    def policy_line(self, lang: Language = "en") -> str:
        """What the other policy would have stopped; empty where none was asked for."""
        if self.policy is None:
            return ""
        told = self.policy
        line = tell(
            lang,
            "policy",
            stopped=locale.number(told.stopped, lang),
            sends=locale.number(told.sends, lang),
            welcomes=locale.number(told.welcomes.value, lang, digits=0),
            interval=locale.interval(told.welcomes.low, told.welcomes.high, lang, digits=0, sentence=True),
            opt_outs=locale.number(told.opt_outs.value, lang, digits=0),
            before=locale.number(sum(before for before, _ in told.broken.values()), lang),
            after=locale.number(sum(after for _, after in told.broken.values()), lang),
        )
        parts = [line, tell(lang, "policy-observational"), tell(lang, "policy-left-out")]
        if not told.why_not:
            span = locale.interval(told.orders.low, told.orders.high, lang, digits=0, sentence=True)
            orders = locale.number(told.orders.value, lang, digits=0)
            parts.append(tell(lang, "policy-orders", orders=orders, interval=span))
        return " ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what cannot be told is NaN (null) with `why_not`."""
        return {"broken": list(self._rows()), **self.rest()}

    def write_json(self, out: TextIO) -> None:
        """The same document, breach by breach: millions of them are written without being held."""
        out.write('{\n  "broken": [')
        for number, row in enumerate(self._rows()):
            out.write(("," if number else "") + "\n    " + json.dumps(plain(row), ensure_ascii=False))
        rest = json.dumps(plain(self.rest()), ensure_ascii=False, indent=2, allow_nan=False)
        out.write("\n  ]," + rest[1:] + "\n")

    def _rows(self) -> Iterator[dict[str, Any]]:
        for row in self.broken():
            yield {
                "promise": row.promise,
                "customer_id": row.customer_id,
                "message_id": row.message_id or None,
                "at": row.at,
                "knowable": row.knowable,
            }

    def log_dict(self) -> Mapping[str, Any]:
        """How much was read."""
        return _log(self.log)

    def rest(self) -> dict[str, Any]:
        """The document without the single breaches."""
        return {
            "promises": [entry.as_dict() for entry in self.promises],
            "broken_by": self.broken_by(),
            "campaigns": _credits("campaign", self.credit.campaigns),
            "programmes": _credits("programme", self.credit.programmes),
            "teams": _credits("team", self.credit.teams),
            "blind_share": self.credit.blind_share,
            "blind_since": [
                {"month": month, "share": share} for month, share in self.credit.blind_since.items()
            ],
            "scores": dict(self.credit.scores),
            "used": self.credit.used,
            "credit_share": self.credit.share,
            "why_not": self.credit.why_not,
            "policy": self.policy.as_dict() if self.policy is not None else None,
            "log": _log(self.log),
            "code": self.code,
        }


def _credits(name: str, rows: tuple[CampaignCredit, ...]) -> list[dict[str, Any]]:
    return [
        {
            name: getattr(row, name),
            "credit_spent": row.credit_spent,
            "low": row.low,
            "high": row.high,
            "basis": row.basis,
            "why_not": row.why_not,
        }
        for row in rows
    ]


def _log(log: Log) -> Mapping[str, Any]:
    names = ("sends", "withheld", "customers", "unreadable", "duplicates", "strangers")
    return {name: getattr(log, name) for name in names}
