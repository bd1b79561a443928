"""Looks at experiments of a workspace whose facts grow day by day; audiences; what the past says before a start."""

from __future__ import annotations

import csv
import math
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import md5
from threading import Thread

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from primeta.errors import BadConfig, BadInput, BadTable, NotFound, Refused
from primeta.warehouse.kept_sums import load_kept
from primeta.workspace import open_workspace
from primeta.workspace.looks import entered_file

FIRST = date(2026, 8, 3)
"""A Monday: the first day of the facts."""
STARTS, ENDS = date(2026, 10, 19), date(2026, 11, 9)
DAYS = 120
WINDOW = 7
HEAD = """\
[workspace]
name = "Kalina"
currency = "RUB"
timezone = "UTC"
margin = 0.25
people = ["Anna"]

[tables.customers]
from = "customers.parquet"

[tables.orders]
from = "orders/*.parquet"
"""
OFFER = """
[experiments.offer]
hypothesis = "A voucher brings the second order"
owner = "Anna"
starts = 2026-10-19
ends = 2026-11-09
primary = "revenue_per_customer"
window_days = 7
metrics = ["conversion", "orders_per_customer"]
segments = ["region"]
covariate_days = 28
[experiments.offer.arms]
control = 0.5
a = { share = 0.5, cost = 0.5 }
"""


def arm_of(customer: str, salt: str = "offer") -> str:
    """First 13 hexadecimal digits of md5(salt:id) over 2^52 (DESIGN §7); the control's half comes first."""
    return "control" if int(md5(f"{salt}:{customer}".encode()).hexdigest()[:13], 16) / 2**52 < 0.5 else "a"


class Shop:
    """Customers who come over the year and order; those in the arm `a` spend half as much again after they entered."""

    def __init__(self, folder, *, customers: int = 500, seed: int = 1, lift: float = 1.5):
        self.folder = folder
        rng = np.random.default_rng(seed)
        self.names = [f"{place:04d}" for place in range(customers)]
        self.region = dict(zip(self.names, rng.choice(["north", "south"], customers)))
        come = np.where(rng.random(customers) < 0.6, 0, rng.integers(0, DAYS - 10, customers))
        self.orders: list[dict] = []
        for place, name in enumerate(self.names):
            came = FIRST + timedelta(days=int(come[place]))
            days = [
                came,
                *(came + timedelta(days=int(d)) for d in np.flatnonzero(rng.random(DAYS) < 0.12) if d),
            ]
            entered = max(STARTS, came)
            for day in days:
                if (day - FIRST).days >= DAYS:
                    continue
                at = datetime(day.year, day.month, day.day, int(rng.integers(6, 22)), tzinfo=UTC)
                treated = arm_of(name) == "a" and day > entered
                money = float(rng.gamma(4.0, 10.0)) * (lift if treated else 1.0)
                self.orders.append({"order_id": f"o{len(self.orders)}", "customer_id": name, "ordered_at": at,
                                    "revenue": round(money, 2), "day": day})  # fmt: skip
        self.first = {}
        for order in self.orders:
            known = self.first.get(order["customer_id"])
            self.first[order["customer_id"]] = min(order["ordered_at"], known or order["ordered_at"])

    def write(self, until: date) -> None:
        """The export as it stands on the morning of a day."""
        (self.folder / "orders").mkdir(parents=True, exist_ok=True)
        seen = [order for order in self.orders if order["day"] < until]
        there = {order["customer_id"] for order in seen}
        rows = [{"customer_id": name, "region": self.region[name]} for name in self.names if name in there]
        pq.write_table(pa.Table.from_pylist(rows), self.folder / "customers.parquet")
        months: dict[str, list[dict]] = {}
        for order in seen:
            row = {key: value for key, value in order.items() if key != "day"}
            months.setdefault(f"{order['day']:%Y-%m}", []).append(row)
        for month, entries in months.items():
            path, table = self.folder / "orders" / f"{month}.parquet", pa.Table.from_pylist(entries)
            if not path.exists() or not pq.read_table(path).equals(table):
                pq.write_table(table, path)

    def entered(self) -> dict[str, date]:
        days = {name: max(at.date(), STARTS) for name, at in self.first.items()}
        return {name: day for name, day in days.items() if day < ENDS}

    def spent(self, name: str, first: date, last: date) -> float:
        """Revenue of first ≤ day < last."""
        mine = [order for order in self.orders if order["customer_id"] == name]
        return sum(order["revenue"] for order in mine if first <= order["day"] < last)


def morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 6, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path):
    made = Shop(tmp_path)
    (tmp_path / "primeta.toml").write_text(HEAD + OFFER, encoding="utf-8")
    return made


def started(shop, body="", *, on=STARTS, name="offer"):
    """A workspace whose experiment was started in time, on the facts of that morning."""
    if body:
        shop.folder.joinpath("primeta.toml").write_text(HEAD + body, encoding="utf-8")
    shop.write(on)
    ws = open_workspace(shop.folder)
    ws.sync_experiments(now=morning(on))
    ws.start_experiment(name, by="Anna", now=morning(on))
    return ws


def seen_on(ws, shop, day, **options):
    shop.write(day)
    return ws.look("offer", now=morning(day), refresh=True, **options)


@pytest.mark.slow
def test_from_the_first_day_to_the_last_a_look_a_day_and_the_numbers_of_plain_python(shop):
    ws = started(shop)
    first = ws.look("offer", now=morning(STARTS), refresh=True)
    assert (first.analysis.verdict.state, first.analysis.verdict.rule) == ("continue", "not-seen-yet")
    last = ENDS + timedelta(days=WINDOW)
    for step in range(2, (last - STARTS).days, 5):
        seen_on(ws, shop, STARTS + timedelta(days=step))
    found = seen_on(ws, shop, last + timedelta(days=2))
    entered = shop.entered()
    assert found.entered.total == len(entered)
    assert found.entered.by_arm == {arm: sum(arm_of(c) == arm for c in entered) for arm in ("control", "a")}
    assert found.analysis.ended
    spent = {name: shop.spent(name, day, day + timedelta(days=WINDOW)) for name, day in entered.items()}
    before = {name: shop.spent(name, day - timedelta(days=28), day) for name, day in entered.items()}
    row = next(row for row in found.analysis.effects if row.role == "primary")
    # Deng et al. (2013) with one slope for both arms, Σ Cov/n over Σ Var/n
    y = {arm: np.array([spent[c] for c in entered if arm_of(c) == arm]) for arm in ("control", "a")}
    x = {arm: np.array([before[c] for c in entered if arm_of(c) == arm]) for arm in ("control", "a")}
    slope = sum(np.cov(y[arm], x[arm])[0, 1] / len(y[arm]) for arm in y) / sum(
        np.var(x[arm], ddof=1) / len(x[arm]) for arm in x
    )
    gap = y["a"].mean() - y["control"].mean() - slope * (x["a"].mean() - x["control"].mean())
    assert row.difference == pytest.approx(gap)
    # ordered in the week after his entry; the order by which he came is none
    bought = {}
    for name, day in entered.items():
        since = shop.first[name] if shop.first[name].date() >= STARTS else datetime.min.replace(tzinfo=UTC)
        bought[name] = any(
            day <= order["day"] < day + timedelta(days=WINDOW) and order["ordered_at"] > since
            for order in shop.orders
            if order["customer_id"] == name
        )
    conversion = next(row for row in found.analysis.effects if row.metric == "conversion.7d")
    table = {arm: np.mean([bought[c] for c in entered if arm_of(c) == arm]) for arm in ("control", "a")}
    # CUPED moves both arms' means about their common covariate; far less than a point of a share here
    assert conversion.control_mean == pytest.approx(table["control"], abs=0.01)
    view = ws.experiment("offer", now=morning(last))
    assert [look.number for look in view.looks] == list(range(1, len(view.looks) + 1))
    assert view.look.counts == found.entered.by_arm
    assert view.look.analysis["decisions"][0]["figures"]["metric"] == "revenue_per_customer.7d"


