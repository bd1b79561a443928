"""A plan and what a look at it saw, in words and tables: the same for the terminal, a notebook and a letter.

What is told is read from the plan and from the document of a look as it was saved, never worked out again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from primeta.experiments.records import Amount, Goal, Plan
from primeta.experiments.size_words import counted
from primeta.experiments.words import amount_text, sentence, told, word
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.warehouse.metric import Metric

NAN = math.nan
NOTICEABLE = 0.005
"""A covariate that explains less of the noise away is not worth a sentence."""
PLACEBO_P = 0.001
ALL_BUT = 0.995
"""From here on a share reads as 100%."""

WORDS: dict[str, dict[str, str]] = {
    # How far an experiment is
    "draft": {"en": "draft", "ru": "черновик"},
    "running": {"en": "running", "ru": "идёт"},
    "ended": {"en": "ended", "ru": "закончился"},
    "decided": {"en": "decided", "ru": "решение принято"},
    "rolling": {"en": "being rolled out", "ru": "внедряется по шагам"},
    "halted": {"en": "rollout halted", "ru": "внедрение приостановлено"},
    "superseded": {"en": "superseded", "ru": "заменена"},
    # The plan, row by row
    "hypothesis": {"en": "hypothesis", "ru": "гипотеза"},
    "owner": {"en": "owner", "ru": "отвечает"},
    "trend": {"en": "trend", "ru": "тренд"},
    "arms": {"en": "arms", "ru": "ветки"},
    "who": {"en": "who", "ru": "кто"},
    "decides": {"en": "decides", "ru": "решает"},
    "guards": {"en": "may not get worse", "ru": "не должно просесть"},
    "others": {"en": "looked at too", "ru": "смотрим ещё"},
    "days": {"en": "days", "ru": "сроки"},
    "looks": {"en": "looks", "ru": "когда смотреть"},
    "before": {"en": "before the entry", "ru": "до входа"},
    "segments": {"en": "shown apart by", "ru": "отдельно по"},
    "strata": {"en": "balanced within", "ru": "поровну внутри"},
    "lottery": {"en": "lottery", "ru": "жеребьёвка"},
    "arm.control": {"en": "control", "ru": "контроль"},
    "arm.cost": {"en": "{money} a customer", "ru": "{money} на клиента"},
    "who.everybody": {"en": "everybody", "ru": "все клиенты"},
    "who.where": {"en": "where {population}", "ru": "условие: {population}"},
    "entry.list": {
        "en": "those who are there on the first day",
        "ru": "только те, кто есть на первый день",
    },
    "entry.arrival": {
        "en": "those who are there on the first day, and whoever comes later, on his day",
        "ru": "те, кто есть на первый день, и новые — каждый в свой день",
    },
    "entry.table": {
        "en": "as the table of assignments says",
        "ru": "по таблице распределения (assignments)",
    },
    "who.ramp": {"en": "{share} of them take part", "ru": "участвует {share}"},
    "who.holdout": {
        "en": "{share} of all customers are left out of every experiment",
        "ru": "{share} всех клиентов не участвуют ни в каких экспериментах",
    },
    "who.layer": {
        "en": "layer {layer}, slots {low} to {high}",
        "ru": "слой {layer}, слоты {low}–{high}",
    },
    "goal.up": {"en": "worth it from {amount} more", "ru": "стоит того при росте от {amount}"},
    "goal.down": {"en": "worth it from {amount} less", "ru": "стоит того при снижении от {amount}"},
    "goal.fall": {"en": "may not fall by more than {amount}", "ru": "падение не больше {amount}"},
    "goal.rise": {"en": "may not rise by more than {amount}", "ru": "рост не больше {amount}"},
    "goal.value": {"en": "one unit is worth {money}", "ru": "единица стоит {money}"},
    "goal.cap": {"en": "a customer counts up to {cap}", "ru": "на клиента не больше {cap}"},
    "days.enter": {
        "en": "customers enter from {first} to {last}; the last window has passed on {end}",
        "ru": "клиенты входят с {first} по {last}; последнее окно закроется {end}",
    },
    "days.list": {
        "en": "customers enter on {first}; the last window has passed on {end}",
        "ru": "клиенты входят {first}; последнее окно закроется {end}",
    },
    "design.anytime": {"en": "whenever you like", "ru": "в любой момент"},
    "design.sequential": {"en": "{looks} planned looks", "ru": "плановых взглядов: {looks}"},
    "design.fixed": {"en": "once, at the end", "ru": "один раз, в конце"},
    "design.sure": {"en": "level {level}, power {power}", "ru": "доверие {level}, мощность {power}"},
    "design.planned": {"en": "{n} planned", "ru": "по плану {n}"},
    "before.days": {
        "en": "{days} explain noise away and show whether the arms were alike",
        "ru": "{days} убирают шум и показывают, были ли ветки одинаковы",
    },
    # A look
    "look": {
        "en": "look {number}, facts until {until}",
        "ru": "взгляд {number}, данные до {until}",
    },
    "segment.unknown": {"en": "unknown", "ru": "неизвестно"},
    "windows": {"en": "whole windows", "ru": "полных окон"},
    "checks.arms": {
        "en": "The arms are as large as planned: {arms} (p {p}).",
        "ru": "Размеры веток — как по плану: {arms} (p {p}).",
    },
    "checks.uneven": {
        "en": "The arms are NOT as large as planned: {arms} (p {p}). Nothing here can be believed before it is known why.",
        "ru": "Размеры веток НЕ такие, как по плану: {arms} (p {p}). Пока неизвестно почему, верить ничему нельзя.",
    },
    "checks.unknown": {"en": "Customers by arm: {arms}.", "ru": "Клиентов по веткам: {arms}."},
    "checks.planned": {"en": "{n} ({share} planned)", "ru": "{n} (по плану {share})"},
    "checks.alike": {
        "en": "Before the entry the arms differed no more than chance explains.",
        "ru": "До входа ветки различались не больше, чем объясняет случай.",
    },
    "checks.differed": {
        "en": "Before the entry the arms differed more than chance explains: {metrics}.",
        "ru": "Ещё до входа ветки различались сильнее, чем объясняет случай: {metrics}.",
    },
    "checks.windows": {
        "en": "{share} of the customers have lived through the whole window of what decides.",
        "ru": "Окно главной метрики полностью прошло у {share} клиентов.",
    },
    "money.unknown": {"en": "Money cannot be told: {why}.", "ru": "Деньги назвать нельзя: {why}."},
    "effect.unknown": {"en": "{metrics}: cannot tell, {why}.", "ru": "{metrics}: сказать нельзя, {why}."},
    "note.level": {"en": "Intervals are {level}.", "ru": "Интервалы {level}."},
    # Where an experiment stands
    "finding.harm": {"en": "Stopped: it harmed.", "ru": "Остановлен: вредил."},
    "finding.futile": {
        "en": "Stopped: it was not worth going on.",
        "ru": "Остановлен: продолжать не стоило.",
    },
    "finding.invalid": {
        "en": "Invalid: its figures cannot be believed.",
        "ru": "Недействителен: его цифрам верить нельзя.",
    },
    "finding.halted": {
        "en": "The rollout of {arm} is halted at {share} of the customers.",
        "ru": "Внедрение ветки «{arm}» приостановлено на {share} клиентов.",
    },
    "finding.everybody": {"en": "{arm} goes to everybody.", "ru": "Ветку «{arm}» получают все."},
    "finding.reached": {
        "en": "{arm} has reached {share} of the customers.",
        "ru": "Ветку «{arm}» получают {share} клиентов.",
    },
    "finding.to-scale": {"en": "{arm} is to be rolled out.", "ru": "Ветку «{arm}» предстоит внедрить."},
    "finding.runs": {
        "en": "It runs; nobody has looked at it yet.",
        "ru": "Идёт; результатов ещё никто не смотрел.",
    },
    "finding.ended": {
        "en": "It has ended; nobody has looked at it yet.",
        "ru": "Закончился; результатов ещё никто не смотрел.",
    },
    # The list
    "list.line": {
        "en": "Experiments running: {running}; waiting for a decision: {waiting}; drafts: {drafts}; over: {over}.",
        "ru": "Экспериментов идёт: {running}; ждут решения: {waiting}; черновиков: {drafts}; завершено: {over}.",
    },
    "list.none": {
        "en": "No experiment yet. Declare one with `primeta experiment declare`, or as [experiments.NAME] in primeta.toml.",
        "ru": "Экспериментов ещё нет. Объявите первый: `primeta experiment declare` или раздел [experiments.NAME] в "
        "primeta.toml.",
    },
    "list.nothing-found": {
        "en": "No experiment with “{query}”.",
        "ru": "По запросу «{query}» экспериментов нет.",
    },
    "list.waiting": {"en": "Waits for a decision", "ru": "Ждут решения"},
    "list.running": {"en": "Running", "ru": "Идут"},
    "list.rolling": {"en": "Being rolled out", "ru": "Внедряются"},
    "list.draft": {"en": "Drafts", "ru": "Черновики"},
    "list.over": {"en": "Over", "ru": "Завершены"},
    "list.of": {"en": "{n} of {planned} customers", "ru": "{n} из {planned} клиентов"},
    "list.n": {"en": "{n} customers", "ru": "клиентов: {n}"},
    "list.until": {"en": "until {day}", "ru": "до {day}"},
    "list.starts": {"en": "from {first} to {last}", "ru": "с {first} по {last}"},
    "list.beside": {
        "en": "version {version} is kept beside it as a draft",
        "ru": "рядом лежит черновик, версия {version}",
    },
    "list.lesson": {"en": "nobody has written down what was learnt", "ru": "урок ещё не записан"},
    "list.head.name": {"en": "experiment", "ru": "эксперимент"},
    "list.head.status": {"en": "status", "ru": "состояние"},
    "list.head.says": {"en": "what it says", "ru": "что показывает"},
    # One experiment
    "show.line": {
        "en": "{name}: {status}, version {version}, by {owner}",
        "ru": "{name}: {status}, версия {version}, отвечает {owner}",
    },
    "show.since": {"en": "since {day}", "ru": "с {day}"},
    "show.late": {
        "en": "It was started {days} after its first day: what was known by then is no surprise.",
        "ru": "Запущен позже первого дня на {days}: то, что к тому времени было видно, уже не новость.",
    },
    "show.same-arms": {
        "en": "The lottery is that of version {version}: every customer is in the same arm again. Another salt draws anew.",
        "ru": "Жеребьёвка та же, что в версии {version}: все клиенты снова в своих ветках. Чтобы разыграть заново, "
        "смените соль (salt).",
    },
    "show.beside": {
        "en": "Version {version} is kept beside it as a draft.",
        "ru": "Рядом лежит черновик, версия {version}.",
    },
    "show.plan": {"en": "Plan", "ru": "План"},
    "show.size": {"en": "Size", "ru": "Размер"},
    "show.no-look": {"en": "Nobody has looked at it yet.", "ru": "Результатов ещё никто не смотрел."},
    "show.segments": {"en": "Segments", "ru": "Сегменты"},
    "show.checks": {"en": "Checks", "ru": "Проверки"},
    "show.decision": {"en": "Decision", "ru": "Решение"},
    "show.decided": {"en": "{what}, {by}, {day}", "ru": "{what}, {by}, {day}"},
    "show.overruled": {
        "en": "The figures of look {look} said: {said}.",
        "ru": "По цифрам взгляда {look} выходило: {said}.",
    },
    "show.newer": {
        "en": "It was decided on look {look}; the figures above are newer.",
        "ru": "Решение принято по взгляду {look}; цифры выше новее.",
    },
    "show.rollout": {"en": "Rollout", "ru": "Внедрение"},
    "show.gates": {"en": "What the last step asked", "ru": "Что проверил последний шаг"},
    "show.versions": {"en": "Versions", "ru": "Версии"},
    "show.lessons": {"en": "Lessons", "ru": "Уроки"},
    "show.wants-lesson": {
        "en": "Nobody has written down yet what was learnt.",
        "ru": "Чему это научило, ещё никто не записал.",
    },
    "lessons.none": {"en": "Nothing has been learnt yet.", "ru": "Уроков ещё нет."},
    "lessons.nothing-found": {"en": "No lesson with “{query}”.", "ru": "По запросу «{query}» уроков нет."},
    "audience": {"en": "{arm}: {n} in {file}", "ru": "{arm}: {n} в файле {file}"},
    "sync.none": {
        "en": "The file says nothing new.",
        "ru": "В файле нет ничего нового.",
    },
    "head.day": {"en": "day", "ru": "день"},
    "head.share": {"en": "share", "ru": "доля"},
    "head.step": {"en": "step", "ru": "шаг"},
    "head.by": {"en": "by", "ru": "кто"},
    "head.gate": {"en": "gate", "ru": "проверка"},
    "head.answer": {"en": "answer", "ru": "ответ"},
    "head.version": {"en": "version", "ru": "версия"},
    "head.changed": {"en": "changed", "ru": "что изменилось"},
    # The size by the team's own history
    "size.cannot": {
        "en": "The size cannot be told: {why}.",
        "ru": "Размер назвать нельзя: {why}.",
    },
    "size.no-smallest": {
        "en": "the plan does not say which effect is the smallest that matters (smallest_effect)",
        "ru": "в плане не сказано, с какого эффекта он важен (smallest_effect)",
    },
    "size.at-once": {
        "en": "So many are there on the first day; after {window} the last window has passed.",
        "ru": "Столько есть уже в первый день; через {window} закроется последнее окно.",
    },
    "size.days": {
        "en": "Until so many have entered takes {days}, until the last window has passed {window} more.",
        "ru": "Столько наберётся за {days}, и ещё {window} до конца последнего окна.",
    },
    "size.days-unknown": {
        "en": "How fast they enter is decided elsewhere; after the last one {window} pass.",
        "ru": "Как быстро они войдут, решают не здесь; после последнего нужно ещё {window}.",
    },
    "size.only": {"en": "Only {n} are there.", "ru": "Есть только {n}."},
    "size.never": {
        "en": "At this inflow so many will not come in ten years.",
        "ru": "При таком притоке столько не наберётся и за десять лет.",
    },
    "size.baseline": {"en": "baseline", "ru": "исходный уровень"},
    "size.noise": {"en": "noise of one customer", "ru": "разброс по клиентам"},
    "size.cuped": {"en": "explained by the days before", "ru": "объясняют дни до входа"},
    "size.now": {"en": "would enter on the first day", "ru": "войдут в первый день"},
    "size.inflow": {"en": "come in a week after that", "ru": "потом приходит за неделю"},
    "size.from": {"en": "measured on", "ru": "измерено на"},
    "size.measured": {"en": "{customers}, from {day}", "ru": "{customers}, с {day}"},
    "size.entered": {"en": "will have entered by the end", "ru": "войдут до конца"},
    "size.shown": {"en": "smallest effect that they show", "ru": "наименьший заметный на них эффект"},
    "size.contacts": {"en": "contacts cost at most", "ru": "контакты обойдутся не дороже"},
    "size.forgone": {
        "en": "the control forgoes, if it works",
        "ru": "недополучим на контроле, если сработает",
    },
    "size.break-even": {"en": "it pays from", "ru": "окупается от"},
    "size.worth": {"en": "the answer is worth (a guess)", "ru": "ответ стоит (догадка)"},
    "size.certainty": {"en": "certainty would be worth", "ru": "точное знание стоило бы"},
    "size.too-few-enter": {
        "en": "By {day} only {n} will have entered, {total} are needed: an effect below {shown} will probably not be "
        "shown. Let it run longer, look for a larger effect, or let more people in.",
        "ru": "К {day} войдут только {n}, а нужно {total}: эффект меньше {shown} тест, скорее всего, не покажет. "
        "Дайте ему больше времени, ищите эффект крупнее или впустите больше людей.",
    },
    "size.never-enough": {
        "en": "There are {n} in all, {total} are needed: an effect below {shown} will probably not be shown. Look for a "
        "larger effect or a calmer metric, or let more people in.",
        "ru": "Всего есть {n}, а нужно {total}: эффект меньше {shown} тест, скорее всего, не покажет. Ищите эффект "
        "крупнее, берите показатель спокойнее или впустите больше людей.",
    },
    "size.planned-too-few": {
        "en": "It is to end at {planned}, {total} are needed: it will probably end without an answer.",
        "ru": "По плану он закончится на {planned}, а нужно {total}: скорее всего, ответа не будет.",
    },
    "size.guardrail-needs-more": {
        "en": "To show that {goal} holds within {margin} takes {n}: until then nothing is scaled. Give it more room, or more "
        "customers.",
        "ru": "Чтобы показать, что «{goal}» в пределах {margin}, нужно {n}: до тех пор внедрять нечего. Дайте больший "
        "допуск или больше клиентов.",
    },
    "size.heavy-tail": {
        "en": "{metric} has a long tail: its interval is right from {needs} customers in an arm. Declare a cap beforehand.",
        "ru": "{metric}: у неё длинный хвост, и интервал верен от {needs} клиентов в ветке. Объявите верхнюю границу "
        "(cap) заранее.",
    },
    # What a new version changed
    "field.hypothesis": {"en": "hypothesis", "ru": "гипотеза"},
    "field.owner": {"en": "owner", "ru": "ответственный"},
    "field.trend": {"en": "trend", "ru": "тренд"},
    "field.arms": {"en": "arms", "ru": "ветки"},
    "field.control": {"en": "control", "ru": "контроль"},
    "field.goals": {"en": "metrics", "ru": "метрики"},
    "field.starts": {"en": "first day", "ru": "первый день"},
    "field.ends": {"en": "last day", "ru": "последний день"},
    "field.population": {"en": "who takes part", "ru": "кто участвует"},
    "field.entry": {"en": "who enters", "ru": "кто входит"},
    "field.unit": {"en": "unit", "ru": "единица"},
    "field.design": {"en": "when to look", "ru": "когда смотреть"},
    "field.looks": {"en": "planned looks", "ru": "плановые взгляды"},
    "field.level": {"en": "level", "ru": "доверие"},
    "field.power": {"en": "power", "ru": "мощность"},
    "field.planned_n": {"en": "planned customers", "ru": "план по клиентам"},
    "field.covariate_days": {"en": "days before the entry", "ru": "дни до входа"},
    "field.segments": {"en": "segments", "ru": "сегменты"},
    "field.strata": {"en": "strata", "ru": "страты"},
    "field.layer": {"en": "layer", "ru": "слой"},
    "field.slots": {"en": "slots", "ru": "слоты"},
    "field.holdout": {"en": "universal holdout", "ru": "общая контрольная группа"},
    "field.ramp": {"en": "share that takes part", "ru": "доля участников"},
    "field.salt": {"en": "salt", "ru": "соль"},
    "field.hash": {"en": "hash", "ru": "хеш"},
    "step.passed": {"en": "taken", "ru": "сделан"},
    "step.halted": {"en": "halted", "ru": "остановлен"},
    "step.reopened": {"en": "reopened", "ru": "снова открыт"},
    "gate.ok": {"en": "passed", "ru": "пройдена"},
    "gate.failed": {"en": "FAILED", "ru": "НЕ пройдена"},
    "gate.sample-ratio": {"en": "the arms are as large as planned", "ru": "размеры веток — как по плану"},
    "gate.verdict": {"en": "the last look shows no harm", "ru": "последний взгляд не показал вреда"},
    "gate.doctor": {"en": "the data can be trusted", "ru": "данным можно верить"},
    "gate.facts-stopped": {"en": "facts still arrive", "ru": "данные по-прежнему поступают"},
    "gate.guardrail": {"en": "{goal}", "ru": "{goal}"},
}


def text(code: str, lang: str, **figures: Any) -> str:
    """One of the words here, filled; a code that is none of them is looked for among the words of experiments."""
    return WORDS[code][lang].format(**figures) if code in WORDS else word(code, lang)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How the metrics of one plan are called and written in one language."""

    lang: str
    plan: Plan
    currency: str
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    """Metric → as the workspace declares it today, with its labels; what is missing keeps its code."""

    def metric(self, name: str) -> str:
        found = self.metrics.get(name)
        return found.label_in(self.lang) if found else name.replace("_", " ")

    def goal(self, goal: Goal) -> str:
        """`Revenue per customer, 30 days`; a metric whose days are part of it has them in its name already."""
        label = self.metric(goal.metric)
        if str(goal.window_days) in label:
            return label
        return f"{label}, {counted(goal.window_days, 'day', self.lang)}"

    @property
    def labels(self) -> dict[str, str]:
        """Goal, or metric alone → its name."""
        return {
            **{goal.metric: self.metric(goal.metric) for goal in self.plan.goals},
            **{goal.name: self.goal(goal) for goal in self.plan.goals},
        }

    def named(self, code: str) -> str:
        """The name of a goal or a metric as a document writes it."""
        return self.labels.get(code) or self.metric(code.partition(".")[0])

    def unit(self, code: str) -> locale.Unit:
        """In which the levels of a goal or a metric are written."""
        goal = next((goal for goal in self.plan.goals if goal.name == code), None)
        metric = self.metrics.get(goal.metric if goal else code.partition(".")[0])
        return metric.unit if metric else "count"

    def gap(self, code: str) -> locale.Unit:
        """In which its differences are written."""
        unit = self.unit(code)
        return "points" if unit == "share" else unit

    def of_unit(self, unit: locale.Unit) -> frozenset[str]:
        return frozenset(goal.name for goal in self.plan.goals if self.unit(goal.name) == unit)

    def level(self, value: float, code: str) -> str:
        """A level of a goal or a metric that stands without an interval: three digits."""
        return locale.figure(value, self.lang, unit=self.unit(code), currency=self.currency).text

    def difference(self, value: float, code: str) -> str:
        """A difference that stands without an interval."""
        return locale.figure(value, self.lang, unit=self.gap(code), currency=self.currency, sign=True).text

    def amount(self, amount: Amount, code: str) -> str:
        """A difference that matters, without its sign."""
        if amount.relative:
            part = abs(amount.value) * 100
            digits = next(n for n in range(5) if n == 4 or math.isclose(round(part, n), part, rel_tol=1e-9))
            return locale.percent(abs(amount.value), self.lang, digits=digits)
        if self.gap(code) == "money":
            return locale.money(abs(amount.value), self.lang, self.currency)
        share = self.gap(code) == "points"
        return amount_text(abs(amount.value), False, self.lang, share=share).lstrip("+")


