"""Every trouble of fetching can be told in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import primeta.sources.fetching.client as client
from primeta.sources.fetching.words import WORDS, explain
from primeta.sources.records import Trouble


def test_every_code_that_fetching_emits_has_words() -> None:
    folder = Path(client.__file__).parent
    code = "".join(path.read_text("utf-8") for path in folder.glob("*.py") if path.name != "words.py")
    emitted = set(re.findall(r'stop\(\s*"([a-z-]+)"', code)) | {"forbidden", "not-found", "gone", "busy"}
    emitted |= {"server-error", "bad-answer"}
    assert emitted <= set(WORDS)
    for words in WORDS.values():
        assert words.keys() == {"en", "ru"}


@pytest.mark.parametrize(
    ("trouble", "ru"),
    [
        (
            Trouble(
                code="refused-address", values={"host": "a.ru", "address": "10.0.0.1", "reason": "house"}
            ),
            "a.ru ведёт во внутреннюю сеть (10.0.0.1), поэтому мы туда не пошли. Если так и задумано, добавьте a.ru в "
            "`allow` этого источника.",
        ),
        (
            Trouble(code="too-large", values={"what": "content", "limit": 20 * 2**20}),
            "Ответ больше 20 МБ, мы его не читали.",
        ),
        (Trouble(code="too-slow", values={"seconds": 0.3}), "Ответ шёл дольше 0,3 с, и мы перестали ждать."),
        (
            Trouble(code="bad-answer", values={"host": "a.ru", "status": 418}),
            "a.ru ответил неожиданным кодом 418.",
        ),
        (Trouble(code="no-date"), ""),
    ],
)
def test_a_trouble_reads_as_a_sentence(trouble: Trouble, ru: str) -> None:
    assert explain(trouble, "ru") == ru
    assert bool(explain(trouble, "en")) == bool(ru)


def test_braces_that_a_server_sends_stay_what_they_are() -> None:
    trouble = Trouble(code="certificate", values={"host": "{0}", "reason": "{why!r}"})
    assert "{0}" in explain(trouble, "en")
