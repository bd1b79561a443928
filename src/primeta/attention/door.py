"""`pm.attention`: from files or tables to the promises that were broken and the credit that was spent."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from primeta.errors import BadInput

if TYPE_CHECKING:
    from primeta.attention.records import Policy
    from primeta.attention.replay_result import AttentionReplay


def attention(
    messages: Any,
    reactions: Any = None,
    *,
    promises: Any = (),
    customers: Any = None,
    consents: Any = None,
    orders: Any = None,
    visits: Any = None,
    policy: Policy | Mapping[str, Any] | str | Path | None = None,
    timezone: str = "UTC",
    columns: Mapping[str, str] | None = None,
    credit: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> AttentionReplay:
    """Replay a log of messages: each promise broken and whether it was knowable, credit spent, who has gone blind.

    Args:
        messages: A path or a glob of CSV or Parquet files, an Arrow table, a data frame or a mapping of columns:
            `message_id`, `customer_id`, `sent_at`, `channel`, optional `campaign`, `programme`, `purpose`, `cost`,
            `withheld`, `probability`, `learnt_at`, `team`, `personal`.
        reactions: The same: `message_id`, `kind`, `happened_at`, optional `machine`, `learnt_at`. Without them (and
            without orders and visits) nothing can be told of credit.
        promises: A JSON file, or a list of promises as it stands in one.
        customers: `customer_id`, optional `timezone`, `registered_at`.
        consents: `customer_id`, `state`, `happened_at`, optional `processing`, `channel`, `learnt_at`.
        orders, visits: What also welcomes a message: `customer_id` and `ordered_at` or `happened_at`.
        policy: Another policy to replay: a `Policy`, the keys of `[attention]`, or a TOML file of them.
        timezone: Of times that carry none, and of customers whose own is not known.
        columns: Canonical name, or table.name, → theirs.
        credit: Whether credit is worked out too.
    Raises:
        BadTable, BadInput: what was given cannot be used; one message says what and where.
    """
    from primeta.attention.policy import policy_from
    from primeta.attention.promise_file import promises_from, read_promises
    from primeta.attention.replay import Sources, read_policy, replay

    check_zone(timezone)
    if isinstance(promises, str | Path):
        promised = read_promises(promises, zone=ZoneInfo(timezone))
    else:
        promised = promises_from(promises, zone=ZoneInfo(timezone))
    if isinstance(policy, str | Path):
        policy = read_policy(policy)
    elif isinstance(policy, Mapping):
        policy = policy_from(policy)
    return replay(
        Sources(
            messages=messages,
            reactions=reactions,
            customers=customers,
            consents=consents,
            orders=orders,
            visits=visits,
        ),
        promised,
        policy=policy,
        timezone=timezone,
        columns=columns,
        credit=credit,
        progress=progress,
    )


def check_zone(timezone: str) -> None:
    """Refuse a time zone that does not exist, with the nearest that does.

    Raises:
        BadInput: there is none of that name.
    """
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        from zoneinfo import available_timezones

        near = difflib.get_close_matches(timezone, available_timezones(), n=1)
        hint = f" Is it {near[0]!r}?" if near else ""
        raise BadInput(
            f"no time zone is called {timezone!r}; write one such as Europe/Moscow.{hint}"
        ) from None
