"""One cell of a simulated company: 4,096 customers and everything they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import ndtr

from primeta.worlds.calendar import Calendar
from primeta.worlds.planted import ATTRIBUTES, CITIES, Floats, Parameter

if TYPE_CHECKING:
    from primeta.worlds.company import World

Ints = npt.NDArray[np.int64]
Columns = dict[str, "npt.NDArray | pa.DictionaryArray"]

CELL = 4096
DAY_US = 86_400_000_000

# Orders and leaving, in weeks.
RATE_SHAPE, RATE_MEAN = 1.2, 0.09
LEAVE_SHAPE, LEAVE_SCALE = 1.5, 80.0
OLDEST_WEEKS = 260
REGULAR_SHARE, REGULAR_ORDER = 0.4, 3
RATE_BY_SOURCE = {"search": 1.0, "social": 0.8, "referral": 1.3, "partner": 0.8, "walk-in": 1.35}

# Baskets: the expected lines of an order are 2.4 + Gamma(2, .4); money in the workspace's currency.
PRODUCTS, CATEGORIES = 400, 12
FEWEST_LINES, LINES_SHAPE, LINES_SCALE = 2.4, 2.0, 0.4
SECOND_ITEM, THIRD_ITEM = 0.15, 0.03

# Discounts: the chance of a customer's order to have one is .32 × Beta(1.5, 2).
MOST_DISCOUNTED, DISCOUNT_A, DISCOUNT_B = 0.32, 1.5, 2.0
DEPTHS, DEPTH_SHARES = (0.05, 0.10, 0.15, 0.20, 0.30), (0.15, 0.30, 0.25, 0.20, 0.10)

# Messages.
LISTED_WEEKS = 26
"""Mailing lists are cleaned so long after a customer left."""
SUBSCRIBED, MESSAGE_WEEKS = 0.75, 4
OPENNESS, OPEN_A, OPEN_B = 0.5, 3.0, 4.0
FATIGUE, FATIGUE_DAYS = 0.15, 14.0
CLICKED, OPT_OUT, MACHINE = 0.15, 0.004, 0.2

# Drift, as variograms of Complete Journey's households show it over 4-week blocks of 2017: the spread of a
# household's rate of shopping grows as with φ = .9, σ = .6, that of its basket with σ = .2, of its
# discounts with σ = .15. A uniform law on 1 ± w has σ = w / √3. That of openness is assumed.
DRIFT_DAYS, DRIFT_KEPT = 28, 0.9
RATE_DRIFT, BASKET_DRIFT, DISCOUNT_DRIFT, OPEN_DRIFT = 0.95, 0.4, 0.25, 0.4

HOUR = np.array([1, 0.5, 0.3, 0.2, 0.2, 0.4, 1, 2, 3, 4, 5, 5.5, 6, 6, 5.5, 5.5, 6, 7, 8, 9, 9, 7, 4.5, 2.5])

_STREAMS = ("people", "orders", "lines", "visits", "messages")


def still_here(age_weeks: Floats) -> Floats:
    """The share of customers that has not left so many weeks after registering (Pareto of the 2nd kind)."""
    return (LEAVE_SCALE / (LEAVE_SCALE + age_weeks)) ** LEAVE_SHAPE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _People:
    """The customers of one cell; every array is (n,)."""

    ids: Ints
    registered: Floats
    """Days since the start; negative before it."""
    left: Floats
    city: npt.NDArray[np.int8]
    traits: dict[str, npt.NDArray[np.int8]]
    rate: Floats
    """Orders a week."""

    def rows_of(self, calendar: Calendar, parameter: Parameter) -> Ints:
        """(n,) row of `calendar.factor[parameter]` for each customer."""
        row = np.zeros(len(self.ids), dtype=np.int64)
        for place, entry in enumerate(calendar.bits[parameter]):
            inside = np.ones(len(self.ids), dtype=bool)
            for name, value in entry.segment:
                if name == "city":
                    inside &= self.city == _CITY_NAMES.index(value)
                elif name == "region":
                    inside &= _CITY_REGION[self.city] == list(CITIES).index(value)
                else:
                    inside &= self.traits[name] == list(ATTRIBUTES[name]).index(value)
            row += inside.astype(np.int64) << place
        return row


_CITY_NAMES = [city for cities in CITIES.values() for city in cities]
_CITY_SHARES = np.array([share for cities in CITIES.values() for share in cities.values()])
_CITY_REGION = np.array([number for number, cities in enumerate(CITIES.values()) for _ in cities])
_HOUR_EDGES = np.concatenate([[0.0], np.cumsum(HOUR) / HOUR.sum()])


def make_cell(world: World, number: int) -> dict[str, pa.Table]:
    """All tables of one cell; drawn for a full cell, then cut to the customers there are."""
    seeds = np.random.SeedSequence((world.seed, 1, number)).spawn(len(_STREAMS))
    rngs = {
        name: np.random.Generator(np.random.Philox(seed)) for name, seed in zip(_STREAMS, seeds, strict=True)
    }
    people = _people(rngs["people"], world, first=number * CELL)
    clock = _own_clock(rngs["orders"], world, people)
    who, position = _order_positions(rngs["orders"], people, clock)
    orders = _orders(rngs["orders"], world, people, who, clock.day(world.calendar, who, position))
    lines, orders = _lines(rngs["lines"], world, people, orders)
    visits = _visits(rngs["visits"], world, people, orders, clock)
    messages, reactions = _messages(rngs["messages"], world, people)
    orders, lines = _copies(world, people, orders, lines)
    everything = {
        "customers": _customer_columns(world, people),
        "orders": {name: orders[name] for name in _ORDER_COLUMNS},
        "order_lines": lines,
        "messages": messages,
        "reactions": reactions,
        "visits": visits,
    }
    keep = min(CELL, world.customers - number * CELL)
    tables = {name: _table(columns, world) for name, columns in everything.items()}
    if keep == CELL:
        return tables
    last = int(people.ids[keep - 1])
    for name, table in tables.items():
        key = everything[name]["message_id" if name == "reactions" else "customer_id"]
        mine = np.asarray(key) // (SEQUENCE if name == "reactions" else 1) <= last
        tables[name] = table.filter(pa.array(mine))
    return tables


SEQUENCE = 10_000
"""Ids of orders and messages: customer × 10,000 + a number within the customer."""
_COPY = 5_000
_ORDER_COLUMNS = ("order_id", "customer_id", "ordered_at", "revenue", "discount", "channel")
_TIMES = {"registered_at", "ordered_at", "sent_at", "happened_at"}


def _table(columns: Columns, world: World) -> pa.Table:
    """Columns as an Arrow table; times come in as microseconds since the start."""
    origin = int(np.datetime64(datetime.combine(world.start, time()), "us").astype(np.int64))
    arrays = {}
    for name, values in columns.items():
        if name in _TIMES:
            # whole seconds, as logs have them
            whole = np.asarray(values) // 1_000_000 * 1_000_000
            arrays[name] = pa.array(whole + origin).cast(pa.timestamp("us"))
        else:
            arrays[name] = values if isinstance(values, pa.DictionaryArray) else pa.array(values)
    return pa.table(arrays)


def _words(codes: npt.NDArray, words: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), pa.array(list(words)))


def _pick(rng: np.random.Generator, shares: npt.ArrayLike, n: int) -> npt.NDArray[np.int8]:
    """(n,) places drawn with the given shares."""
    edges = np.cumsum(np.asarray(shares, dtype=float))
    return np.searchsorted(edges / edges[-1], rng.random(n), side="right").astype(np.int8)


def _time_of_day(rng: np.random.Generator, n: int) -> Ints:
    """(n,) microseconds since midnight, busiest in the evening."""
    hours = np.interp(rng.random(n), _HOUR_EDGES, np.arange(25.0))
    return (hours * 3600e6).astype(np.int64)


def _people(rng: np.random.Generator, world: World, *, first: int) -> _People:
    n = CELL
    city = _pick(rng, _CITY_SHARES, n)
    traits = {name: _pick(rng, list(values.values()), n) for name, values in ATTRIBUTES.items()}

    # Arrivals at a constant rate; of those before the start only who is still listed is in the file,
    # which means that he was here LISTED_WEEKS ago: so the lists are as stale at the start as later.
    ages = np.arange(OLDEST_WEEKS + 1.0)
    sure = np.maximum((ages[:-1] + ages[1:]) / 2 - LISTED_WEEKS, 0.0)
    listed = np.concatenate([[0.0], np.cumsum(still_here(sure))])
    old = rng.random(n) < listed[-1] / (listed[-1] + world.weeks)
    place = rng.random(n)
    age = np.interp(place, listed / listed[-1], ages)
    registered = np.where(old, -age * 7, place * world.days)

    # Given that he was here at age a, the hazard of leaving is Gamma(s, β + a).
    since = np.where(old, np.maximum(age - LISTED_WEEKS, 0.0), 0.0)
    hazard = rng.gamma(LEAVE_SHAPE, 1.0, n) / (LEAVE_SCALE + since)
    with np.errstate(divide="ignore"):
        stay = rng.exponential(1.0, n) / hazard
    left = np.minimum(registered + (since + stay) * 7, 1e9)

    by_source = np.array([RATE_BY_SOURCE[name] for name in ATTRIBUTES["source"]])
    by_source /= by_source @ np.array(list(ATTRIBUTES["source"].values()))
    rate = rng.gamma(RATE_SHAPE, RATE_MEAN / RATE_SHAPE, n) * by_source[traits["source"]]
    ids = np.arange(first + 1, first + n + 1, dtype=np.int64)
    return _People(ids=ids, registered=registered, left=left, city=city, traits=traits, rate=rate)


def _customer_columns(world: World, people: _People) -> Columns:
    regions = _CITY_REGION[people.city]
    return {
        "customer_id": people.ids,
        "registered_at": (people.registered * DAY_US).astype(np.int64),
        "source": _words(people.traits["source"], list(ATTRIBUTES["source"])),
        "region": _words(regions, list(CITIES)),
        "city": _words(people.city, _CITY_NAMES),
        "age": _words(people.traits["age"], list(ATTRIBUTES["age"])),
        "prefers": _words(people.traits["prefers"], list(ATTRIBUTES["prefers"])),
    }


def _drift(rng: np.random.Generator, world: World, width: float) -> Floats:
    """(n, blocks) factors with mean 1 that wander between 1 − width and 1 + width."""
    blocks = -(-world.days // DRIFT_DAYS)
    state = rng.standard_normal((blocks, CELL))
    for block in range(1, blocks):
        state[block] = DRIFT_KEPT * state[block - 1] + np.sqrt(1 - DRIFT_KEPT**2) * state[block]
    return 1 + width * (2 * ndtr(state.T) - 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _OwnClock:
    """Each customer's own operational time: the calendar's clock, faster and slower with his drift."""

    row: Ints
    """(n,) row of the calendar's clock."""
    shared: Floats
    """(n, blocks + 1) the calendar's clock at the edges of the blocks."""
    pace: Floats
    """(n, blocks) own weeks a week of the calendar's clock."""
    own: Floats
    """(n, blocks + 1) own clock at the edges."""
    begin: Floats
    """(n,) own clock when his orders can begin."""
    weeks: Floats
    """(n,) own weeks from then until he leaves or the log ends."""

    def day(self, calendar: Calendar, who: Ints, position: Floats) -> Ints:
        """(m,) the day on which customers' own clocks, counted from `begin`, show a position."""
        position = position + self.begin[who]
        block = _days_at(self.own, who, position)
        shared = self.shared[who, block] + (position - self.own[who, block]) / self.pace[who, block]
        return _days_at(calendar.clock, self.row[who], shared)


