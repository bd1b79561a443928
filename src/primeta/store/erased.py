"""Who was erased: what every door of the workspace asks before anything about a customer is written down."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from primeta.attention.consents import proven
from primeta.attention.ledger import Event
from primeta.privacy.erased import Erased, ErasedCustomer
from primeta.privacy.keys import Keys
from primeta.store.database import Database
from primeta.store.keys import load_keys
from primeta.store.schema import suppressions
from primeta.store.times import aware, naive

AT_ONCE = 5_000
"""Digests in one query."""


@dataclass(frozen=True, slots=True)
class WhoIsErased:
    """Asks the state each time: `primeta.config.Config.erased`."""

    database: Database

    def __call__(self) -> Erased | None:
        with self.database.read() as connection:
            return load_erased(connection)


def load_erased(connection: Connection) -> Erased | None:
    """All who were erased; None: nobody."""
    rows = connection.execute(
        select(suppressions.c.digest, suppressions.c.since, suppressions.c.lifted_at)
    ).all()
    keys = load_keys(connection)
    if not rows or keys is None:
        return None
    return Erased(
        key=keys.suppression_key,
        customers=tuple(
            ErasedCustomer(digest=bytes(row[0]), since=aware(row[1]), lifted=row[2] is not None)
            for row in rows
        ),
    )


def erased_among(
    connection: Connection, customers: Collection[str], *, keys: Keys
) -> dict[str, ErasedCustomer]:
    """Of these customers those who were erased."""
    if not customers or connection.execute(select(suppressions.c.digest).limit(1)).first() is None:
        return {}
    digests = {keys.suppression_digest(customer_id): customer_id for customer_id in customers}
    found: dict[str, ErasedCustomer] = {}
    wanted = list(digests)
    for at in range(0, len(wanted), AT_ONCE):
        query = select(suppressions.c.digest, suppressions.c.since, suppressions.c.lifted_at).where(
            suppressions.c.digest.in_(wanted[at : at + AT_ONCE])
        )
        for row in connection.execute(query):
            digest = bytes(row[0])
            found[digests[digest]] = ErasedCustomer(
                digest=digest, since=aware(row[1]), lifted=row[2] is not None
            )
    return found


def barred(
    erased: Mapping[str, ErasedCustomer], events: Sequence[Event], *, learnt_at: datetime
) -> tuple[frozenset[int], frozenset[bytes]]:
    """Which of these events are about erased customers and are not written.

    What is older than an erasure never comes back. What is later does not either, until he consents anew to marketing,
    with proof.

    Returns:
        Places of the events, and digests of those who do consent with them.
    """
    if not erased:
        return frozenset(), frozenset()
    back = frozenset(
        erased[event.customer_id].digest
        for event in events
        if event.customer_id in erased
        and not erased[event.customer_id].lifted
        and _comes_back(event, erased[event.customer_id].since, learnt_at)
    )
    places = frozenset(
        place
        for place, event in enumerate(events)
        if event.customer_id in erased and not _may_enter(event, erased[event.customer_id], back)
    )
    return places, back


def _comes_back(event: Event, since: datetime, learnt_at: datetime) -> bool:
    told = event.payload
    return (
        event.kind == "consent"
        and told.get("state") == "given"
        and told.get("processing") == "marketing"
        and proven(told)
        and min(event.happened_at, learnt_at) > since
    )


def _may_enter(event: Event, erased: ErasedCustomer, back: frozenset[bytes]) -> bool:
    return (erased.lifted or erased.digest in back) and event.happened_at > erased.since


def lift(connection: Connection, digests: Collection[bytes], *, at: datetime) -> None:
    """They consented anew: from now on what is later than their erasure is written down again."""
    for digest in sorted(digests):
        connection.execute(
            update(suppressions).where(suppressions.c.digest == digest).values(lifted_at=naive(at))
        )
