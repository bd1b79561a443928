"""A log of sends held against promises, once more from the beginning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from primeta.attention.account import account_of
from primeta.attention.checks import check, place_log
from primeta.attention.records import Policy, Promise
from primeta.attention.replay_credit import CreditReplay, credit_of_log
from primeta.attention.replay_policy import place_outcomes, place_stopped, replay_policy
from primeta.attention.replay_result import AttentionReplay
from primeta.attention.replay_tables import Given, check_columns, open_given
from primeta.errors import BadInput
from primeta.warehouse.duck import connect, plain_errors, run

if TYPE_CHECKING:
    import duckdb

    from primeta.attention.credit_model import CreditModel

MEMORY = "4GB"
"""Of the engine; what does not fit is spilled to the temporary folder."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The tables of a replay, as `replay_tables.open_given` takes them; None: not known."""

    messages: Any
    reactions: Any = None
    customers: Any = None
    consents: Any = None
    orders: Any = None
    visits: Any = None


def replay(
    sources: Sources,
    promises: tuple[Promise, ...],
    *,
    policy: Policy | None = None,
    timezone: str = "UTC",
    times: str = "",
    columns: Mapping[str, str] | None = None,
    credit: bool | Literal["stopped"] = True,
    model: CreditModel | None = None,
    levels: Policy | None = None,
    connection: duckdb.DuckDBPyConnection | None = None,
    shown_as: Callable[[str], str] = str,
    progress: Progress | None = None,
) -> AttentionReplay:
    """Which promises were broken and by what, what it did to credit, and what another policy would have stopped.

    Args:
        timezone: Of times that carry none, and of customers whose own is not known.
        times: Of times that carry none, where that is another.
        columns: Canonical name, or table.name, → theirs.
        credit: Whether credit is worked out too; `stopped`: only of what the policy would have stopped.
        model: Of credit, learnt from this log before; None: it is learnt now.
        levels: The policy in force: with it the account of promises and campaigns and the health of the base are worked
            out too.
        connection: Where tables given as queries live.
        shown_as: Customer's id → what is shown of it.
    Raises:
        BadTable, BadInput: what was given cannot be used.
    """
    if connection is None:
        with closing(connect()) as own:
            run(own, f"SET memory_limit = '{MEMORY}'")
            return replay(
                sources,
                promises,
                policy=policy,
                timezone=timezone,
                times=times,
                columns=columns,
                credit=credit,
                model=model,
                levels=levels,
                connection=own,
                shown_as=shown_as,
                progress=progress,
            )
    check_columns(columns or {})
    steps = 3 + bool(policy)
    step = progress or (lambda *_: None)

    def opened(table: str) -> Given | None:
        rows = getattr(sources, table)
        if rows is None:
            return None
        return open_given(connection, table, rows, timezone=times or timezone, columns=columns)

    messages = opened("messages")
    if messages is None:
        raise BadInput("messages are missing: give the log of what was sent")
    tables = {name: opened(name) for name in ("reactions", "customers", "consents", "orders", "visits")}
    log = place_log(
        connection,
        messages,
        tables["reactions"],
        promises=promises,
        customers=tables["customers"],
        consents=tables["consents"],
        timezone=timezone,
    )
    step("replay", 1, steps)
    checked = check(connection, promises, log)
    step("replay", 2, steps)
    account = None
    if levels is not None:
        with plain_errors("adding up the replay"):
            place_outcomes(connection, tables["reactions"])
        account = account_of(connection, promises, checked, log, zone=ZoneInfo(timezone), shown_as=shown_as)
    reasons: dict[str, int] = {}
    if policy is not None:
        reasons = place_stopped(connection, policy, log=log, reactions=tables["reactions"])
    found = CreditReplay(why_not="not-asked")
    if credit:
        found = credit_of_log(
            connection,
            tables["reactions"],
            visits=tables["visits"],
            orders=tables["orders"],
            stopped="only" if credit == "stopped" else policy is not None,
            model=model,
            levels=levels,
            zone=ZoneInfo(timezone),
        )
    step("replay", 3, steps)
    other = None
    if policy is not None:
        other = replay_policy(
            connection,
            reasons=reasons,
            log=log,
            orders=tables["orders"],
            promises=promises,
            before=checked,
            credit=found.stopped,
        )
    return AttentionReplay(
        log=log,
        checked=checked,
        credit=found,
        policy=other,
        account=account,
        code=code_version(),
        shown_as=shown_as,
    )


def code_version() -> str:
    """Version of the code, for what is worked out and kept."""
    from importlib.metadata import version

    return version("primeta")


def read_policy(path: Any) -> Policy:
    """A draft policy: the keys of `[attention]` in a TOML file, under that heading or without one.

    Raises:
        BadInput: no such file, no TOML, or a key with a wrong value.
    """
    import tomllib
    from pathlib import Path

    from primeta.attention.policy import policy_from
    from primeta.config import ATTENTION_POLICY_KEYS

    path = Path(path)
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file; the keys of [attention] in TOML were expected") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{path}: cannot be read as TOML: {error}") from None
    keys = told.get("attention", told)
    if not isinstance(keys, Mapping):
        raise BadInput(f"{path}: [attention] is a table of keys; write [attention] on a line of its own")
    # The same section also says where promises are and who is responsible.
    kept = {
        key: value
        for key, value in keys.items()
        if key in ATTENTION_POLICY_KEYS or key not in ("promises", "controller")
    }
    return policy_from(kept, fail=lambda key, message: BadInput(f"{path}, {key}: {message}"))
