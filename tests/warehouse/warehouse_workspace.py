"""Small workspaces for the tests of the facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from naive_metrics import Company, local_day

from primeta.config import Config, load_config

START = datetime(2023, 1, 2, tzinfo=UTC)

TOML = """[workspace]
timezone = "{zone}"
margin = 0.25

[tables.customers]
from = "customers.parquet"

[tables.orders]
from = "orders/*.parquet"

[tables.order_lines]
from = "lines.parquet"

[tables.messages]
from = "messages.parquet"

[tables.reactions]
from = "reactions.parquet"

[tables.visits]
from = "visits.parquet"

[slices]
by = ["region"]
cross = [["region", "age"]]
smallest = 0
"""


def random_company(seed: int, *, days: int, customers: int = 30, zone: str = "Europe/Moscow") -> Company:
    """A few customers over some days, with returns, withheld messages, machine opens and late reactions."""
    rng = np.random.default_rng(seed)
    zone_info = ZoneInfo(zone)
    company = Company()

    def moment() -> datetime:
        return START + timedelta(seconds=int(rng.integers(0, days * 86400)))

    def who() -> str:
        return f"{int(rng.integers(customers)):04d}"

    for number in range(customers * days // 20):
        at, back = moment(), bool(rng.random() < 0.1)
        revenue = float(rng.integers(100, 5000)) / 100 * (-1 if back else 1)
        discount = 0.0 if back or rng.random() < 0.5 else float(rng.integers(1, 500)) / 100
        order = {"order_id": f"o{number}", "customer_id": who(), "ordered_at": at, "revenue": revenue,
                 "discount": discount, "is_return": back, "day": local_day(at, zone_info)}  # fmt: skip
        company.orders.append(order)
        for _ in range(int(rng.integers(1, 4))):
            company.lines.append(
                {**{k: order[k] for k in ("order_id", "customer_id", "ordered_at", "day")},
                 "product_id": f"p{int(rng.integers(9))}", "quantity": float(rng.integers(1, 5)) * (-1 if back else 1),
                 "category": f"k{int(rng.integers(4))}"}
            )  # fmt: skip
    for number in range(customers * days // 30):
        at = moment()
        company.messages.append(
            {"message_id": f"m{number}", "customer_id": who(), "sent_at": at, "day": local_day(at, zone_info),
             "channel": str(rng.choice(["email", "push"])), "withheld": bool(rng.random() < 0.1)}
        )  # fmt: skip
        channel = company.messages[-1]["channel"]
        for kind in ("delivered", "opened", "clicked", "unsubscribed", "complained"):
            if rng.random() < 0.5 and not (kind == "delivered" and channel == "push"):
                company.reactions.append(
                    {"message_id": f"m{number}", "kind": kind, "machine": bool(rng.random() < 0.2),
                     "happened_at": at + timedelta(hours=float(rng.integers(0, 100)))}
                )  # fmt: skip
    for _ in range(customers * days // 15):
        at = moment()
        company.visits.append(
            {"customer_id": who(), "happened_at": at, "kind": "view", "day": local_day(at, zone_info)}
        )
    return company


def write_company(
    company: Company, folder: Path, *, zone: str = "Europe/Moscow", until: datetime | None = None
) -> Config:
    """Write a workspace; orders go to a file a month, and nothing after `until` is written."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "primeta.toml").write_text(TOML.format(zone=zone), encoding="utf-8")
    (folder / "orders").mkdir(exist_ok=True)

    def kept(rows, time):
        return [row for row in rows if until is None or row[time] < until]

    names = sorted({row["customer_id"] for row in [*company.orders, *company.messages, *company.visits]})
    _write(
        folder / "customers.parquet",
        [{"customer_id": c, "region": f"r{int(c) % 2}", "age": f"a{int(c) % 3}"} for c in names],
    )
    by_month: dict[str, list] = {}
    for row in kept(company.orders, "ordered_at"):
        by_month.setdefault(f"{row['ordered_at']:%Y-%m}", []).append(
            {k: v for k, v in row.items() if k not in ("is_return", "day")}
        )
    for month, rows in by_month.items():
        _write(folder / "orders" / f"{month}.parquet", rows)
    _write(folder / "lines.parquet", _bare(kept(company.lines, "ordered_at")))
    _write(folder / "messages.parquet", _bare(kept(company.messages, "sent_at")))
    _write(folder / "reactions.parquet", kept(company.reactions, "happened_at"))
    _write(folder / "visits.parquet", _bare(kept(company.visits, "happened_at")))
    return load_config(folder)


def _bare(rows):
    return [{key: value for key, value in row.items() if key != "day"} for row in rows]


def _write(path: Path, rows: list) -> None:
    """A file is only written where its rows changed, as an export that adds a file a day does it."""
    table = pa.Table.from_pylist(rows)
    if path.exists() and pq.read_table(path).equals(table):
        return
    pq.write_table(table, path)
