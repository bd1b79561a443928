"""A simulated company whose truth is known: customers, orders, lines, visits, messages, reactions.

The model, in short (all draws independent unless said otherwise):

- Customers arrive at a constant rate; at the start there is the stationary population of those who
  arrived in the five years before and are still here.
- A customer orders at a rate λ ~ Gamma until he leaves; his hazard of leaving μ ~ Gamma (Pareto/NBD:
  Schmittlein, Morrison & Colombo 1987). Gaps between orders are exponential or, for the regular, Erlang-3,
  in operational time: a stationary renewal process whose clock runs at the day's rate (season,
  weekday, promotions with pull-forward, what is planted), so the expected orders of a day are λ × rate.
- Lines per order, prices, the taste for discounts and openness are independent of λ and of each other: a
  factor planted on one moves its ratio by just that factor.
- Subscribers get a message every four weeks and one at each promotion; openness falls with
  fatigue (exp(−fatigue), one unit a message, fading in two weeks); opt-outs end messages; some mail
  programs open everything by machine. Messages do not change orders.

Everything is computed in cells of 4,096 customers with random numbers of their own, so the same seed
gives bit-identical rows however the work is cut, and a larger company begins with the smaller one's cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.errors import BadInput
from primeta.worlds.planted import (
    ATTRIBUTES,
    CITIES,
    Effect,
    Floats,
    Parameter,
    Planted,
    draw_planted,
    effects_of,
)

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

# Baskets: the expected lines of an order are 1.6 + Gamma(2, .5); money in the workspace's currency.
PRODUCTS, CATEGORIES = 400, 12
FEWEST_LINES, LINES_SHAPE, LINES_SCALE = 1.6, 2.0, 0.5
SECOND_ITEM, THIRD_ITEM = 0.15, 0.03

# Discounts: the chance of a customer's order to have one is .4 × Beta(1.5, 2).
MOST_DISCOUNTED, DISCOUNT_A, DISCOUNT_B = 0.40, 1.5, 2.0
DEPTHS, DEPTH_SHARES = (0.05, 0.10, 0.15, 0.20, 0.30), (0.15, 0.30, 0.25, 0.20, 0.10)

# Promotions: one a quarter, a week long.
PROMOTION_LIFT, PULL_FORWARD, PULL_DAYS, PROMOTION_DISCOUNTS, PROMOTION_DEPTH = 1.35, 0.85, 14, 1.8, 0.2

# Messages.
SUBSCRIBED, MESSAGE_WEEKS = 0.75, 4
OPENNESS, OPEN_A, OPEN_B = 0.9, 2.0, 5.0
FATIGUE, FATIGUE_DAYS = 0.15, 14.0
CLICKED, OPT_OUT, MACHINE = 0.15, 0.004, 0.2

WEEKDAY = np.array([0.95, 0.90, 0.92, 1.00, 1.15, 1.20, 0.88])
HOUR = np.array([1, 0.5, 0.3, 0.2, 0.2, 0.4, 1, 2, 3, 4, 5, 5.5, 6, 6, 5.5, 5.5, 6, 7, 8, 9, 9, 7, 4.5, 2.5])

_STREAMS = ("people", "orders", "lines", "visits", "messages")
TABLES = ("customers", "orders", "order_lines", "messages", "reactions", "visits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A week in which orders come early and at a discount."""

    name: str
    starts: date
    ends: date
    depth: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calendar:
    """What each day does to each parameter, for every combination of planted slices.

    `bits` lists, per parameter, what is planted on a slice; `factor[parameter]` is
    (2 ** len(bits), days), its row being the binary number of the slices a customer is in.
    """

    bits: dict[Parameter, tuple[Planted, ...]]
    factor: dict[Parameter, Floats]
    rate: Floats
    """(days,) of orders, without what is planted; about 1 on average."""
    discounts: Floats
    """(days,) what promotions multiply the chance of a discount with."""
    clock: Floats
    """(2 ** bits, days + 1) operational time: the running integral of rate × factor, in weeks."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """A simulated company; its rows are made when they are asked for."""

    customers: int
    seed: int
    weeks: int
    start: date
    planted: tuple[Planted, ...]
    promotions: tuple[Promotion, ...]
    calendar: Calendar

    @property
    def days(self) -> int:
        return self.weeks * 7

    @property
    def end(self) -> date:
        """The first day after the log."""
        return self.start + timedelta(days=self.days)

    def cells(self) -> int:
        """Cells of up to 4,096 customers; each is made on its own."""
        return -(-self.customers // CELL)

    def tables(self, cells: Sequence[int] | None = None) -> dict[str, pa.Table]:
        """The canonical tables of some cells (default: all), ordered by customer and time."""
        made = [_cell(self, number) for number in (range(self.cells()) if cells is None else cells)]
        return {name: pa.concat_tables([tables[name] for tables in made]) for name in TABLES}

    def truth(self) -> dict[str, object]:
        """The document of `truth.json`."""
        return {
            "version": 1,
            "customers": self.customers,
            "seed": self.seed,
            "weeks": self.weeks,
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "planted": [entry.as_dict() for entry in self.planted],
        }


def simulate_company(
    *,
    customers: int,
    seed: int,
    weeks: int = 156,
    start: date = date(2023, 1, 2),
    trends: int = 8,
    shocks: int = 3,
    artefacts: int = 4,
    planted: Sequence[Planted] | None = None,
) -> World:
    """A company of so many customers over so many weeks, with changes planted in it.

    Args:
        customers: At least 1: those there at the start and those who arrive later, together.
        seed: The same seed gives the same company, bit for bit.
        weeks: Length of the log, 12 to 520.
        start: A Monday.
        trends, shocks, artefacts: How many changes of each kind to draw.
        planted: These instead of drawn ones; their effects are computed anew.
    Raises:
        BadInput: an argument outside its bounds.
    """
    if customers < 1:
        raise BadInput(f"a company needs at least 1 customer, {customers} were asked for")
    if seed < 0:
        raise BadInput(f"the seed must be 0 or more, {seed} was given")
    if not 12 <= weeks <= 520:
        raise BadInput(f"a log of 12 to 520 weeks can be made, {weeks} were asked for")
    if start.weekday():
        raise BadInput(f"the log must start on a Monday, {start} is none")
    if min(trends, shocks, artefacts) < 0:
        raise BadInput("the numbers of trends, shocks and artefacts must be 0 or more")
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, 0))))
    promotions = _draw_promotions(rng, start=start, weeks=weeks)
    drawn = draw_planted(rng, start=start, weeks=weeks, trends=trends, shocks=shocks, artefacts=artefacts)
    chosen = drawn if planted is None else tuple(planted)
    calendar = _calendar(chosen, promotions, start=start, days=weeks * 7)
    return World(
        customers=customers,
        seed=seed,
        weeks=weeks,
        start=start,
        planted=tuple(replace(entry, effects=_effects(entry, calendar)) for entry in chosen),
        promotions=promotions,
        calendar=calendar,
    )


def expected_shares(calendar: Calendar) -> tuple[float, float]:
    """(share of orders with a discount, discount / list value) over the log, with nothing planted."""
    promoted = float(np.average(calendar.discounts, weights=calendar.rate))
    discounted = MOST_DISCOUNTED * DISCOUNT_A / (DISCOUNT_A + DISCOUNT_B) * promoted
    return discounted, discounted * float(np.dot(DEPTHS, DEPTH_SHARES))


def still_here(age_weeks: Floats) -> Floats:
    """The share of customers that has not left so many weeks after registering (Pareto of the 2nd kind)."""
    return (LEAVE_SCALE / (LEAVE_SCALE + age_weeks)) ** LEAVE_SHAPE


def _effects(entry: Planted, calendar: Calendar) -> tuple[Effect, ...]:
    discounted, discount = expected_shares(calendar)
    return effects_of(entry.parameter, entry.factor, discounted_share=discounted, discount_share=discount)


def _draw_promotions(rng: np.random.Generator, *, start: date, weeks: int) -> tuple[Promotion, ...]:
    """One promotion in each quarter of 13 weeks, at least two weeks apart from its edges."""
    promotions = []
    for quarter in range(weeks // 13):
        starts = start + timedelta(weeks=13 * quarter + int(rng.integers(2, 10)))
        promotions.append(
            Promotion(
                name=f"promotion-{quarter + 1}",
                starts=starts,
                ends=starts + timedelta(days=7),
                depth=PROMOTION_DEPTH,
            )
        )
    return tuple(promotions)


def _calendar(
    planted: Sequence[Planted], promotions: Sequence[Promotion], *, start: date, days: int
) -> Calendar:
    day = np.arange(days)
    season = _season(start, days)
    rate = season * WEEKDAY[day % 7]
    discounts = np.ones(days)
    for promotion in promotions:
        first = (promotion.starts - start).days
        rate[first : first + 7] *= PROMOTION_LIFT
        rate[first + 7 : first + 7 + PULL_DAYS] *= PULL_FORWARD
        discounts[first : first + 7] *= PROMOTION_DISCOUNTS
    bits: dict[Parameter, tuple[Planted, ...]] = {}
    factor: dict[Parameter, Floats] = {}
    parameters: tuple[Parameter, ...] = (
        *("order_rate", "basket", "price", "discount", "open", "unsubscribe"),
        *("copies", "tracking"),
    )
    for parameter in parameters:
        here = [entry for entry in planted if entry.parameter == parameter]
        bits[parameter] = tuple(entry for entry in here if entry.segment)
        if len(bits[parameter]) > 10:
            raise BadInput(
                f"at most 10 changes of {parameter} can be planted in slices, not {len(bits[parameter])}"
            )
        rows = np.ones((2 ** len(bits[parameter]), days))
        for entry in here:
            if not entry.segment:
                rows *= entry.by_day(start, days)
        for place, entry in enumerate(bits[parameter]):
            rows[(np.arange(len(rows)) >> place & 1) == 1] *= entry.by_day(start, days)
        factor[parameter] = rows
    clock = np.zeros((len(factor["order_rate"]), days + 1))
    np.cumsum(rate * factor["order_rate"] / 7, axis=1, out=clock[:, 1:])
    return Calendar(bits=bits, factor=factor, rate=rate, discounts=discounts, clock=clock)


def _season(start: date, days: int) -> Floats:
    """(days,) a slow yearly wave with a peak before Christmas and a pause after it."""
    dates = np.datetime64(start, "D") + np.arange(days)
    of_year = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)
    year = np.arange(365)

    def wave(day: npt.NDArray) -> Floats:
        value = 1 + 0.10 * np.cos(2 * np.pi * (day - 350) / 365.25)
        return value + 0.35 * ((day >= 334) & (day < 358)) - 0.15 * (day < 14)

    return wave(of_year) / wave(year).mean()


# One cell of customers.


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


def _cell(world: World, number: int) -> dict[str, pa.Table]:
    """All tables of one cell; drawn for a full cell, then cut to the customers there are."""
    seeds = np.random.SeedSequence((world.seed, 1, number)).spawn(len(_STREAMS))
    rngs = {
        name: np.random.Generator(np.random.Philox(seed)) for name, seed in zip(_STREAMS, seeds, strict=True)
    }
    people = _people(rngs["people"], world, first=number * CELL)
    who, position, total = _order_positions(rngs["orders"], world, people)
    orders = _orders(rngs["orders"], world, people, who, position)
    lines, orders = _lines(rngs["lines"], world, people, orders)
    visits = _visits(rngs["visits"], world, people, orders, total)
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

    # Arrivals at a constant rate; of those before the start only who is still here is in the file.
    ages = np.arange(OLDEST_WEEKS + 1.0)
    here = np.concatenate([[0.0], np.cumsum(still_here((ages[:-1] + ages[1:]) / 2))])
    old = rng.random(n) < here[-1] / (here[-1] + world.weeks)
    place = rng.random(n)
    age = np.interp(place, here / here[-1], ages)
    registered = np.where(old, -age * 7, place * world.days)

    # Given that he is here at age a, the hazard of leaving is Gamma(s, β + a).
    hazard = rng.gamma(LEAVE_SHAPE, 1.0, n) / (LEAVE_SCALE + np.where(old, age, 0.0))
    with np.errstate(divide="ignore"):
        stay = rng.exponential(1.0, n) / hazard
    left = np.minimum(np.where(old, 0.0, registered) + stay * 7, 1e9)

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


def _order_positions(rng: np.random.Generator, world: World, people: _People) -> tuple[Ints, Floats, Floats]:
    """Orders in operational time.

    Returns:
        (m,) which customer, (m,) position on his row of the clock in weeks, (n,) clock weeks he is here.
    """
    clock = world.calendar.clock
    row = people.rows_of(world.calendar, "order_rate")
    # the first order comes the day after registering at the earliest
    begin = np.clip(np.floor(people.registered) + 1, 0, world.days).astype(np.int64)
    finish = np.clip(people.left, begin, world.days)
    whole = np.minimum(finish.astype(np.int64), world.days - 1)
    at_begin = clock[row, begin]
    at_finish = clock[row, whole] + (finish - whole) * (clock[row, whole + 1] - clock[row, whole])
    total = np.maximum(at_finish - at_begin, 0.0)
    expected = total * people.rate

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
    place = np.concatenate(position) / people.rate[customer] + at_begin[customer]
    order = np.lexsort((place, customer))
    return customer[order], place[order], total


def _days_at(clock: Floats, row: Ints, position: Floats) -> Ints:
    """The day on which each row of the clock passes a position."""
    # one search for all rows: each is lifted above the one before
    lift = np.arange(len(clock)) * (clock[:, -1].max() + 1)
    flat = (clock + lift[:, None]).ravel()
    found = np.searchsorted(flat, position + lift[row], side="right") - 1
    width = clock.shape[1]
    return np.minimum(found - row * width, width - 2)


def _orders(
    rng: np.random.Generator, world: World, people: _People, who: Ints, position: Floats
) -> dict[str, npt.NDArray]:
    row = people.rows_of(world.calendar, "order_rate")[who]
    day = _days_at(world.calendar.clock, row, position)
    at = day * DAY_US + _time_of_day(rng, len(who))
    # two orders on one day: by time
    order = np.lexsort((at, who))
    who, day, at = who[order], day[order], at[order]
    first = np.searchsorted(who, np.arange(CELL))
    number = np.arange(len(who)) - first[who]
    taste = MOST_DISCOUNTED * rng.beta(DISCOUNT_A, DISCOUNT_B, CELL)
    factor = world.calendar.factor["discount"][people.rows_of(world.calendar, "discount")[who], day]
    discounted = rng.random(len(who)) < taste[who] * world.calendar.discounts[day] * factor
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
    count = 1 + rng.poisson(np.maximum(usual[who] * basket - 1, 0.0))
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
    rng: np.random.Generator, world: World, people: _People, orders: dict[str, npt.NDArray], total: Floats
) -> Columns:
    """A cart visit before every order, and as many visits without one, at the same daily rate."""
    calendar = world.calendar
    row = people.rows_of(calendar, "order_rate")
    alone = np.repeat(np.arange(CELL), rng.poisson(total * people.rate))
    begin = np.clip(np.floor(people.registered) + 1, 0, world.days).astype(np.int64)
    position = calendar.clock[row, begin][alone] + rng.random(len(alone)) * total[alone]
    day = _days_at(calendar.clock, row[alone], position)
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
    subscribed = rng.random(CELL) < SUBSCRIBED
    openness = OPENNESS * rng.beta(OPEN_A, OPEN_B, CELL)
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
            reached = subscribed[who] & (people.registered[who] < day)
            who, day = who[reached], day[reached]
            tired = fatigue[who] * np.exp(-(day - last[who]) / FATIGUE_DAYS)
            chance = openness[who] * np.exp(-FATIGUE * tired) * calendar.factor["open"][open_row[who], day]
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