# The plan


def plan_rows(names: Names) -> list[tuple[str, str]]:
    """What was declared, as pairs of a word and a sentence; what is usual and says nothing is left out."""
    plan, lang = names.plan, names.lang
    rows = [("hypothesis", plan.hypothesis), ("owner", plan.owner)]
    if plan.trend:
        rows.append(("trend", plan.trend))
    rows += [("arms", _arm(names, arm.name)) for arm in (plan.arm(plan.control), *plan.treated)]
    rows.append(("who", _who(plan, lang)))
    rows.append(("decides", _goal(names, plan.primary)))
    rows += [("guards", _goal(names, goal)) for goal in plan.goals if goal.role == "guardrail"]
    others = [names.goal(goal) for goal in plan.goals if goal.role == "secondary"]
    if others:
        rows.append(("others", "; ".join(others)))
    rows.append(("days", _days(plan, lang)))
    rows.append(("looks", _design(plan, lang)))
    if plan.covariate_days:
        days = counted(plan.covariate_days, "day", lang)
        rows.append(("before", text("before.days", lang, days=days)))
    for code, listed in (("segments", plan.segments), ("strata", plan.strata)):
        if listed:
            rows.append((code, ", ".join(listed)))
    if plan.salt or plan.hash != "md5":
        rows.append(("lottery", f"{plan.salt or plan.name} ({plan.hash})"))
    said: set[str] = set()
    told_rows: list[tuple[str, str]] = []
    for code, value in rows:
        told_rows.append(("" if code in said else text(code, lang), value))
        said.add(code)
    return told_rows