def _own_clock(rng: np.random.Generator, world: World, people: _People) -> _OwnClock:
    clock = world.calendar.clock
    row = people.rows_of(world.calendar, "order_rate")
    pace = _drift(rng, world, RATE_DRIFT)
    edges = np.minimum(np.arange(pace.shape[1] + 1) * DRIFT_DAYS, world.days)
    shared = clock[row[:, None], edges]
    own = np.zeros_like(shared)
    np.cumsum(pace * np.diff(shared, axis=1), axis=1, out=own[:, 1:])

    def at(time: Floats) -> Floats:
        whole = np.minimum(time.astype(np.int64), world.days - 1)
        on_shared = clock[row, whole] + (time - whole) * (clock[row, whole + 1] - clock[row, whole])
        block = whole // DRIFT_DAYS
        every = np.arange(CELL)
        return own[every, block] + (on_shared - shared[every, block]) * pace[every, block]

    # the first order comes the day after registering at the earliest
    first = np.clip(np.floor(people.registered) + 1, 0, world.days)
    begin, finish = at(first), at(np.clip(people.left, first, world.days))
    return _OwnClock(
        row=row, shared=shared, pace=pace, own=own, begin=begin, weeks=np.maximum(finish - begin, 0.0)
    )


def _order_positions(rng: np.random.Generator, people: _People, clock: _OwnClock) -> tuple[Ints, Floats]:
    """Orders in operational time: (m,) which customer, (m,) own weeks since he could begin."""
    expected = clock.weeks * people.rate
    shape = np.where(rng.random(CELL) < REGULAR_SHARE, float(REGULAR_ORDER), 1.0)
    # The first gap of a stationary renewal process: a uniform share of a length-biased gap.
    reached = rng.random(CELL) * rng.gamma(shape + 1) / shape
    active = np.arange(CELL)
    who, position = [], []
    inside = reached < expected
    who.append(active[inside])
    position.append(reached[inside])
    active, reached = active[inside], reached[inside]
    while active.size:
        gaps = rng.gamma(np.broadcast_to(shape[active, None], (active.size, 8)))
        steps = reached[:, None] + np.cumsum(gaps / shape[active, None], axis=1)
        inside = steps < expected[active, None]
        who.append(np.broadcast_to(active[:, None], steps.shape)[inside])
        position.append(steps[inside])
        more = inside[:, -1]
        active, reached = active[more], steps[more, -1]
    customer = np.concatenate(who)
    place = np.concatenate(position) / people.rate[customer]
    order = np.lexsort((place, customer))
    return customer[order], place[order]


