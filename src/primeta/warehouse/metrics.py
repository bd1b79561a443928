"""The metrics that Primeta brings, those that a team declares, and why one cannot be had here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import duckdb

from primeta.config import Config, MetricConfig, config_error
from primeta.errors import NotFound
from primeta.facts import TABLES
from primeta.warehouse.duck import run
from primeta.warehouse.engine import Warehouse
from primeta.warehouse.metric import Good, Measure, Metric, Unit

RETENTION_DAYS = (7, 30, 90)
SILENT_DAYS = 90
CONVERSION_DAYS = 7
REACTION_DAYS = 3
"""A reaction counts within 72 hours of its message, so that an old and a new message are judged alike."""


MEASURED_ELSEWHERE = ("attention",)
"""May be watched, and is no ratio of two of these sums: `attention.segment_series`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIn:
    """One named sum over customers.

    `needs` are the tables and columns it is made of. `base`, `churned`, `silent`, `returned`,
    `buyers`, `retained_N`, `categories`, `touched` and `converted` are worked out customer by
    customer; every other one is a sum of `sum` over rows of `table`.
    """

    needs: tuple[tuple[str, tuple[str, ...]], ...]
    table: str = ""
    sum: str = ""
    any: bool = False
    """A customer counts once: whether any row has it, instead of their sum."""


def _orders(sum_: str, *columns: str) -> BuiltIn:
    return BuiltIn(needs=(("orders", columns),), table="orders", sum=sum_)


def _messages(sum_: str) -> BuiltIn:
    return BuiltIn(needs=(("messages", ()), ("reactions", ())), table="messages", sum=sum_)


_ORDERED = BuiltIn(needs=(("orders", ()),))
_PAID = "CAST(revenue AS DOUBLE)"
_OFF = "coalesce(CAST(discount AS DOUBLE), 0)"

BUILT_IN: dict[str, BuiltIn] = {
    "base": _ORDERED,
    "buyers": _ORDERED,
    "churned": _ORDERED,
    "silent": _ORDERED,
    "returned": _ORDERED,
    **{f"retained_{days}": _ORDERED for days in RETENTION_DAYS},
    "revenue": _orders(_PAID),
    "orders": _orders("CASE WHEN is_return THEN 0 ELSE 1 END"),
    "discount": _orders(_OFF, "discount"),
    "list_price": _orders(f"{_PAID} + {_OFF}", "discount"),
    "full_price_orders": _orders(f"CASE WHEN NOT is_return AND {_OFF} = 0 THEN 1 ELSE 0 END", "discount"),
    "margin": _orders("CAST(margin AS DOUBLE)", "margin"),
    "items": BuiltIn(
        needs=(("order_lines", ()),),
        table="order_lines",
        sum="CASE WHEN is_return THEN 0 ELSE coalesce(quantity, 1) END",
    ),
    "categories": BuiltIn(needs=(("order_lines", ("category",)), ("orders", ()))),
    "visits": BuiltIn(needs=(("visits", ()),), table="visits", sum="1"),
    "touched": BuiltIn(needs=(("messages", ()),), table="messages", sum="1", any=True),
    "converted": BuiltIn(
        needs=(("messages", ()), ("orders", ())), table="messages", sum="converted", any=True
    ),
    "delivered": _messages("arrived"),
    "opened": _messages("opened"),
    "clicked": _messages("clicked"),
    "unsubscribed": _messages("unsubscribed"),
    "complained": _messages("complained"),
}


def _metric(
    name: str,
    ratio: str,
    unit: Unit,
    good: Good,
    en: str,
    ru: str,
    *,
    smallest: float = 0.02,
    maturity: int = 0,
    by_channel: bool = False,
) -> Metric:
    numerator, _, denominator = ratio.partition(" / ")
    return Metric(
        name=name,
        numerator=numerator,
        denominator=denominator,
        unit=unit,
        good=good,
        smallest_effect=smallest,
        label={"en": en, "ru": ru},
        maturity_days=maturity,
        by_channel=by_channel,
    )


def _rate(name: str, ratio: str, good: Good, en: str, ru: str, *, smallest: float = 0.02) -> Metric:
    return _metric(
        name, ratio, "share", good, en, ru, smallest=smallest, maturity=REACTION_DAYS, by_channel=True
    )


