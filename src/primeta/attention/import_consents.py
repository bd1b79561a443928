"""Consents that exist already: rows of a file or a table become entries, each with the proof that it has.

A row says what it says, and no more: what has no proof is a claim, a state that nobody knows is taken as "never", an
opt-out without a date is as late as the latest row beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from primeta.attention.import_words import tell
from primeta.attention.ledger import Event, key_of, text_hash
from primeta.attention.records import PROCESSINGS
from primeta.errors import BadInput
from primeta.show.locale import Language, number
from primeta.show.result import Head, Table

COLUMNS = (
    "customer_id", "processing", "channel", "state", "happened_at", "text", "version", "surface", "legal_basis",
    "language", "controller", "text_hash",
)  # fmt: skip
_STATES = {
    "given": "given granted accepted agreed yes true 1 opt-in optin opted-in да дано согласен согласие",
    "withdrawn": "withdrawn revoked unsubscribed optout opt-out opted-out no false 0 stop отозвано отписан отписка нет",
    "refused": "refused declined denied rejected отказ отказано",
    "never": "never none unknown нет-данных",
}
STATES: Mapping[str, str] = {word: state for state, words in _STATES.items() for word in words.split()}
BASES = (
    "consent", "contract", "legal_obligation", "legitimate_interest", "vital_interest", "public_task",
)  # fmt: skip


@dataclass(slots=True)
class Counts:
    """What the rows were, counted while they are read."""

    rows: int = 0
    given: int = 0
    """With proof."""
    claims: int = 0
    """Given, without proof: they allow nothing."""
    accepted: int = 0
    """Given, without proof, and a named person took it upon himself."""
    withdrawn: int = 0
    refused: int = 0
    never: int = 0
    unknown_processing: int = 0
    """Kept, as unverifiable."""
    unknown_state: int = 0
    """Kept, taken as `never`."""
    undated: int = 0
    """Without a time that can be read: an opt-out counts as the latest of all, a consent gives nothing."""
    future: int = 0
    """Dated later than the import."""
    wrong_hash: int = 0
    """The hash is not that of the text: taken as without proof."""
    without_customer: int = 0
    """Left out: nobody knows whom they are about."""
    examples: dict[str, str] = field(default_factory=dict)
    """Count → what the first such row held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedConsents:
    """What an import found and wrote."""

    counts: Counts
    new: int
    """Entries written, texts as shown included."""
    duplicates: int
    """Told before."""
    conflicts: int
    source: str

    def line(self, lang: Language = "en") -> str:
        found = self.counts
        return tell(
            lang,
            "line",
            rows=number(found.rows, lang),
            given=number(found.given + found.accepted, lang),
            claims=number(found.claims, lang),
            against=number(found.withdrawn + found.refused, lang),
        )

    def table(self, lang: Language = "en") -> Table:
        found = self.counts
        rows = tuple(
            (tell(lang, name), number(getattr(found, name), lang), found.examples.get(name, ""))
            for name in Counts.__dataclass_fields__
            if name != "examples" and (getattr(found, name) or name == "rows")
        )
        rows += ((tell(lang, "new"), number(self.new, lang), ""),)
        if self.duplicates:
            rows += ((tell(lang, "duplicates"), number(self.duplicates, lang), ""),)
        heads = (
            Head(tell(lang, "what")),
            Head(tell(lang, "how-many"), align="right"),
            Head(tell(lang, "example")),
        )
        return Table(heads=heads, rows=rows, note=self.line(lang))

    def as_dict(self) -> dict[str, Any]:
        told = {name: getattr(self.counts, name) for name in Counts.__dataclass_fields__}
        return {
            "source": self.source,
            **told,
            "new": self.new,
            "duplicates": self.duplicates,
            "conflicts": self.conflicts,
        }


