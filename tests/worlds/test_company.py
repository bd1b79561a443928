"""The simulated company: its rows are possible, its laws are those stated, what is planted is there."""

from __future__ import annotations

import json
import tomllib
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta import facts
from primeta.cli.world import world as command
from primeta.config import load_config
from primeta.errors import BadInput, Conflict, DiskFull
from primeta.worlds import cell, company_files
from primeta.worlds.cell import CELL, still_here
from primeta.worlds.company import TABLES, World, expected_shares, simulate_company
from primeta.worlds.company_files import write_company
from primeta.worlds.planted import ATTRIBUTES, CITIES, Parameter, Planted

START = date(2023, 1, 2)
ONSET = START + timedelta(weeks=52)


@cache
def tables_of(world: World) -> dict[str, pa.Table]:
    return world.tables()


@cache
def plain() -> World:
    """Nothing planted, 12,000 customers, two years."""
    return simulate_company(customers=12_000, seed=3, weeks=104, planted=())


def sql(world: World, query: str) -> list[tuple]:
    engine = duckdb.connect()
    for name, table in tables_of(world).items():
        engine.register(name, table)
    return engine.execute(query).fetchall()


# The rows are possible.


def test_no_order_is_free_and_its_lines_add_up_to_it() -> None:
    wrong = sql(
        plain(),
        """
        with summed as (select order_id, sum(revenue) as revenue, sum(discount) as discount,
                               min(revenue) as least from order_lines group by 1)
        select count(*) from orders o full join summed s using (order_id)
        where o.order_id is null or s.order_id is null or o.revenue <= 0 or s.least <= 0
           or abs(o.revenue - s.revenue) > .005 or abs(o.discount - s.discount) > .005""",
    )
    assert wrong == [(0,)]


def test_nobody_orders_visits_or_is_written_to_before_registering() -> None:
    for table, column in (("orders", "ordered_at"), ("visits", "happened_at"), ("messages", "sent_at")):
        early = sql(
            plain(),
            f"select count(*), count(*) filter ({column} < registered_at) "
            f"from {table} join customers using (customer_id)",
        )
        assert early[0][0] > 5_000
        assert early[0][1] == 0, table


def test_reactions_come_after_their_message() -> None:
    rows = sql(
        plain(),
        "select count(*), count(sent_at), count(*) filter (happened_at < sent_at) "
        "from reactions left join messages using (message_id)",
    )
    assert rows[0][0] == rows[0][1] > 5_000
    assert rows[0][2] == 0


def test_a_click_has_a_human_opening_before_it() -> None:
    assert sql(
        plain(),
        """select count(*) from reactions c where kind = 'clicked' and not exists (
             from reactions o where o.message_id = c.message_id and o.kind = 'opened' and not o.machine
             and o.happened_at <= c.happened_at)""",
    ) == [(0,)]


def test_no_message_follows_an_opt_out() -> None:
    rows = sql(
        plain(),
        """with left_at as (select customer_id, min(happened_at) as moment
                             from reactions join messages using (message_id)
                             where kind = 'unsubscribed' group by 1)
           select count(*), (select count(*) from messages m join left_at l using (customer_id)
                             where m.sent_at > l.moment) from left_at""",
    )
    assert rows[0][0] > 300
    assert rows[0][1] == 0


def test_keys_are_unique_and_everything_lies_in_the_log() -> None:
    for table, key, column in (
        ("customers", "customer_id", None),
        ("orders", "order_id", "ordered_at"),
        ("messages", "message_id", "sent_at"),
        ("visits", None, "happened_at"),
        ("reactions", None, "happened_at"),
    ):
        if key:
            assert sql(plain(), f"select count(*) - count(distinct {key}) from {table}") == [(0,)]
        if column:
            low, high = sql(plain(), f"select min({column})::date, max({column})::date from {table}")[0]
            assert START <= low < high < plain().end


# The laws are those stated.


def test_the_share_of_the_dropped_out_is_the_pareto_law() -> None:
    """Schmittlein, Morrison & Colombo 1987: with a Gamma(s, β) hazard, S(t) = (β / (β + t))^s."""
    world = plain()
    here = np.concatenate([_people(world, number)[1] for number in range(12)])
    expected = np.concatenate([_people(world, number)[0] for number in range(12)])  # the same draws
    error = np.sqrt((expected * (1 - expected)).sum())
    assert abs(here.sum() - expected.sum()) < 3 * error
    assert 0.3 < 1 - here.mean() < 0.6


