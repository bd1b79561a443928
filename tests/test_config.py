"""primeta.toml: every complaint names the key and its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from primeta.config import load_config, parse_config
from primeta.errors import BadConfig, NotFound
from primeta.workspace.create import create_workspace

PATH = Path("shop") / "primeta.toml"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[workspace]\nlanguage = 'de'", ("line 2", "language", "'de'")),
        ("[workspace]\n\ncurrency = 'roubles'", ("line 3", "currency")),
        ("[workspace]\ntimezone = 'Moscow'", ("line 2", "Europe/Moscow")),
        ("[workspace]\nmargin = 'high'", ("line 2", "a number was expected")),
        ("[workspace]\ntoday = 'yesterday'", ("line 2", "facts")),
        ("[shop]\n", ("shop", "not known")),
        ("[tables.clients]\nfrom = 'x.csv'", ("clients", "customers")),
        ("[tables.orders]\ncolumns = { id = 'x' }\nfrom = 'x.csv'", ("line 2", "order_id")),
        ("[tables.orders]\nfrom = 'x.csv'\nsql = 'select 1'", ("line 2", "either")),
        ("[watch]\nfalse_share = 7", ("line 2", "0.001")),
        ("[watch]\nfalse_shares = .1", ("line 2",)),
        ("[filters]\neconomic = 120", ("line 2", "0 to 100")),
        ("[slices]\ncross = ['age']", ("line 2", "region")),
        ("[workspace\n", ("TOML", "line 1")),
        ('[attention]\npublic_url = "shop.example"', ("line 2", "https://mail.shop.example")),
        ('[attention]\npublic_url = "http://shop.com"', ("line 2", "mail programs want https")),
        ("[attention.preferences]\ncolour = 1", ("line 2", "colour", "sender")),
        ("[attention.preferences]\nsender = 7", ("line 2", "sender", "{ en =")),
        ("[attention.preferences]\nsender = { de = 'Tee' }", ("line 2", "sender")),
        ("[attention.preferences.topics]\nnews = ''", ("line 2", "news")),
        ("[attention.preferences]\nconsent_text = 'Yes, write to me'", ("line 2", "{channel}")),
        ("[attention.preferences]\nconsent_text = 'Yes {channel} {0}'", ("line 2", "{channel}")),
    ],
)
def test_a_wrong_key_is_named_with_its_line(text, told):
    with pytest.raises(BadConfig) as error:
        parse_config(text, PATH)
    for part in told:
        assert part in str(error.value)


def test_a_folder_without_the_file_says_how_to_make_one(tmp_path):
    with pytest.raises(NotFound, match="primeta init"):
        load_config(tmp_path)


def test_a_file_in_another_encoding_is_said(tmp_path):
    (tmp_path / "primeta.toml").write_bytes("[workspace]\nname = 'Калина'".encode("cp1251"))
    with pytest.raises(BadConfig, match="UTF-8"):
        load_config(tmp_path)


def test_what_init_writes_can_be_read(tmp_path):
    create_workspace(
        tmp_path / "shop", name='A "shop"', language="ru", currency="RUB", timezone="Europe/Moscow"
    )
    config = load_config(tmp_path / "shop")
    assert (config.name, config.language, config.currency) == ("A 'shop'", "ru", "RUB")
    assert config.goals == {"revenue_per_customer": 2.0, "retention_30": 1.0}