def test_the_same_facts_are_one_look_and_nothing_is_computed_twice(shop):
    ws = started(shop)
    one = seen_on(ws, shop, STARTS + timedelta(days=12))
    two = ws.look("offer", now=morning(STARTS + timedelta(days=12)) + timedelta(hours=5))
    assert (one.saved.number, two.saved.number) == (1, 1)
    assert one.work.computed > 0
    assert (two.work.computed, two.work.rows) == (0, {})
    assert two.look.document() == one.look.document() or _same(two.look.document(), one.look.document())
    # the cache may be deleted at any time: the same numbers come out of the facts
    shutil.rmtree(shop.folder / "cache" / "experiments")
    three = ws.look("offer", now=morning(STARTS + timedelta(days=12)))
    assert three.work.computed == one.work.computed
    assert _same(three.look.document(), one.look.document())
    assert three.saved.number == 1


def _same(left, right):
    """Equal, where NaN equals NaN."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return left == pytest.approx(right, nan_ok=True)
    return left == right


def test_several_looks_at_once_write_one_list_of_who_entered_and_one_look(shop):
    started(shop)
    day = STARTS + timedelta(days=12)
    shop.write(day)
    open_workspace(shop.folder).look("offer", now=morning(day), refresh=True, save=False)
    shutil.rmtree(shop.folder / "experiments")
    shutil.rmtree(shop.folder / "cache")
    found, failed = [], []

    def work():
        try:
            found.append(open_workspace(shop.folder).look("offer", now=morning(day)))
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {entry.saved.number for entry in found} == {1}
    assert all(_same(entry.look.document(), found[0].look.document()) for entry in found)
    left = sorted(path.name for path in (shop.folder / "experiments").iterdir())
    assert left == [".offer.v1.parquet.lock", "offer.v1.parquet"]


def test_mature_days_are_kept_when_facts_grow(shop):
    ws = started(shop)
    early = seen_on(ws, shop, date(2026, 11, 5))
    later = seen_on(ws, shop, date(2026, 11, 20))
    # three outcomes and the money; days whose week ended in October touch no month that grew
    october = sum(day + timedelta(days=WINDOW - 1) < date(2026, 11, 1) for day in later.entered.days)
    assert later.work.kept == october * 4
    assert 0 < later.work.computed < (early.work.computed + later.work.kept)


def test_a_look_that_sees_less_than_the_last_one_is_not_saved(shop):
    ws = started(shop)
    seen_on(ws, shop, STARTS + timedelta(days=12))
    past = ws.look("offer", now=morning(STARTS + timedelta(days=5)))
    assert past.saved is None
    assert past.look.as_of <= STARTS + timedelta(days=5)
    assert max(past.entered.days) <= STARTS + timedelta(days=5)


def test_the_interval_over_time_is_there_on_days_on_which_nobody_looked(shop):
    ws = started(shop)
    seen_on(ws, shop, STARTS + timedelta(days=10))
    last = seen_on(ws, shop, STARTS + timedelta(days=20))
    found = ws.look_history("offer", now=morning(STARTS + timedelta(days=20)))
    days = [row.day for row in found]
    assert days == sorted(set(days))
    assert len(days) > 15
    saved = {row.look: row for row in found if row.look}
    assert set(saved) == {1, 2}
    effect = last.analysis.effects[0]
    assert (saved[2].difference, saved[2].always_low) == pytest.approx((effect.difference, effect.always_low))
    told = [row for row in found if math.isfinite(row.difference)]
    assert told[0].day == STARTS + timedelta(days=WINDOW)
    widths = [row.always_high - row.always_low for row in told]
    assert widths[-1] < widths[0]


def test_a_watch_looks_at_what_runs_and_saves_nothing_twice(shop):
    ws = started(shop)
    day = STARTS + timedelta(days=14)
    shop.write(day)
    report = ws.watch(now=morning(day))
    assert (report.looked, report.looks_failed) == (1, ())
    assert "1 experiment was looked at" in report.line("en")
    assert report.as_dict()["looks_failed"] == []
    ws.watch(now=morning(day))
    assert len(ws.experiment("offer", now=morning(day)).looks) == 1


@pytest.mark.parametrize(
    ("key", "extra"), [("population", "population = \"region = 'north'\""), ("segments", "")]
)
def test_an_experiment_that_cannot_be_looked_at_does_not_stop_a_watch(shop, key, extra):
    body = OFFER.replace("covariate_days = 28", f"covariate_days = 28\n{extra}")
    if key == "population":
        body = body.replace('segments = ["region"]\n', "")
    ws = started(shop, body)
    day = STARTS + timedelta(days=14)
    shop.write(day)
    # the attribute is gone from the export
    rows = [{"customer_id": name} for name in shop.names]
    pq.write_table(pa.Table.from_pylist(rows), shop.folder / "customers.parquet")
    report = ws.watch(now=morning(day))
    ((name, why),) = report.looks_failed
    assert name == "offer"
    assert why in report.line("en")
    with pytest.raises(BadConfig, match=rf"primeta\.toml, line \d+: \[experiments\.offer\] {key}: .*region"):
        ws.look("offer", now=morning(day))


def test_the_running_plan_counts_whatever_the_file_says_now(shop):
    ws = started(shop)
    one = seen_on(ws, shop, STARTS + timedelta(days=12))
    text = HEAD.replace("margin = 0.25", "margin = 0.5") + OFFER.replace(
        "control = 0.5", "control = 0.4"
    ).replace("share = 0.5", "share = 0.6")
    shop.folder.joinpath("primeta.toml").write_text(text, encoding="utf-8")
    ws = open_workspace(shop.folder)
    ws.sync_experiments(now=morning(STARTS + timedelta(days=12)))
    two = ws.look("offer", now=morning(STARTS + timedelta(days=12)))
    assert (two.version, two.entered.by_arm) == (1, one.entered.by_arm)
    assert two.analysis.decisions[0].money_per_customer == pytest.approx(
        one.analysis.decisions[0].money_per_customer
    )


def test_days_that_are_cut_in_another_zone_are_refused(shop):
    ws = started(shop)
    seen_on(ws, shop, STARTS + timedelta(days=3))
    path = shop.folder / "primeta.toml"
    path.write_text(path.read_text().replace('"UTC"', '"Asia/Yekaterinburg"'), encoding="utf-8")
    ws = open_workspace(shop.folder)
    with pytest.raises(
        Refused, match="cut in UTC, as it was declared, and those of the facts in Asia/Yekaterinburg"
    ):
        ws.look("offer", now=morning(STARTS + timedelta(days=3)), refresh=True)


def test_nobody_enters_after_a_stop(shop):
    ws = started(shop)
    seen_on(ws, shop, STARTS + timedelta(days=6))
    ws.stop_experiment("offer", by="Anna", now=morning(STARTS + timedelta(days=6)))
    found = seen_on(ws, shop, STARTS + timedelta(days=20))
    assert max(found.entered.days) <= STARTS + timedelta(days=6)
    assert found.analysis.ended


def test_a_draft_is_not_looked_at(shop):
    shop.write(STARTS)
    ws = open_workspace(shop.folder)
    ws.sync_experiments(now=morning(STARTS))
    with pytest.raises(Refused, match="never started"):
        ws.look("offer", now=morning(STARTS))


def test_a_metric_that_the_tables_do_not_give_says_so(shop):
    ws = started(shop, OFFER.replace('"orders_per_customer"', '"visits_per_customer", "discount_share"'))
    found = seen_on(ws, shop, STARTS + timedelta(days=12))
    codes = {row.metric: row.why_not for row in found.analysis.effects}
    assert codes == {
        "revenue_per_customer.7d": "", "conversion.7d": "",
        "visits_per_customer.7d": "not-mapped", "discount_share.7d": "not-mapped",
    }  # fmt: skip


def test_strata_are_balanced_on_the_first_day(shop):
    ws = started(shop, OFFER.replace("covariate_days = 28", 'covariate_days = 28\nstrata = ["region"]'))
    found = seen_on(ws, shop, STARTS + timedelta(days=12))
    rows = pq.read_table(entered_file(ws, "offer", 1)).to_pylist()
    for region in ("north", "south"):
        sizes = [
            sum(
                r["entered"] == STARTS
                and r["since"] is None
                and r["attribute_region"] == region
                and r["arm"] == arm
                for r in rows
            )
            for arm in ("control", "a")
        ]
        assert abs(sizes[0] - sizes[1]) <= 1
    assert math.isfinite(found.analysis.effects[0].se)


# Assignments made elsewhere


def test_customers_of_a_table_enter_when_it_says(shop):
    body = (
        OFFER.replace('primary = "revenue', 'entry = "table"\nprimary = "revenue')
        + '\n[tables.assignments]\nfrom = "assignments.csv"\n'
    )
    chosen = shop.names[:100]

    def write(names):
        lines = [
            f"offer,{name},{'a' if place % 2 else 'control'},2026-10-2{place % 5} 09:00"
            for place, name in enumerate(names)
        ]
        shop.folder.joinpath("assignments.csv").write_text(
            "experiment,customer_id,arm,assigned_at\n" + "\n".join(lines) + "\n", encoding="utf-8"
        )

    write(chosen)
    ws = started(shop, body)
    found = seen_on(ws, shop, STARTS + timedelta(days=12))
    assert found.entered.by_arm == {"control": 50, "a": 50}
    assert found.entered.days == tuple(date(2026, 10, 20 + step) for step in range(5))
    again = ws.look("offer", now=morning(STARTS + timedelta(days=12)))
    assert again.work.computed == 0
    # the table grew: the facts are the same, and it is noticed
    write(shop.names[:120])
    grown = ws.look("offer", now=morning(STARTS + timedelta(days=12)))
    assert grown.entered.total == 120
    text = shop.folder.joinpath("assignments.csv").read_text(encoding="utf-8")
    shop.folder.joinpath("assignments.csv").write_text(
        text.replace("0001,a", "0001,control"), encoding="utf-8"
    )
    with pytest.raises(BadTable, match="customer 0001 was in the arm a at an earlier look"):
        ws.look("offer", now=morning(STARTS + timedelta(days=12)))


# Audiences


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_audience_is_the_arms_customers(shop, tmp_path, ending):
    ws = started(shop)
    seen_on(ws, shop, STARTS + timedelta(days=5))
    out = tmp_path / f"a.{ending}"
    made = ws.audience("offer", arm="a", out=out, now=morning(STARTS + timedelta(days=5)))
    if ending == "csv":
        with out.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = pq.read_table(out).to_pylist()
    assert list(rows[0]) == ["customer_id", "arm", "bucket", "entered_at"]
    cut = STARTS + timedelta(days=5)
    wanted = {
        c: max(at, morning(STARTS) - timedelta(hours=6))
        for c, at in shop.first.items()
        if at.date() < cut and arm_of(c) == "a"
    }
    assert [row["customer_id"] for row in rows] == sorted(wanted)
    assert made.customers == len(wanted)
    for row in rows:
        at = row["entered_at"]
        at = datetime.fromisoformat(at.replace("Z", "+00:00")) if ending == "csv" else at
        assert at == wanted[row["customer_id"]]
        assert 0.5 <= float(row["bucket"]) < 1
    assert [path.name for path in tmp_path.glob(".a.*")] == []


def test_only_arms_of_running_experiments_have_an_audience(shop, tmp_path):
    shop.write(STARTS)
    ws = open_workspace(shop.folder)
    ws.sync_experiments(now=morning(STARTS))
    out = tmp_path / "a.csv"
    with pytest.raises(Refused, match=r"does not run \(it is draft\)"):
        ws.audience("offer", arm="a", out=out, now=morning(STARTS))
    ws.start_experiment("offer", by="Anna", now=morning(STARTS))
    with pytest.raises(NotFound, match="no arm 'b'; it has control, a"):
        ws.audience("offer", arm="b", out=out, now=morning(STARTS))
    with pytest.raises(BadInput, match=r"\.csv or \.parquet"):
        ws.audience("offer", arm="a", out=tmp_path / "a.xlsx", now=morning(STARTS))
    with pytest.raises(BadInput, match="no folder"):
        ws.audience("offer", arm="a", out=tmp_path / "nowhere" / "a.csv", now=morning(STARTS))
    with pytest.raises(Refused, match="starts on 2026-10-19; nobody has entered yet"):
        ws.audience("offer", arm="a", out=out, now=morning(STARTS - timedelta(days=1)))
    assert not out.exists()


# Before it starts


def test_the_past_says_how_large_and_how_noisy_a_goal_is(shop):
    # without an effect, so that the pretended experiment is what plain Python sums
    shop = Shop(shop.folder, lift=1.0)
    today = FIRST + timedelta(days=DAYS)
    shop.write(today)
    ws = open_workspace(shop.folder)
    plan = replace(
        ws.plan_experiment("offer", _values(ws)), entry="list", starts=today, ends=today + timedelta(days=21)
    )
    found = {entry.metric: entry for entry in ws.baselines(plan, now=morning(today))}
    revenue = found["revenue_per_customer.7d"]
    start = revenue.starts
    # the last whole window that has passed
    assert start == today - timedelta(days=WINDOW)
    there = [name for name, at in shop.first.items() if at.date() < start]
    spent = np.array([shop.spent(name, start, start + timedelta(days=WINDOW)) for name in there])
    before = np.array([shop.spent(name, start - timedelta(days=28), start) for name in there])
    assert (revenue.customers, revenue.mean, revenue.sd) == pytest.approx(
        (len(there), spent.mean(), spent.std(ddof=1))
    )
    assert revenue.variance_kept == pytest.approx(
        min(1 - np.corrcoef(spent, before)[0, 1] ** 2, 1.0), rel=5e-3
    )
    assert found["conversion.7d"].kind == "share"
    assert (revenue.n_now, revenue.n_per_week) == (len(shop.first), 0.0)


def test_the_inflow_is_that_of_the_last_weeks(shop):
    today = FIRST + timedelta(days=DAYS)
    shop.write(today)
    ws = open_workspace(shop.folder)
    values = {**_values(ws), "population": "region = 'north'"}
    plan = replace(ws.plan_experiment("offer", values), starts=today, ends=today + timedelta(days=70))
    found = ws.baselines(plan, now=morning(today))
    since = today - timedelta(days=56)
    came = sum(at.date() >= since and shop.region[name] == "north" for name, at in shop.first.items())
    assert found[0].n_per_week == pytest.approx(came / 8)
    assert found[0].n_now == sum(shop.region[name] == "north" for name in shop.first)


def test_a_history_that_is_too_short_says_so(shop):
    today = FIRST + timedelta(days=20)
    shop.write(today)
    ws = open_workspace(shop.folder)
    plan = replace(
        ws.plan_experiment("offer", {**_values(ws), "window_days": 30}),
        starts=today,
        ends=today + timedelta(days=21),
    )
    found = ws.baselines(plan, now=morning(today))
    assert {entry.why_not for entry in found} == {"short-history"}
    assert all(math.isnan(entry.mean) for entry in found)


def _values(ws):
    return dict(ws.config.experiments["offer"].values)


def test_the_kept_sums_are_small_and_whole(shop):
    ws = started(shop)
    seen_on(ws, shop, STARTS + timedelta(days=12))
    path = shop.folder / "cache" / "experiments" / "offer.v1.sums"
    kept = load_kept(path)
    assert kept is not None
    assert kept.about["entered"]["arms"] == ["control", "a"]
    assert path.stat().st_size < 200_000
    path.write_bytes(b"not ours")
    assert ws.look("offer", now=morning(STARTS + timedelta(days=12))).work.computed > 0