def _days_at(clock: Floats, row: Ints, position: Floats) -> Ints:
    """The place (day or block) at which each row of a clock passes a position."""
    # one search for all rows: each is lifted above the one before
    lift = np.arange(len(clock)) * (clock[:, -1].max() + 1)
    flat = (clock + lift[:, None]).ravel()
    found = np.searchsorted(flat, position + lift[row], side="right") - 1
    width = clock.shape[1]
    return np.minimum(found - row * width, width - 2)


def _orders(
    rng: np.random.Generator, world: World, people: _People, who: Ints, day: Ints
) -> dict[str, npt.NDArray]:
    at = day * DAY_US + _time_of_day(rng, len(who))
    # two orders on one day: by time
    order = np.lexsort((at, who))
    who, day, at = who[order], day[order], at[order]
    first = np.searchsorted(who, np.arange(CELL))
    number = np.arange(len(who)) - first[who]
    taste = MOST_DISCOUNTED * rng.beta(DISCOUNT_A, DISCOUNT_B, CELL)
    factor = world.calendar.factor["discount"][people.rows_of(world.calendar, "discount")[who], day]
    drift = _drift(rng, world, DISCOUNT_DRIFT)[who, day // DRIFT_DAYS]
    discounted = rng.random(len(who)) < taste[who] * drift * world.calendar.discounts[day] * factor
    depth = np.where(discounted, np.array(DEPTHS)[_pick(rng, DEPTH_SHARES, len(who))], 0.0)
    usual = people.traits["prefers"][who]
    other = _pick(rng, list(ATTRIBUTES["prefers"].values()), len(who))
    channel = np.where(rng.random(len(who)) < 0.8, usual, other)
    return {
        "who": who,
        "day": day,
        "ordered_at": at,
        "order_id": people.ids[who] * SEQUENCE + number,
        "customer_id": people.ids[who],
        "depth": depth,
        "channel_code": channel,
    }


def _lines(
    rng: np.random.Generator, world: World, people: _People, orders: dict[str, npt.NDArray]
) -> tuple[Columns, dict]:
    """The lines of all orders, and the orders with the money summed from them."""
    who, day = orders["who"], orders["day"]
    factors = world.calendar.factor
    usual = FEWEST_LINES + rng.gamma(LINES_SHAPE, LINES_SCALE, CELL)
    basket = factors["basket"][people.rows_of(world.calendar, "basket")[who], day]
    drift = _drift(rng, world, BASKET_DRIFT)[who, day // DRIFT_DAYS]
    count = 1 + rng.poisson(np.maximum(usual[who] * drift * basket - 1, 0.0))
    of = np.repeat(np.arange(len(who)), count)
    popularity, base_price = _catalogue()
    product = np.searchsorted(popularity, rng.random(len(of)), side="right")
    chance = rng.random(len(of))
    quantity = 1 + (chance < SECOND_ITEM) + (chance < THIRD_ITEM)
    level = factors["price"][people.rows_of(world.calendar, "price")[who], day][of]
    price = np.round(base_price[product] * level, 2)
    listed = price * quantity
    discount = np.round(listed * orders["depth"][of], 2)
    revenue = np.round(listed - discount, 2)
    lines: Columns = {
        "order_id": orders["order_id"][of],
        "product_id": product.astype(np.int64) + 1,
        "customer_id": orders["customer_id"][of],
        "ordered_at": orders["ordered_at"][of],
        "quantity": quantity.astype(np.int64),
        "price": price,
        "revenue": revenue,
        "discount": discount,
        "category": _words(product % CATEGORIES, _CATEGORY_NAMES),
    }
    money = {
        name: np.round(np.bincount(of, weights=values, minlength=len(who)), 2)
        for name, values in (("revenue", revenue), ("discount", discount))
    }
    channel = _words(orders["channel_code"], list(ATTRIBUTES["prefers"]))
    return lines, {**orders, **money, "channel": channel}


_CATEGORY_NAMES = [
    *("bread", "dairy", "fruit", "vegetables", "meat", "fish"),
    *("drinks", "sweets", "household", "care", "baby", "pets"),
]


def _catalogue() -> tuple[Floats, Floats]:
    """Running share of sales and list price of each product; the same in every company."""
    weight = 1 / np.arange(10, PRODUCTS + 10)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(400)))
    price = np.round(np.exp(rng.normal(1.6, 0.7, PRODUCTS)), 2)
    return np.cumsum(weight) / weight.sum(), np.maximum(price, 0.5)


