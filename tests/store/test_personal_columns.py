"""Every place of the state that may hold something about a customer is known, and he is found and taken out of each."""

from __future__ import annotations

from primeta.store.personal import CLASSES, columns_of_letters, person_of, without_person

IVAN = person_of(["ivan-4711", "7", "C-7F3K-9Q2M-XD4T"], ["The kettle came broken, call me please"])


def test_every_column_of_letters_says_whether_it_can_hold_a_customer():
    there = set(columns_of_letters())
    assert there - CLASSES.keys() == set(), "say in store/personal.py what these new columns may hold"
    assert CLASSES.keys() - there == set(), "these columns are gone: take them out of store/personal.py"


def test_entries_of_lists_that_name_or_quote_him_go_and_others_stay():
    told = {
        "quotes": [
            {"text": "The kettle came broken", "by": "x"},
            {"text": "The kettle came broken twice, so I left"},
        ],
        "called": [{"customer_id": "7"}, {"customer_id": "8"}],
        "names": ["ivan-4711", "ivan-47112"],
    }
    assert without_person(told, IVAN) == (
        {
            "quotes": [{"text": "The kettle came broken twice, so I left"}],
            "called": [{"customer_id": "8"}],
            "names": ["ivan-47112"],
        },
        3,
    )


def test_a_short_id_is_his_only_where_an_id_stands():
    assert without_person({"count": "7", "slice": "7", "customer": "7"}, IVAN) == (
        {"count": "7", "slice": "7", "customer": ""},
        1,
    )


def test_words_of_a_theme_are_no_quote_of_him():
    terms = {"terms": ["kettle", "came broken"], "title": "The kettle"}
    assert without_person(terms, IVAN) == (terms, 0)


def test_his_id_in_the_middle_of_a_text_goes_and_a_longer_id_stays():
    assert without_person("ask ivan-4711, not ivan-47110 or x.ivan-4711", IVAN) == (
        "ask …, not ivan-47110 or x.ivan-4711",
        1,
    )