def events_of(
    rows: Iterable[tuple[Any, ...]],
    counts: Counts,
    *,
    now: datetime,
    by: str,
    undated_at: datetime | None = None,
    controller: str = "",
    accepted_by: str = "",
    accepted_reason: str = "",
) -> Iterator[Event]:
    """Entries of rows of COLUMNS, best in the order of customers; `happened_at` UTC without a zone, or None.

    A text is kept once, as an entry of kind `notice`; consents carry its hash. Told again, a row makes the same
    entry.

    Args:
        counts: Counted up row by row.
        undated_at: When rows without a time are taken to have happened: best the latest time of the others, so that
            the same file imported again takes nothing back that was given since; None: `now`.
        accepted_by: Who takes it upon himself that consents without proof count, with `accepted_reason`.
    Raises:
        BadInput: `accepted_by` without a reason, or a reason without a name.
    """
    if bool(accepted_by.strip()) != bool(accepted_reason.strip()):
        raise BadInput(
            "consents without proof count only where a named person says so and why: give both the name and the reason"
        )
    # What rows share is worked out once: a payload that several events hold is also checked once.
    shapes: dict[tuple[Any, ...], tuple[dict[str, Any], tuple[str, ...], str]] = {}
    told: set[str] = set()
    for row in rows:
        counts.rows += 1
        customer_id, happened_at, shape = row[0], row[4], (*row[1:4], *row[5:])
        if not customer_id:
            _count(counts, "without_customer", row)
            continue
        dated = happened_at is not None
        kept = shapes.get((dated, shape))
        if kept is None:
            kept = shapes[(dated, shape)] = _shape(
                shape, dated, controller=controller, accepted_by=accepted_by, accepted_reason=accepted_reason
            )
        payload, kinds, key = kept
        for name in kinds:
            _count(counts, name, row)
        moment = happened_at.replace(tzinfo=UTC) if dated else undated_at or now
        if moment > now:
            _count(counts, "future", row)
        shown = payload.get("text_hash", "")
        if row[5] and shown and shown not in told:
            told.add(shown)
            yield _notice(row, shown, controller, moment, by)
        yield Event(
            # An undated row is the same event whenever it is imported.
            key=key_of("import", customer_id, moment.isoformat() if dated else "", key),
            kind="consent",
            customer_id=customer_id,
            happened_at=moment,
            payload=payload,
            by=by,
        )


def _count(counts: Counts, name: str, row: tuple[Any, ...]) -> None:
    setattr(counts, name, getattr(counts, name) + 1)
    if name not in ("given", "withdrawn", "refused", "never", "accepted") and name not in counts.examples:
        held = " · ".join(str(value) for value in row[1:5] if value is not None)
        counts.examples[name] = held[:80]


def _notice(row: tuple[Any, ...], shown: str, controller: str, moment: datetime, by: str) -> Event:
    payload = {
        "name": "consent",
        "text": row[5],
        "text_hash": shown,
        "version": row[6] or "",
        "language": row[9] or "",
    }
    return Event(
        key=key_of("notice", shown, row[6], row[9], row[7], controller, moment),
        kind="notice",
        customer_id="",
        happened_at=moment,
        payload={**payload, "surface": row[7] or "", "controller": row[10] or controller},
        by=by,
    )


def _shape(
    shape: tuple[Any, ...], dated: bool, *, controller: str, accepted_by: str, accepted_reason: str
) -> tuple[dict[str, Any], tuple[str, ...], str]:
    """The payload that rows of one shape share, what they count as, and their part of the key."""
    told = dict(zip((*COLUMNS[1:4], *COLUMNS[5:]), (_word(value) for value in shape), strict=True))
    kinds: list[str] = []
    given_as = told["state"]
    state = STATES.get(given_as.strip().lower().replace(" ", "-").replace("_", "-"), "")
    if not state:
        kinds.append("unknown_state")
        state = "never"
    payload: dict[str, Any] = {
        "processing": told["processing"].lower()
        if told["processing"].lower() in PROCESSINGS
        else told["processing"],
        "channel": told["channel"].strip().lower(),
        "state": state,
        "legal_basis": told["legal_basis"].strip().lower().replace(" ", "_").replace("-", "_"),
        "version": told["version"],
        "language": told["language"],
        "surface": told["surface"],
        "controller": told["controller"] or controller,
        "text_hash": told["text_hash"].lower(),
        "source": "import" if given_as == state else f"import, state: {given_as[:40]}",
    }
    if payload["channel"] in ("all", "any", "*", "все"):
        payload["channel"] = ""
    if told["text"]:
        shown = text_hash(told["text"])
        if payload["text_hash"] and payload["text_hash"] != shown:
            kinds.append("wrong_hash")
            payload["text_hash"] = ""
            payload["surface"] = ""
        else:
            payload["text_hash"] = shown
    payload = {
        name: value for name, value in payload.items() if value or name in ("processing", "channel", "state")
    }
    if payload.get("legal_basis") not in (None, *BASES):
        payload["source"] = f"{payload['source']}, legal basis: {payload.pop('legal_basis')[:40]}"
        payload["unverifiable"] = True
    if payload["processing"] not in PROCESSINGS:
        kinds.append("unknown_processing")
        payload["processing"] = payload["processing"] or "not told"
        payload["unverifiable"] = True
    if not dated:
        kinds.append("undated")
        payload["unverifiable"] = True
    proof = payload.get("text_hash") and payload.get("surface") and not payload.get("unverifiable")
    if state != "given":
        kinds.append(state)
    elif proof:
        kinds.append("given")
    elif accepted_by.strip() and not payload.get("unverifiable"):
        kinds.append("accepted")
        payload |= {"accepted_by": accepted_by.strip(), "accepted_reason": accepted_reason.strip()}
    else:
        kinds.append("claims")
    return payload, tuple(kinds), key_of(*(f"{name}={value}" for name, value in sorted(payload.items())))


def _word(value: Any) -> str:
    return "" if value is None else str(value).strip()
