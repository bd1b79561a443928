"""The doctor on real data with published counts, and each rule on data that breaks it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from primeta.config import load_config
from primeta.warehouse.doctor import diagnose
from primeta.warehouse.engine import open_warehouse
from primeta.warehouse.rules import ACTIONS, RULES

NOW = datetime(2024, 6, 30, 12, tzinfo=UTC)


def examined(folder, toml, now=NOW, **files):
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, encoding="utf-8")
    (folder / "primeta.toml").write_text(toml, encoding="utf-8")
    config = load_config(folder)
    with open_warehouse(config) as warehouse:
        return diagnose(warehouse, config, now=now)


@pytest.fixture(scope="module")
def online_retail(shared_data, tmp_path_factory):
    source = shared_data / "online-retail" / "online_retail_2010_2011.parquet"
    toml = f"""[workspace]
currency = "GBP"
timezone = "Europe/London"
[tables.order_lines]
from = "{source}"
columns = {{ order_id = "Invoice", product_id = "StockCode", customer_id = "CustomerID", ordered_at = "InvoiceDate", quantity = "Quantity", price = "Price" }}
"""
    return examined(tmp_path_factory.mktemp("retail"), toml, now=datetime(2011, 12, 31, tzinfo=UTC))


# Every count: shared/data/README.md, the row "online-retail"
def test_online_retail_as_found(online_retail):
    table = online_retail.tables[0]
    distinct = {column.name: column.distinct for column in table.columns}
    assert (table.rows, table.customers, table.ids, distinct["Country"]) == (541_909, 4_372, 25_900, 38)
    assert table.money == pytest.approx(9_747_747.93, abs=0.005)


@pytest.mark.parametrize(
    ("rule", "rows", "action"),
    [
        ("cancellations", 9_288, "keeps"),
        ("negative-quantities", 10_624, "keeps"),
        ("null-customers", 135_080, "drops"),
        ("non-positive-prices", 2_517, "keeps"),
        ("exact-duplicates", 5_268, "keeps"),
    ],
)
def test_online_retail_rule_by_rule(online_retail, rule, rows, action):
    found = online_retail.find(rule, "order_lines")
    assert (found.rows, found.action) == (rows, action)
    assert found.share == pytest.approx(rows / 541_909)
    assert found.example


def test_online_retail_loses_only_the_lines_without_a_customer(online_retail):
    rules = [rule for rule in online_retail.rules if rule.rule not in ("volume-gaps", "volume-drops")]
    dropped = {rule.rule: rule.before - rule.after for rule in rules if rule.before != rule.after}
    assert dropped == {"null-customers": 135_080}
    assert rules[0].before == 541_909
    assert rules[-1].after == 541_909 - 135_080 == online_retail.tables[0].used
    assert online_retail.ok


def test_the_cancellation_letter_is_said(online_retail):
    assert "(C)" in online_retail.find("cancellations", "order_lines").note["en"]


CLEAN_DAYS = [f"{date(2024, 1, 1) + timedelta(days=day)}" for day in range(140)]
BASE = '[workspace]\ncurrency = "EUR"\n[tables.orders]\nfrom = "o.csv"\n'
HEAD = "order_id,customer_id,ordered_at,revenue,discount,status,currency\n"


def orders(*extra, daily=30, skip=()):
    rows = [
        f"{day}-{number},c{number % 7},{day} {8 + number % 14:02d}:15:00,{10 + number},1,paid,EUR"
        for day in CLEAN_DAYS
        if day not in skip
        for number in range(daily)
    ]
    return HEAD + "\n".join([*rows, *extra]) + "\n"


@pytest.mark.parametrize(
    ("rule", "rows", "action", "extra"),
    [
        ("null-ids", 1, "drops", [",c1,2024-03-01 10:00:00,5,0,paid,EUR"]),
        ("null-customers", 2, "drops", ["x1,,2024-03-01 10:00:00,5,0,paid,EUR", "x2,unknown,2024-03-01 10:00:00,5,0,paid,EUR"]),
        ("null-times", 1, "drops", ["x1,c1,,5,0,paid,EUR"]),
        ("cancelled-orders", 2, "drops", ["x1,c1,2024-03-01 10:00:00,5,0,Cancelled,EUR", "x2,c1,2024-03-01 10:00:00,5,0,отменён,EUR"]),
        ("exact-duplicates", 1, "drops", ["x1,c1,2024-03-01 10:00:00,5,0,paid,EUR"] * 2),
        ("duplicate-keys", 1, "asks", ["x1,c1,2024-03-01 10:00:00,5,0,paid,EUR", "x1,c1,2024-03-01 10:00:00,6,0,paid,EUR"]),
        ("returns", 1, "keeps", ["x1,c1,2024-03-01 10:00:00,-5,0,paid,EUR"]),
        ("negative-values", 1, "keeps", ["x1,c1,2024-03-01 10:00:00,5,-2,paid,EUR"]),
        ("absurd-values", 1, "keeps", ["x1,c1,2024-03-01 10:00:00,9000000,0,paid,EUR"]),
        ("unreadable-values", 1, "asks", ["x1,c1,2024-03-01 10:00:00,five,0,paid,EUR"]),
        ("non-finite-values", 1, "keeps", ["x1,c1,2024-03-01 10:00:00,inf,0,paid,EUR"]),
        ("ancient-dates", 1, "keeps", ["x1,c1,1970-01-01 00:00:00,5,0,paid,EUR"]),
        ("future-dates", 1, "asks", ["x1,c1,2031-01-01 10:00:00,5,0,paid,EUR"]),
        ("second-currency", 1, "asks", ["x1,c1,2024-03-01 10:00:00,5,0,paid,USD"]),
    ],
)  # fmt: skip
def test_each_rule_finds_what_breaks_it_and_nothing_else(tmp_path, rule, rows, action, extra):
    diagnosis = examined(tmp_path, BASE, o__csv=orders(*extra))
    found = diagnosis.find(rule, "orders")
    assert (found.rows, found.action) == (rows, action)
    assert found.before - found.after == (rows if action == "drops" else 0)
    assert found.example
    others = {entry.rule for entry in diagnosis.findings} - {rule}
    # A date of 1970 makes the days from there on empty; a repeated key is no exact repeat, and so on
    assert others <= {"returns", "volume-gaps", "absurd-values"}, others
    assert diagnosis.ok == (action != "asks")


def test_clean_orders_are_found_clean(tmp_path):
    diagnosis = examined(tmp_path, BASE, o__csv=orders())
    assert diagnosis.findings == ()
    assert diagnosis.ok
    assert all(rule.before == rule.after == 4200 for rule in diagnosis.rules)


def test_days_without_rows_and_days_with_few(tmp_path):
    gap = CLEAN_DAYS[40:42]
    thin = CLEAN_DAYS[70]
    few = [f"{thin}-x{n},c1,{thin} 10:00:00,5,1,paid,EUR" for n in range(5)]
    diagnosis = examined(tmp_path, BASE, o__csv=orders(*few, skip=(*gap, thin)))
    assert diagnosis.find("volume-gaps", "orders").rows == 2
    assert diagnosis.find("volume-drops", "orders").rows == 1
    assert diagnosis.find("volume-drops", "orders").example == f"{thin}: 5 / 30"


def test_a_week_without_rows_asks(tmp_path):
    diagnosis = examined(tmp_path, BASE, o__csv=orders(skip=CLEAN_DAYS[60:70]))
    assert diagnosis.find("volume-gaps", "orders").action == "asks"


def test_a_time_zone_in_which_everybody_shops_at_night_asks(tmp_path):
    # 8:15–21:15 in UTC is 21:15 of the day before to 10:15 in Hawaii (UTC−10 … wrapped by 24 h)
    toml = BASE.replace('currency = "EUR"', 'currency = "EUR"\ntimezone = "Pacific/Honolulu"')
    text = orders().replace(":15:00,", ":15:00Z,")
    diagnosis = examined(tmp_path, toml, o__csv=text)
    assert diagnosis.find("time-zone", "orders").action == "asks"
    assert examined(tmp_path, BASE, o__csv=text).find("time-zone", "orders").rows == 0


def test_two_files_that_overlap_ask(tmp_path):
    toml = BASE.replace("o.csv", "o*.csv")
    first = orders()
    second = HEAD + "\n".join(first.splitlines()[1:301]) + "\n"
    diagnosis = examined(tmp_path, toml, o1__csv=first, o2__csv=second)
    found = diagnosis.find("file-overlap", "orders")
    assert (found.rows, found.action, found.example) == (300, "asks", "o1.csv, o2.csv")


def test_customers_messages_and_reactions_are_held_against_each_other(tmp_path):
    toml = """[tables.customers]
