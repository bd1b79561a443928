"""Words of the simulated press, channels and customers: the everyday ones, and those of what is planted."""

# Lists of words are easier to read, and to add to, as a text.
# ruff: noqa: SIM905

from __future__ import annotations

from collections.abc import Mapping

EVERYDAY: Mapping[str, tuple[str, ...]] = {
    "en": tuple(
        "shelf queue parking cashier trolley bakery cheese tomato salmon freezer label barcode supplier warehouse truck "
        "pallet forklift courier locker doorstep delivery driver route fuel electricity rent lease landlord mall corridor "
        "window display mannequin lighting music playlist uniform badge shift overtime training manager recruiter intern "
        "payroll accounting invoice tax audit insurance refund receipt complaint hotline chatbot website checkout banner "
        "landing campaign slogan billboard radio podcast magazine influencer photographer studio logo packaging carton "
        "bottle glass paper recycling compost solar battery charger scooter bicycle pedestrian suburb village harbour "
        "airport hotel restaurant breakfast lunch coffee tea juice water chocolate biscuit cereal rice pasta olive garlic "
        "onion pepper salt vinegar honey yoghurt butter egg chicken beef pork turkey sausage seafood vegetable fruit "
        "apple banana orange lemon berry nut seed flour sugar detergent soap shampoo towel candle toy book notebook "
        "pencil school holiday weekend weather rain snow summer winter stock budget forecast survey panel index bank "
        "loan currency export import port customs tariff merger founder startup investor patent sensor camera scanner "
        "printer tablet server cloud database software update bug outage security password".split()
    ),
    "ru": tuple(
        "полка очередь парковка кассир тележка пекарня сыр помидор лосось морозилка этикетка штрихкод поставщик склад "
        "грузовик паллета погрузчик курьер постамат порог доставка водитель маршрут топливо электричество аренда "
        "собственник коридор витрина манекен освещение музыка форма смена переработка обучение управляющий стажёр зарплата "
        "бухгалтерия счёт налог аудит страховка возврат жалоба бот оформление баннер кампания лозунг щит радио подкаст "
        "журнал блогер фотограф студия логотип упаковка коробка бутылка стекло бумага переработка батарея зарядка самокат "
        "велосипед пешеход пригород посёлок порт аэропорт гостиница ресторан завтрак обед кофе чай сок вода шоколад печенье "
        "каша рис макароны оливка чеснок лук перец соль уксус мёд йогурт масло яйцо курица говядина свинина индейка колбаса "
        "овощ фрукт яблоко банан апельсин лимон ягода орех мука сахар порошок мыло шампунь полотенце свеча игрушка книга "
        "тетрадь карандаш школа праздник погода дождь снег лето зима запас бюджет прогноз опрос индекс банк кредит валюта "
        "экспорт импорт таможня тариф слияние основатель инвестор патент датчик камера сканер принтер планшет сервер облако "
        "обновление ошибка сбой безопасность пароль".split()
    ),
}

FRAMES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "{a} and {b}: what {name} learnt in {n} days",
        "{name} tries another {a}, {b} follows",
        "Why {a} matters more than {b}",
        "{n} notes on {a}, {b} and {c}",
        "From {a} to {b}: a visit to {name}",
        "The week in short: {a}, {b}, {c}",
    ),
    "ru": (
        "{a} и {b}: чему научились в {name} за {n} дней",
        "Разбор: {a}, {b}, {c}",
        "{name}: {a} вместо темы «{b}»",
        "{n} заметок на тему «{a}»",
        "Коротко о неделе: {a}, {b}, {c}",
        "Вопрос читателя: {a} или {b}?",
    ),
}

BODIES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "We spoke with {name} about {a}, {b} and {c}.",
        "The {a} was late by {n} days, the {b} was not.",
        "In {name} the {a} stands beside the {b}, and nobody minds the {c}.",
        "Readers ask about {a}; our answer was {b}.",
        "It took {n} people, one {a} and a {b}.",
    ),
    "ru": (
        "Говорили с {name}: {a}, {b}, {c}.",
        "В {name} посчитали за {n} дней: {a} и {b}.",
        "Читатели спрашивают про темы «{a}» и «{b}», отвечаем в выпуске.",
        "Рядом стоят {a} и {b}, а {c} подождёт.",
        "Понадобилось {n} человек, {a} и {b}.",
    ),
}

SAYINGS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "The {a} was missing, I waited {n} minutes for the {b}.",
        "Good {a}, bad {b}.",
        "Where is my {a}? Ordered with {b} and {c}.",
        "Please change the {a} in my order, the {b} is fine.",
        "Thank you for the {a}, my family likes the {b} too.",
    ),
    "ru": (
        "Не приехал заказ: {a}, {b}. Ждём {n} минут.",
        "Понравилось: {a}. Не понравилось: {b}.",
        "Где заказ? Там были {a}, {b} и {c}.",
        "Замените, пожалуйста: {a} вместо {b}.",
        "Спасибо за заказ: {a} и {b} отличные.",
    ),
}