def pairs_text(rows: Sequence[tuple[str, str]]) -> str:
    """Pairs under one another, the second column aligned."""
    width = max((len(head) for head, _ in rows), default=0)
    return "\n".join(f"{head:<{width}}  {value}".rstrip() for head, value in rows)


def _arm(names: Names, name: str) -> str:
    plan, lang = names.plan, names.lang
    arm = plan.arm(name)
    parts = [f"{arm.name} {locale.percent(arm.share, lang)}"]
    if arm.name == plan.control and arm.name != text("arm.control", lang):
        parts.append(text("arm.control", lang))
    if arm.cost:
        parts.append(text("arm.cost", lang, money=locale.money(arm.cost, lang, names.currency)))
    return ", ".join(parts) + (f": {arm.what}" if arm.what else "")


def _who(plan: Plan, lang: str) -> str:
    if plan.population:
        parts = [text("who.where", lang, population=plan.population)]
    else:
        parts = [text("who.everybody", lang)]
    parts.append(text(f"entry.{plan.entry}", lang))
    if plan.ramp < 1:
        parts.append(text("who.ramp", lang, share=locale.percent(plan.ramp, lang)))
    if plan.holdout:
        parts.append(text("who.holdout", lang, share=locale.percent(plan.holdout, lang)))
    if plan.layer:
        low, high = (locale.number(slot, lang) for slot in plan.slots)
        parts.append(text("who.layer", lang, layer=plan.layer, low=low, high=high))
    return "; ".join(parts)