METRICS: tuple[Metric, ...] = (
    _metric("revenue_per_customer", "revenue / base", "money", "up", "Revenue per customer (ARPU)", "Выручка на клиента (ARPU)"),
    _metric("orders_per_customer", "orders / base", "count", "up", "Orders per customer", "Заказов на клиента"),
    _metric("margin_per_customer", "margin / base", "money", "up", "Margin per customer", "Маржа на клиента"),
    _metric("average_order_value", "revenue / orders", "money", "up", "Average order value", "Средний чек"),
    _metric(
        "conversion", "converted / touched", "share", "up",
        "Conversion: ordered within 7 days of a message", "Конверсия: заказ за 7 дней после сообщения",
        maturity=CONVERSION_DAYS, by_channel=True,
    ),
    *(
        _metric(
            f"retention_{days}", f"retained_{days} / buyers", "share", "up",
            f"Retention: order again within {days} days", f"Удержание: повторный заказ за {days} дней",
            maturity=days,
        )
        for days in RETENTION_DAYS
    ),
    _metric("churn", "churned / base", "share", "down", "Churn: silent for 90 days", "Отток: 90 дней без заказов"),
    _metric(
        "reactivation_rate", "returned / silent", "share", "up",
        "Reactivation: silent customers who order again", "Реактивация: молчавшие, кто снова заказал",
    ),
    _metric("discount_share", "discount / list_price", "share", "down", "Discount share", "Доля скидки"),
    _metric("full_price_share", "full_price_orders / orders", "share", "up", "Full-price orders", "Доля заказов без скидки"),
    _metric("items_per_order", "items / orders", "count", "up", "Items per order", "Товаров в заказе"),
    _metric("categories_per_customer", "categories / buyers", "count", "up", "Categories per buyer", "Категорий на покупателя"),
    _metric("visits_per_customer", "visits / base", "count", "up", "Visits per customer", "Визитов на клиента"),
    _rate("open_rate", "opened / delivered", "up", "Open rate", "Доля открытий"),
    _rate("click_rate", "clicked / delivered", "up", "Click rate (CTR)", "Кликабельность (CTR)"),
    _rate("click_to_open", "clicked / opened", "up", "Clicks per open", "Клики на открытие (CTOR)"),
    _rate("unsubscribe_rate", "unsubscribed / delivered", "down", "Unsubscribe rate", "Доля отписок", smallest=0.05),
    _rate("complaint_rate", "complained / delivered", "down", "Complaint rate", "Доля жалоб", smallest=0.05),
)  # fmt: skip

_LATER = {
    "nps": {
        "en": "needs voices with scores, which this version does not read yet",
        "ru": "нужны оценки клиентов (voices), эта версия их пока не читает",
    },
    "ltv": {
        "en": "comes from a customer-base model, not from a ratio of two sums",
        "ru": "считается моделью клиентской базы, а не отношением двух сумм",
    },
}


def declared_metrics(config: Config) -> dict[str, Metric]:
    """Every metric by name: those of Primeta, as changed by `[metrics.*]`, then the team's own.

    Raises:
        BadConfig: a section has an unknown key or a wrong value; names its line.
    """
    found = {metric.name: metric for metric in METRICS}
    for name, section in config.metrics.items():
        found[name] = _changed(config, section, found.get(name))
    return found


def available_metrics(warehouse: Warehouse, config: Config) -> dict[str, Metric]:
    """The metrics that the mapped tables allow, limited to `[watch] metrics` where that is given.

    Raises:
        NotFound: `[watch] metrics` names one that does not exist.
        BadConfig, BadTable: a metric's section or a table cannot be used.
    """
    declared = declared_metrics(config)
    for name in config.watch.metrics:
        if name not in declared and name not in MEASURED_ELSEWHERE:
            raise NotFound(
                f"{config.path.name}, [watch] metrics: there is no metric {name!r}; there are {', '.join(declared)}"
            )
    found = {
        name: metric
        for name, metric in declared.items()
        if (not config.watch.metrics or name in config.watch.metrics)
        and not _lacking(warehouse, config, metric)
    }
    for metric in found.values():
        for key, side in (("numerator", metric.numerator), ("denominator", metric.denominator)):
            if isinstance(side, Measure):
                _try_out(warehouse, config, metric.name, key, side)
    return found


def unavailable_metrics(warehouse: Warehouse, config: Config, *, lang: str = "en") -> dict[str, str]:
    """Metric → why it cannot be had from the tables that are mapped."""
    reasons: dict[str, str] = {}
    for name, metric in declared_metrics(config).items():
        lacking = _lacking(warehouse, config, metric)
        if lacking:
            reasons[name] = f"{'нужно' if lang == 'ru' else 'needs'} {', '.join(lacking)}"
    return reasons | {name: words.get(lang, words["en"]) for name, words in _LATER.items()}


def _try_out(warehouse: Warehouse, config: Config, name: str, key: str, measure: Measure) -> None:
    """Let the engine read a team's own expressions, so that a mistake names its line and not a query."""
    view = warehouse.clean(measure.table)
    condition = measure.where or "true"
    try:
        run(
            warehouse.connection,
            f"DESCRIBE SELECT CAST(({measure.sum}) AS DOUBLE), CASE WHEN {condition} THEN 1 END FROM {view}",
        )
    except duckdb.Error as error:
        columns = ", ".join(column.name for column in TABLES[measure.table].columns)
        raise config_error(
            config, f"metrics.{name}", key, f"{str(error).splitlines()[0]}; {measure.table} has {columns}"
        ) from None


