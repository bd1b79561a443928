"""Credit over the log of a replay: what campaigns, programmes and teams spent, who has gone blind, who foretells best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import numpy.typing as npt

from primeta.attention.blindness import blind_share, credits_at
from primeta.attention.campaign_credit import (
    CampaignNames,
    Lottery,
    campaign_credit,
    credit_after,
    credit_flow,
)
from primeta.attention.credit_fit import fit_credit
from primeta.attention.credit_model import CreditModel
from primeta.attention.health import Health, health_of
from primeta.attention.outcomes import DAY_US, TouchLog, time_of, touch_log
from primeta.attention.records import CampaignCredit, Policy
from primeta.attention.replay_tables import Given
from primeta.warehouse.duck import arrow, one, run

MOST_TOUCHES = 300_000
"""Credit is worked out over as many; of a larger log customers are drawn by a hash of their ids."""
BLIND_FROM = 0.5
SEED = 20_260
"""Of the split into customers to learn from and to judge on: the same log gives the same answer."""
MARK = "\x1f"
KEYS = ("campaign", "programme", "team")
STOPPED = "stopped"
"""A fourth part of a label: the message would have been stopped."""
_PARTS = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditReplay:
    """What the log says of credit; empty with `why_not` where it cannot be told."""

    campaigns: tuple[CampaignCredit, ...] = ()
    programmes: tuple[CampaignCredit, ...] = ()
    """The same by programme; each row's `campaign` is empty."""
    teams: tuple[CampaignCredit, ...] = ()
    blind_share: float = float("nan")
    """Expected share of customers × channels still written to that no longer look."""
    blind_since: Mapping[str, float] = field(default_factory=dict)
    """Month → share of customers × channels that are blind more likely than not and have been silent since then."""
    scores: Mapping[str, float] = field(
        default_factory=lambda: dict.fromkeys(("model", "counts", "beta_binomial"), float("nan"))
    )
    """Mean log scores on customers and days that nothing was fitted on; higher is better."""
    used: str = "prior"
    share: float = 1.0
    """Of the customers whom it was worked out over."""
    stopped: CampaignCredit | None = None
    """Of the messages that a draft policy would have stopped, where one was replayed."""
    health: Health | None = None
    """None: not asked."""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    """Of `credit_fit.CreditVerdict.as_dict()`."""
    why_not: str = ""