def _goal(names: Names, goal: Goal) -> str:
    lang, parts = names.lang, [names.goal(goal)]
    if goal.margin is not None:
        code = "goal.fall" if goal.margin.value < 0 else "goal.rise"
        parts.append(text(code, lang, amount=names.amount(goal.margin, goal.name)))
    elif goal.smallest is not None:
        code = "goal.up" if goal.smallest.value > 0 else "goal.down"
        parts.append(text(code, lang, amount=names.amount(goal.smallest, goal.name)))
    if goal.value is not None:
        money = locale.money(goal.value, lang, names.currency)
        parts.append(text("goal.value", lang, money=money))
    if goal.cap is not None:
        cap = locale.figure(goal.cap, lang, unit=names.unit(goal.name), currency=names.currency).text
        parts.append(text("goal.cap", lang, cap=cap))
    return "; ".join(parts)


def _days(plan: Plan, lang: str) -> str:
    last = plan.ends - timedelta(days=1)
    end = plan.ends + timedelta(days=plan.primary.window_days)
    code = "days.list" if plan.entry == "list" or last == plan.starts else "days.enter"
    return text(
        code,
        lang,
        first=locale.day(plan.starts, lang),
        last=locale.day(last, lang),
        end=locale.day(end, lang),
    )


def _design(plan: Plan, lang: str) -> str:
    parts = [
        text(f"design.{plan.design}", lang, looks=locale.number(plan.looks, lang)),
        text(
            "design.sure",
            lang,
            level=locale.percent(plan.level, lang),
            power=locale.percent(plan.power, lang),
        ),
    ]
    if plan.planned_n:
        parts.append(text("design.planned", lang, n=counted(plan.planned_n, "customer", lang)))
    return "; ".join(parts)


