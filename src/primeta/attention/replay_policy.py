"""What another policy would have stopped in a log, and what would have been lost with it.

Caps, quiet hours and first touches are replayed message by message: what is stopped is not sent, so it fills no cap.
Levels of credit and consents are left out: they would have moved with every message that was stopped.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.attention import checks_sql
from primeta.attention.campaign_credit import LEAST_OF_EACH
from primeta.attention.checks import Checked, Log, check
from primeta.attention.outcomes import DRIVING_AWAY, WELCOMING, WITHIN
from primeta.attention.quiet_hours import zone_of
from primeta.attention.records import CampaignCredit, Policy, Promise
from primeta.attention.replay_tables import Given
from primeta.warehouse.duck import plain_errors, run

Z95 = 1.959963984540054
RULES = ("cap", "quiet-hours", "first-touches")
NOT_REPLAYED = ("no-consent", "level", "resting")
"""Rules that would have moved with every message that was stopped."""
WHOSE = ("purpose", "campaign", "programme", "team")
MOST_NAMED = 50
"""Names in each list of what would have been stopped: the longest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A number with its 95% interval over customers."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


UNKNOWN = Amount(value=float("nan"), low=float("nan"), high=float("nan"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedOf:
    """Of one purpose, campaign, programme or team: what was sent and what would have been stopped."""

    whose: str
    """One of `WHOSE`."""
    name: str
    sends: int
    stopped: int

    def as_dict(self) -> dict[str, Any]:
        return {"whose": self.whose, "name": self.name, "sends": self.sends, "stopped": self.stopped}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyReplay:
    """What would have been stopped, and what came of those messages as they were sent."""

    sends: int
    stopped: int
    by_rule: Mapping[str, int]
    welcomes: Amount
    """Welcomes (human clicks and replies within 72 hours) of the messages that would have been stopped."""
    opt_outs: Amount
    cost: float
    """Of those messages; NaN where no message carries its cost."""
    broken: Mapping[str, tuple[int, int]]
    """Promise → breaches as it was, and with the policy."""
    orders: Amount = UNKNOWN
    """Customers who ordered within 72 hours because of the stopped messages, from the lottery; NaN with `why_not`."""
    revenue: Amount = UNKNOWN
    """What they paid in those 72 hours because of them, from the lottery; NaN where `orders` is or money is not known."""
    why_not: str = ""
    """Of `orders`: `no-lottery`, `no-orders`."""
    by: tuple[StoppedOf, ...] = ()
    credit: CampaignCredit | None = None
    """What the stopped messages spent of the customers' credit, in customers' worth; None: not asked or not known."""
    basis: Literal["observational"] = "observational"
    """Of welcomes and opt-outs; that of `orders` is the lottery."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "sends": self.sends,
            "stopped": self.stopped,
            "by_rule": dict(self.by_rule),
            "not_replayed": list(NOT_REPLAYED),
            "welcomes": self.welcomes.as_dict(),
            "opt_outs": self.opt_outs.as_dict(),
            "cost": self.cost,
            "orders": self.orders.as_dict(),
            "revenue": self.revenue.as_dict(),
            "why_not": self.why_not,
            "broken": [
                {"promise": name, "before": before, "after": after}
                for name, (before, after) in self.broken.items()
            ],
            "by": [entry.as_dict() for entry in self.by],
            "credit": None
            if self.credit is None
            else {
                "credit_kept": self.credit.credit_spent,
                "low": self.credit.low,
                "high": self.credit.high,
                "basis": self.credit.basis,
            },
            "basis": self.basis,
        }


def place_stopped(
    connection: duckdb.DuckDBPyConnection, policy: Policy, *, log: Log, reactions: Given | None
) -> dict[str, int]:
    """`replay_stopped`: the messages of `checks.place_log` that the policy would have stopped, and those that a lottery
    withheld among them; beside it how many of those sent each rule would have stopped."""
    with plain_errors("replaying the policy"):
        place_outcomes(connection, reactions)
        run(
            connection,
            """CREATE OR REPLACE TEMP TABLE replay_asked AS SELECT p.customer, p.zone, s.message_id, s.us, s.channel,
                s.purpose, s.withheld, s.probability, CAST(row_number() OVER (
                    PARTITION BY p.customer ORDER BY s.us, s.message_id) AS INTEGER) AS place
                FROM replay_stage s JOIN replay_people p USING (customer_id)""",
        )
        stopped, reasons = _stopped(connection, policy, log)
        connection.register("arrow_stopped", stopped)
        run(
            connection,
            "CREATE OR REPLACE TEMP TABLE replay_stopped AS SELECT * FROM replay_asked "
            "SEMI JOIN arrow_stopped USING (customer, place)",
        )
    return reasons


def replay_policy(
    connection: duckdb.DuckDBPyConnection,
    *,
    reasons: Mapping[str, int],
    log: Log,
    promises: tuple[Promise, ...],
    before: Checked,
    orders: Given | None = None,
    credit: CampaignCredit | None = None,
) -> PolicyReplay:
    """What came of the messages that `place_stopped` found. Afterwards `replay_sends` holds what would have gone out.

    Args:
        reasons: Of `place_stopped`.
        credit: What those messages spent.
    """
    with plain_errors("replaying the policy"):
        told = run(
            connection,
            """SELECT customer, count(*) FILTER (welcomed), count(*) FILTER (drove), sum(cost) FROM replay_stopped
                JOIN replay_came USING (message_id)
                JOIN (SELECT message_id, CAST(cost AS DECIMAL(18, 6)) AS cost FROM replay_stage) USING (message_id)
                GROUP BY customer ORDER BY customer""",
        )
        bought, revenue, why_not = _orders_lost(connection, orders, sum(reasons.values()))
        by = _stopped_by(connection)
        run(
            connection,
            """CREATE OR REPLACE TEMP TABLE replay_sends AS SELECT * EXCLUDE (pos), CAST(row_number() OVER (
                PARTITION BY customer ORDER BY us, message_id) AS INTEGER) AS pos
                FROM (SELECT * FROM replay_sends ANTI JOIN replay_stopped USING (message_id))""",
        )
        # what would have been learnt late of fewer messages is not asked: breaches are only counted
        run(connection, "DELETE FROM replay_late")
    after = check(connection, promises, log)
    broken: dict[str, tuple[int, int]] = {}
    for first, second in zip(before.promises, after.promises, strict=True):
        was, then = broken.get(first.promise.name, (0, 0))
        broken[first.promise.name] = (was + first.broken, then + second.broken)
    costs = [row[3] for row in told if row[3] is not None]
    return PolicyReplay(
        sends=log.sends,
        stopped=sum(reasons.values()),
        by_rule={rule: reasons.get(rule, 0) for rule in RULES},
        welcomes=_amount(np.array([row[1] for row in told], dtype=float), log.customers),
        opt_outs=_amount(np.array([row[2] for row in told], dtype=float), log.customers),
        cost=float(sum(costs)) if costs else float("nan"),
        broken=broken,
        orders=bought,
        revenue=revenue,
        why_not=why_not,
        by=by,
        credit=credit,
    )


def _amount(by_customer: npt.NDArray[np.floating[Any]], customers: int) -> Amount:
    """A total over customers drawn alike, those without any counted as 0; normal interval, never below 0."""
    total = float(by_customer.sum())
    error = float(np.sqrt(max(np.square(by_customer).sum() - total * total / max(customers, 1), 0.0)))
    return Amount(value=total, low=max(total - Z95 * error, 0.0), high=total + Z95 * error)


def _stopped_by(connection: duckdb.DuckDBPyConnection) -> tuple[StoppedOf, ...]:
    found: list[StoppedOf] = []
    for whose in WHOSE:
        rows = run(
            connection,
            f"""SELECT {whose}, count(*), count(x.message_id) AS stopped FROM replay_stage s
                LEFT JOIN (SELECT message_id FROM replay_stopped) x USING (message_id)
                WHERE NOT withheld GROUP BY 1 ORDER BY stopped DESC, 1 LIMIT {MOST_NAMED}""",
        )
        # Where the log does not name them there is nothing to tell apart.
        if any(name for name, _, _ in rows):
            found += [
                StoppedOf(whose=whose, name=name, sends=sends, stopped=stopped)
                for name, sends, stopped in rows
            ]
    return tuple(found)


def _orders_lost(
    connection: duckdb.DuckDBPyConnection, orders: Given | None, stopped: int
) -> tuple[Amount, Amount, str]:
    """Customers who ordered within 72 hours because of a stopped message, what they paid, and why that cannot be told.

    Of the messages that the policy would have stopped, those whose sending was drawn: the share that orders (the mean
    that is paid) after those sent less that after those withheld, each weighted by the inverse of its probability (Hájek
    1971), times all that would have been stopped. The error is that of the weighted means, by customer.
    """
    if orders is None:
        return UNKNOWN, UNKNOWN, "no-orders"
    span = int(WITHIN.total_seconds() * 1_000_000)
    paid = "coalesce(revenue, 0)" if "revenue" in orders else "0"
    rows = run(
        connection,
        f"""WITH drawn AS (SELECT customer, message_id, us, withheld, probability FROM replay_stopped
                WHERE probability > 0 AND probability < 1),
            bought AS (SELECT p.customer, epoch_us(o.ordered_at) AS at, sum(CAST({paid} AS DECIMAL(18, 4))) OVER (
                    PARTITION BY p.customer ORDER BY o.ordered_at) AS total
                FROM {orders.view} o JOIN replay_people p USING (customer_id) WHERE o.ordered_at IS NOT NULL),
            before AS (SELECT d.*, coalesce(b.total, 0) AS earlier FROM drawn d ASOF LEFT JOIN bought b
                ON d.customer = b.customer AND b.at < d.us),
            after AS (SELECT d.*, coalesce(b.total, 0) - earlier AS paid FROM
                (SELECT *, us + {span} AS later FROM before) d ASOF LEFT JOIN bought b
                ON d.customer = b.customer AND b.at <= d.later)
        SELECT d.customer, NOT d.withheld, d.probability, coalesce(b.at <= d.us + {span}, false), CAST(d.paid AS DOUBLE)
        FROM after d ASOF LEFT JOIN bought b ON d.customer = b.customer AND b.at >= d.us
        ORDER BY d.customer, d.us, d.message_id""",
    )
    owner = np.array([row[0] for row in rows], dtype=np.int64)
    sent = np.array([row[1] for row in rows], dtype=bool)
    if sent.sum() < LEAST_OF_EACH or (~sent).sum() < LEAST_OF_EACH:
        return UNKNOWN, UNKNOWN, "no-lottery"
    chance = np.array([row[2] for row in rows], dtype=float)
    on, off = sent / chance, ~sent / (1 - chance)
    place = np.unique(owner, return_inverse=True)[1]

    def because(outcome: npt.NDArray[np.floating[Any]]) -> Amount:
        with_send, without = float(on @ outcome / on.sum()), float(off @ outcome / off.sum())
        pull = on * (outcome - with_send) / on.sum() - off * (outcome - without) / off.sum()
        error = float(np.sqrt(np.square(np.bincount(place, weights=pull)).sum()))
        each = with_send - without
        return Amount(
            value=each * stopped, low=(each - Z95 * error) * stopped, high=(each + Z95 * error) * stopped
        )

    came = because(np.array([row[3] for row in rows], dtype=float))
    if "revenue" not in orders:
        return came, UNKNOWN, ""
    return came, because(np.array([row[4] for row in rows], dtype=float)), ""


def place_outcomes(connection: duckdb.DuckDBPyConnection, reactions: Given | None) -> None:
    """`replay_came` (message_id, welcomed, drove): what came of each send within 72 hours."""
    span = int(WITHIN.total_seconds() * 1_000_000)
    if reactions is None:
        body = "SELECT message_id, false AS welcomed, false AS drove FROM replay_sends"
    else:
        body = f"""SELECT s.message_id, coalesce(bool_or(r.kind IN ({checks_sql.listed(WELCOMING)})
                AND NOT coalesce(r.machine, false)), false) AS welcomed,
                coalesce(bool_or(r.kind IN ({checks_sql.listed(DRIVING_AWAY)})), false) AS drove
            FROM replay_sends s LEFT JOIN (SELECT message_id, kind, machine, epoch_us(happened_at) AS at
                FROM {reactions.view} WHERE message_id IS NOT NULL) r
            ON r.message_id = s.message_id AND r.at BETWEEN s.us AND s.us + {span} GROUP BY s.message_id"""
    run(connection, f"CREATE OR REPLACE TEMP TABLE replay_came AS {body}")


def _stopped(
    connection: duckdb.DuckDBPyConnection, policy: Policy, log: Log
) -> tuple[pa.Table, dict[str, int]]:
    """The messages (customer, place) that would have been stopped, and how many of those sent by each rule.

    Messages that a lottery withheld are asked about too, since they tell what happens without; they fill no cap and
    are not counted.
    """
    zones = {number: zone_of(key) for number, key in run(connection, "SELECT zone, key FROM replay_zones")}
    quiet = "false"
    if policy.quiet_hours is not None:
        hour = checks_sql.local_hour(zones, log.first, log.last)
        quiet = f"NOT ({checks_sql.outside_hours(policy.quiet_hours, hour)})"
    caps = [
        (frozenset(cap.purposes), cap.channel, cap.max, int(cap.window.total_seconds() * 1_000_000))
        for cap in policy.caps
    ]
    # as 4 bytes each: millions may be stopped
    found = (array("i"), array("i"))
    reasons: dict[str, int] = {}
    reader = connection.execute(
        f"SELECT customer, place, us, channel, purpose, withheld, {quiet} AS quiet FROM replay_asked "
        "ORDER BY customer, place"
    )
    current, marketing = -1, 0
    sent: list[deque[int]] = []
    while rows := reader.fetchmany(100_000):
        for customer, number, us, channel, purpose, withheld, is_quiet in rows:
            if customer != current:
                current, marketing = customer, 0
                sent = [deque(maxlen=most or 1) for _, _, most, _ in caps]
            service = purpose == "service"
            # In the order of `decide`: the first that refuses is told.
            rule = "quiet-hours" if is_quiet and not service else ""
            mine = [
                place
                for place, (purposes, on, _, _) in enumerate(caps)
                if purpose in purposes and on in ("", channel)
            ]
            if not rule:
                for place in mine:
                    _, _, most, window = caps[place]
                    if not most or (len(sent[place]) == most and sent[place][0] > us - window):
                        rule = "cap"
                        break
            if not rule and marketing < policy.first_useful and purpose not in ("service", "useful"):
                rule = "first-touches"
            if rule:
                found[0].append(customer)
                found[1].append(number)
                reasons[rule] = reasons.get(rule, 0) + (not withheld)
            if rule or withheld:
                continue
            marketing += not service
            for place in mine:
                sent[place].append(us)
    return (
        pa.table(
            {
                name: pa.array(np.array(column, dtype=np.int32))
                for name, column in zip(("customer", "place"), found, strict=True)
            }
        ),
        reasons,
    )