def credit_of_log(
    connection: duckdb.DuckDBPyConnection,
    reactions: Given | None,
    *,
    visits: Given | None = None,
    orders: Given | None = None,
    most: int = MOST_TOUCHES,
    stopped: bool | Literal["only"] = False,
    model: CreditModel | None = None,
    levels: Policy | None = None,
    zone: ZoneInfo | None = None,
) -> CreditReplay:
    """Credit over the tables of `checks.place_log`, with the breaches that `checks.check` found there.

    Args:
        stopped: Also of the messages in `replay_stopped`, see `replay_policy.place_stopped`; `only`: of nothing else.
        model: That was learnt from this log before; None: it is learnt now.
        levels: The policy in force: with it the health of the base is told too.
        zone: In which its months end.
    """
    if reactions is None and visits is None and orders is None:
        return CreditReplay(why_not="no-reactions")
    sends = one(connection, "SELECT count(*) FROM replay_stage WHERE NOT withheld")[0]
    if not sends:
        return CreditReplay(why_not="no-sends")
    share = min(1.0, most / sends)
    drawn = "true"
    if share < 1:
        # A hash of the id, and no lottery: the same customers whenever it is repeated.
        drawn = f"CAST('0x' || left(md5(customer_id), 8) AS BIGINT) < {int(share * _PARTS)}"
    held = "message_id IN (SELECT message_id FROM replay_stopped)" if stopped else "false"
    labels = f"concat(campaign, '{MARK}', programme, '{MARK}', team, '{MARK}', CASE WHEN {held} THEN '{STOPPED}' END)"
    run(
        connection,
        f"""CREATE OR REPLACE TEMP VIEW replay_drawn AS SELECT message_id, customer_id, make_timestamp(us) AS sent_at,
            channel, purpose, withheld, probability, {labels} AS campaign FROM replay_stage WHERE {drawn}""",
    )
    log = touch_log(
        connection,
        messages="replay_drawn",
        reactions=reactions.view if reactions is not None else "",
        visits=visits.view if visits is not None else "",
        orders=orders.view if orders is not None else "",
    )
    if not log.touches:
        return CreditReplay(why_not="no-sends", share=share)
    log = _with_breaches(connection, log)
    if model is None:
        model, _ = fit_credit(log, rng=np.random.default_rng(SEED))
    flow = credit_flow(model, log)
    parts, codes = _labels(log.campaign)
    lottery = _lottery(connection, log)
    later = credit_after(model, log, lottery)
    drawn_parts, drawn_codes = _labels(lottery.campaign)

    def by(place: int) -> tuple[CampaignCredit, ...]:
        names = np.array([entry[place] for entry in parts], dtype=object)
        if place and not any(names):
            return ()
        drawn_names = np.array([entry[place] for entry in drawn_parts], dtype=object)
        rows = campaign_credit(
            model,
            replace(log, campaign=names[codes]),
            lottery=replace(
                lottery, campaign=drawn_names[drawn_codes] if len(drawn_codes) else lottery.campaign
            ),
            names=replace(
                _names(parts) if place == 0 else CampaignNames(), broken=_broken_by(connection, KEYS[place])
            ),
            flow=flow,
            later=later,
        )
        return tuple(
            _scaled(row if not place else replace(row, campaign="", **{KEYS[place]: row.campaign}), share)
            for row in rows
        )

    of_stopped = None
    if stopped:
        marks = np.array([entry[3] for entry in parts], dtype=object)[codes]
        drawn_marks = np.array([entry[3] for entry in drawn_parts], dtype=object)
        rows = campaign_credit(
            model,
            replace(log, campaign=marks),
            lottery=replace(
                lottery, campaign=drawn_marks[drawn_codes] if len(drawn_codes) else lottery.campaign
            ),
            flow=flow,
            later=later,
        )
        of_stopped = next((_scaled(row, share) for row in rows if row.campaign == STOPPED), None)
    if stopped == "only":
        return CreditReplay(
            used=model.used, share=share, stopped=of_stopped, why_not=model.verdict.get("why_not", "")
        )
    base = credits_at(model, log, time_of(log.until), intervals=False)
    here = ~base.gone
    blind = here & (base.credit.blind >= BLIND_FROM)
    since: dict[str, float] = {}
    for day in base.silent_since[blind].tolist():
        month = f"{time_of(day):%Y-%m}" if np.isfinite(day) else ""
        since[month] = since.get(month, 0) + 1
    return CreditReplay(
        campaigns=by(0),
        programmes=by(1),
        teams=by(2),
        blind_share=blind_share(base),
        blind_since={month: number / int(here.sum()) for month, number in sorted(since.items())},
        scores=_scores(model.verdict),
        used=model.used,
        share=share,
        stopped=of_stopped,
        health=health_of(model, log, policy=levels, zone=zone, share=share) if levels is not None else None,
        verdict=model.verdict,
        why_not=model.verdict.get("why_not", ""),
    )


def _scores(verdict: Mapping[str, Any]) -> dict[str, float]:
    """Mean log scores of `CreditVerdict.as_dict()`; NaN where nothing could be judged."""
    told = {name: mark["log_score"] for name, mark in verdict.get("marks", {}).items()}
    return {
        name: float("nan") if (score := told.get(name)) is None else score
        for name in ("model", "counts", "beta_binomial")
    }