# A look


def number(row: Mapping[str, Any], key: str) -> float:
    """A number of a document; what is unknown there (null) is NaN."""
    value = row.get(key)
    return NAN if value is None else float(value)


def why(names: Names, entry: Mapping[str, Any]) -> str:
    """The rule that fired for an arm, in the reader's language; no full stop.

    Args:
        entry: One of a document's `decisions`, with the `figures` that its rule saw.
    """
    if "figures" not in entry:
        return str(entry.get("why") or "")
    return told(
        str(entry.get("rule") or ""),
        entry["figures"],
        names.lang,
        money=(number(entry, "money_per_customer"), number(entry, "low"), number(entry, "high")),
        currency=names.currency,
        labels=names.labels,
        shares=names.of_unit("share"),
        sums=names.of_unit("money"),
    )


def decision_line(names: Names, document: Mapping[str, Any]) -> str:
    """What to do, and why, in one sentence; empty where the look says nothing."""
    entries, verdict = list(document.get("decisions") or ()), document.get("decision") or {}
    if not entries or not verdict:
        return ""
    mine = [entry for entry in entries if entry["arm"] == verdict.get("arm")]
    same = [entry for entry in entries if entry["state"] == verdict.get("state")]
    deciding = (mine or same or entries)[0]
    return sentence(str(verdict["state"]), names.lang, arm=str(deciding["arm"]), why=why(names, deciding))