def _people(world: World, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Of those who came during the log: chance to be here at its end, and whether they are."""
    rng = np.random.default_rng(number)
    people = cell._people(rng, world, first=0)
    new = people.registered >= 0
    age = (world.days - people.registered[new]) / 7
    return still_here(age), people.left[new] > world.days


def test_the_expected_orders_of_a_week_are_rate_times_clock() -> None:
    """A stationary renewal process in operational time, so E[orders] = λ × own clock weeks here."""
    world = plain()
    rng = np.random.default_rng(99)
    gaps = []
    for _ in range(60):
        people = cell._people(rng, world, first=0)
        clock = cell._own_clock(rng, world, people)
        who, _place = cell._order_positions(rng, people, clock)
        counted = np.bincount(who, minlength=CELL)
        gaps.append((counted - people.rate * clock.weeks).mean())
    # 60 cells of 4,096 customers, seeded
    assert abs(np.mean(gaps)) < 3 * np.std(gaps, ddof=1) / np.sqrt(len(gaps))


@pytest.mark.parametrize("width", [0.25, 0.95])
def test_drift_has_mean_one_stays_in_bounds_and_is_as_slow_as_stated(width: float) -> None:
    factors = cell._drift(np.random.default_rng(2), plain(), width)
    assert factors.shape == (CELL, 26)
    assert np.abs(factors - 1).max() <= width
    # uniform on 1 ± w; 26 blocks of one customer count as about 2 independent ones
    assert factors.mean() == pytest.approx(1, abs=4 * width / np.sqrt(3) / np.sqrt(2 * CELL))
    assert factors.std() == pytest.approx(width / np.sqrt(3), rel=0.03)
    # a Gaussian φ = .9 becomes 6/π arcsin(φ/2) between uniforms (Spearman's ρ)
    neighbours = np.corrcoef(factors[:, 10], factors[:, 11])[0, 1]
    assert neighbours == pytest.approx(6 / np.pi * np.arcsin(0.45), abs=0.01)


def test_the_season_is_visible() -> None:
    """The calendar's own ratio of 1–23 December to October, promotions included."""
    world = plain()
    day = START + np.arange(world.days) * timedelta(days=1)
    rate = world.calendar.rate
    december = np.array([d.month == 12 and d.day < 24 for d in day])
    october = np.array([d.month == 10 for d in day])
    expected = rate[december].mean() / rate[october].mean()
    assert expected > 1.25
    got = sql(
        world,
        """select count(*) filter (month(ordered_at) = 12 and day(ordered_at) < 24) / 46,
                  count(*) filter (month(ordered_at) = 10) / 62 from orders""",
    )[0]
    error = expected * np.sqrt(1 / (got[0] * 46) + 1 / (got[1] * 62)) * 2
    assert got[0] / got[1] == pytest.approx(expected, abs=3 * error)


def test_the_shares_of_discounts_are_those_of_the_model() -> None:
    discounted, discount = expected_shares(plain().calendar)
    got = sql(
        plain(),
        """select count(*), avg((discount > 0)::int), sum(discount) / sum(revenue + discount) from orders""",
    )[0]
    # orders of one customer share his taste: 2.5 binomial standard errors for one are seen with 5 orders each
    error = 2.5 * np.sqrt(discounted * (1 - discounted) / got[0])
    assert got[1] == pytest.approx(discounted, abs=3 * error)
    assert got[2] == pytest.approx(discount, rel=3 * error / discounted + 0.02)


def test_shares_of_customers_add_up() -> None:
    assert sum(sum(cities.values()) for cities in CITIES.values()) == pytest.approx(1)
    assert all(sum(values.values()) == pytest.approx(1) for values in ATTRIBUTES.values())


# What is planted is there.

SEGMENT = (("region", "South"),)


def planted(
    parameter: Parameter, factor: float, *, segment=SEGMENT, weeks: int | None = None, **more
) -> Planted:
    return Planted(
        name="one",
        kind="trend" if weeks is None else "artefact",
        parameter=parameter,
        factor=factor,
        starts=ONSET,
        ends=None if weeks is None else ONSET + timedelta(weeks=weeks),
        segment=segment,
        **more,
    )


# metric → rows of its numerator and denominator
RATIOS = {
    "items_per_order": "select customer_id, ordered_at as moment, quantity as up, 0 as down from order_lines "
    "union all select customer_id, ordered_at, 0, 1 from orders",
    "average_order_value": "select customer_id, ordered_at as moment, revenue as up, 1 as down from orders",
    "discount_share": "select customer_id, ordered_at as moment, discount as up, revenue + discount as down from orders",
    "full_price_share": "select customer_id, ordered_at as moment, (discount = 0)::int as up, 1 as down from orders",
    "open_rate": "select customer_id, sent_at as moment, opened as up, 1 as down from messages join "
    "(select message_id, 1 as opened from reactions where kind = 'opened' and not machine) using (message_id) "
    "union all select customer_id, sent_at, 0, 1 from messages where message_id not in "
    "(select message_id from reactions where kind = 'opened' and not machine)",
    "unsubscribe_rate": "select customer_id, sent_at as moment, 0 as up, 1 as down from messages union all "
    "select customer_id, sent_at, 1, 0 from messages join reactions using (message_id) "
    "where kind = 'unsubscribed'",
    "orders_per_customer": "select customer_id, ordered_at as moment, 1 as up, 0 as down from orders",
    "visits_per_customer": "select customer_id, happened_at as moment, 1 as up, 0 as down from visits",
}


def change(world: World, metric: str, *, weeks: int) -> tuple[float, float]:
    """Relative change of a metric in the South against everywhere else, with its error over customers.

    log(after / before) there minus the same elsewhere: season and promotions are common to both. The
    standard error is the delta method over customers, as in Series.
    """
    until = ONSET + timedelta(weeks=weeks)
    rows = sql(
        world,
        f"""
        with facts as ({RATIOS[metric]})
        select (region = 'South')::int * 2 + (moment >= timestamp '{ONSET}')::int as part, customer_id,
               sum(up), sum(down)
        from facts join customers using (customer_id)
        where moment < timestamp '{until}' and moment >= timestamp '{ONSET - timedelta(weeks=weeks)}'
        group by all""",
    )
    part, customer, up, down = (np.array(values, dtype=float) for values in zip(*rows, strict=True))
    counts = metric.endswith("per_customer")
    total = {}
    shares = np.zeros((4, int(customer.max()) + 1))
    for place in range(4):
        mine = part == place
        a, b = up[mine].sum(), 1.0 if counts else down[mine].sum()
        total[place] = np.log(a / b)
        influence = up[mine] / a - (0 if counts else down[mine] / b)
        np.add.at(shares[place], customer[mine].astype(int), influence)
    both = shares[3] - shares[2] - shares[1] + shares[0]
    difference = total[3] - total[2] - total[1] + total[0]
    return float(np.expm1(difference)), float(np.sqrt((both**2).sum()) * np.exp(difference))


@pytest.mark.parametrize(
    ("parameter", "factor"),
    [
        ("order_rate", 1.25),
        ("order_rate", 0.8),
        ("basket", 1.15),
        ("basket", 0.85),
        ("price", 1.1),
        ("discount", 1.3),
        ("discount", 0.75),
        ("open", 1.25),
        ("open", 0.75),
        ("unsubscribe", 1.8),
        ("copies", 2.0),
        ("tracking", 0.2),
    ],
)
def test_what_is_planted_shows_up_within_three_standard_errors(parameter: Parameter, factor: float) -> None:
    weeks = None if parameter not in ("copies", "tracking") else 3
    world = simulate_company(
        customers=16_000, seed=11, weeks=80, planted=[planted(parameter, factor, weeks=weeks)]
    )
    checked = 0
    for effect in world.planted[0].effects:
        if effect.metric not in RATIOS or effect.relative is None:
            continue
        got, error = change(world, effect.metric, weeks=weeks or 26)
        assert got == pytest.approx(effect.relative, abs=3 * error), (effect.metric, got, error)
        assert error < 0.35, (effect.metric, error)
        assert np.sign(effect.relative) == effect.sign
        checked += 1
    assert checked


def test_nothing_planted_is_no_change() -> None:
    for metric in RATIOS:
        got, error = change(plain(), metric, weeks=26)
        assert abs(got) < 3.5 * error, metric


def test_a_gradual_trend_grows_week_by_week_and_is_complete_when_stated() -> None:
    entry = planted("open", 1.2, shape="gradual", ramp_weeks=4)
    weekly = entry.by_day(START, 80 * 7)[::7]
    assert weekly[51:58] == pytest.approx([1.0, 1.04, 1.08, 1.12, 1.16, 1.2, 1.2])
    assert entry.as_dict()["complete_from"] == (ONSET + timedelta(weeks=4)).isoformat()


def test_a_shock_ends() -> None:
    entry = planted("order_rate", 0.5, weeks=2)
    weekly = entry.by_day(START, 80 * 7)[::7]
    assert list(weekly[51:55]) == [1.0, 0.5, 0.5, 1.0]


def test_an_order_loaded_twice_has_two_ids_and_the_same_lines() -> None:
    world = simulate_company(customers=4_000, seed=1, weeks=60, planted=[planted("copies", 2.0, weeks=1)])
    rows = sql(
        world,
        f"""select (region = 'South' and ordered_at >= timestamp '{ONSET}'
                    and ordered_at < timestamp '{ONSET + timedelta(weeks=1)}') as inside,
                   count(*), count(distinct (customer_id, ordered_at, revenue))
            from orders join customers using (customer_id) group by 1""",
    )
    counts = {inside: (orders, distinct) for inside, orders, distinct in rows}
    assert counts[True][0] == 2 * counts[True][1] > 20
    assert counts[False][0] == counts[False][1]
    assert sql(
        world,
        """select count(*) from orders o join (select order_id, sum(revenue) as r from order_lines group by 1) l
           using (order_id) where abs(o.revenue - l.r) > .005""",
    ) == [(0,)]


# The same seed gives the same company.


def test_the_same_seed_gives_bit_identical_tables_and_another_one_does_not() -> None:
    first, again, other = (simulate_company(customers=5_000, seed=seed, weeks=30) for seed in (7, 7, 8))
    assert first.truth() == again.truth() != other.truth()
    mine, same, theirs = (world.tables() for world in (first, again, other))
    for name in TABLES:
        assert mine[name].equals(same[name])
        assert not mine[name].equals(theirs[name])


def test_tables_do_not_depend_on_how_the_work_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = simulate_company(customers=3 * CELL + 100, seed=7, weeks=20)
    whole = world.tables()
    for cells_per_file in (1, 3):
        monkeypatch.setattr(company_files, "CELLS_PER_FILE", cells_per_file)
        write_company(world, tmp_path / str(cells_per_file))
        for name in TABLES:
            written = pq.read_table(tmp_path / str(cells_per_file) / "data" / name)
            text = whole[name].cast(
                pa.schema(
                    (field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type)
                    for field in whole[name].schema
                )
            )
            assert written.cast(text.schema).equals(text), name


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 2 * CELL), st.integers(0, 2**32))
def test_a_larger_company_begins_with_the_smaller_one(customers: int, seed: int) -> None:
    small = simulate_company(customers=customers, seed=seed, weeks=12)
    large = simulate_company(customers=customers + 1, seed=seed, weeks=12)
    mine, theirs = small.tables(), large.tables()
    for name in TABLES:
        assert mine[name].num_rows <= theirs[name].num_rows
        assert mine[name].equals(theirs[name].slice(0, mine[name].num_rows)), name
    assert set(mine["customers"]["customer_id"].to_pylist()) == set(range(1, customers + 1))


