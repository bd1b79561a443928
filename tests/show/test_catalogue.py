"""Every sentence has its Russian; every code that a record can carry has words."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from primeta.show.locale import QUARTERS
from primeta.show.messages import catalogue, count, say, t, word
from primeta.show.words import COUNTED, SENTENCES, WORDS
from primeta.signals.signal import GRADES, ORIGINS
from primeta.trends.records import ANSWERS, CARD_FIELDS, DECOMPOSITION, FILTERS, TREND_TYPES

SOURCE = Path(__file__).parents[2] / "src" / "primeta"
PO = SOURCE / "show" / "catalogues" / "ru" / "LC_MESSAGES" / "messages.po"
# Where the message stands among the arguments of each call.
KEYWORDS = {"say": (2,), "count": (2, 3), "_": None, "_n": (1, 2), "N_": None, "NN_": (2, 3)}
METHODS = [("web/templates/**.html", "jinja2"), ("**.py", "python")]
# Words that are the same in Russian, and names.
SAME = {"ARPU", "{slice:slice}", "{name}, {week:period}"}


@lru_cache(maxsize=1)
def used() -> dict[str, str | tuple[str, str]]:
    """Every message of the source: its id → the message, or singular and plural."""
    found: dict[str, str | tuple[str, str]] = {}
    for _, _, message, _, _ in extract_from_dir(SOURCE, method_map=METHODS, keywords=KEYWORDS):
        parts = message if isinstance(message, tuple) else (message,)
        if all(parts):
            found[parts[0]] = (parts[0], parts[1]) if len(parts) > 1 else parts[0]
    return found


@lru_cache(maxsize=1)
def russian() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file, locale="ru")


def names(message: str) -> set[str]:
    """The figures of a message with their kinds."""
    return {f"{name}:{kind}" if kind else name for _, name, kind, _ in Formatter().parse(message) if name}


def test_the_source_has_hundreds_of_messages():
    assert len(used()) > 400


def test_every_message_has_its_russian():
    missing = [key for key in used() if not (entry := russian().get(key)) or not entry.string]
    assert missing == []


def test_no_message_hides_from_the_extraction():
    """Babel loses a message whose figures are calls of calls; the tree of the source does not."""
    at = {"_": 0, "_n": 0, "say": 1, "count": 1, "N_": 0}
    calls = [
        (call, call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", ""))
        for path in SOURCE.rglob("*.py")
        if re.search(r"\b(?:_|_n|say|count|N_)\(", text := path.read_text())
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call)
    ]
    messages = [call.args[at[name]] for call, name in calls if name in at and len(call.args) > at[name]]
    told = {one.value for one in messages if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    assert len(told) > 400
    assert [key for key in told if not (entry := russian().get(key)) or not entry.string] == []


def test_no_translation_is_only_guessed():
    assert [entry.id for entry in russian() if entry.id and entry.fuzzy] == []


def test_counted_messages_have_all_three_russian_forms():
    for key, message in used().items():
        if isinstance(message, tuple):
            entry = russian().get(key)
            assert entry is not None
            assert len(entry.string) == 3, key
            assert all(entry.string), key


def test_russian_is_written_in_cyrillic():
    for entry in russian():
        for text in entry.string if isinstance(entry.string, tuple) else (entry.string,):
            if entry.id and entry.id not in SAME:
                assert re.search("[а-яё]", text, re.IGNORECASE) or not re.search(
                    "[a-z]", re.sub(r"\{[^}]*\}", "", text), re.IGNORECASE
                ), entry.id


def test_a_translation_uses_the_figures_of_its_message_and_no_others():
    for key, message in used().items():
        entry = russian().get(key)
        assert entry is not None
        allowed = {
            part.partition(":")[0]
            for text in (message if isinstance(message, tuple) else (message,))
            for part in names(text)
        }
        for text in entry.string if isinstance(entry.string, tuple) else (entry.string,):
            got = {part.partition(":")[0] for part in names(text)}
            assert got <= allowed, key
            if not isinstance(message, tuple):
                assert got == allowed, key


@pytest.mark.parametrize(
    ("n", "expected"),
    # Russian plural forms: 1, 21 → one; 2–4, 22 → few; 0, 5–20, 11, 111 → many (CLDR)
    [
        (1, "1 день"),
        (21, "21 день"),
        (2, "2 дня"),
        (4, "4 дня"),
        (5, "5 дней"),
        (11, "11 дней"),
        (111, "111 дней"),
        (22, "22 дня"),
        (0, "0 дней"),
    ],
)
def test_russian_plural_forms(n, expected):
    assert expected in count("ru", "{n} day late", "{n} days late", n)


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_small_numbers_are_spelled_in_their_gender(lang):
    told = [count(lang, "{n:o} decision waits", "{n:o} decisions wait", n) for n in (1, 2, 12)]
    assert (
        told
        == {
            "en": ["one decision waits", "two decisions wait", "12 decisions wait"],
            "ru": ["одно решение ждёт", "два решения ждут", "12 решений ждут"],
        }[lang]
    )
    reviews = count(lang, "{n:f} review is overdue", "{n:f} reviews are overdue", 2)
    assert reviews == {"en": "two reviews are overdue", "ru": "две оценки просрочены"}[lang]


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_figures_are_written_by_the_language(lang):
    told = t(lang, "economic-money", p10=-2.1e6, p50=11.4e6, p90=24.8e6, currency="RUB")
    assert (
        told.replace("\u00a0", " ")
        == {
            "en": "+₽11.4m a year, from −₽2.10m to +₽24.8m",
            "ru": "+11,4 млн ₽ в год, от −2,10 млн ₽ до +24,8 млн ₽",
        }[lang]
    )


def test_names_of_metrics_come_from_outside():
    figures = {"touched": 1, "goals": 3, "names": ["churn", "own_metric"], "labels": {"churn": "Отток"}}
    assert t("ru", "relevance-goals", **figures) == "1 из 3 целей года: Отток и own metric"


def test_an_unknown_code_is_shown_as_it_is_and_a_missing_figure_breaks_nothing():
    assert t("ru", "no-such-code") == "no-such-code"
    assert word("en", "no-such-code") == "no-such-code"
    assert say("en", "Facts seen until {at}.") == "Facts seen until {at}."


def test_closed_lists_have_words_in_both_languages():
    codes = [*GRADES, *ORIGINS, *TREND_TYPES, *ANSWERS, *FILTERS]
    codes += [f"field.{name}" for name in CARD_FIELDS] + [f"part.{name}" for name in DECOMPOSITION]
    codes += [f"choose.{answer}" for answer in ANSWERS] + [f"hint.{answer}" for answer in ANSWERS]
    codes += [f"sector.{name}" for name in TREND_TYPES]
    for code in codes:
        assert code in WORDS, code
        assert catalogue("ru").gettext(WORDS[code]) != WORDS[code]
    assert len(QUARTERS["ru"]) == 4


CODE = re.compile(r"[a-z]+(?:[-_][a-z]+)+")


def codes_of(path: Path, *calls: str) -> set[str]:
    """Literal codes in the returns and in the named calls of a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Return) and node.value is not None:
            scopes: list[ast.AST] = [node.value]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in calls:
            scopes = [node]
        elif (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0])
            in (
                "why",
                "code",
                "why_not",
                "told",
            )
        ) or (isinstance(node, ast.keyword) and node.arg in ("reason", "why_not", "note", "facts_problem")):
            scopes = [node.value]
        else:
            continue
        for scope in scopes:
            for part in ast.walk(scope):
                if (
                    isinstance(part, ast.Constant)
                    and isinstance(part.value, str)
                    and CODE.fullmatch(part.value)
                ):
                    found.add(part.value)
    return found


@pytest.mark.parametrize(
    ("module", "calls", "not_codes"),
    [
        ("trends/evidence.py", (), set()),
        ("trends/weigh.py", ("_unknown",), set()),
        ("trends/stories.py", ("append",), set()),
        ("trends/ground.py", (), set()),
        ("signals/grades.py", (), set()),
        ("workspace/overview.py", (), {"retention_30"}),
    ],
)
def test_every_code_that_a_record_can_carry_has_words(module, calls, not_codes):
    codes = codes_of(SOURCE / module, *calls) - not_codes
    known = WORDS.keys() | SENTENCES.keys() | COUNTED.keys()
    assert sorted(codes - known) == []


def test_the_reasons_of_a_grade_are_among_the_codes_found():
    # The search above must see what it is for: these stand in signals/grades.py and trends/weigh.py.
    assert {"passed_yearly_level", "one_origin", "went_back"} <= codes_of(SOURCE / "signals/grades.py")
    assert {"relevance-none", "horizon-quick", "compliance-no-consents"} <= codes_of(
        SOURCE / "trends/weigh.py", "_unknown"
    )