def decision_table(names: Names, document: Mapping[str, Any], counts: Mapping[str, int]) -> Table:
    """One row for each arm: its customers, what to do with it, the money, why."""
    lang, rows = names.lang, []
    for entry in document.get("decisions") or ():
        money = number(entry, "money_per_customer")
        shown = locale.figure(
            money,
            lang,
            unit="money",
            low=number(entry, "low"),
            high=number(entry, "high"),
            currency=names.currency,
            sign=True,
        )
        rows.append(
            (
                str(entry["arm"]),
                locale.number(counts[entry["arm"]], lang) if entry["arm"] in counts else "",
                word(str(entry["state"]), lang),
                str(shown),
                why(names, entry),
            )
        )
    heads = (
        Head(word("arm", lang)),
        Head(word("customers", lang), "right"),
        Head(word("state", lang)),
        Head(word("money", lang), "right"),
        Head(word("why", lang)),
    )
    bases = {
        str(entry.get("basis") or "")
        for entry in document.get("decisions") or ()
        if math.isnan(number(entry, "money_per_customer"))
    }
    note = " ".join(text("money.unknown", lang, why=word(code, lang)) for code in sorted(bases) if code)
    return Table(heads=heads, rows=tuple(rows), note=note)


def effects_table(names: Names, document: Mapping[str, Any], *, key: str = "effects") -> Table:
    """One row for each metric and arm, each in its own unit.

    Args:
        key: `effects`, or `segments`: then a row for each segment too, and no remarks.
    """
    lang, entries = names.lang, list(document.get(key) or ())
    segmented = key == "segments"
    early = any(number(entry, "mature_share") < ALL_BUT for entry in entries)
    heads = [
        *([Head(word("segment", lang))] if segmented else []),
        Head(word("metric", lang)),
        Head(word("arm", lang)),
        Head(word("control_mean", lang), "right"),
        Head(word("arm_mean", lang), "right"),
        Head(word("difference", lang), "right"),
        Head(word("lift", lang), "right"),
        Head(word("always", lang), "right"),
        Head("p", "right"),
        *([Head(text("windows", lang), "right")] if early else []),
    ]
    rows = []
    for entry in entries:
        name = names.named(str(entry["metric"]))
        if entry.get("role") in ("primary", "guardrail"):
            name += f" ({word(str(entry['role']), lang)})"
        lead = [_segment(str(entry.get("segment") or ""), lang)] if segmented else []
        last = [locale.percent(number(entry, "mature_share"), lang, digits=0)] if early else []
        if entry.get("why_not"):
            cannot = locale.CANNOT_TELL[lang]
            rows.append((*lead, name, str(entry["arm"]), "", "", cannot, "", "", "", *last))
        else:
            rows.append((*lead, name, str(entry["arm"]), *_cells(names, entry), *last))
    unknown: dict[str, list[str]] = {}
    for entry in entries:
        if entry.get("why_not"):
            named = unknown.setdefault(str(entry["why_not"]), [])
            named += [name for name in [names.named(str(entry["metric"]))] if name not in named]
    notes = [
        text("effect.unknown", lang, metrics=locale.listed(listed, lang), why=word(code, lang))
        for code, listed in unknown.items()
    ]
    notes += [sentence("note.segments", lang)] if segmented else remarks(names, document)
    return Table(heads=tuple(heads), rows=tuple(rows), note="\n".join(notes))


