"""The proof of one entry: what was said, under which text, and that nobody has changed it since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from primeta.attention.chain import START, canonical, commitment_of, link, stamp
from primeta.attention.consents import accepted, is_opt_out, proven
from primeta.attention.ledger import text_hash
from primeta.attention.records import Entry

PROVES = ("consent", "reaction", "suppressed", "preference", "wish-confirmed", "notice")
"""Kinds of entries that tell what a customer may be written by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One entry as a court or a regulator may read it."""

    entry: int
    kind: str
    """`given`, `claim`, `accepted`, `withdrawn`, `refused`, `never`, `unsubscribed`, `complained`, `suppressed`,
    `preference`, `wish-confirmed`, `wish-released`, `notice`; empty after erasure."""
    customer: str
    """A pseudonym; empty after erasure."""
    happened_at: datetime
    learnt_at: datetime
    by: str
    processing: str = ""
    channel: str = ""
    """Empty: every channel."""
    legal_basis: str = ""
    controller: str = ""
    text: str = ""
    version: str = ""
    language: str = ""
    surface: str = ""
    text_hash: str = ""
    hash_fits: bool | None = None
    """Whether the hash is that of the text; None: there is no text to hash."""
    unchanged: bool | None = None
    """Whether the entry is what was committed to; None: erased, so that nobody can tell."""
    chained: bool = True
    """Whether the chain follows from the entry before."""
    commitment: str = ""
    chain: str = ""
    chain_before: str = ""
    accepted_by: str = ""
    accepted_reason: str = ""
    said: Mapping[str, Any] | None = None
    """The payload."""
    sentence: str = ""
    """Of a word on a wish: what the customer said."""
    means: str = ""
    """… and what it was understood as, such as `stop-all`."""
    channels: tuple[str, ...] = ()
    max_per_week: int | None = None

    @property
    def whole(self) -> bool:
        """Nothing about it is wrong."""
        return self.chained and self.unchanged is not False and self.hash_fits is not False

    def as_dict(self) -> dict[str, Any]:
        """The document, without what would name the customer."""
        return {
            "entry": self.entry,
            "kind": self.kind,
            "customer": self.customer,
            "processing": self.processing,
            "channel": self.channel,
            "legal_basis": self.legal_basis,
            "controller": self.controller,
            "happened_at": self.happened_at,
            "learnt_at": self.learnt_at,
            "by": self.by,
            "text": self.text,
            "version": self.version,
            "language": self.language,
            "surface": self.surface,
            "text_hash": self.text_hash,
            "hash_fits": self.hash_fits,
            "unchanged": self.unchanged,
            "chained": self.chained,
            "commitment": self.commitment,
            "chain": self.chain,
            "chain_before": self.chain_before,
            "accepted_by": self.accepted_by,
            "accepted_reason": self.accepted_reason,
            "sentence": self.sentence,
            "means": self.means,
            "channels": list(self.channels),
            "max_per_week": self.max_per_week,
        }


def proves(entry: Entry) -> bool:
    """Whether an entry tells by what its customer may be written."""
    if entry.kind == "reaction":
        return is_opt_out(entry.payload)
    return entry.kind in PROVES


def proof_of(
    entry: Entry,
    *,
    before: Entry | None,
    notices: Mapping[str, Mapping[str, Any]],
    customer: str,
    wish: Mapping[str, Any] | None = None,
) -> Proof:
    """The proof of an entry, checked.

    Args:
        before: The entry with the number before; None: it is the first.
        notices: Hash of a text → the notice that holds it.
        customer: His pseudonym.
        wish: Payload of the wish on which the entry is a word.
    """
    payload = entry.payload
    shown = str(payload.get("text_hash") or "")
    notice = notices.get(shown, {})
    text = str(payload.get("text") or notice.get("text") or "")
    chain_before = START if before is None else before.chain
    unchanged = None
    if entry.salt:
        unchanged = entry.commitment == commitment_of(
            salt=entry.salt,
            key=entry.key,
            kind=entry.kind,
            customer_id=entry.customer_id,
            happened_at=stamp(entry.happened_at),
            payload=canonical(payload),
        )
    follows = link(
        chain_before,
        number=entry.number,
        kind=entry.kind,
        happened_at=stamp(entry.happened_at),
        learnt_at=stamp(entry.learnt_at),
        by=entry.by,
        commitment=entry.commitment,
    )
    in_order = entry.number == 1 if before is None else before.number == entry.number - 1
    return Proof(
        entry=entry.number,
        kind=_kind(entry),
        customer=customer,
        happened_at=entry.happened_at,
        learnt_at=entry.learnt_at,
        by=entry.by,
        processing=str(payload.get("processing") or ""),
        channel=str(payload.get("channel") or ""),
        legal_basis=str(payload.get("legal_basis") or ""),
        controller=str(payload.get("controller") or ""),
        text=text,
        version=str(payload.get("version") or notice.get("version") or ""),
        language=str(payload.get("language") or notice.get("language") or ""),
        surface=str(payload.get("surface") or ""),
        text_hash=shown or (text_hash(text) if text else ""),
        hash_fits=text_hash(text) == shown if text and shown else None,
        unchanged=unchanged,
        chained=in_order and follows == entry.chain,
        commitment=entry.commitment,
        chain=entry.chain,
        chain_before=chain_before,
        accepted_by=str(payload.get("accepted_by") or ""),
        accepted_reason=str(payload.get("accepted_reason") or ""),
        said=payload,
        **_wished(payload, wish or {}),
    )


def _wished(payload: Mapping[str, Any], wish: Mapping[str, Any]) -> dict[str, Any]:
    """What a person's word leaves standing: where he named channels or a number, those hold."""
    if not wish:
        return {}
    most = payload.get("max_per_week", wish.get("max_per_week"))
    return {
        "sentence": str(wish.get("sentence") or ""),
        "means": str(wish.get("means") or ""),
        "channels": tuple(str(name) for name in payload.get("channels") or wish.get("channels") or ()),
        "max_per_week": most if isinstance(most, int) else None,
    }


def _kind(entry: Entry) -> str:
    if not entry.salt:
        return ""
    payload = entry.payload
    if entry.kind == "consent":
        state = str(payload.get("state", ""))
        if state != "given" or proven(payload):
            return state
        return "accepted" if accepted(payload) else "claim"
    if entry.kind == "reaction":
        return "complained" if payload.get("kind") == "complained" else "unsubscribed"
    if entry.kind == "wish-confirmed":
        return "wish-confirmed" if payload.get("verdict") == "confirmed" else "wish-released"
    return entry.kind
