"""The simulated lottery among lapsed customers does what its setting says, and its truth is what it draws."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln

from primeta.errors import BadInput, Conflict
from primeta.worlds.reactivation import ReactivationWorld, simulate_reactivation
from primeta.worlds.reactivation_files import write_reactivation
from primeta.worlds.reactivation_history import history_of
from primeta.worlds.reactivation_orders import draw_population, orders_of
from primeta.worlds.reactivation_tables import farm_of, tables_of
from primeta.worlds.reactivation_truth import drawn_truth, exact_truth, later_orders
from primeta.worlds.reactivation_types import SETTINGS, Later

PLAIN = SETTINGS["plain"]
SMALL = 2_000


@lru_cache(maxsize=4)
def made(name: str, seed: int = 1) -> ReactivationWorld:
    return simulate_reactivation(name, seed=seed, customers=SMALL)


# The draw


def test_the_same_seed_gives_the_same_world() -> None:
    one, same, other = (simulate_reactivation("plain", seed=seed, customers=500) for seed in (4, 4, 5))
    assert np.array_equal(one.orders.at, same.orders.at)
    assert np.array_equal(one.orders.list_price, same.orders.list_price)
    assert not np.array_equal(one.arm, other.arm)


def test_what_was_drawn_is_what_the_same_customer_does_in_his_own_arm() -> None:
    world = made("plain")
    for place, arm in enumerate(world.setting.arms):
        everybody = world.under(arm.name)
        mine = world.arm[everybody.who] == place
        own = world.arm[world.orders.who] == place
        for column in ("who", "at", "discount", "list_price", "with_code"):
            assert np.array_equal(getattr(everybody, column)[mine], getattr(world.orders, column)[own])


def test_who_returns_by_himself_does_the_same_in_every_arm() -> None:
    world = made("plain")
    alone = world.population.kind == [kind.name for kind in PLAIN.types].index("self")
    times = [world.under(arm.name).returned_at[alone] for arm in PLAIN.arms]
    assert np.array_equal(times[0], times[1])
    assert np.array_equal(times[0], times[2])


def test_a_stronger_push_loses_nobody_where_nobody_is_driven_away() -> None:
    for name in ("plain", "quality", "other-basket"):
        world = made(name)
        came = [np.isfinite(world.under(arm.name).returned_at) for arm in world.setting.arms]
        assert (came[0] <= came[1]).all()
        assert (came[1] <= came[2]).all()
        assert came[2].sum() > came[1].sum() > came[0].sum()


def test_who_is_pulled_forward_orders_earlier_and_then_waits_longer() -> None:
    world = simulate_reactivation("short-winner-pulls", seed=2, customers=SMALL)
    types = [kind.name for kind in world.setting.types]
    pulled = world.population.kind == types.index("pulled")
    alone, with_discount = world.under("control"), world.under("discount")
    both = pulled & np.isfinite(alone.returned_at)
    ratio = with_discount.returned_at[both] / alone.returned_at[both]
    assert ratio == pytest.approx(world.setting.types[types.index("pulled")].pulled, abs=1e-4)
    later = [
        {(who, at) for who, at in zip(side.who[side.place > 0], side.at[side.place > 0]) if both[who]}
        for side in (alone, with_discount)
    ]
    assert later[0] == later[1]


def test_who_learns_to_wait_orders_less_and_at_a_discount() -> None:
    world = made("short-winner-loses")
    types = [kind.name for kind in world.setting.types]
    waits = world.population.kind == types.index("waits")
    offered = world.under("discount")
    taught = np.zeros(world.n, dtype=bool)
    taught[offered.who[(offered.place == 0) & offered.with_code]] = True
    counts, cuts = [], []
    for arm in ("control", "discount"):
        orders = world.under(arm)
        later = (orders.place > 0) & (waits & taught)[orders.who] & ~orders.with_code
        counts.append(later.sum())
        cuts.append((orders.discount[later] > 0).mean())
    assert counts[1] < 0.6 * counts[0]
    assert cuts[1] > 2 * cuts[0]


def test_a_farm_uses_its_code_once_and_shares_addresses() -> None:
    world = made("farms")
    farm = farm_of(world)
    orders = world.under("discount")
    mine = farm[orders.who] >= 0
    assert np.bincount(orders.who[mine & orders.with_code]).max() == 1
    assert np.isinf(world.under("control").returned_at[farm >= 0]).all()
    identities = tables_of(world)["identities"]
    address = identities.filter(pc.equal(identities["kind"], "address"))["value_hash"].to_pylist()
    whose = np.array([text.startswith("ad-farm") for text in address])
    assert np.array_equal(whose, farm >= 0)
    assert np.bincount(farm[farm >= 0]).max() > 5
    registered = history_of(world.population).registered[farm >= 0]
    assert registered.max() - registered.min() < 7


def test_who_left_for_bad_quality_said_so_and_leaves_again() -> None:
    world = made("quality")
    causes = np.array([kind.cause for kind in world.setting.types])[world.population.kind]
    voices = tables_of(world)["voices"].to_pydict()
    told = {
        int(name[1:])
        for name, text in zip(voices["customer_id"], voices["text"])
        if "качеств" in text.lower()
    }
    assert told
    assert all(causes[customer] == "quality" for customer in told)
    known = tables_of(world)["assignments"]["cause"].to_pylist()
    assert {cause for cause, cause_true in zip(known, causes) if cause_true == "quality"} == {"quality", None}
    assert sum(cause == "quality" for cause in known) == pytest.approx(
        0.8 * (causes == "quality").sum(), rel=0.1
    )
    orders = world.under("discount")
    back = (causes == "quality") & np.isfinite(orders.returned_at)
    again = np.bincount(orders.who, minlength=world.n)[back] - 1
    assert back.sum() > 50
    assert again.mean() < 0.25


def test_who_lapses_again_meets_his_arm_again() -> None:
    world = made("relapse")
    assert len(world.orders.again_who) > 50
    table = tables_of(world)["assignments"].to_pydict()
    arms: dict[str, set[str]] = {}
    for customer, arm in zip(table["customer_id"], table["arm"]):
        arms.setdefault(customer, set()).add(arm)
    assert all(len(of_one) == 1 for of_one in arms.values())
    assert len(table["arm"]) > world.n


def test_everybody_was_silent_for_long_before_he_was_assigned() -> None:
    history = history_of(made("plain").population)
    last = np.full(SMALL, -np.inf)
    np.maximum.at(last, history.who, history.at)
    assert last.max() < -20
    assert np.isfinite(last).all()


def test_a_season_moves_orders_into_its_high_days() -> None:
    flat, wave = (
        simulate_reactivation(replace(SETTINGS["seasonal"], season=season), seed=3, customers=20_000)
        for season in ((), SETTINGS["seasonal"].season)
    )
    share = [
        np.mean((world.orders.at + world.population.entry[world.orders.who]) < 60) for world in (flat, wave)
    ]
    assert share[1] > 1.1 * share[0]


# The truth


def test_a_regular_customer_who_never_leaves_orders_as_the_renewal_theorem_says() -> None:
    # Rate known (a gamma of huge shape), never leaving: Erlang-2 renewals, E N(t) = μt/2 − (1 − e^(−2μt))/4 with
    # steps at rate μ, for instance Cox (1962), "Renewal Theory", section 4.2; here μ = 2λ.
    later = Later(drop=(1e-9, 1.0))
    got = later_orders(np.array([5.0, 30.0]), rate=(1e8, 1e9), regularity=2, later=later)
    steps = 0.2
    for days, found in zip((5.0, 30.0), got):
        assert found == pytest.approx(steps * days / 2 - (1 - np.exp(-2 * steps * days)) / 4, rel=1e-4)


@settings(max_examples=8, derandomize=True, deadline=None)
@given(
    shape=st.floats(0.5, 4),
    scale=st.floats(5, 80),
    a=st.floats(0.5, 6),
    b=st.floats(0.5, 6),
    days=st.floats(1, 400),
)
def test_exponential_gaps_agree_with_the_integral_over_rate_and_drop_out(
    shape: float, scale: float, a: float, b: float, days: float
) -> None:
    # E N = ∫∫ (1 − p)/p (1 − e^(−λpt)) dF(λ) dF(p), the inner one over λ in closed form
    def of(p: float) -> float:
        density = math.exp((a - 1) * math.log(p) + (b - 1) * math.log1p(-p) - betaln(a, b))
        return (1 - p) / p * (1 - (scale / (scale + p * days)) ** shape) * density

    wanted, _ = quad(of, 0, 1, limit=200, points=(0.001, 0.01, 0.1))
    got = later_orders(np.array([days]), rate=(shape, scale), regularity=1, later=Later(drop=(a, b)))
    assert got[0] == pytest.approx(wanted, rel=2e-3)


@pytest.mark.parametrize("name", ["plain", "short-winner-loses", "short-winner-pulls", "farms", "staggered"])
def test_the_exact_truth_is_what_large_draws_average_to(name: str) -> None:
    setting = SETTINGS[name]
    exact, drawn = exact_truth(setting), drawn_truth(setting, customers=20_000, seed=7, block=2_000)
    for arm in ("reminder", "discount"):
        for day in (7, setting.window_days, setting.horizon_days):
            error = drawn.arms[arm].error
            assert error is not None
            # between ten blocks: t with 9 degrees of freedom at p = .0002
            assert abs(exact.value(arm, days=day) - drawn.value(arm, days=day)) < 6 * error[day] + 1e-9
        own, seen = exact.arms[arm], drawn.arms[arm]
        assert abs(own.needless_per_assigned - seen.needless_per_assigned) <= 6 * seen.needless_error
        assert abs(own.induced_share - seen.induced_share) <= 6 * seen.share_error


def test_short_winners_win_early_and_lose_late() -> None:
    for name, setting in SETTINGS.items():
        if name.startswith("short-winner"):
            truth = exact_truth(setting)
            assert truth.best(days=setting.window_days) == "discount"
            assert truth.best(days=setting.horizon_days) != "discount"


def test_where_nothing_is_done_nothing_differs() -> None:
    truth = exact_truth(SETTINGS["aa"])
    assert [truth.value(arm, days=365) for arm in truth.arms] == pytest.approx([0, 0, 0], abs=1e-12)


# Files


def test_the_files_hold_a_log_that_ends_when_it_says(tmp_path) -> None:
    world = simulate_reactivation("staggered", seed=1, customers=300)
    made = write_reactivation(world, tmp_path / "world")
    data = tmp_path / "world" / "data"
    end = datetime.combine(world.until + timedelta(days=1), time(), UTC)
    n = 0
    for table, column in (
        ("orders", "ordered_at"),
        ("visits", "happened_at"),
        ("messages", "sent_at"),
        ("reactions", "happened_at"),
        ("voices", "said_at"),
    ):
        moments = pq.read_table(data / f"{table}.parquet")[column].to_pylist()
        assert max(moments) < end
        assert min(moments) > datetime(2020, 1, 1, tzinfo=UTC)
        n += len(moments)
    assert n > 3_000
    truth = json.loads((tmp_path / "world" / "truth.json").read_text(encoding="utf-8"))
    assert truth["best"] == {"window": "reminder", "horizon": "discount"}
    assert truth["until"] in made.command
    lines = pq.read_table(data / "order_lines.parquet").group_by("order_id").aggregate([("revenue", "sum")])
    orders = pq.read_table(data / "orders.parquet")
    sold = orders.filter(pc.equal(orders["status"], "paid"))
    assert pc.sum(lines["revenue_sum"]).as_py() == pytest.approx(pc.sum(sold["revenue"]).as_py(), abs=0.5)
    assert made.rows["orders"] > len(sold)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(Conflict, match="not empty"):
        write_reactivation(simulate_reactivation("plain", seed=1, customers=20), tmp_path)


@pytest.mark.parametrize(
    ("name", "customers", "seed", "said"),
    [("nothing", 10, 1, "short-winner-loses"), ("plain", 0, 1, "at least 1"), ("plain", 10, -1, "0 or more")],
)
def test_a_world_that_cannot_be_made_is_refused(name: str, customers: int, seed: int, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        simulate_reactivation(name, seed=seed, customers=customers)


def test_the_terminal_writes_the_world_and_says_how_to_read_it(tmp_path, capsys) -> None:
    from primeta.cli.world import world as verb

    verb(tmp_path / "winback", customers=200, seed=1, reactivation="plain", json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["setting"], told["customers"], told["rows"]["assignments"]) == ("plain", 200, 200)
    assert "--promo-code discount=BACK20" in told["command"]
    verb(tmp_path / "winback", customers=200, seed=2, reactivation="aa", language="ru")
    assert "клиентов 200" in capsys.readouterr().out
    with pytest.raises(BadInput, match="--customers"):
        verb(tmp_path / "company", seed=1)
    with pytest.raises(BadInput, match="short-winner-loses"):
        verb(tmp_path / "company", seed=1, reactivation="nothing")


def test_one_customer_is_a_world_too() -> None:
    population = draw_population(PLAIN, customers=1, seed=1)
    assert orders_of(population, np.zeros(1, dtype=np.int64)).returned_at.shape == (1,)