def _segment(code: str, lang: str) -> str:
    """`age 35–44`; who has no value of the attribute is told as such."""
    attribute, _, value = code.partition("=")
    if value == "?":
        return f"{locale.slice_name(attribute, lang)}: {text('segment.unknown', lang)}"
    return locale.slice_name(code, lang) if code else ""


def _cells(names: Names, entry: Mapping[str, Any]) -> tuple[str, ...]:
    lang, code = names.lang, str(entry["metric"])
    low, high = number(entry, "low"), number(entry, "high")

    def level(key: str) -> str:
        # A mean has as many digits as the interval of the difference bears.
        value = number(entry, key)
        return locale.figure(
            value, lang, unit=names.unit(code), low=value + low, high=value + high, currency=names.currency
        ).text

    def gap(value: float, first: float, last: float) -> locale.Figure:
        return locale.figure(
            value, lang, unit=names.gap(code), low=first, high=last, currency=names.currency, sign=True
        )

    difference = number(entry, "difference")
    lift = locale.figure(
        number(entry, "lift"),
        lang,
        unit="relative",
        low=number(entry, "lift_low"),
        high=number(entry, "lift_high"),
        sign=True,
    )
    always = gap(difference, number(entry, "always_low"), number(entry, "always_high"))
    # Of many segments some differ by chance; their p is told over all of them.
    p = number(entry, "p_adjusted" if entry.get("segment") else "p")
    shown_p = locale.number(p, lang, digits=3) if not p < 0.001 else "< " + locale.number(0.001, lang)
    return (
        level("control_mean"),
        level("arm_mean"),
        str(gap(difference, low, high)),
        str(lift),
        always.interval,
        shown_p,
    )


