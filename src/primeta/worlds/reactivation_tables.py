"""The canonical tables of a simulated lottery: orders and lines, visits, messages, reactions, identities, voices."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.worlds.reactivation import EXPERIMENT, HOUR, START, ReactivationWorld
from primeta.worlds.reactivation_history import History, history_of
from primeta.worlds.reactivation_orders import SECONDS, Floats, Ints, stream

TABLES = (
    "customers",
    "orders",
    "order_lines",
    "visits",
    "messages",
    "reactions",
    "assignments",
    "identities",
    "voices",
)
CATEGORIES = ("shoes", "shirts", "coats", "bags", "sport", "home", "children", "beauty")
SOURCES = ("search", "social", "partner", "referral")
FARM_ACCOUNTS = 12
"""Accounts of one farm."""
TICKETS: dict[str, tuple[str, ...]] = {
    "quality": (
        "The seam came apart after two days, I want my money back",
        "Second time the wrong size arrived, and the fabric is thin",
        "Товар с браком, подошва отклеилась за неделю",
        "Качество стало хуже, больше заказывать не хочу",
    ),
    "other": (
        "When will my parcel arrive?",
        "Please change the delivery address",
        "Подскажите, когда доставят заказ?",
    ),
}
"""Cause → texts of tickets."""


def tables_of(world: ReactivationWorld) -> dict[str, pa.Table]:
    """Every canonical table of a world, up to the end of its log."""
    history = history_of(world.population)
    placed = _Placed(world, history)
    luck = stream(world.seed, 3)
    return {
        "customers": _customers(world, history, luck),
        "orders": placed.orders(),
        "order_lines": placed.lines(luck),
        "visits": placed.visits(luck),
        **_messages(world, luck),
        "assignments": _assignments(world),
        "identities": _identities(world, luck),
        "voices": _voices(world),
    }


def moments_of(world: ReactivationWorld, who: Ints, days: Floats) -> pa.Array:
    """Times in UTC of so many days since each customer's assignment."""
    start = datetime(START.year, START.month, START.day, HOUR, tzinfo=UTC)
    first = int(start.timestamp()) * 1_000_000
    at = world.population.entry[who] * SECONDS + np.rint(np.asarray(days) * SECONDS).astype(np.int64)
    return pa.array(first + at * 1_000_000, pa.timestamp("us", tz="UTC"))


def _names(world: ReactivationWorld, who: Ints) -> pa.Array:
    return pa.array(world.customer_ids).take(pa.array(who))


