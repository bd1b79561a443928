"""Share of messages that customers welcomed, by campaign, programme and purpose, in one pass over the facts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from primeta.attention.outcomes import WELCOMING, WITHIN
from primeta.warehouse.duck import quoted, run

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomeShare:
    """Of messages whose 72 hours are over."""

    sent: int
    welcomed: int

    @property
    def share(self) -> float:
        return self.welcomed / self.sent if self.sent else float("nan")


def welcome_shares(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, Sequence[str]],
    *,
    until: datetime,
    campaigns: Collection[str],
    programmes: Collection[str],
    purposes: Collection[str],
) -> dict[tuple[str, str], WelcomeShare]:
    """By (`campaign` | `programme` | `purpose`, its name), of those named.

    Welcomed means a human click or reply, a visit or an order within 72 hours.

    Args:
        files: Parquet files of the facts by table: messages, and where there are any reactions, orders, visits.
        until: End of the facts.
    """
    if not files.get("messages"):
        return {}
    span = int(WITHIN.total_seconds() * 1e6)

    def rows(table: str) -> str:
        return f"read_parquet([{', '.join(quoted(name) for name in files[table])}], union_by_name = true)"

    def among(column: str, names: Collection[str]) -> str:
        return f"coalesce({column}, '') IN ({', '.join(quoted(name) for name in sorted(names)) or 'NULL'})"

    run(
        connection,
        f"""CREATE OR REPLACE TEMP TABLE marked AS SELECT message_id, customer_id, epoch_us(sent_at) AS us,
            coalesce(campaign, '') AS campaign, coalesce(programme, '') AS programme, coalesce(purpose, '') AS purpose
        FROM {rows("messages")} WHERE NOT coalesce(withheld, false)
            AND epoch_us(sent_at) + {span} <= epoch_us(TIMESTAMP '{until.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}')
            AND ({among("campaign", campaigns)} OR {among("programme", programmes)} OR {among("purpose", purposes)})""",
    )
    parts: list[str] = []
    if files.get("reactions"):
        kinds = ", ".join(quoted(kind) for kind in WELCOMING)
        parts.append(
            f"""SELECT m.message_id FROM {rows("reactions")} r JOIN marked m USING (message_id)
            WHERE r.kind IN ({kinds}) AND NOT coalesce(r.machine, false)
                AND epoch_us(r.happened_at) - m.us BETWEEN 0 AND {span}"""
        )
    for table, time, bought in (("orders", "ordered_at", "AND NOT is_return"), ("visits", "happened_at", "")):
        if files.get(table):
            parts.append(
                f"""SELECT m.message_id FROM marked m ASOF JOIN (SELECT customer_id, epoch_us({time}) AS us
                FROM {rows(table)} WHERE customer_id IS NOT NULL AND {time} IS NOT NULL {bought}) v
                ON m.customer_id = v.customer_id AND v.us >= m.us WHERE v.us - m.us <= {span}"""
            )
    glad = " UNION ".join(parts) or "SELECT NULL::VARCHAR AS message_id WHERE false"
    found = run(
        connection,
        f"""SELECT campaign, programme, purpose, grouping(campaign) AS no_campaign, grouping(programme) AS no_programme,
            count(*), count(g.message_id)
        FROM marked LEFT JOIN ({glad}) g USING (message_id)
        GROUP BY GROUPING SETS ((campaign), (programme), (purpose))""",
    )
    named = {"campaign": campaigns, "programme": programmes, "purpose": purposes}
    shares: dict[tuple[str, str], WelcomeShare] = {}
    for campaign, programme, purpose, no_campaign, no_programme, sent, welcomed in found:
        by, name = (
            ("campaign", campaign)
            if not no_campaign
            else ("programme", programme)
            if not no_programme
            else ("purpose", purpose)
        )
        if name in named[by]:
            shares[by, name] = WelcomeShare(sent=sent, welcomed=welcomed)
    return shares