# Files and refusals.


def test_the_workspace_is_ready_and_the_truth_is_written(tmp_path: Path) -> None:
    seen = []
    world = simulate_company(customers=300, seed=2)
    made = write_company(world, tmp_path / "shop", progress=lambda done, of: seen.append((done, of)))
    assert seen == [(300, 300)]
    config = load_config(tmp_path / "shop")
    assert config.watch.promise_start == START + timedelta(weeks=52)
    for name, table in config.tables.items():
        rows = pq.read_table((tmp_path / "shop" / table.from_).parent)
        assert rows.num_rows == made.rows[name]
        assert set(facts.TABLES[name].required) <= set(rows.column_names)
        unknown = {column for column in rows.column_names if facts.TABLES[name].column(column) is None}
        assert unknown == ({"region", "city", "age", "prefers"} if name == "customers" else set())
    truth = json.loads((tmp_path / "shop" / "truth.json").read_text("utf-8"))
    assert truth == world.truth()
    assert [entry["kind"] for entry in truth["planted"]] == ["trend"] * 8 + ["shock"] * 3 + ["artefact"] * 4
    assert "300 customers" in made.line("en")
    assert "клиентов" in made.line("ru")
    assert made.as_dict()["rows"] == made.rows


def test_a_folder_with_a_quote_in_its_name_still_gives_valid_settings(tmp_path: Path) -> None:
    write_company(simulate_company(customers=1, seed=0, weeks=12), tmp_path / 'my "shop"')
    tomllib.loads((tmp_path / 'my "shop"' / "primeta.toml").read_text("utf-8"))