class _Placed:
    """All orders, before and after the assignment, and the goods that came back."""

    def __init__(self, world: ReactivationWorld, history: History) -> None:
        self.world = world
        orders, followed = world.orders, world.followed()
        seen = orders.at < followed[orders.who]
        early = len(history.who)
        self.who = np.concatenate([history.who, orders.who[seen]])
        self.at = np.concatenate([history.at, orders.at[seen]])
        self.list_price = np.concatenate([history.list_price, orders.list_price[seen]])
        self.discount = np.concatenate([history.discount, orders.discount[seen]])
        codes = np.array([arm.code for arm in world.setting.arms], dtype=object)
        self.code = np.full(len(self.who), None, dtype=object)
        coded = orders.with_code[seen]
        self.code[early:][coded] = codes[world.arm[orders.who[seen]]][coded]
        back_at = np.concatenate([np.full(early, np.inf), orders.back_at[seen]])
        self.back = np.flatnonzero(back_at < followed[self.who])
        self.back_at = back_at[self.back]

    def orders(self) -> pa.Table:
        """Goods that came back are rows of their own, below 0, with the code of the order they belong to."""
        who = np.concatenate([self.who, self.who[self.back]])
        at = np.concatenate([self.at, self.back_at])
        sign = np.concatenate([np.ones(len(self.who)), -np.ones(len(self.back))])
        rows = np.concatenate([np.arange(len(self.who)), self.back])
        revenue = np.round(self.list_price - self.discount, 2)
        ids = [f"o{row}" for row in range(len(self.who))] + [f"r{row}" for row in self.back]
        return pa.table(
            {
                "order_id": ids,
                "customer_id": _names(self.world, who),
                "ordered_at": moments_of(self.world, who, at),
                "revenue": sign * revenue[rows],
                "discount": sign * self.discount[rows],
                "promo_code": pa.array(self.code[rows], pa.string()),
                "status": ["paid"] * len(self.who) + ["returned"] * len(self.back),
            }
        )

    def lines(self, luck: np.random.Generator) -> pa.Table:
        """One to five lines an order; customers keep to a few categories."""
        many = 1 + luck.binomial(4, 0.3, len(self.who))
        row = np.repeat(np.arange(len(self.who)), many)
        taste = luck.integers(0, len(CATEGORIES), (self.world.n, 3))
        category = taste[self.who[row], luck.integers(0, 3, len(row))]
        weight = 0.2 + luck.random(len(row))
        share = weight / np.bincount(row, weight)[row]
        price, discount = self.list_price[row] * share, self.discount[row] * share
        product = category * 100 + luck.integers(0, 40, len(row))
        return pa.table(
            {
                "order_id": [f"o{number}" for number in row],
                "product_id": [f"p{number:04d}" for number in product],
                "quantity": np.ones(len(row)),
                "price": np.round(price, 4),
                "revenue": np.round(price - discount, 4),
                "discount": np.round(discount, 4),
                "category": pa.array(CATEGORIES).take(pa.array(category)),
            }
        )

    def visits(self, luck: np.random.Generator) -> pa.Table:
        """A few looks in the five days before each order, and some that end in none."""
        many = luck.poisson(2.0, len(self.who))
        row = np.repeat(np.arange(len(self.who)), many)
        idle = np.flatnonzero(luck.random(self.world.n) < 0.15)
        followed = self.world.followed()
        who = np.concatenate([self.who[row], idle])
        at = np.concatenate(
            [self.at[row] - 5 * luck.random(len(row)), followed[idle] * luck.random(len(idle))]
        )
        category = luck.integers(0, len(CATEGORIES), len(who))
        return pa.table(
            {
                "customer_id": _names(self.world, who),
                "happened_at": moments_of(self.world, who, at),
                "kind": pa.array(["view"] * len(who)),
                "category": pa.array(CATEGORIES).take(pa.array(category)),
            }
        )


def _customers(world: ReactivationWorld, history: History, luck: np.random.Generator) -> pa.Table:
    farm = _farm(world)
    # farms come through one partner; everybody else from anywhere
    source = np.where(farm & (luck.random(world.n) < 0.8), 2, luck.integers(0, len(SOURCES), world.n))
    return pa.table(
        {
            "customer_id": list(world.customer_ids),
            "registered_at": moments_of(world, np.arange(world.n), history.registered),
            "source": pa.array(SOURCES).take(pa.array(source)),
        }
    )


def _assignments(world: ReactivationWorld) -> pa.Table:
    orders = world.orders
    seen = orders.again_at < world.followed()[orders.again_who]
    who = np.concatenate([np.arange(world.n), orders.again_who[seen]])
    at = np.concatenate([np.zeros(world.n), orders.again_at[seen]])
    arms = world.setting.arms
    return pa.table(
        {
            "experiment": [EXPERIMENT] * len(who),
            "customer_id": _names(world, who),
            "arm": pa.array([arm.name for arm in arms]).take(pa.array(world.arm[who])),
            "assigned_at": moments_of(world, who, at),
            "probability": np.array([arm.share for arm in arms])[world.arm[who]],
            "cause": pa.array(told_causes(world)[who], pa.string()),
        }
    )


