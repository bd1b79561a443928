"""From a plan to the customers who enter it: the lottery as SQL, with cut points where strata are balanced."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np

from primeta.experiments.assignment import arm_sql, lottery_of, stratum_sql
from primeta.experiments.cuts import Cuts, place_cuts
from primeta.experiments.records import Plan
from primeta.warehouse.duck import arrow
from primeta.warehouse.exposures import Draw, Drawn, Entering


def entering_of(plan: Plan, *, stopped: date | None = None) -> Entering:
    """How customers come into a plan; from the day after `stopped` on nobody does."""
    ends = plan.ends if stopped is None else min(plan.ends, stopped + timedelta(days=1))
    return Entering(
        experiment=plan.name,
        entry=plan.entry,
        starts=plan.starts,
        ends=max(ends, plan.starts),
        arms=tuple(arm.name for arm in plan.arms),
        population=plan.population,
        attributes=tuple(dict.fromkeys((*plan.segments, *plan.strata))),
    )


def draw_of(plan: Plan) -> Draw:
    """The plan's lottery. With strata, the customers of the first day place cut points; all others are drawn by them."""
    lottery = lottery_of(plan)

    def draw(connection: duckdb.DuckDBPyConnection, coming: str, kept: Any) -> Drawn:
        cuts = Cuts.of(kept) if kept else None
        if lottery.strata and cuts is None:
            plain = arm_sql(lottery, unit="customer_id", bucket="bucket")
            rows = arrow(
                connection,
                f"SELECT stratum, bucket FROM (SELECT *, {plain.arm} AS drawn FROM (SELECT *, {plain.bucket} AS bucket, "
                f"{stratum_sql(lottery.strata)} AS stratum FROM {coming})) WHERE drawn IS NOT NULL",
            )
            strata = np.array(rows["stratum"].to_pylist(), dtype=str)
            cuts = place_cuts(lottery, strata=strata, drawn=rows["bucket"].to_numpy())
        sql = arm_sql(lottery, unit="customer_id", bucket="bucket", cuts=cuts)
        return Drawn(sql.arm, sql.bucket, cuts.as_dict() if cuts else None)

    return draw


def everybody(plan: Plan) -> Draw:
    """Those whom the plan would let in, all in one arm `all`: a pretended experiment that treats nobody."""
    lottery = lottery_of(plan)

    def draw(_connection: duckdb.DuckDBPyConnection, _coming: str, _kept: Any) -> Drawn:
        sql = arm_sql(lottery, unit="customer_id", bucket="bucket")
        return Drawn(f"CASE WHEN ({sql.arm}) IS NOT NULL THEN 'all' END", sql.bucket)

    return draw