def test_one_customer_is_a_company() -> None:
    world = simulate_company(customers=1, seed=0, weeks=12)
    assert world.tables()["customers"].num_rows == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"customers": 0}, "at least 1 customer"),
        ({"customers": -5}, "at least 1 customer"),
        ({"seed": -1}, "seed"),
        ({"weeks": 11}, "12 to 520 weeks"),
        ({"weeks": 521}, "12 to 520 weeks"),
        ({"start": date(2023, 1, 3)}, "Monday"),
        ({"trends": -1}, "0 or more"),
        ({"trends": 200}, "at most 10 changes"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments: dict, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        simulate_company(**{"customers": 10, "seed": 1, **arguments})


def test_a_folder_that_is_no_world_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine", "utf-8")
    with pytest.raises(Conflict, match="holds no simulated company"):
        write_company(simulate_company(customers=1, seed=0, weeks=12), tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["diary.txt"]


def test_a_world_is_replaced_until_somebody_watched_it(tmp_path: Path) -> None:
    for customers in (5_000, 1):
        write_company(simulate_company(customers=customers, seed=0, weeks=12), tmp_path)
    assert pq.read_table(tmp_path / "data" / "customers").num_rows == 1
    (tmp_path / "state.sqlite").write_bytes(b"")
    with pytest.raises(Conflict, match="watched already"):
        write_company(simulate_company(customers=1, seed=0, weeks=12), tmp_path)


def test_a_full_disk_leaves_the_former_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_company(simulate_company(customers=10, seed=0, weeks=12), tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(company_files.pq, "write_table", full)
    with pytest.raises(DiskFull, match="no room"):
        write_company(simulate_company(customers=20, seed=0, weeks=12), tmp_path)
    monkeypatch.undo()
    assert pq.read_table(tmp_path / "data" / "customers").num_rows == 10
    assert not (tmp_path / "data.part").exists()


def test_the_command_says_in_one_line_what_it_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(tmp_path / "shop", customers=20, seed=1, weeks=12)
    said = capsys.readouterr()
    assert said.out.count("\n") == 1
    assert "20 customers over 12 weeks" in said.out
    assert said.err == ""
    command(tmp_path / "shop", customers=20, seed=1, weeks=12, json=True)
    assert json.loads(capsys.readouterr().out)["rows"]["customers"] == 20


def test_lists_are_as_stale_at_the_start_as_later() -> None:
    """Nothing planted: the share of messages that an order follows does not drift over three years.

    Letters only, since promotions fall into other seasons each year.
    """
    world = simulate_company(customers=24_000, seed=4, planted=())
    rows = sql(
        world,
        """select date_trunc('year', sent_at)::date, count(*),
                  avg(exists(select 1 from orders o where o.customer_id = m.customer_id
                             and o.ordered_at > m.sent_at and o.ordered_at <= m.sent_at + interval 7 day)::int)
           from messages m where campaign = 'letter' group by 1 order by 1""",
    )
    (_, n1, first), _, (_, n3, third) = rows
    # messages of one customer are alike: about twice the binomial variance
    error = np.sqrt(2 * first * (1 - first) * (1 / n1 + 1 / n3))
    assert abs(third - first) < 3 * error
    assert error < 0.06 * first