def _lacking(warehouse: Warehouse, config: Config, metric: Metric) -> list[str]:
    lacking: list[str] = []
    for side in (metric.numerator, metric.denominator):
        if isinstance(side, Measure):
            needs: tuple[tuple[str, tuple[str, ...]], ...] = ((side.table, ()),)
        elif side == "margin" and config.margin is not None:
            needs = (("orders", ()),)
        else:
            needs = BUILT_IN[side].needs
        for table, columns in needs:
            if not warehouse.has(table):
                lacking.append(table)
            else:
                lacking += [f"{table}.{name}" for name in columns if not warehouse.has(table, name)]
    return list(dict.fromkeys(lacking))


_KEYS = (
    "numerator",
    "denominator",
    "unit",
    "good",
    "smallest_effect",
    "label",
    "maturity_days",
    "by_channel",
)
_MEASURED = ("orders", "order_lines", "messages", "visits")


def _changed(config: Config, section: MetricConfig, known: Metric | None) -> Metric:
    values, where = section.values, f"metrics.{section.name}"
    for key in values:
        if key not in _KEYS:
            raise config_error(
                config, where, key, f"this key is not known; expected one of {', '.join(_KEYS)}"
            )
    if known is None:
        for key in ("numerator", "denominator"):
            if key not in values:
                raise config_error(
                    config,
                    where,
                    key,
                    'a metric of your own needs numerator and denominator, for example "revenue" and "base"',
                )
        known = Metric(
            name=section.name, numerator="", denominator="", unit="count", good="neither", smallest_effect=0.02,
            label={"en": section.name, "ru": section.name},
        )  # fmt: skip
    changes: dict[str, Any] = {}
    for key in ("numerator", "denominator"):
        if key in values:
            changes[key] = _side(config, where, key, values[key])
    for key, allowed in (("unit", ("money", "share", "count", "score")), ("good", ("up", "down", "neither"))):
        if key in values:
            if values[key] not in allowed:
                raise config_error(
                    config, where, key, f"one of {', '.join(allowed)} was expected, not {values[key]!r}"
                )
            changes[key] = values[key]
    if "smallest_effect" in values:
        effect = values["smallest_effect"]
        if isinstance(effect, bool) or not isinstance(effect, int | float) or not 0 < effect < 10:
            raise config_error(
                config, where, "smallest_effect", f"a share such as 0.02 (2%) was expected, not {effect!r}"
            )
        changes["smallest_effect"] = float(effect)
    if "maturity_days" in values:
        days = values["maturity_days"]
        if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= 365:
            raise config_error(
                config, where, "maturity_days", f"days from 0 to 365 were expected, not {days!r}"
            )
        changes["maturity_days"] = days
    if "by_channel" in values:
        if not isinstance(values["by_channel"], bool):
            raise config_error(
                config, where, "by_channel", f"true or false was expected, not {values['by_channel']!r}"
            )
        changes["by_channel"] = values["by_channel"]
    if "label" in values:
        label = values["label"]
        if isinstance(label, str):
            label = {"en": label, "ru": label}
        if not isinstance(label, dict) or not all(isinstance(text, str) for text in label.values()):
            raise config_error(config, where, "label", 'label.en = "…" and label.ru = "…" were expected')
        changes["label"] = {**known.label, **label}
    metric = replace(known, **changes)
    if metric.by_channel and not all(_of_messages(side) for side in (metric.numerator, metric.denominator)):
        raise config_error(config, where, "by_channel", "only sums over messages have a channel to be cut by")
    return metric


def _of_messages(side: str | Measure) -> bool:
    table = side.table if isinstance(side, Measure) else BUILT_IN[side].table
    return table == "messages"


def _side(config: Config, section: str, key: str, value: Any) -> str | Measure:
    if isinstance(value, str):
        if value not in BUILT_IN:
            raise config_error(
                config, section, key,
                f'there is no sum called {value!r}; there are {", ".join(BUILT_IN)}, or give '
                f'{{ table = "orders", sum = "revenue", where = "channel = \'web\'" }}',
            )  # fmt: skip
        return value
    if not isinstance(value, dict) or not {"table", "sum"} <= value.keys() <= {"table", "sum", "where"}:
        raise config_error(
            config,
            section,
            key,
            f'a name or {{ table = "…", sum = "…", where = "…" }} was expected, not {value!r}',
        )
    if value["table"] not in _MEASURED or value["table"] not in TABLES:
        raise config_error(
            config,
            section,
            key,
            f"sums can be taken over {', '.join(_MEASURED)}, not over {value['table']!r}",
        )
    for part in ("sum", "where"):
        if not isinstance(value.get(part, ""), str):
            raise config_error(config, section, key, f"{part}: an SQL expression in quotes was expected")
    return Measure(table=value["table"], sum=value["sum"], where=value.get("where", ""))