def _visits(
    rng: np.random.Generator, world: World, people: _People, orders: dict[str, npt.NDArray], clock: _OwnClock
) -> Columns:
    """A cart visit before every order, and as many visits without one, at the same daily rate."""
    calendar = world.calendar
    alone = np.repeat(np.arange(CELL), rng.poisson(clock.weeks * people.rate))
    day = clock.day(calendar, alone, rng.random(len(alone)) * clock.weeks[alone])
    lead = (rng.uniform(3, 40, len(orders["who"])) * 60e6).astype(np.int64)
    who = np.concatenate([orders["who"], alone])
    at = np.concatenate([orders["ordered_at"] - lead, day * DAY_US + _time_of_day(rng, len(alone))])
    kind = np.concatenate([np.full(len(lead), 2), rng.random(len(alone)) < 0.25]).astype(np.int8)
    category = rng.integers(0, CATEGORIES, len(who))
    on = np.clip(at // DAY_US, 0, world.days - 1)
    kept = calendar.factor["tracking"][people.rows_of(calendar, "tracking")[who], on]
    keep = (rng.random(len(who)) < kept) & (at >= 0)
    who, at, kind, category = who[keep], at[keep], kind[keep], category[keep]
    order = np.lexsort((at, who))
    return {
        "customer_id": people.ids[who[order]],
        "happened_at": at[order],
        "kind": _words(kind[order], ["view", "search", "cart"]),
        "category": _words(category[order], _CATEGORY_NAMES),
    }


def _messages(rng: np.random.Generator, world: World, people: _People) -> tuple[Columns, Columns]:
    """Messages week by week, since an opt-out ends those that would follow."""
    calendar = world.calendar
    # of those registered before the start, some have opted out already
    sent_before = np.maximum(-people.registered, 0.0) / 7 * (1 / MESSAGE_WEEKS + 1 / 13)
    subscribed = rng.random(CELL) < SUBSCRIBED * (1 - 1.3 * OPT_OUT) ** sent_before
    listed_until = people.left + LISTED_WEEKS * 7
    openness = (OPENNESS * rng.beta(OPEN_A, OPEN_B, CELL))[:, None] * _drift(rng, world, OPEN_DRIFT)
    machine = rng.random(CELL) < MACHINE
    by_push = people.traits["prefers"] == list(ATTRIBUTES["prefers"]).index("app")
    turn = np.arange(CELL) % MESSAGE_WEEKS
    weekday = rng.integers(1, 4, CELL)  # Tuesday to Thursday; promotions are told on Mondays
    due = [np.flatnonzero(turn == place) for place in range(MESSAGE_WEEKS)]
    told = {(entry.starts - world.start).days // 7: entry for entry in world.promotions}
    open_row = people.rows_of(calendar, "open")
    out_row = people.rows_of(calendar, "unsubscribe")
    fatigue, last = np.zeros(CELL), np.full(CELL, -1e6)

    sent: list[tuple[npt.NDArray, ...]] = []
    for week in range(world.weeks):
        batches = []
        if week in told:
            batches.append((np.arange(CELL), np.full(CELL, week * 7), True))
        batches.append((due[week % MESSAGE_WEEKS], week * 7 + weekday[due[week % MESSAGE_WEEKS]], False))
        for who, day, promotion in batches:
            reached = subscribed[who] & (people.registered[who] < day) & (day < listed_until[who])
            who, day = who[reached], day[reached]
            tired = fatigue[who] * np.exp(-(day - last[who]) / FATIGUE_DAYS)
            chance = openness[who, week * 7 // DRIFT_DAYS] * np.exp(-FATIGUE * tired)
            chance *= calendar.factor["open"][open_row[who], day]
            luck = rng.random((2, len(who)))
            opened = luck[0] < chance
            leaves = luck[1] < OPT_OUT * (1 + tired) * calendar.factor["unsubscribe"][out_row[who], day]
            fatigue[who], last[who] = tired + 1, day
            subscribed[who[leaves]] = False
            sent.append((who, day, opened, leaves, np.full(len(who), promotion)))
    who, day, opened, leaves, promotion = (np.concatenate(parts) for parts in zip(*sent, strict=True))
    order = np.lexsort((day, who))
    who, day, opened, leaves, promotion = (part[order] for part in (who, day, opened, leaves, promotion))
    # regular ones between 10 and 12, promotions between 9 and 10
    at = day * DAY_US + ((9 + ~promotion + rng.random(len(who)) * (2 - promotion)) * 3600e6).astype(np.int64)
    number = np.arange(len(who)) - np.searchsorted(who, np.arange(CELL))[who]
    ids = people.ids[who] * SEQUENCE + number
    push = by_push[who] & promotion
    campaigns = ["letter", *(entry.name for entry in world.promotions)]
    campaign = np.zeros(len(who), dtype=np.int64)
    for place, entry in enumerate(world.promotions, start=1):
        campaign[promotion & (day == (entry.starts - world.start).days)] = place
    messages: Columns = {
        "message_id": ids,
        "customer_id": people.ids[who],
        "sent_at": at,
        "channel": _words(push, ["mail", "push"]),
        "campaign": pa.DictionaryArray.from_arrays(pa.array(campaign.astype(np.int16)), pa.array(campaigns)),
        "purpose": _words(promotion, ["useful", "offer"]),
    }

    recorded = (
        rng.random(len(who)) < calendar.factor["tracking"][people.rows_of(calendar, "tracking")[who], day]
    )
    opened &= recorded
    by_machine = machine[who] & ~push & recorded
    clicked = opened & (rng.random(len(who)) < CLICKED)
    opens = at + (np.minimum(rng.exponential(6.0, len(who)), 47.0) * 3600e6).astype(np.int64) + 1_000_000
    kinds = (
        (opened, opens, 0, False),
        (by_machine, at + (rng.uniform(1, 60, len(who)) * 1e6).astype(np.int64), 0, True),
        (clicked, opens + (rng.uniform(5, 600, len(who)) * 1e6).astype(np.int64), 1, False),
        (leaves, at + (rng.uniform(0.01, 12, len(who)) * 3600e6).astype(np.int64), 2, False),
    )
    about = np.concatenate([np.flatnonzero(mask) for mask, _, _, _ in kinds])
    happened = np.concatenate([when[mask] for mask, when, _, _ in kinds])
    kind = np.concatenate([np.full(int(mask.sum()), code) for mask, _, code, _ in kinds])
    flag = np.concatenate([np.full(int(mask.sum()), made) for mask, _, _, made in kinds])
    order = np.lexsort((happened, about))
    order = order[happened[order] < world.days * DAY_US]
    reactions: Columns = {
        "message_id": ids[about[order]],
        "kind": _words(kind[order], ["opened", "clicked", "unsubscribed"]),
        "happened_at": happened[order],
        "machine": flag[order],
    }
    return messages, reactions


def _copies(
    world: World, people: _People, orders: dict[str, npt.NDArray], lines: Columns
) -> tuple[dict, Columns]:
    """Orders of a slice that were loaded twice, the second time under new ids."""
    calendar = world.calendar
    if not calendar.bits["copies"] and np.all(calendar.factor["copies"] == 1):
        return orders, lines
    row = people.rows_of(calendar, "copies")[orders["who"]]
    twice = calendar.factor["copies"][row, orders["day"]] > 1
    place = np.searchsorted(orders["order_id"], np.asarray(lines["order_id"]))
    return _again(orders, twice), _again(lines, twice[place])


def _again(columns: dict, twice: npt.NDArray[np.bool_]) -> dict:
    """Rows marked `twice` follow themselves with another order_id, the rest as it is."""
    rows = np.repeat(np.arange(len(twice)), 1 + twice)
    second = np.concatenate([[False], rows[1:] == rows[:-1]])
    result = {
        name: values.take(pa.array(rows)) if isinstance(values, pa.DictionaryArray) else values[rows]
        for name, values in columns.items()
    }
    result["order_id"] = result["order_id"] + np.where(second, _COPY, 0)
    return result
