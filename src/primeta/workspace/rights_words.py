"""Words of rights: receipts of erasures, dossiers, retention."""

from __future__ import annotations

from primeta.show.locale import Language

WORDS: dict[str, dict[str, str]] = {
    # Receipt
    "receipt": {"en": "Receipt of an erasure", "ru": "Квитанция об удалении данных"},
    "receipt.number": {"en": "Receipt", "ru": "Квитанция"},
    "receipt.request": {"en": "Request", "ru": "Обращение"},
    "receipt.at": {"en": "Erased on", "ru": "Данные удалены"},
    "receipt.by": {"en": "Erased by", "ru": "Кто удалил"},
    "receipt.reason": {"en": "Why", "ru": "Основание"},
    "receipt.workspace": {"en": "Workspace", "ru": "Рабочее пространство"},
    "receipt.emptied": {"en": "What was emptied in the ledger", "ru": "Что стёрто в журнале"},
    "receipt.rows": {"en": "What was deleted from the state", "ru": "Что удалено из базы"},
    "receipt.copies": {"en": "What left copies and files", "ru": "Что убрано из копий и файлов"},
    "receipt.kept": {"en": "What was kept, and on what ground", "ru": "Что сохранено и на каком основании"},
    "receipt.elsewhere": {
        "en": "What you still have to delete in your own tables and files",
        "ru": "Что осталось удалить в ваших таблицах и файлах",
    },
    "receipt.nothing": {"en": "Nothing was held.", "ru": "Ничего не хранилось."},
    "receipt.digest": {"en": "Known from now on only as", "ru": "Отпечаток вместо номера клиента"},
    "receipt.chain": {"en": "Chain after entry {number}", "ru": "Цепочка после записи № {number}"},
    "receipt.seal": {"en": "Seal of this receipt", "ru": "Печать этой квитанции"},
    "receipt.verify": {
        "en": "Check it: primeta attention verify DIR --receipt FILE",
        "ru": "Проверить: primeta attention verify DIR --receipt FILE",
    },
    "receipt.line": {
        "en": "Erased: {entries} entries of the ledger emptied, {rows} rows and places deleted, {copies} rows gone from "
        "copies and files. Receipt {file}.",
        "ru": "Удалено: стёрто записей журнала — {entries}, строк и упоминаний в базе — {rows}, строк в копиях и файлах — "
        "{copies}. Квитанция {file}.",
    },
    "receipt.left": {
        "en": "Still to be deleted by you: {rows} rows in your own tables; the receipt names them.",
        "ru": "Осталось удалить вам: строк в ваших таблицах — {rows}; где они, сказано в квитанции.",
    },
    "receipt.resumed": {
        "en": "An erasure that had been broken off was finished.",
        "ru": "Закончено удаление, которое раньше прервалось.",
    },
    "preview": {
        "en": "Would be erased: {entries} entries of the ledger, {rows} rows of the state, {copies} rows of copies and "
        "files. Nothing has been erased: add --yes.",
        "ru": "Будет удалено: записей журнала — {entries}, строк в базе — {rows}, строк в копиях и файлах — {copies}. Пока "
        "ничего не удалено: добавьте --yes.",
    },
    "rows": {"en": "{rows} rows", "ru": "строк: {rows}"},
    # Grounds
    "ground.claims": {
        "en": "proof that consent was given and withdrawn, against claims (GDPR art. 7(1), 17(3)(e); 152-FZ art. 9(3))",
        "ru": "подтверждение, что согласие было дано и отозвано, на случай споров (152-ФЗ, ч. 3 ст. 9; GDPR, ст. 7(1), "
        "17(3)(e))",
    },
    "ground.objection": {
        "en": "so that nobody writes to this person again (GDPR art. 21(3); 152-FZ art. 15(2)); a keyed digest from which "
        "nobody without the workspace's secret gets back to the person",
        "ru": "чтобы этому человеку больше не писали (152-ФЗ, ч. 2 ст. 15; GDPR, ст. 21(3)); отпечаток с ключом, по "
        "которому без секрета рабочего пространства человека не узнать",
    },
    "ground.chain": {
        "en": "numbers, kinds and times of emptied entries, so that the ledger can be checked (GDPR art. 5(2)); they say "
        "nothing about whom",
        "ru": "номера, виды и время стёртых записей, чтобы журнал можно было проверить (GDPR, ст. 5(2)); о ком они, не "
        "сказано",
    },
    "ground.asked": {
        "en": "kept because whoever erased asked for it; have a lawyer confirm the ground",
        "ru": "оставлено по решению того, кто удалял; основание пусть подтвердит юрист",
    },
    "kept.digest": {"en": "digest of the id", "ru": "отпечаток номера клиента"},
    "kept.chain": {"en": "frame of emptied entries", "ru": "каркас стёртых записей"},
    "elsewhere.note": {
        "en": "Primeta reads these and does not write to them. Orders may have to be kept for accounting (GDPR art. "
        "17(3)(b); 402-FZ art. 29): ask your lawyer. Backups are yours too.",
        "ru": "Примета их только читает. Заказы, возможно, придётся хранить для бухгалтерии (402-ФЗ, ст. 29; GDPR, ст. "
        "17(3)(b)): спросите юриста. Резервные копии — тоже ваши.",
    },
    "recorded.erased": {
        "en": "{erased} were about customers who were erased: they were not written.",
        "ru": "О клиентах, чьи данные удалены: {erased}; это не внесено.",
    },
    # Whether a receipt holds
    "verified": {
        "en": "The receipt holds: entry {number} is in the ledger, its chain is the one written down, what it names is "
        "empty.",
        "ru": "Квитанция верна: запись № {number} есть в журнале, цепочка совпадает, названное в ней стёрто.",
    },
    "refuted": {"en": "The receipt does not hold: {faults}.", "ru": "Квитанция не подтверждается: {faults}."},
    "fault.seal": {"en": "it was changed after it was written", "ru": "её изменили после выдачи"},
    "fault.entry": {
        "en": "the ledger holds no such erasure under that number",
        "ru": "такого удаления под этим номером в журнале нет",
    },
    "fault.chain": {"en": "the chain there is another", "ru": "цепочка на этом месте другая"},
    "fault.counts": {
        "en": "the numbers of emptied entries differ",
        "ru": "число стёртых записей не сходится",
    },
    "fault.not-empty": {
        "en": "entries that it names are not empty",
        "ru": "названные в ней записи не пусты",
    },
    "fault.digest": {"en": "the digest is another", "ru": "отпечаток другой"},
    "fault.unfinished": {
        "en": "the erasure was broken off; run it again",
        "ru": "удаление не закончено; запустите его ещё раз",
    },
    "retained.none": {
        "en": "No class has a span under [attention.retention]: everything is kept.",
        "ru": "В разделе [attention.retention] сроков нет: хранится всё.",
    },
    "retained.would": {
        "en": "{count} would go. Nothing was changed.",
        "ru": "Будет стёрто: {count}. Пока ничего не изменено.",
    },
    "retained.done": {"en": "{count} went.", "ru": "Стёрто: {count}."},
    "retained.what": {"en": "What", "ru": "Что"},
    "retained.span": {"en": "Kept", "ru": "Срок"},
    "retained.days": {"en": "{days} days", "ru": "{days} дн."},
    "retained.went": {"en": "Went", "ru": "Стёрто"},
    "retained.goes": {"en": "Would go", "ru": "Будет стёрто"},
    "fault.customer": {"en": "it is of another customer", "ru": "она о другом клиенте"},
}
NAMES: dict[str, dict[str, str]] = {
    # Kinds of entries
    "notice": {"en": "texts shown", "ru": "показанные тексты"},
    "consent": {"en": "consents and refusals", "ru": "согласия и отказы"},
    "preference": {"en": "preferences", "ru": "предпочтения"},
    "promise": {"en": "promises made to this person", "ru": "личные обещания"},
    "wish": {"en": "wishes found in messages", "ru": "пожелания из обращений"},
    "wish-confirmed": {"en": "what people decided about wishes", "ru": "решения по пожеланиям"},
    "decision": {"en": "decisions whether to write", "ru": "решения, писать ли"},
    "touch": {"en": "messages sent", "ru": "отправленные сообщения"},
    "reaction": {"en": "reactions to messages", "ru": "реакции на сообщения"},
    "kept": {"en": "promises kept", "ru": "выполненные обещания"},
    "broken": {"en": "promises broken", "ru": "нарушенные обещания"},
    "suppressed": {"en": "bans on writing", "ru": "запреты писать"},
    "erased": {"en": "erasures", "ru": "удаления"},
    "access": {"en": "dossiers handed out", "ru": "выданные досье"},
    "voice": {"en": "texts of tickets, reviews, interviews", "ru": "тексты обращений, отзывов, интервью"},
    "reservation": {"en": "places held for messages", "ru": "места, занятые под сообщения"},
    "mark": {"en": "reviewers' marks", "ru": "оценки рецензентов"},
    # Tables
    "documents": {"en": "tickets, reviews, interviews", "ru": "обращения, отзывы, интервью"},
    "document_marks": {"en": "marks on them", "ru": "пометки к ним"},
    "topic_documents": {"en": "places in topics", "ru": "места в темах"},
    "reservations": {"en": "places held for messages", "ru": "места, занятые под сообщения"},
    "touch_marks": {"en": "reviewers' marks", "ru": "оценки рецензентов"},
    "topics": {"en": "quotes in topics", "ru": "цитаты в темах"},
    "signals": {"en": "places in signals", "ru": "упоминания в сигналах"},
    "notes": {"en": "places in notes", "ru": "упоминания в заметках"},
    "cards": {"en": "places in trend cards", "ru": "упоминания в карточках трендов"},
    "trends": {"en": "places in trends", "ru": "упоминания в трендах"},
    "events": {"en": "places in histories of trends", "ru": "упоминания в истории трендов"},
    "jobs": {"en": "places in results of jobs", "ru": "упоминания в результатах заданий"},
    "audit": {"en": "places in the audit", "ru": "упоминания в журнале действий"},
    "customers": {"en": "profile", "ru": "профиль"},
    "orders": {"en": "orders", "ru": "заказы"},
    "order_lines": {"en": "order lines", "ru": "строки заказов"},
    "messages": {"en": "messages", "ru": "сообщения"},
    "reactions": {"en": "reactions", "ru": "реакции"},
    "visits": {"en": "visits", "ru": "визиты"},
    "voices": {"en": "tickets, reviews, answers", "ru": "обращения, отзывы, ответы"},
    "identities": {"en": "identities", "ru": "идентификаторы"},
    "consents": {"en": "consents", "ru": "согласия"},
    "assignments": {"en": "arms of experiments", "ru": "ветки экспериментов"},
    "experiments": {"en": "who entered experiments", "ru": "участники экспериментов"},
    "interviews": {"en": "lists of interviews", "ru": "списки интервью"},
    "raw": {"en": "files as sources brought them", "ru": "исходные файлы источников"},
}


def tell(lang: Language | str, code: str, **values: object) -> str:
    """The words of a code."""
    return WORDS[code]["ru" if lang == "ru" else "en"].format(**values)


def name_of(lang: Language | str, code: str) -> str:
    """What a kind of entry or a table is called; one that has no words keeps its name."""
    return NAMES.get(code, {}).get("ru" if lang == "ru" else "en", code)