NAMES = tuple(
    "Arlo Benco Calido Dorvik Elmira Fontan Gresso Halden Irvine Jaspo Kernel Lumio Marvel Nordan Oberon Pallas Querto "
    "Ronda Selmi Tarvo Umbria Velmar Wendal Xanto Yarrow Zelen".split()
)

# What is planted: words of each subject, and what is said of it. `{a}` … are everyday words around it.
PLANTED_EN: Mapping[str, tuple[str, ...]] = {
    "folding": (
        "Inbox assistant folds newsletters into one summary, {a} stays unread",
        "Newsletters left unread: the assistant shows a summary instead of the {a}",
        "How {name} writes newsletters for the assistant that folds them",
        "Folded and unread: what the inbox summary does to newsletters about {a} and {b}",
    ),
    "refill": (
        "Refill stations come to {name}: bring your own jar for {a}",
        "Jar and refill instead of {a}: what a refill station costs",
        "Who uses a refill station, and why the {a} stays",
    ),
    "register": (
        "Consent register: what the Messaging Act 88 asks of a {a}",
        "The Messaging Act 88 and its consent register, explained on {a} and {b}",
        "{name} prepares for the consent register under Act 88",
    ),
    "lockers": (
        "Free returns at night lockers, {a} and {b} too",
        "Night lockers now take {a} back for free",
    ),
    "fire": ("Robot fire stops the {name} hub: {n} pallets of {a} and {b} lost",),
    "recall": ("{name} recalls {n} thousand kettles after a {a} report from the {b} office",),
    "strike": ("Pilots of {name} strike for {n} days, {a} and {b} are stuck",),
    "studio": ("Listen to episode {n} of our Backstage Vault: {a}, {b} and {c}",),
    "fair": ("Lantern fair opens: {a}, {b} and {n} stalls",),
}
PLANTED_RU: Mapping[str, tuple[str, ...]] = {
    "folding": (
        "Помощник сворачивает рассылки в сводку, {a} остаётся без внимания",
        "Непрочитанные рассылки: помощник показывает сводку, а там {a}",
        "Как в {name} пишут рассылки для помощника, который их сворачивает",
        "Сводка вместо рассылки: {a}, {b} и непрочитанные письма",
    ),
    "refill": (
        "Станция розлива в {name}: {a} в свою банку",
        "Розлив в свою банку: {a} и {b} без упаковки",
    ),
    "register": (
        "Реестр согласий: что требует закон 88-ФЗ, на примере темы «{a}»",
        "В {name} готовятся к реестру согласий по 88-ФЗ: {a}, {b}",
    ),
    "lockers": ("Ночные ячейки принимают возвраты бесплатно: {a}, {b}",),
    "fire": ("Пожар робота остановил склад {name}: потеряно {n} паллет, среди них {a} и {b}",),
    "recall": ("{name} отзывает {n} тысяч чайников: {a}, {b}",),
    "strike": ("Пилоты {name} бастуют {n} дней: {a} и {b} застряли",),
    "studio": ("Слушайте выпуск {n} «Закулисного сейфа»: {a}, {b}, {c}",),
    "fair": ("Ярмарка фонарей открыта: {a}, {b} и {n} рядов",),
}
PLANTED = {"en": PLANTED_EN, "ru": PLANTED_RU}

SAID_EN: Mapping[str, tuple[str, ...]] = {
    "folding": (
        "My assistant folds your newsletters into a summary, I have {n} unread ones and missed the {a}.",
        "I did not see the {a} offer: your newsletters are folded and stay unread.",
        "The inbox summary hides your newsletters, so the {a} came as a surprise, {b} too.",
    ),
}
SAID_RU: Mapping[str, tuple[str, ...]] = {
    "folding": (
        "Помощник сворачивает ваши рассылки в сводку, {n} непрочитанных, пропали {a}.",
        "Не видно ваших рассылок: сводка показывает другое, про {a} и {b} узнаём поздно.",
    ),
}
SAID = {"en": SAID_EN, "ru": SAID_RU}

TERMS: Mapping[str, tuple[str, ...]] = {
    "folding": (
        "newsletter", "unread", "assistant", "fold", "summary", "рассылка", "помощник", "сводка", "сворачивать",
        "непрочитанный",
    ),
    "refill": ("refill", "jar", "station", "розлив", "банка", "станция"),
    "register": ("consent", "register", "act", "согласие", "реестр", "88-фз"),
    "lockers": ("locker", "night", "return", "ночной", "ячейка", "возврат"),
    "fire": ("robot", "fire", "hub", "пожар", "робот"),
    "recall": ("recall", "kettle", "чайник", "отзывать"),
    "strike": ("pilot", "strike", "пилот", "бастовать"),
    "studio": ("backstage", "vault", "episode", "закулисный", "сейф", "выпуск"),
    "fair": ("lantern", "fair", "ярмарка", "фонарь"),
}  # fmt: skip
"""Usual forms of the words of each subject: a topic that was found is of the subject whose words it has."""
