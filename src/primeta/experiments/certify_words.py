"""The words of `certify` in both languages."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "en": {
        # Heads
        "metric": "Metric",
        "per_arm": "In an arm",
        "false": "False alarms",
        "covers": "Covers",
        "effect": "Sees from",
        "seen": "Finds (promised)",
        "noise": "CUPED",
        "verdict": "Does it hold?",
        "state": "Does it hold?",
        "of_promised": "{seen} ({promised})",
        # The whole
        "line-all": "All {known} metrics hold: their {level} intervals are right as often as they say.",
        "line-one": "The metric holds: its {level} interval is right as often as it says.",
        "line-some": "{good} of {known} metrics hold; these do not: {bad}.",
        "line-none": "No metric can be certified here; the table says why.",
        # Verdicts
        "holds": "yes, from {n} in an arm",
        "holds-from": "yes, from {n} in an arm",
        "below-cap": "; with fewer, count a customer up to {cap} (above it are {top_share} of those who have any)",
        "below-not": "; with fewer: {below}",
        "cap": "only if a customer counts up to {cap} (above it are {top_share} of those who have any); then from {n} "
        "in an arm",
        "false-positives": "no: {false} of tests find an effect where there is none, at most {alpha} are promised",
        "coverage": "no: the interval misses the truth in {missed} of tests, at most {alpha} are promised",
        "power": "no: {power} of tests find the effect, {promised} are promised",
        "scale": "no: without any effect {scaled} of tests end in “scale”, {half} are allowed",
        "always": "no: looked at {looks} times, {always} of tests find an effect that is not there, {alpha} are allowed",
        "few-answers": "no: the event is so rare that most tests have no interval at all",
        "unknown": "cannot tell: {why}",
        # Parts of the ladder
        "yes": "yes",
        "not.few-answers": "no interval",
        "not.false-positives": "false alarms",
        "not.coverage": "misses the truth",
        "not.power": "less power",
        "not.scale": "wrong “scale”",
        "not.always": "wrong when looked at often",
        "capped": "; holds up to {cap} a customer",
        # Why there is no certificate
        "too-few-customers": "an arm would have fewer than 100 customers",
        "no-denominator": "its denominator is zero in this window",
        "no-events": "nothing was counted in this window",
        "no-variance": "all customers have the same value",
        "no-noise": "the days before foretell it exactly, so there is no noise",
        "no-mean": "its mean is not above zero, so a relative effect has no meaning",
        "no-rows": "no rows in {tables}",
        "short-history": "it needs {days} days of history, there are {known}",
        "known-before": "it is settled before an experiment begins",
        "two-years": "it needs two years of orders: one to know the base, one to watch",
        # Remarks
        "made": "Random splits of real customers in each line: {splits}, {share} of them in the arm; finished days: "
        "{days}; seed {seed}. Arms of other shares must be tried for themselves.",
        "reading": "False alarms: there is no effect and the test finds one; {alpha} by design. Sees from: the smallest "
        "effect that the plan promises to find with so many customers. It was planted; covers, finds: how often the "
        "interval holds it, and how often it shows it. CUPED: what knowing the days before takes away from the noise. "
        "In brackets lies the true share; they are so wide that one certificate in a hundred says “no” where all is "
        "well. A metric fails only if its brackets lie wholly on the wrong side.",
        "scale-worst": "Without an effect tests end in “scale” most often on “{name}”: {scaled}; {half} are allowed.",
        "always-worst": "Looked at {looks} times, the always-valid interval is ever wrong most often on “{name}”: "
        "{always}; {alpha} are allowed. Whoever looks at the ordinary interval so often is wrong in {peeking}.",
        "wide": "Wrong less often than allowed, the interval is wider than it need be: {names}.",
        "hash-good": "The hash that assigns customers deals like a fair coin ({salts} salts: {false} false alarms; "
        "random splits of the same customers: {chance}).",
        "hash-bad": "The hash does not deal these customers like a fair coin: check their ids before anything is "
        "assigned.",
        "picture": "share of tests without an effect that find one; the line is the promised {alpha}",
        "described": "{name}: {value}",
    },
    "ru": {
        "metric": "Метрика",
        "per_arm": "В ветке",
        "false": "Ложные тревоги",
        "covers": "Накрывает",
        "effect": "Виден от",
        "seen": "Находит (обещано)",
        "noise": "CUPED",
        "verdict": "Можно ли верить",
        "state": "Можно ли верить",
        "of_promised": "{seen} ({promised})",
        "line-all": "Проверку выдержали все метрики ({known}): интервалы {level} верны так часто, как обещают.",
        "line-one": "Метрика выдержала проверку: интервал {level} верен так часто, как обещает.",
        "line-some": "Проверку выдержали метрик: {good} из {known}; не выдержали: {bad}.",
        "line-none": "Ни одну метрику здесь проверить нельзя; почему, сказано в таблице.",
        "holds": "да, от {n} клиентов в ветке",
        "holds-from": "да, от {n} клиентов в ветке",
        "below-cap": "; если меньше, считайте не больше {cap} на клиента (больше бывает лишь у {top_share} тех, у кого "
        "хоть что-то есть)",
        "below-not": "; если меньше: {below}",
        "cap": "только если считать не больше {cap} на клиента (больше бывает лишь у {top_share} тех, у кого хоть что-то "
        "есть); тогда от {n} клиентов в ветке",
        "false-positives": "нет: {false} тестов находят эффект, которого нет; обещано не больше {alpha}",
        "coverage": "нет: интервал не накрывает истину в {missed} тестов; обещано не больше {alpha}",
        "power": "нет: эффект находят {power} тестов; обещано {promised}",
        "scale": "нет: без всякого эффекта {scaled} тестов кончаются решением «масштабировать»; допустимо {half}",
        "always": "нет: при числе взглядов {looks} несуществующий эффект находят {always} тестов; допустимо {alpha}",
        "few-answers": "нет: событие такое редкое, что в большинстве тестов интервала нет вовсе",
        "unknown": "сказать нельзя: {why}",
        "yes": "да",
        "not.few-answers": "нет интервала",
        "not.false-positives": "ложные тревоги",
        "not.coverage": "не накрывает истину",
        "not.power": "находит реже обещанного",
        "not.scale": "лишние «масштабировать»",
        "not.always": "ошибается при частых взглядах",
        "capped": "; верно, если не больше {cap} на клиента",
        "too-few-customers": "в ветке было бы меньше 100 клиентов",
        "no-denominator": "в этом окне её знаменатель равен нулю",
        "no-events": "в этом окне не было ни одного события",
        "no-variance": "у всех клиентов одно и то же значение",
        "no-noise": "предыдущие дни предсказывают её в точности, шума нет",
        "no-mean": "среднее не больше нуля, относительный эффект не имеет смысла",
        "no-rows": "нет строк в {tables}",
        "short-history": "нужно дней истории: {days}, есть {known}",
        "known-before": "всё решено ещё до начала эксперимента",
        "two-years": "нужно два года заказов: год, чтобы узнать базу, и год наблюдения",
        "made": "Случайных делений настоящих клиентов в каждой строке: {splits}, в ветке {share} из них; завершённых дней: "
        "{days}; seed {seed}. Для веток другого размера проверку нужно повторить.",
        "reading": "Ложные тревоги: эффекта нет, а тест его находит; так задумано в {alpha} случаев. Виден от: "
        "наименьший эффект, который план обещает найти на стольких клиентах. Его заложили в данные; накрывает, находит: "
        "как часто интервал его содержит и как часто показывает. CUPED: сколько шума убирает знание предыдущих дней. "
        "В скобках границы, в которых лежит настоящая доля; они так широки, что при исправных метриках «нет» скажет "
        "один сертификат из ста. Метрика не проходит, только если обе границы на плохой стороне.",
        "scale-worst": "Без эффекта чаще всего решением «масштабировать» кончаются тесты метрики «{name}»: {scaled}; "
        "допустимо {half}.",
        "always-worst": "При числе взглядов {looks} интервал, верный при любом взгляде, хоть раз ошибается чаще всего на "
        "метрике «{name}»: {always}; допустимо {alpha}. Кто столько же раз смотрит на обычный интервал, ошибается в "
        "{peeking} случаев.",
        "wide": "Ошибается реже допустимого, интервал шире, чем нужно: {names}.",
        "hash-good": "Хеш, который распределяет клиентов, делит их как честная монета (солей: {salts}, ложных тревог "
        "{false}; у случайных делений тех же клиентов {chance}).",
        "hash-bad": "Хеш делит этих клиентов не так, как честная монета: проверьте их идентификаторы, прежде чем "
        "распределять.",
        "picture": "доля тестов без эффекта, которые его находят; линия: обещанные {alpha}",
        "described": "{name}: {value}",
    },
}