def remarks(names: Names, document: Mapping[str, Any]) -> list[str]:
    """What a reader must know beside the numbers of a look."""
    lang = names.lang
    level = locale.percent(number(document, "level") if document.get("level") else names.plan.level, lang)
    how = str(document.get("decided_on") or "")
    found = [
        sentence(f"note.{how}", lang, level=level)
        if how in ("always", "fixed", "planned")
        else text("note.level", lang, level=level)
    ]
    kept: dict[str, float] = {}
    warned: dict[tuple[str, str], list[str]] = {}
    methods: set[str] = set()
    for entry in document.get("effects") or ():
        name = names.named(str(entry["metric"]))
        kept.setdefault(name, number(entry, "variance_kept"))
        if not entry.get("why_not") and _lift_disagrees(entry, document):
            methods.add(str(entry.get("lift_method")))
        for caution in entry.get("cautions") or ():
            warned.setdefault((name, str(caution)), []).append(str(entry["arm"]))
    if methods:
        found.append(sentence("note.lift", lang, method=", ".join(sorted(methods))))
    found += [_note(code, lang) for code in document.get("note_codes") or ()]
    for name, share in kept.items():
        if math.isfinite(share) and share < 1 - NOTICEABLE:
            explained = locale.percent(1 - share, lang, digits=0)
            found.append(sentence("note.cuped", lang, share=explained, metric=name))
    for (name, caution), arms in warned.items():
        listed = locale.listed(arms, lang)
        found.append(sentence("note.caution", lang, metric=name, arm=listed, why=word(caution, lang)))
    return found


def _lift_disagrees(entry: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """The lift's own test would have said otherwise than the difference's, whose verdict counts."""
    alpha = 1 - number(document, "level")
    p, lift_p = number(entry, "p"), number(entry, "lift_p")
    return not math.isnan(lift_p) and (lift_p < alpha) != (p < alpha)


def _note(coded: str, lang: str) -> str:
    """A note of an analysis, kept as its code and its figures: `before-start:12`."""
    code, *figures = coded.split(":")
    shown = locale.number(float(figures[-1]), lang)
    return sentence(f"note.{code}", lang, n=shown, column=":".join(figures[:-1]))


def checks(names: Names, document: Mapping[str, Any], counts: Mapping[str, int]) -> list[str]:
    """Whether the numbers of a look can be believed: sizes of the arms, the time before, whole windows."""
    lang, plan = names.lang, names.plan
    found_checks: Mapping[str, Any] = document.get("checks") or {}
    ratio: Mapping[str, Any] = found_checks.get("sample_ratio") or {}
    arms = ", ".join(
        f"{arm.name} "
        + text(
            "checks.planned",
            lang,
            n=locale.number(counts.get(arm.name, 0), lang),
            share=locale.percent(arm.share, lang),
        )
        for arm in (plan.arm(plan.control), *plan.treated)
    )
    p, always = number(ratio, "p"), number(ratio, "always_p")
    if ratio.get("ok") is False and not math.isnan(always):
        # What is held against every look is what it failed by.
        p = always
    shown_p = locale.number(p, lang) if not p < 0.001 else "< " + locale.number(0.001, lang)
    if ratio.get("ok") is None or math.isnan(p):
        said = [text("checks.unknown", lang, arms=arms)]
    else:
        code = "checks.arms" if ratio["ok"] else "checks.uneven"
        said = [text(code, lang, arms=arms, p=shown_p)]
    placebo = list(found_checks.get("placebo") or ())
    moved = [str(entry.get("covariate")) for entry in placebo if number(entry, "p") < PLACEBO_P]
    if moved:
        listed = locale.listed([names.named(code) for code in dict.fromkeys(moved)], lang)
        said.append(text("checks.differed", lang, metrics=listed))
    elif placebo:
        said.append(text("checks.alike", lang))
    shares = [
        number(entry, "mature_share")
        for entry in document.get("effects") or ()
        if entry.get("role") == "primary"
    ]
    if shares and shares[0] < ALL_BUT and sum(counts.values()):
        said.append(text("checks.windows", lang, share=locale.percent(shares[0], lang, digits=0)))
    return said


def figures_line(names: Names, code: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The figures that a lesson keeps: `Revenue per customer, 30 days: ten +1.2% (−0.4 to 2.8)`."""
    parts = []
    for row in rows:
        keys, unit = ("difference", "low", "high"), names.gap(code)
        if math.isfinite(number(row, "lift_low")):
            keys, unit = ("lift", "lift_low", "lift_high"), "relative"
        values = [number(row, key) for key in keys]
        if math.isnan(values[0]):
            continue
        shown = locale.figure(
            values[0],
            names.lang,
            unit=unit,
            low=values[1],
            high=values[2],
            currency=names.currency,
            sign=True,
        )
        parts.append(f"{row['arm']} {shown}")
    return f"{names.named(code)}: {'; '.join(parts)}" if parts else ""
