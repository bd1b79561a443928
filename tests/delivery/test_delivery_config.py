"""`[delivery.NAME]`: what is allowed, and complaints that name the line and never the secret."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from primeta.config import DeliveryConfig, parse_config
from primeta.errors import BadConfig


def parsed(section: str) -> dict[str, DeliveryConfig]:
    return parse_config(f'[workspace]\nname = "K"\n\n{section}\n', Path("primeta.toml")).delivery


def test_a_channel_with_all_its_keys():
    found = parsed(
        '[delivery.team]\nto = "tgram://${TOKEN}/-100"\nlanguage = "ru"\nwhat = ["digest"]\n'
        'every = "week"\non = "friday"\nat = "18:30"'
    )
    assert found["team"] == DeliveryConfig(
        name="team", to="tgram://${TOKEN}/-100", language="ru", what=("digest",), on="friday", at=time(18, 30)
    )


def test_what_is_left_out_is_monday_nine_and_everything():
    (team,) = parsed('[delivery.team]\nto = "json://127.0.0.1/hook"').values()
    assert (team.what, team.every, team.on, team.at) == (("digest", "reviews"), "week", "monday", time(9))


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        ('what = ["digest"]', 4, "is missing"),
        ('to = "json://127.0.0.1"\nhow = "x"', 6, "this key is not known"),
        ('to = "json://127.0.0.1"\nevery = "month"', 6, "one of day, weekday, week"),
        ('to = "json://127.0.0.1"\nevery = "day"\non = "monday"', 7, 'goes with every = "week"'),
        ('to = "json://127.0.0.1"\non = "someday"', 6, "one of monday"),
        ('to = "json://127.0.0.1"\nat = "25:00"', 6, 'an hour such as "09:00"'),
        ('to = "json://127.0.0.1"\nwhat = []', 6, "sends nothing"),
        ('to = "json://127.0.0.1"\nwhat = ["news"]', 6, "one of digest, reviews"),
        ('to = "json://127.0.0.1"\nlanguage = "de"', 6, "one of en, ru"),
        ('to = "somebody"', 5, "an address such as"),
        ('to = "tgram://${/5"', 5, "is not closed"),
        ('to = "tgram://${a b}/5"', 5, "of the environment"),
    ],
)
def test_a_wrong_key_is_named_with_its_line(lines: str, line: int, said: str):
    with pytest.raises(BadConfig, match=rf"line {line}: \[delivery.team\].*{said}"):
        parsed(f"[delivery.team]\n{lines}")


@pytest.mark.parametrize(
    "to",
    [
        "mailto://anna:hunter2pass@example.com",
        "tgram://123:hunter2pass/5",
        "slack://T1/B1/hunter2pass",
        "mailto://example.com?user=anna&pass=hunter2pass",
        "discord://1/hunter2pass",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(to: str):
    with pytest.raises(BadConfig, match=r"\$\{NAME\}") as refused:
        parsed(f'[delivery.team]\nto = "{to}"')
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "to",
    [
        "${ALL}",
        "${file:secrets/team.url}",
        "mailto://${U}:${P}@example.com",
        "mailto://relay.example?to=a@example.com",
    ],
)
def test_addresses_without_a_secret_are_taken(to: str):
    assert parsed(f'[delivery.team]\nto = "{to}"')["team"].to == to
