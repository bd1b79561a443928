"""Periods and the canonical tables."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from primeta.facts import GRAINS, TABLES, Period


def test_iso_week_of_the_first_days_of_2027_belongs_to_2026():
    assert Period.holding(date(2027, 1, 3), "week").code == "2026-W53"


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.sampled_from(GRAINS))
def test_periods_tile_the_calendar(day, grain):
    period = Period.holding(day, grain)
    assert period.start <= day < period.end
    assert Period.holding(period.end, grain).start == period.end


def test_every_table_of_the_design_is_there():
    # DESIGN §4 lists twelve canonical tables
    assert len(TABLES) == 12
    assert TABLES["orders"].required == ("order_id", "customer_id", "ordered_at", "revenue")
