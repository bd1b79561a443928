"""Which messages of a log broke which promise, and whether it could be known then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import duckdb
import pyarrow as pa

from primeta.attention import checks_sql
from primeta.attention.outcomes import DRIVING_AWAY, UNKNOWN_PURPOSE
from primeta.attention.promise_file import in_force
from primeta.attention.quiet_hours import zone_of
from primeta.attention.records import PURPOSES, Broken, Promise
from primeta.attention.replay_tables import Given
from primeta.errors import BadTable
from primeta.warehouse.duck import arrow, one, plain_errors, quoted, run

SAME = (
    "customer_id", "us", "channel", "purpose", "campaign", "programme", "team", "cost", "withheld", "probability",
    "personal",
)  # fmt: skip
"""What two rows of one message must agree in; when it was learnt may differ (webhooks come twice)."""
MARKETING = ("marketing", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What was read: the tables `replay_sends`, `replay_people`, `replay_optouts`, `replay_given`, `replay_late`."""

    sends: int
    withheld: int
    customers: int
    unreadable: int
    """Messages without an id, a customer or a time."""
    duplicates: int
    """Rows that stood there twice."""
    strangers: int
    """Opt-outs to messages that the log does not have."""
    first: int
    last: int
    """Of sends and opt-outs, microseconds since 1970."""
    late: bool
    columns: frozenset[str]
    opt_outs: bool
    """Whether anything was given that could tell of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseCheck:
    """What became of one promise."""

    promise: Promise
    state: Literal["kept", "broken", "unverifiable", "pending"]
    checked: int
    """Messages that it speaks of (customers, where something was to be delivered)."""
    broken: int
    knowable: int
    """Of those broken."""
    customers: int
    """To whom it was broken."""
    why_not: str = ""
    """Code of what could not be checked; then it is never counted as kept."""

    @property
    def kept(self) -> int | None:
        """None where it cannot be told."""
        return None if self.why_not or self.state == "pending" else self.checked - self.broken

    def as_dict(self) -> dict[str, Any]:
        return {
            "promise": self.promise.name,
            "version": self.promise.version,
            "text": self.promise.text,
            "state": self.state,
            "checked": self.checked,
            "kept": self.kept,
            "broken": self.broken,
            "knowable": self.knowable,
            "customers": self.customers,
            "why_not": self.why_not,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checked:
    """Each promise, and each message that broke one."""

    promises: tuple[PromiseCheck, ...]
    rows: pa.Table
    """promise, version, customer_id, message_id, us, knowable, campaign, programme, team, channel; by promise, customer, time,
    message."""
    delivered: pa.Table
    """promise, version, customer_id, us: to whom what was promised to come came in time; by promise, customer."""

    def broken(self) -> Iterator[Broken]:
        """Row by row, so that millions need no memory."""
        for batch in self.rows.drop_columns(["channel"]).to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                yield Broken(at=checks_sql.moment_of(row.pop("us")), **row)


def place_log(
    connection: duckdb.DuckDBPyConnection,
    messages: Given,
    reactions: Given | None,
    *,
    promises: Sequence[Promise] = (),
    customers: Given | None = None,
    consents: Given | None = None,
    timezone: str = "UTC",
) -> Log:
    """Make the tables that promises are checked on.

    Raises:
        BadTable: rows of one message contradict each other.
    """
    known = checks_sql.listed(PURPOSES)
    with plain_errors(f"reading {messages.where}"):
        run(
            connection,
            f"""CREATE OR REPLACE TEMP TABLE replay_stage AS SELECT message_id, customer_id, epoch_us(sent_at) AS us,
                coalesce(lower(channel), '') AS channel, CASE WHEN lower(purpose) IN ({known})
                    THEN lower(purpose) ELSE '{UNKNOWN_PURPOSE}' END AS purpose,
                coalesce(campaign, '') AS campaign, coalesce(programme, '') AS programme, coalesce(team, '') AS team,
                cost, coalesce(withheld, false) AS withheld, probability, coalesce(personal, false) AS personal,
                coalesce(epoch_us(learnt_at), epoch_us(sent_at)) AS learnt
            FROM {messages.view} WHERE message_id IS NOT NULL AND customer_id IS NOT NULL AND sent_at IS NOT NULL""",
        )
        total = one(connection, f"SELECT count(*) FROM {messages.view}")[0]
        rows = one(connection, "SELECT count(*) FROM replay_stage")[0]
        duplicates = _drop_duplicates(connection, messages.where)
        _place_people(connection, promises, customers, timezone)
        run(
            connection,
            """CREATE OR REPLACE TEMP TABLE replay_sends AS SELECT p.customer, s.us, s.message_id, s.channel, s.purpose,
                s.campaign, s.programme, s.team, s.personal, s.learnt, CAST(row_number() OVER (
                    PARTITION BY p.customer ORDER BY s.us, s.message_id) AS INTEGER) AS pos
            FROM replay_stage s JOIN replay_people p USING (customer_id) WHERE NOT s.withheld""",
        )
        # A send matters late only where the next one went out before it was learnt.
        following = "lead(us) OVER (PARTITION BY customer ORDER BY pos)" if "learnt_at" in messages else "us"
        run(
            connection,
            f"""CREATE OR REPLACE TEMP TABLE replay_late AS SELECT * EXCLUDE (next) FROM (
                SELECT *, {following} AS next FROM replay_sends) WHERE learnt > next""",
        )
    strangers = _place_opt_outs(connection, reactions, consents)
    sends, first, last = one(connection, "SELECT count(*), min(us), max(us) FROM replay_sends")
    heard = one(connection, "SELECT max(us) FROM replay_optouts")[0]
    seen = [
        one(connection, f"SELECT max(epoch_us(happened_at)) FROM {given.view}")[0]
        for given in (reactions, consents)
        if given is not None
    ]
    held, people = one(
        connection, "SELECT count(*) FILTER (withheld), count(DISTINCT customer_id) FROM replay_stage"
    )
    return Log(
        sends=sends,
        withheld=held,
        customers=people,
        unreadable=total - rows,
        duplicates=duplicates,
        strangers=strangers,
        first=first or 0,
        last=max((one_ for one_ in (last, heard, *seen) if one_ is not None), default=0),
        late=bool(one(connection, "SELECT count(*) FROM replay_late")[0]),
        columns=messages.columns,
        opt_outs=reactions is not None or consents is not None,
    )


def _drop_duplicates(connection: duckdb.DuckDBPyConnection, where: str) -> int:
    rows, distinct = one(connection, "SELECT count(*), count(DISTINCT message_id) FROM replay_stage")
    if rows == distinct:
        return 0
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE replay_twice AS SELECT message_id FROM replay_stage GROUP BY 1 HAVING count(*) > 1",
    )
    told = ", ".join(SAME)
    conflicts, example = one(
        connection,
        f"""SELECT count(*), min(message_id) FROM (SELECT message_id FROM replay_stage SEMI JOIN replay_twice
            USING (message_id) GROUP BY message_id HAVING count(DISTINCT ({told})) > 1)""",
    )
    if conflicts:
        apart = [
            name
            for name in SAME
            if len(
                run(
                    connection,
                    f"SELECT DISTINCT {name} FROM replay_stage WHERE message_id = {quoted(example)}",
                )
            )
            > 1
        ]
        words = ", ".join({"us": "sent_at"}.get(name, name) for name in apart)
        raise BadTable(
            f"{where}: {conflicts} message ids stand on rows that contradict each other, such as {example!r} "
            f"(they differ in {words}). One message is one row: give each message an id of its own, or keep one row."
        )
    run(
        connection,
        """DELETE FROM replay_stage WHERE rowid IN (SELECT place FROM (SELECT s.rowid AS place, row_number() OVER (
            PARTITION BY message_id ORDER BY learnt, s.rowid) AS copy
            FROM replay_stage s SEMI JOIN replay_twice USING (message_id)) WHERE copy > 1)""",
    )
    return rows - distinct


def _place_people(
    connection: duckdb.DuckDBPyConnection,
    promises: Sequence[Promise],
    customers: Given | None,
    timezone: str,
) -> None:
    """`replay_people` (customer, customer_id, zone) and `replay_promised` (promise, customer_id)."""
    pairs = [
        (number, customer)
        for number, promise in enumerate(in_force(promises))
        if promise.customers != "all"
        for customer in promise.customers
    ]
    listed = pa.table(
        {
            "promise": pa.array([number for number, _ in pairs], pa.int32()),
            "customer_id": pa.array([customer for _, customer in pairs], pa.string()),
        }
    )
    connection.register("arrow_promised", listed)
    zoned = "SELECT customer_id, min(timezone) AS timezone FROM {} WHERE customer_id IS NOT NULL GROUP BY 1"
    told = (
        zoned.format(customers.view)
        if customers is not None
        else "SELECT '' AS customer_id, '' AS timezone WHERE false"
    )
    run(
        connection,
        f"""CREATE OR REPLACE TEMP TABLE replay_people AS SELECT CAST(row_number() OVER (ORDER BY customer_id)
            AS INTEGER) AS customer, customer_id, coalesce(timezone, '') AS zone_name
        FROM (SELECT customer_id FROM replay_stage UNION SELECT customer_id FROM arrow_promised)
        LEFT JOIN ({told}) USING (customer_id)""",
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE replay_promised AS SELECT promise, customer FROM arrow_promised "
        "JOIN replay_people USING (customer_id)",
    )
    names = [row[0] for row in run(connection, "SELECT DISTINCT zone_name FROM replay_people ORDER BY 1")]
    zones = {name: zone_of(name, timezone).key for name in names}
    keys = sorted(set(zones.values()))
    connection.register(
        "arrow_zones",
        pa.table(
            {
                "zone_name": pa.array(list(zones), pa.string()),
                "zone": pa.array([keys.index(key) for key in zones.values()], pa.int32()),
                "key": pa.array(list(zones.values()), pa.string()),
            }
        ),
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE replay_people AS SELECT customer, customer_id, zone FROM replay_people "
        "JOIN arrow_zones USING (zone_name)",
    )
    run(connection, "CREATE OR REPLACE TEMP TABLE replay_zones AS SELECT DISTINCT zone, key FROM arrow_zones")


def _place_opt_outs(
    connection: duckdb.DuckDBPyConnection, reactions: Given | None, consents: Given | None
) -> int:
    """`replay_optouts` and `replay_given` (customer, us, learnt, channel; empty: every channel)."""
    out = ["SELECT 0 AS customer, 0::BIGINT AS us, 0::BIGINT AS learnt, '' AS channel WHERE false"]
    given, strangers = list(out), 0
    if reactions is not None:
        kinds = checks_sql.listed(DRIVING_AWAY)
        rows = (
            f"SELECT message_id, epoch_us(happened_at) AS us, epoch_us(coalesce(learnt_at, happened_at)) AS learnt "
            f"FROM {reactions.view} WHERE lower(kind) IN ({kinds}) AND happened_at IS NOT NULL"
        )
        with plain_errors(f"reading {reactions.where}"):
            strangers = one(
                connection,
                f"SELECT count(*) FROM ({rows}) ANTI JOIN replay_stage USING (message_id)",
            )[0]
        out.append(
            f"SELECT p.customer, r.us, r.learnt, s.channel FROM ({rows}) r JOIN replay_stage s USING (message_id) "
            "JOIN replay_people p USING (customer_id)"
        )
    if consents is not None:
        rows = (
            "SELECT p.customer, epoch_us(c.happened_at) AS us, epoch_us(coalesce(c.learnt_at, c.happened_at)) AS learnt, "
            f"coalesce(lower(c.channel), '') AS channel FROM {consents.view} c JOIN replay_people p USING (customer_id) "
            f"WHERE c.happened_at IS NOT NULL AND coalesce(lower(c.processing), '') IN ({checks_sql.listed(MARKETING)}) "
            "AND lower(c.state)"
        )
        out.append(f"{rows} IN ('withdrawn', 'refused')")
        given.append(f"{rows} = 'given'")
    with plain_errors("reading who opted out"):
        for name, parts in (("replay_optouts", out), ("replay_given", given)):
            run(
                connection,
                f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT DISTINCT * FROM ({' UNION ALL '.join(parts)})",
            )
    return strangers


def check(connection: duckdb.DuckDBPyConnection, promises: Sequence[Promise], log: Log) -> Checked:
    """Each promise against the tables of `place_log`, which must have been given the same promises."""
    standing = in_force(promises)
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE replay_broken (promise INTEGER, customer INTEGER, pos INTEGER, us BIGINT, "
        "knowable BOOLEAN)",
    )
    run(connection, "CREATE OR REPLACE TEMP TABLE replay_kept (promise INTEGER, customer INTEGER, us BIGINT)")
    found: list[PromiseCheck] = []
    with plain_errors("checking promises"):
        for number, promise in enumerate(standing):
            found.append(_check_one(connection, number, promise, log))
        connection.register(
            "arrow_standing",
            pa.table(
                {
                    "number": pa.array(range(len(standing)), pa.int32()),
                    "name": pa.array([promise.name for promise in standing], pa.string()),
                    "version": pa.array([promise.version for promise in standing], pa.int32()),
                }
            ),
        )
        rows = arrow(
            connection,
            """SELECT n.name AS promise, n.version, p.customer_id, coalesce(s.message_id, '') AS message_id,
                coalesce(s.us, b.us) AS us, b.knowable, coalesce(s.campaign, '') AS campaign,
                coalesce(s.programme, '') AS programme, coalesce(s.team, '') AS team, coalesce(s.channel, '') AS channel
            FROM replay_broken b JOIN arrow_standing n ON n.number = b.promise JOIN replay_people p USING (customer)
            LEFT JOIN replay_sends s ON s.customer = b.customer AND s.pos = b.pos
            ORDER BY b.promise, b.customer, 5, b.pos""",
        )
        delivered = arrow(
            connection,
            """SELECT n.name AS promise, n.version, p.customer_id, k.us FROM replay_kept k
                JOIN arrow_standing n ON n.number = k.promise JOIN replay_people p USING (customer)
                ORDER BY k.promise, k.customer""",
        )
    return Checked(promises=tuple(found), rows=rows, delivered=delivered)


def _check_one(
    connection: duckdb.DuckDBPyConnection, number: int, promise: Promise, log: Log
) -> PromiseCheck:
    who = (
        f"(SELECT customer FROM replay_promised WHERE promise = {number})"
        if promise.customers != "all"
        else ""
    )
    within = checks_sql.scope(promise, who)
    why_not = _missing(promise, log)
    parts = _parts(connection, promise, who, log)
    if parts:
        run(
            connection,
            f"INSERT INTO replay_broken SELECT {number}, customer, pos, NULL, bool_or(knowable) "
            f"FROM ({' UNION ALL '.join(f'({part})' for part in parts)}) GROUP BY customer, pos",
        )
    checked = 0
    if parts:
        checked = one(
            connection, f"SELECT count(*) FROM replay_sends WHERE {within} AND {checks_sql.valid(promise)}"
        )[0]
    pending = False
    if promise.deliver and promise.by is not None and "no-programme" not in why_not:
        due = checks_sql.us_of(promise.by)
        if promise.valid_to is None or promise.valid_to > promise.by:
            pending = due > log.last
            people = (
                who.strip("()")
                or f"SELECT DISTINCT customer FROM replay_stage JOIN replay_people USING (customer_id) WHERE us <= {due}"
            )
            if not pending:
                checked += one(connection, f"SELECT count(*) FROM ({people})")[0]
                run(
                    connection,
                    f"INSERT INTO replay_broken SELECT {number}, customer, NULL, {due}, true "
                    f"FROM ({checks_sql.not_delivered(promise, within, people)})",
                )
                run(
                    connection,
                    f"INSERT INTO replay_kept SELECT {number}, customer, {due} FROM ({people}) ANTI JOIN (SELECT customer "
                    f"FROM replay_broken WHERE promise = {number} AND pos IS NULL) USING (customer)",
                )
    broken, knowable, customers = one(
        connection,
        "SELECT count(*), count(*) FILTER (knowable), count(DISTINCT customer) FROM replay_broken "
        f"WHERE promise = {number}",
    )
    if not checked and not pending and not why_not:
        why_not = "no-messages"
    state = "broken" if broken else "unverifiable" if why_not else "pending" if pending else "kept"
    return PromiseCheck(
        promise=promise,
        state=state,
        checked=checked,
        broken=broken,
        knowable=knowable,
        customers=customers,
        why_not=why_not,
    )


def _missing(promise: Promise, log: Log) -> str:
    """Code of the first thing that the log would need to check all of a promise; empty: it has all."""
    if not promise.checkable:
        return "no-predicate"
    if (
        promise.purpose or promise.purposes_only or promise.stop_within is not None
    ) and "purpose" not in log.columns:
        return "no-purpose"
    if (promise.programmes_only or promise.deliver) and not {"campaign", "programme"} & log.columns:
        return "no-programme"
    if promise.personal_only and "personal" not in log.columns:
        return "no-personal"
    if promise.stop_within is not None and not log.opt_outs:
        return "no-opt-outs"
    return ""


def _parts(connection: duckdb.DuckDBPyConnection, promise: Promise, who: str, log: Log) -> list[str]:
    """A query for each predicate that the log can check."""
    if promise.purpose and "purpose" not in log.columns:
        return []
    parts: list[str] = []
    within = checks_sql.scope(promise, who)

    def forbid(condition: str) -> None:
        parts.append(checks_sql.each_message(promise, condition, within))

    if promise.max is not None and promise.window is not None:
        parts.append(checks_sql.rolling_max(promise, who, late=log.late))
    if promise.hours is not None:
        zones = {
            number: zone_of(key) for number, key in run(connection, "SELECT zone, key FROM replay_zones")
        }
        hour = checks_sql.local_hour(zones, log.first, log.last)
        condition = checks_sql.outside_hours(promise.hours, hour)
        parts.append(checks_sql.each_message(promise, condition, within, zones="replay_people"))
    if promise.purposes_only and "purpose" in log.columns:
        forbid(f"purpose NOT IN ({checks_sql.listed(promise.purposes_only)})")
    if promise.channels_only:
        forbid(f"channel NOT IN ({checks_sql.listed(promise.channels_only)})")
    if promise.programmes_only and {"campaign", "programme"} & log.columns:
        names = checks_sql.listed(promise.programmes_only)
        forbid(f"programme NOT IN ({names}) AND campaign NOT IN ({names})")
    if promise.personal_only and "personal" in log.columns:
        forbid("NOT personal")
    if promise.stop_within is not None and "purpose" in log.columns and log.opt_outs:
        parts.append(checks_sql.after_opt_out(promise, within))
    return parts