from = "c.csv"
[tables.orders]
from = "o.csv"
[tables.messages]
from = "m.csv"
[tables.reactions]
from = "r.csv"
"""
    diagnosis = examined(
        tmp_path, toml,
        c__csv="customer_id,registered_at\na,2024-02-01\nb,2024-01-01\nb,2024-01-05\n",
        o__csv="order_id,customer_id,ordered_at,revenue\n1,a,2024-01-15,5\n2,b,2024-01-15,5\n3,z,2024-02-15,5\n4,a,2024-03-01,5\n5,a,2024-03-02,1\n",
        m__csv="message_id,customer_id,sent_at,channel\n1,a,2024-02-02 10:00,push\n2,b,2024-02-02 10:00,push\n",
        r__csv="message_id,kind,happened_at\n1,opened,2024-02-02 11:00\n2,clicked,2024-02-02 09:00\n2,opened,2024-02-02 12:00\n"
               "1,clicked,2024-02-02 12:00\n1,replied,2024-02-02 12:00\n9,opened,2024-02-02 12:00\n1,liked,2024-02-02 12:00\n",
    )  # fmt: skip

    def rows(rule, table):
        return diagnosis.find(rule, table).rows

    assert rows("unknown-customers", "orders") == 1
    assert rows("orders-before-registration", "orders") == 1
    assert rows("duplicate-keys", "customers") == 1
    assert rows("reactions-without-message", "reactions") == 1
    assert rows("reactions-before-message", "reactions") == 1
    assert rows("unknown-kinds", "reactions") == 1
    assert diagnosis.find("unknown-kinds", "reactions").action == "asks"


def test_ambiguous_dates_ask_and_say_how_they_are_read(tmp_path):
    text = "order_id,customer_id,ordered_at,revenue\n1,a,03/04/2024,5\n2,b,05/06/2024,5\n"
    found = examined(tmp_path, BASE, o__csv=text).find("ambiguous-dates", "orders")
    assert (found.rows, found.action, found.example) == (2, "asks", "ordered_at: dd/mm/yyyy")
    told = examined(tmp_path, BASE + 'date_format = "mm/dd/yyyy"\n', o__csv=text)
    assert told.find("ambiguous-dates", "orders").rows == 0


def test_missing_columns_and_an_empty_table_ask(tmp_path):
    found = examined(tmp_path, BASE, o__csv="order_id,who\n1,a\n").find("missing-columns", "orders")
    assert (found.action, found.example) == ("asks", "customer_id, ordered_at, revenue")
    empty = examined(tmp_path, BASE, o__csv="order_id,customer_id,ordered_at,revenue\n")
    assert empty.find("empty-table", "orders").action == "asks"
    assert not empty.ok


def test_the_teams_own_filter_is_reported_with_its_counts(tmp_path):
    diagnosis = examined(tmp_path, BASE + 'where = "revenue > 20"\n', o__csv=orders())
    found = diagnosis.find("left-out-by-where", "orders")
    # revenue runs from 10 to 39 each day: 11 of 30 are 20 or less
    assert (found.rows, found.before, found.after) == (140 * 11, 4200, 4200 - 140 * 11)


def test_the_document_has_the_keys_of_the_design(tmp_path):
    document = examined(tmp_path, BASE, o__csv=orders()).as_dict()
    assert set(document) >= {"ok", "rules"}
    # DESIGN §6
    keys = {"rule", "table", "rows", "share", "money", "example", "action", "before", "after"}
    assert all(keys <= set(rule) for rule in document["rules"])
    assert json.loads(json.dumps(document, allow_nan=False)) == document


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_line_and_table_in_both_languages(tmp_path, lang):
    diagnosis = examined(tmp_path, BASE, o__csv=orders("x1,,2024-03-01 10:00:00,5,0,paid,EUR"))
    assert RULES["null-customers"][lang] in diagnosis.table(lang).text()
    assert ACTIONS["drops"][lang] in diagnosis.table(lang).text()
    assert diagnosis.line(lang)


def test_every_rule_and_action_has_words_in_both_languages():
    assert all(
        set(words) == {"en", "ru"} and all(words.values()) for words in (*RULES.values(), *ACTIONS.values())
    )
