"""What a customer said and under which text: every proof of one customer, and one entry for a court."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from primeta.attention.chain import canonical, stamp
from primeta.attention.coverage_words import KINDS, tell
from primeta.attention.proof import Proof, proof_of, proves
from primeta.attention.records import Entry
from primeta.errors import NotAllowed, NotFound
from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.result import Head, Table
from primeta.store.attention_state import load_state
from primeta.store.keys import keys_of
from primeta.store.ledger import load_entries, load_entry, load_notices
from primeta.workspace.attention_find import found_customer
from primeta.workspace.may_send import moment_of

if TYPE_CHECKING:
    from primeta.attention.consents import Standing
    from primeta.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerProofs:
    """All that one customer said about being written to, the newest first."""

    customer: str
    """A pseudonym."""
    proofs: tuple[Proof, ...]
    standings: Mapping[str, Standing]
    """Channel → whether consent to marketing holds there now; "" stands for every other channel."""
    known: bool
    """Whether the ledger holds anything of him."""
    waiting: int = 0
    """His wishes that wait for a person: marketing is paused by them."""

    def line(self, lang: Language = "en") -> str:
        """One line for a chat."""
        if not self.known:
            return tell(lang, "nobody")
        given = [channel or "*" for channel, found in self.standings.items() if found.given]
        return tell(lang, "may" if given else "may-not", customer=self.customer, channels=", ".join(given))

    def table(self, lang: Language = "en", *, zone: tzinfo = UTC) -> Table:
        """Entry by entry, the newest first."""
        rows = tuple(
            (
                locale.number(proof.entry, lang),
                locale.moment(proof.happened_at, lang, zone),
                KINDS.get(proof.kind, {}).get(lang, proof.kind),
                " ".join(part for part in (proof.processing, proof.channel) if part),
                " ".join(part for part in (proof.version, proof.surface) if part),
                tell(lang, "whole" if proof.whole else "faulty"),
            )
            for proof in self.proofs
        )
        heads = ("entry", "when", "what", "of", "text", "check")
        return Table(
            heads=tuple(Head(tell(lang, code)) for code in heads) if rows else (),
            rows=rows,
            note=self.line(lang),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "customer": self.customer,
            "known": self.known,
            "waiting": self.waiting,
            "channels": [
                {"channel": channel, "state": found.state, "claimed": found.claimed}
                for channel, found in self.standings.items()
            ],
            "proofs": [proof.as_dict() for proof in self.proofs],
        }


def customer_proofs(ws: Workspace, said: str, *, now: datetime) -> CustomerProofs:
    """The proofs of one customer, by his pseudonym or id."""
    customer, pseudonym = found_customer(ws, said, now=now)
    with ws.database.read() as connection:
        told = load_entries(connection, customer) if customer else ()
        entries, wishes = [entry for entry in told if proves(entry)], _wishes(told)
        state = load_state(connection, customer) if customer else None
        notices = _notices(load_notices(connection) if entries else ())
        found = [
            proof_of(
                entry,
                before=load_entry(connection, entry.number - 1) if entry.number > 1 else None,
                notices=notices,
                customer=pseudonym,
                wish=_wish_of(entry, wishes),
            )
            for entry in entries
        ]
    standings: dict[str, Standing] = {}
    if state is not None:
        at = max(moment_of(ws, now=now), state.as_of)
        channels = sorted({channel for of, channel, _ in state.consents if of == "marketing" and channel})
        standings = {channel: state.standing("marketing", channel, at=at) for channel in channels}
        standings[""] = state.standing("marketing", "\0", at=at)
    return CustomerProofs(
        customer=pseudonym,
        proofs=tuple(sorted(found, key=lambda proof: (proof.happened_at, proof.entry), reverse=True)),
        standings=standings,
        known=state is not None,
        waiting=len(state.pending) if state is not None else 0,
    )


def entry_proof(ws: Workspace, number: int, *, now: datetime) -> Proof:
    """One entry with its check.

    Raises:
        NotFound: there is no such entry, or it tells nothing of consent.
    """
    entry, before, notices, wish = _entry(ws, number)
    customer = keys_of(ws.database, now=now).pseudonym(entry.customer_id)
    return proof_of(entry, before=before, notices=notices, customer=customer, wish=wish)


def whole_proof(ws: Workspace, number: int, customer_id: str, *, now: datetime) -> dict[str, Any]:
    """The same with all that lets anybody compute it again: id, key, salt, payload.

    Args:
        customer_id: Of the customer, as whoever asks for it already knows it.
    Raises:
        NotFound: there is no such entry.
        NotAllowed: it is about another customer.
    """
    entry, before, notices, wish = _entry(ws, number)
    if not entry.salt:
        raise NotFound(f"entry {number} was erased: nothing is left of it but its place in the chain")
    if entry.customer_id != customer_id.strip():
        raise NotAllowed(f"entry {number} is not about this customer; nothing is told of it")
    proof = proof_of(
        entry,
        before=before,
        notices=notices,
        customer=keys_of(ws.database, now=now).pseudonym(entry.customer_id),
        wish=wish,
    )
    return {
        **proof.as_dict(),
        "customer_id": entry.customer_id,
        "key": entry.key,
        "salt": entry.salt,
        "payload": canonical(entry.payload),
        "hashed": {
            "happened_at": stamp(entry.happened_at),
            "learnt_at": stamp(entry.learnt_at),
            "kind": entry.kind,
            "number": entry.number,
        },
    }


def _entry(
    ws: Workspace, number: int
) -> tuple[Entry, Entry | None, Mapping[str, Mapping[str, Any]], Mapping[str, Any] | None]:
    with ws.database.read() as connection:
        entry = load_entry(connection, number) if number > 0 else None
        if entry is None or (entry.salt and not proves(entry)):
            raise NotFound(f"entry {number} is no proof of a consent; consents are searched by customer")
        before = load_entry(connection, number - 1) if number > 1 else None
        notices = _notices(load_notices(connection))
        wish = None
        if entry.salt and entry.kind == "wish-confirmed":
            wish = _wish_of(entry, _wishes(load_entries(connection, entry.customer_id)))
    return entry, before, notices, wish


def _wishes(entries: Iterable[Entry]) -> dict[str, Mapping[str, Any]]:
    return {entry.key: entry.payload for entry in entries if entry.salt and entry.kind == "wish"}


def _wish_of(entry: Entry, wishes: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return wishes.get(str(entry.payload.get("wish"))) if entry.kind == "wish-confirmed" else None


def _notices(entries: tuple[Entry, ...]) -> dict[str, Mapping[str, Any]]:
    return {str(entry.payload.get("text_hash") or ""): entry.payload for entry in entries if entry.salt}