def _messages(world: ReactivationWorld, luck: np.random.Generator) -> dict[str, pa.Table]:
    orders, followed = world.orders, world.followed()
    seen = orders.message_at < followed[orders.message_who]
    who, at, arm = orders.message_who[seen], orders.message_at[seen], orders.message_arm[seen]
    ids = np.array([f"m{row}" for row in range(len(who))], dtype=object)
    cost = np.array([entry.cost for entry in world.setting.arms])
    opened_at = at + luck.standard_exponential(len(who)) * 0.4
    opened = (luck.random(len(who)) < 0.35) & (opened_at < followed[who])
    clicked = opened & (luck.random(len(who)) < 0.25) & (opened_at + 0.001 < followed[who])
    return {
        "messages": pa.table(
            {
                "message_id": pa.array(ids, pa.string()),
                "customer_id": _names(world, who),
                "sent_at": moments_of(world, who, at),
                "channel": pa.array(["email"] * len(who), pa.string()),
                "campaign": pa.array([EXPERIMENT] * len(who), pa.string()),
                "purpose": pa.array(["offer"] * len(who), pa.string()),
                "cost": cost[arm],
            }
        ),
        "reactions": pa.table(
            {
                "message_id": pa.array(np.concatenate([ids[opened], ids[clicked]]), pa.string()),
                "kind": pa.array(["opened"] * opened.sum() + ["clicked"] * clicked.sum(), pa.string()),
                "happened_at": moments_of(
                    world,
                    np.concatenate([who[opened], who[clicked]]),
                    np.concatenate([opened_at[opened], opened_at[clicked] + 0.001]),
                ),
            }
        ),
    }


def _farm(world: ReactivationWorld) -> npt.NDArray[np.bool_]:
    return np.array([kind.farm for kind in world.setting.types])[world.population.kind]


def farm_of(world: ReactivationWorld) -> Ints:
    """(n,) number of the farm that an account belongs to; −1: none."""
    found = np.full(world.n, -1)
    accounts = np.flatnonzero(_farm(world))
    # a farm makes its accounts in one go, so they are assigned one after another
    accounts = accounts[np.argsort(world.population.entry[accounts], kind="stable")]
    found[accounts] = np.arange(len(accounts)) // FARM_ACCOUNTS
    return found


def _identities(world: ReactivationWorld, luck: np.random.Generator) -> pa.Table:
    """A phone and an address each; accounts of a farm share addresses and some phones, and a few families too."""
    n = world.n
    farm = farm_of(world)
    phone = np.array([f"ph{row}" for row in range(n)], dtype=object)
    address = np.array([f"ad{row}" for row in range(n)], dtype=object)
    inside = np.flatnonzero(farm >= 0)
    address[inside] = [f"ad-farm{number}" for number in farm[inside]]
    shared = inside[luck.random(len(inside)) < 0.5]
    phone[shared] = [f"ph-farm{number}" for number in farm[shared]]
    honest = np.flatnonzero(farm < 0)
    couples = honest[luck.random(len(honest)) < 0.03]
    for first, second in zip(couples[::2], couples[1::2]):
        address[second] = address[first]
    who = np.concatenate([np.arange(n), np.arange(n)])
    return pa.table(
        {
            "customer_id": _names(world, who),
            "kind": ["phone"] * n + ["address"] * n,
            "value_hash": pa.array(np.concatenate([phone, address]), pa.string()),
        }
    )


def told_causes(world: ReactivationWorld) -> npt.NDArray[np.object_]:
    """(n,) what his ticket before the assignment was about: the cause for which he left, "other", or None."""
    causes = np.array([kind.cause for kind in world.setting.types], dtype=object)[world.population.kind]
    told = stream(world.seed, 4).random(world.n) < np.where(causes == "", 0.05, 0.8)
    found = np.where(causes == "", "other", causes)
    found[~told] = None
    return found


def _voices(world: ReactivationWorld) -> pa.Table:
    """Tickets before the assignment: of most who left for a cause, and of some others about other things."""
    causes = told_causes(world)
    who = np.flatnonzero([cause is not None for cause in causes])
    luck = stream(world.seed, 5)
    which, at = luck.random(len(who)), -1.0 - 25.0 * luck.random(len(who))
    texts = []
    for customer, place in zip(who, which):
        choice = TICKETS[causes[customer]]
        texts.append(choice[int(place * len(choice))])
    return pa.table(
        {
            "voice_id": pa.array([f"v{row}" for row in range(len(who))], pa.string()),
            "said_at": moments_of(world, who, at),
            "source": pa.array(["ticket"] * len(who), pa.string()),
            "text": pa.array(texts, pa.string()),
            "customer_id": _names(world, who),
        }
    )