def _with_breaches(connection: duckdb.DuckDBPyConnection, log: TouchLog) -> TouchLog:
    """The log with the promises that were broken to its customers: trust does not come back at once."""
    rows = arrow(
        connection,
        """SELECT DISTINCT p.customer_id, coalesce(s.us, b.us) AS us FROM replay_broken b
            JOIN replay_people p USING (customer) SEMI JOIN replay_drawn USING (customer_id)
            LEFT JOIN replay_sends s ON s.customer = b.customer AND s.pos = b.pos ORDER BY 1, 2""",
    )
    if not rows.num_rows:
        return log
    who = {name: place for place, name in enumerate(log.customers)}
    customer = np.array(
        [who.get(name, -1) for name in rows.column("customer_id").to_pylist()], dtype=np.int64
    )
    known = customer >= 0
    return replace(
        log,
        broken_customer=customer[known],
        broken_at=rows.column("us").to_numpy()[known] / DAY_US,
    )


def _broken_by(connection: duckdb.DuckDBPyConnection, key: str) -> dict[str, int]:
    """Breaches by campaign, programme or team, of all customers."""
    rows = run(
        connection,
        f"SELECT {key}, count(*) FROM replay_broken JOIN replay_sends USING (customer, pos) GROUP BY 1 ORDER BY 1",
    )
    return dict(rows)


def _scaled(row: CampaignCredit, share: float) -> CampaignCredit:
    """From the customers who were drawn to all."""
    if share >= 1:
        return row
    return replace(
        row,
        touches=round(row.touches / share),
        credit_spent=row.credit_spent / share,
        low=row.low / share,
        high=row.high / share,
    )


def _labels(
    campaign: npt.NDArray[Any],
) -> tuple[list[tuple[str, str, str, str]], npt.NDArray[np.integer[Any]]]:
    """Campaign, programme, team and STOPPED of each distinct label, and the label of each row."""
    if not len(campaign):
        return [], np.zeros(0, dtype=np.int64)
    names, codes = np.unique(campaign.astype(str), return_inverse=True)
    parts = [tuple((*name.split(MARK), "", "", "")[:4]) for name in names.tolist()]
    return parts, codes  # type: ignore[return-value]


def _names(parts: list[tuple[str, str, str, str]]) -> CampaignNames:
    """Programme and team of a campaign that has one only."""
    found: tuple[dict[str, set[str]], dict[str, set[str]]] = ({}, {})
    for campaign, programme, team, _ in parts:
        found[0].setdefault(campaign, set()).add(programme)
        found[1].setdefault(campaign, set()).add(team)
    programme, team = (
        {name: next(iter(values)) for name, values in each.items() if len(values) == 1} for each in found
    )
    return CampaignNames(programme=programme, team=team)


def _lottery(connection: duckdb.DuckDBPyConnection, log: TouchLog) -> Lottery:
    """Chances to send that were drawn, of customers and channels of the log."""
    rows = arrow(
        connection,
        "SELECT customer_id, channel, epoch_us(sent_at) AS us, campaign, withheld, probability FROM replay_drawn "
        "WHERE probability > 0 AND probability < 1 ORDER BY customer_id, channel, us, message_id",
    )
    if not rows.num_rows:
        return Lottery.none()
    who = {name: place for place, name in enumerate(log.customers)}
    where = {name: place for place, name in enumerate(log.channels)}
    customer = np.array(
        [who.get(name, -1) for name in rows.column("customer_id").to_pylist()], dtype=np.int64
    )
    channel = np.array([where.get(name, -1) for name in rows.column("channel").to_pylist()], dtype=np.int64)
    known = (customer >= 0) & (channel >= 0)
    return Lottery(
        customer=customer[known],
        channel=channel[known],
        at=rows.column("us").to_numpy()[known] / DAY_US,
        campaign=np.array(rows.column("campaign").to_pylist(), dtype=object)[known],
        sent=~rows.column("withheld").to_numpy(zero_copy_only=False)[known].astype(bool),
        probability=rows.column("probability").to_numpy()[known],
    )
