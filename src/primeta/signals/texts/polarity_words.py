"""Words that turn a sentence round: opposites, negations, marks of what is possible, planned or claimed."""

# Lists of words are easier to read, and to add to, as a text.
# ruff: noqa: SIM905

from __future__ import annotations

from functools import cache

# name: (one side, the other side); usual forms of both languages.
OPPOSITES: dict[str, tuple[str, str]] = {
    "more": (
        "расти вырасти рост возрасти увеличиться увеличиваться увеличить увеличивать увеличение повысить повышать "
        "повыситься повышаться повышение поднять поднимать подняться подниматься подскочить взлететь прирост подорожать "
        "дорожать вверх прибавить нарастать укрепиться расширить расширять наращивать "
        "rise grow growth increase up jump climb soar surge gain raise hike higher boost expand strengthen uptick",
        "падать упасть падение снизиться снижаться снизить снижать снижение сократиться сокращаться сократить сокращать "
        "сокращение уменьшиться уменьшаться уменьшить понизить понижать понизиться опуститься рухнуть обвалиться "
        "просесть подешеветь дешеветь вниз убавить спад ослабнуть урезать "
        "fall drop decline decrease down tumble plunge sink cut lower shrink slump reduce reduction dip slide weaken "
        "downturn slash",
    ),
    "often": ("частый чаще frequent often frequently", "редкий реже rare rarely seldom"),
    "amount": ("больше more most", "меньше less fewer least"),
    "allow": (
        "разрешить разрешать разрешение позволить позволять можно легализовать легализация разблокировать "
        "allow permit legalise legalize unblock legal",
        "запретить запрещать запрет нельзя заблокировать блокировать запрещённый запрещенный "
        "ban prohibit forbid forbade block outlaw illegal",
    ),
    "accept": (
        "одобрить одобрять одобрение утвердить принять поддержать удовлетворить согласиться "
        "approve approval uphold accept agree adopt back",
        "отклонить отклонять отвергнуть отказать отказ reject dismiss veto refuse decline",
    ),
    "confirm": (
        "подтвердить подтверждать подтверждение признать confirm confirmation admit acknowledge",
        "опровергнуть опровергать опровержение отрицать deny denial refute disprove",
    ),
    "work": (
        "работать заработать сработать починить исправить исправный восстановить восстановиться работоспособный "
        "work fix repair restore function",
        "сломаться сломать сломанный поломаться ломаться неисправный зависать глючить fail failure break broken crash malfunction",
    ),
    "start": (
        "открыть открывать открываться открыться открытие запустить запускать запуск запуститься начать начинать "
        "начаться начинаться ввести вводить введение включить включать стартовать возобновить возобновление вернуть возвращать "
        "open launch start introduce begin resume activate enable on reopen",
        "закрыть закрывать закрываться закрыться закрытие отменить отменять отмена прекратить прекращать прекратиться "
        "перестать отключить отключать свернуть остановить останавливать выключить приостановить приостановка "
        "close shut cancel scrap end stop discontinue disable off suspend halt closure abolish axe pause",
    ),
    "hire": (
        "нанимать нанять набирать hire recruit",
        "увольнять уволить сокращённый fire dismiss layoff sack",
    ),
    "good": (
        "положительный позитивный хороший отличный довольный доволен прекрасный нравиться понравиться любить "
        "положительно хвалить похвалить "
        "positive good great excellent happy like love pleased satisfied satisfy praise",
        "отрицательный негативный плохой ужасный недовольный недоволен отрицательно ненавидеть ругать критиковать "
        "negative bad terrible awful unhappy dislike hate dissatisfied disappointed poor criticise criticize",
    ),
    "better": (
        "улучшиться улучшить улучшаться улучшение улучшать improve better improvement",
        "ухудшиться ухудшить ухудшаться ухудшение ухудшать worsen worse deteriorate",
    ),
    "fast": (
        "быстрый быстро быстрее ускорить ускориться ускорение fast faster quick quicker accelerate quickly",
        "медленный медленно медленнее замедлить замедлиться замедление slow slower slowly",
    ),
    "price": (
        "дорогой дорого expensive pricey costly expensively",
        "дешёвый дешевый дешево дешевле cheap cheaper",
    ),
    "win": (
        "выиграть выигрывать победить победа выигрыш win victory",
        "проиграть проигрывать поражение lose defeat",
    ),
    "profit": ("прибыль прибыльный profit profitable", "убыток убыточный loss unprofitable"),
    "strict": (
        "ужесточить ужесточать ужесточение ужесточиться tighten tighter toughen stricter",
        "смягчить смягчать смягчение послабление relax ease loosen looser",
    ),
    "late": ("после позже позднее after later", "до раньше перед ранее before earlier"),
    "trade": ("купить покупать приобрести buy purchase acquire", "продать продавать sell"),
    "side": ("продавец seller vendor merchant", "покупатель buyer shopper customer"),
    "always": (
        "все всё всегда каждый весь everyone everybody all always every",
        "никто ничто никогда nobody none never noone",
    ),
    "border": ("экспорт вывоз экспортировать export", "импорт ввоз импортировать import"),
    "member": ("вступить присоединиться join enter", "покинуть выйти уйти leave quit exit"),
    "guilt": ("виновный осудить осуждённый convict guilty", "невиновный оправдать acquit innocent"),
    "arrest": ("арестовать задержать арест arrest detain jail", "освободить отпустить release free"),
    "alive": ("выжить спастись survive", "погибнуть умереть скончаться die"),
    "success": (
        "успех успешный успешно удаться success successful successfully succeed",
        "провал неудача неудачный провалиться flop unsuccessful unsuccessfully",
    ),
    "paid": ("платный paid", "бесплатный бесплатно free"),
    "truth": ("правда достоверный настоящий true real genuine", "ложь фейк фейковый ложный false fake"),
    "duty": ("обязательный обязанный обязать mandatory compulsory obligatory", "добровольный voluntary optional"),
    "strong": ("сильный strong", "слабый weak"),
    "place": ("онлайн online", "офлайн оффлайн offline"),
    "enough": ("дефицит нехватка shortage deficit", "избыток профицит surplus glut"),
    "age": ("новый new", "старый прежний old former"),
    "many": ("много большинство most many majority", "мало меньшинство few minority"),
    "keep": ("остаться сохранить оставить сохранять keep retain remain", "убрать удалить лишить remove delete"),
    "extreme": ("максимальный максимум maximum max highest", "минимальный минимум minimum min lowest"),
    "add": ("добавить добавлять add", "убрать удалить remove"),
    "join": ("объединить объединиться слияние merge merger", "разделить разделиться раскол split"),
    "subscribe": ("подписаться подписываться подписка subscribe", "отписаться отписываться отписка unsubscribe"),
}  # fmt: skip

