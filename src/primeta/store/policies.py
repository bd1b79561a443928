"""Versions of the policy `[attention]`: never changed, a later one supersedes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, RowMapping, insert, select
from sqlalchemy.exc import IntegrityError

from primeta.attention.policy import policy_from, policy_values, seal_of
from primeta.attention.records import Policy
from primeta.errors import Conflict
from primeta.store.schema import attention_policies
from primeta.store.times import aware, naive

PolicyOrigin = Literal["file", "page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPolicy:
    """One version, as it was taken over."""

    policy: Policy
    seal: str
    origin: PolicyOrigin
    by: str
    at: datetime
    note: str = ""
    """Why it was switched on without a replay, or of which earlier version it is the return."""


def load_policies(connection: Connection) -> tuple[KeptPolicy, ...]:
    """Every version, the newest first."""
    rows = connection.execute(select(attention_policies).order_by(attention_policies.c.version.desc()))
    return tuple(_kept(row) for row in rows.mappings())


def newest_policy(connection: Connection) -> KeptPolicy | None:
    """The version in force; None: no policy was ever taken over."""
    query = select(attention_policies).order_by(attention_policies.c.version.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _kept(row)


def from_file(connection: Connection) -> str:
    """The seal of what was last taken over from the workspace's file; empty: nothing."""
    table = attention_policies
    query = select(table).where(table.c.origin == "file").order_by(table.c.version.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return "" if row is None else _kept(row).seal


def save_policy(
    connection: Connection,
    policy: Policy,
    *,
    origin: PolicyOrigin,
    by: str,
    now: datetime,
    note: str = "",
) -> KeptPolicy:
    """Keep it as the next version, unless it says what the newest says.

    Raises:
        Conflict: another process saved a version at the same moment.
    """
    newest = newest_policy(connection)
    seal = seal_of(policy)
    if newest is not None and newest.seal == seal and newest.origin == origin:
        return newest
    version = newest.policy.version + 1 if newest else 1
    values = {
        "version": version,
        "policy": policy_values(policy),
        "seal": seal,
        "origin": origin,
        "by": by,
        "at": naive(now),
        "note": note,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(attention_policies).values(**values))
    except IntegrityError:
        raise Conflict(
            f"version {version} of the policy was saved by somebody else just now; look at it first"
        ) from None
    made = replace(policy, version=version, valid_from=now)
    return KeptPolicy(policy=made, seal=seal, origin=origin, by=by, at=now, note=note)


def _kept(row: RowMapping) -> KeptPolicy:
    at = aware(row["at"])
    policy = policy_from(row["policy"], version=row["version"])
    return KeptPolicy(
        policy=replace(policy, valid_from=at),
        # Worked out anew: a release that knows one key more must not take old versions for other ones.
        seal=seal_of(policy),
        origin=row["origin"],
        by=row["by"],
        at=at,
        note=row["note"],
    )
