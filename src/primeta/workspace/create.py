"""`primeta init`: a new workspace with a commented file to fill in."""

from __future__ import annotations

from pathlib import Path

from primeta.config import FILE_NAME
from primeta.errors import BadInput, Conflict

TEMPLATE = """\
# A Primeta workspace. Fill in where your tables are, then run:
#   primeta doctor {folder}     what is wrong with the data
#   primeta watch {folder}      measure, detect, confirm
#   primeta serve {folder}      the pages

[workspace]
name = "{name}"
language = "{language}"             # "en" or "ru": pages, digests, the terminal
currency = "{currency}"           # one currency a workspace
timezone = "{timezone}"           # days and weeks are cut in this zone
# margin = 0.25               # on list price, where orders carry no margin
# people = ["Anna Kim"]       # who may own a trend

# One section a table. `from` is a file, a glob or a table; or give sql = "select …".
# `columns` says which of your columns (or SQL expressions) is which canonical one.
# Canonical tables and columns: docs/reference/facts.md
#
# [tables.orders]
# from = "data/orders-*.csv"
# columns = {{ order_id = "id", customer_id = "client", ordered_at = "created", revenue = "paid" }}
#
# [tables.customers]
# from = "data/customers.csv"
# columns = {{ customer_id = "client", registered_at = "created", city = "city" }}

[slices]
by = []                       # customer attributes to cut by, such as ["city", "age"]

[goals]                       # what this year is about, with weights
revenue_per_customer = 2
retention_30 = 1

[watch]
false_share = 0.10            # at most so much of what is reported may be false
"""


def create_workspace(
    directory: Path, *, name: str = "", language: str = "en", currency: str = "USD", timezone: str = "UTC"
) -> Path:
    """Write a commented `primeta.toml` into a new or empty place; touches nothing that exists.

    Raises:
        Conflict: the folder is a workspace already.
        BadInput: the place is a file.
    """
    if directory.exists() and not directory.is_dir():
        raise BadInput(f"{directory} is a file; name a folder for the workspace")
    path = directory / FILE_NAME
    if path.exists():
        raise Conflict(f"{directory} is a workspace already; its file is {path}")
    text = TEMPLATE.format(
        folder=directory,
        name=(name or directory.resolve().name).replace('"', "'"),
        language=language,
        currency=currency,
        timezone=timezone,
    )
    from primeta.config import parse_config

    parse_config(text, path)
    directory.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