MODAL = frozenset(
    "может могут мог могла могли могло можем можешь смогут сможет возможно возможный возможность планировать план "
    "собираться намереваться намеренный намерен намерена намерены намерено хотеть захотеть обещать пообещать предложить предлагать предложение "
    "рассматривать рассмотреть якобы если бы готовиться готовый готов вероятно вероятный обсуждать "
    "призвать потребовать требовать угрожать пригрозить допустить слух предположительно задуматься ли прогнозировать "
    "попросить проект разрабатывать подумывать грозить пора должен "
    "may might could would plan intend consider promise propose proposal allegedly reportedly if want "
    "possibly possible perhaps threaten mull should urge rumour rumor ought weigh hope seek eye suggest "
    "potentially supposedly unconfirmed".split()
)
"""What is said is not said to be so: it may be, is planned, promised, proposed, demanded or rumoured."""

NOT_RU = frozenset("не ни нет без отсутствовать отсутствие".split())
NOT_EN = frozenset("not no never without hardly barely scarcely neither nor cannot nobody none".split())
STOPS_WHAT_FOLLOWS = frozenset(
    "перестать прекратить перестал отказаться отказываться стесняться бросить запретить stop fail refuse cease quit".split()
)
"""A verb after them is not done: «перестал присылать», "failed to fix"."""

FEATHERS = frozenset(
    "будет будут буду будем был была было были является являются только просто даже уже еще ещё так и ли же быть больше очень всегда совсем вполне yet just even be been being have "
    "has had to really fully quite very any all a an the it they he she we you i longer been also still do does did was "
    "were is are".split()
)
"""Words that stand between a negation and what it denies."""


@cache
def opposites() -> dict[str, tuple[tuple[str, int], ...]]:
    """Usual form → its pairs of opposites with the side, +1 or −1."""
    found: dict[str, list[tuple[str, int]]] = {}
    for name, sides in OPPOSITES.items():
        for sign, side in zip((1, -1), sides, strict=True):
            for word in side.replace("ё", "е").split():
                entry = (name, sign)
                if entry not in found.setdefault(word, []):
                    found[word].append(entry)
    return {word: tuple(entries) for word, entries in found.items()}
