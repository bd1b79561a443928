"""What is wrong with the data, rule by rule: counts, money, an example and what Primeta does about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from primeta.config import Config
from primeta.facts import REACTION_KINDS
from primeta.warehouse.clean import DISTINCT_TABLES, drops, placeholder
from primeta.warehouse.diagnosis import Diagnosis, Finding
from primeta.warehouse.duck import named, one, plain_errors, quoted, run
from primeta.warehouse.engine import Warehouse
from primeta.warehouse.mapping import Mapped, canonical_value
from primeta.warehouse.rules import Action
from primeta.warehouse.sources import FILE_COLUMN
from primeta.warehouse.summary import amount_column, summarise
from primeta.warehouse.volume import daily_gaps, longest_run

_CURRENCY_NAMES = ("currency", "currency_code", "валюта", "код_валюты")
_NO_MONEY = "CAST('nan' AS DOUBLE)"


def diagnose(warehouse: Warehouse, config: Config, *, now: datetime) -> Diagnosis:
    """Hold every rule against every mapped table.

    Args:
        now: Times after this are in the future.
    Raises:
        BadConfig, BadTable, EngineFailed: a source cannot be opened at all.
    """
    examined = []
    with plain_errors("looking at the data"):
        for name in config.tables:
            table = _Examination(warehouse, config, name, now)
            table.examine()
            examined.append(table)
        return Diagnosis(
            rules=tuple(rule for table in examined for rule in table.rules),
            tables=tuple(
                summarise(warehouse, table.mapped, rows=table.rows, used=table.used) for table in examined
            ),
            currency=config.currency,
        )


class _Examination:
    """One table: rules in order, and the rows that are left after each."""

    def __init__(self, warehouse: Warehouse, config: Config, name: str, now: datetime):
        self.warehouse = warehouse
        self.config = config
        self.connection = warehouse.connection
        self.now = now
        self.name = name
        self.mapped: Mapped = warehouse.mapped(name)
        self.has = self.mapped.mapped
        self.view = self.mapped.view
        self.time = self.mapped.spec.time or ""
        self.rules: list[Finding] = []
        if any(form.kind == "csv" for form in self.mapped.source.files):
            self._hold_in_memory()
        self.rows: int = one(self.connection, f"SELECT count(*) FROM {self.view}")[0]
        self.left = self.rows
        self.gone = "false"
        column = amount_column(self.mapped)
        self.amount = f"abs(CAST({column} AS DOUBLE))" if column else ""

    def examine(self) -> None:
        self._own_filter()
        if not self._usable():
            return
        self._types()
        self._dates_and_currency()
        for drop in drops(self.name):
            self.check(drop.rule, drop.condition, "drops")
        if self.name == "order_lines" and "customer_id" in self.has:
            self.check(
                "null-customers",
                f"customer_id IS NULL OR {placeholder('customer_id')}",
                "drops",
                note={
                    "en": "left out of everything that is counted by customer",
                    "ru": "не учитываются во всём, что считается по клиентам",
                },
            )
        self._repeats()
        self._amounts()
        self._times()
        self._links()
        self._volume()

    @property
    def used(self) -> int:
        """Rows that go on to be used."""
        return 0 if self.mapped.missing else self.left

    # One rule.

    def check(
        self,
        rule: str,
        condition: str,
        action: Action,
        *,
        shown: Sequence[str] = (),
        note: dict[str, str] | None = None,
        asks_above: float = math.inf,
    ) -> int:
        """Hold one condition against every row of the canonical view; returns how many break it.

        Args:
            shown: Columns of the example; default: the required ones.
            asks_above: A person is asked where the share of rows is above this.
        """
        test = f"coalesce({condition}, false)"
        amount = f"coalesce(sum({self.amount}) FILTER ({test}), 0)" if self.amount else _NO_MONEY
        found, newly, money = one(
            self.connection,
            f"SELECT count(*) FILTER ({test}), count(*) FILTER ({test} AND NOT ({self.gone})), {amount} FROM {self.view}",
        )
        example = self._example(test, shown) if found else ""
        if action == "drops":
            self.gone = f"{self.gone} OR {test}"
        self.add(
            rule, found, action, money=money, example=example, note=note, dropped=newly, asks_above=asks_above
        )
        return found

    def add(
        self,
        rule: str,
        rows: int,
        action: Action,
        *,
        money: float = math.nan,
        example: str = "",
        note: dict[str, str] | None = None,
        dropped: int = 0,
        asks_above: float = math.inf,
    ) -> None:
        share = rows / self.rows if self.rows else math.nan
        before = self.left
        if action == "drops":
            self.left -= dropped
        elif share > asks_above:
            action = "asks"
        elif action == "asks" and not rows:
            action = "keeps"
        self.rules.append(
            Finding(
                rule=rule,
                table=self.name,
                rows=rows,
                share=share,
                money=float(money),
                example=example,
                action=action,
                before=before,
                after=self.left,
                note=note if note and rows else {},
            )
        )

    def _example(self, test: str, shown: Sequence[str]) -> str:
        columns = list(shown) or [name for name in self.mapped.spec.required if name in self.has]
        listed = ", ".join(f"CAST({named(name)} AS VARCHAR)" for name in columns)
        found = run(
            self.connection, f"SELECT {listed} FROM {self.view} WHERE {test} ORDER BY ALL NULLS LAST LIMIT 1"
        )
        return ", ".join(
            f"{name}={'?' if value is None else value}" for name, value in zip(columns, found[0])
        )

    def _hold_in_memory(self) -> None:
        """A CSV file is parsed once instead of once a rule."""
        source = self.mapped.source.view
        run(self.connection, f"CREATE OR REPLACE TEMP TABLE held_{self.name} AS SELECT * FROM {source}")
        run(self.connection, f"CREATE OR REPLACE VIEW {source} AS SELECT * FROM held_{self.name}")

    # The table as a whole.

    def _own_filter(self) -> None:
        where = self.config.tables[self.name].where
        if not where:
            return
        all_rows = one(self.connection, f"SELECT count(*) FROM {self.mapped.source.view}")[0]
        left_out = all_rows - self.rows
        self.rules.append(
            Finding(
                rule="left-out-by-where",
                table=self.name,
                rows=left_out,
                share=left_out / all_rows if all_rows else math.nan,
                money=math.nan,
                example=f"where = {where!r}",
                action="drops",
                before=all_rows,
                after=self.rows,
            )
        )

    def _usable(self) -> bool:
        missing = self.mapped.missing
        if missing:
            has = ", ".join(self.mapped.source.types)
            self.add(
                "missing-columns",
                max(self.rows, 1),
                "asks",
                example=", ".join(missing),
                note={
                    "en": f"{self.mapped.source.wording} has {has}; say which is which under [tables.{self.name}] columns",
                    "ru": f"в {self.mapped.source.wording} есть {has}; укажите соответствие в [tables.{self.name}] columns",
                },
            )
            return False
        if not self.rows:
            self.add("empty-table", 1, "asks", example=self.mapped.source.wording)
            return False
        self.add("missing-columns", 0, "asks")
        return True

    def _types(self) -> None:
        """Values that are there and cannot be read as what their column should hold."""
        source, unreadable, infinite = self.mapped.source.view, 0, 0
        worst = worst_infinite = ""
        where = f" WHERE {self.mapped.where}" if self.mapped.where else ""
        required = False
        for column in self.mapped.spec.columns:
            if column.name not in self.has or column.kind in ("id", "text"):
                continue
            raw, kind = f"({self.mapped.raw[column.name]})", self.mapped.types[column.name]
            value = (
                self.mapped.times[column.name].utc
                if column.kind == "time"
                else canonical_value(raw, kind, column)
            )
            text = f"trim(CAST({raw} AS VARCHAR))"
            wild = f"lower({text}) IN ('nan', 'inf', '-inf', 'infinity', '-infinity')"
            bad, odd, example, odd_example = one(
                self.connection,
                f"SELECT count(*) FILTER (raw AND lost AND NOT wild), count(*) FILTER (raw AND lost AND wild), "
                f"min(text) FILTER (raw AND lost AND NOT wild), min(text) FILTER (raw AND lost AND wild) FROM "
                f"(SELECT {text} AS text, {text} <> '' AS raw, ({value}) IS NULL AS lost, {wild} AS wild FROM {source}{where})",
            )
            unreadable, infinite = unreadable + bad, infinite + odd
            worst = worst or (f"{column.name}={example}" if bad else "")
            worst_infinite = worst_infinite or (f"{column.name}={odd_example}" if odd else "")
            required = required or bool(bad and column.required)
        unknown = {"en": "such values count as unknown", "ru": "такие значения считаются неизвестными"}
        self.add(
            "unreadable-values",
            unreadable,
            "asks" if required else "keeps",
            example=worst,
            note=unknown,
            asks_above=0.01,
        )
        self.add("non-finite-values", infinite, "keeps", example=worst_infinite, note=unknown)

    def _dates_and_currency(self) -> None:
        doubtful = [name for name, reading in self.mapped.times.items() if reading.ambiguous]
        if any(kind == "VARCHAR" for name, kind in self.mapped.types.items() if name in self.mapped.times):
            wording = ", ".join(f"{name}: {self.mapped.times[name].wording}" for name in doubtful)
            self.add(
                "ambiguous-dates",
                self.rows if doubtful else 0,
                "asks",
                example=wording,
                note={
                    "en": f'read as shown until you say date_format = "dd/mm/yyyy" or "mm/dd/yyyy" under [tables.{self.name}]',
                    "ru": f'пока читается так, как показано; укажите date_format = "dd/mm/yyyy" или "mm/dd/yyyy" '
                    f"в [tables.{self.name}]",
                },
            )
        column = next((name for name in self.mapped.source.types if name.lower() in _CURRENCY_NAMES), "")
        if column and self.amount:
            where = f" WHERE {self.mapped.where}" if self.mapped.where else ""
            rows = run(
                self.connection,
                f"SELECT upper(trim(CAST({named(column)} AS VARCHAR))) AS code, count(*) "
                f"FROM {self.mapped.source.view}{where} GROUP BY 1 HAVING code <> '' ORDER BY 2 DESC",
            )
            other = [(code, count) for code, count in rows if code != self.config.currency]
            self.add(
                "second-currency",
                sum(count for _, count in other),
                "asks",
                example=", ".join(code for code, _ in other[:5]),
                note={
                    "en": f"one currency a workspace: this one counts in {self.config.currency}; convert, or filter with where",
                    "ru": f"в рабочей области одна валюта: здесь {self.config.currency}; пересчитайте или отберите строки в where",
                },
            )

    # Rows.

    def _repeats(self) -> None:
        spec = self.mapped.spec
        if self.name in DISTINCT_TABLES:
            columns = ", ".join(named(column.name) for column in spec.columns)
            survivors = f"(SELECT {columns} FROM {self.view} WHERE NOT ({self.gone}))"
            repeated = one(
                self.connection,
                f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {survivors} GROUP BY {columns})",
            )[0]
            action: Action = "drops"
        else:
            columns = ", ".join(named(name) for name in self.mapped.source.types)
            where = f" WHERE {self.mapped.where}" if self.mapped.where else ""
            repeated = one(
                self.connection,
                f"SELECT coalesce(sum(n - 1), 0) FROM "
                f"(SELECT count(*) AS n FROM {self.mapped.source.view}{where} GROUP BY {columns})",
            )[0]
            action = "keeps"
        repeated = int(repeated)
        notes = {
            "order_lines": {
                "en": "kept: a receipt may list the same product twice",
                "ru": "учитываются: в чеке один товар может стоять дважды",
            }
        }
        money, example = math.nan, ""
        if repeated:
            amount = f"sum((n - 1) * {self.amount})" if self.amount else _NO_MONEY
            shown = [name for name in spec.required if name in self.has]
            listed = ", ".join(f"CAST({named(name)} AS VARCHAR)" for name in shown)
            grouped = ", ".join(named(column.name) for column in spec.columns)
            found = run(
                self.connection,
                f"WITH r AS (SELECT {grouped}, count(*) AS n FROM {self.view} GROUP BY {grouped} HAVING n > 1) "
                f"SELECT (SELECT {amount} FROM r), {listed} FROM r ORDER BY n DESC, {listed} LIMIT 1",
            )
            if found:
                money = float(found[0][0])
                example = ", ".join(f"{name}={value}" for name, value in zip(shown, found[0][1:]))
        self.add(
            "exact-duplicates",
            repeated,
            action,
            money=money,
            example=example,
            note=notes.get(self.name),
            dropped=repeated,
        )
        self._files_overlap()
        if spec.key and spec.key in self.has:
            self._duplicate_keys(spec.key)

    def _duplicate_keys(self, key: str) -> None:
        columns = ", ".join(named(column.name) for column in self.mapped.spec.columns)
        extra = " AND NOT is_return" if self.name == "orders" else ""
        rows = f"(SELECT DISTINCT {columns} FROM {self.view} WHERE {key} IS NOT NULL AND NOT ({self.gone}){extra})"
        repeated, example = one(
            self.connection,
            f"SELECT coalesce(sum(n - 1), 0), min({key}) FROM (SELECT {key}, count(*) AS n FROM {rows} GROUP BY {key} HAVING n > 1)",
        )
        notes = {
            "orders": {
                "en": "each row counts as an order; if the rows are lines of orders, map them as order_lines",
                "ru": "каждая строка считается заказом; если это позиции заказов, опишите их как order_lines",
            },
            "customers": {
                "en": "the row that sorts first counts",
                "ru": "учитывается первая по порядку строка",
            },
        }
        repeated = int(repeated)
        self.add(
            "duplicate-keys",
            repeated,
            "drops" if self.name == "customers" else "asks",
            example=f"{key}={example}" if repeated else "",
            note=notes.get(self.name),
            dropped=repeated,
        )

    def _files_overlap(self) -> None:
        if len(self.mapped.source.files) < 2:
            return
        columns = ", ".join(named(name) for name in self.mapped.source.types)
        file = named(FILE_COLUMN)
        rows, first, second = one(
            self.connection,
            f"SELECT coalesce(sum(n), 0), min(a), min(b) FROM (SELECT sum(in_file) - max(in_file) AS n, min(f) AS a, "
            f"max(f) AS b FROM (SELECT {columns}, {file} AS f, count(*) AS in_file FROM {self.mapped.source.view} "
            f"GROUP BY {columns}, {file}) GROUP BY {columns} HAVING count(*) > 1)",
        )
        # A few rows may well be alike by chance; two files that share a hundredth of them were written twice.
        rows = int(rows)
        self.add(
            "file-overlap",
            rows,
            "keeps",
            example=f"{first}, {second}" if rows else "",
            asks_above=0.01,
            note={
                "en": "they count twice until one of the files goes",
                "ru": "считаются дважды, пока не убран один из файлов",
            },
        )

    def _amounts(self) -> None:
        if self.name in ("orders", "order_lines"):
            condition = self.mapped.returns
            self.check(
                "returns",
                "is_return",
                "keeps",
                shown=("order_id", "revenue"),
                note={
                    "en": "negative revenue on their own day, not orders; recognised by "
                    + (f"returns = {condition!r} or " if condition else "")
                    + "a negative quantity or amount",
                    "ru": "отрицательная выручка в свой день, не заказы; распознаны по "
                    + (f"условию returns = {condition!r} или " if condition else "")
                    + "отрицательному количеству или сумме",
                },
            )
            self._cancellations()
        if "quantity" in self.has:
            self.check("negative-quantities", "quantity < 0", "keeps", shown=("order_id", "quantity"))
        if "price" in self.has:
            self.check("non-positive-prices", "price <= 0", "keeps", shown=("order_id", "price"))
        floored = [c.name for c in self.mapped.spec.columns if c.minimum is not None and c.name in self.has]
        if floored:
            # The discount of a return is negative with its revenue.
            sold = " AND NOT is_return" if self.name in ("orders", "order_lines") else ""
            tests = [f"{named(name)} < 0" for name in floored]
            self.check(
                "negative-values",
                f"({' OR '.join(tests)}){sold}",
                "keeps",
                shown=tuple(floored),
                asks_above=0.001,
            )
        if self.amount:
            limit = one(
                self.connection,
                f"SELECT 100 * approx_quantile({self.amount}, 0.999) FROM {self.view} WHERE {self.amount} > 0",
            )[0]
            if limit is not None and math.isfinite(limit):
                required = self.mapped.spec.required[0]
                amount = amount_column(self.mapped)
                self.check(
                    "absurd-values",
                    f"{self.amount} > {limit!r}",
                    "keeps",
                    shown=(required, amount),
                    note={
                        "en": f"above 100 times what 99.9% of the rows stay below ({limit / 100:,.2f})",
                        "ru": f"больше чем в 100 раз выше того, ниже чего 99,9 % строк ({limit / 100:.2f})",
                    },
                )

    def _cancellations(self) -> None:
        """A letter before the number under which (almost) every row is negative: C536379."""
        letter = "regexp_extract(order_id, '^([A-Za-zА-Яа-я]+)[0-9]', 1)"
        rows = run(
            self.connection,
            f"SELECT {letter} AS letter, count(*), count(*) FILTER (is_return) FROM {self.view} "
            f"WHERE {letter} <> '' GROUP BY 1 ORDER BY 2 DESC LIMIT 50",
        )
        marked = [entry[0] for entry in rows if entry[1] >= 5 and entry[2] >= 0.99 * entry[1]]
        share = sum(entry[1] for entry in rows if entry[0] in marked) / self.rows
        # Where most numbers bear the letter it says nothing.
        letters = marked if share < 0.5 else []
        condition = f"{letter} IN ({', '.join(map(quoted, letters))})" if letters else "false"
        listed = ", ".join(letters)
        self.check(
            "cancellations",
            condition,
            "keeps",
            shown=("order_id", "revenue"),
            note={
                "en": f"recognised by the letter before the number ({listed}): every such row is negative; they are returns",
                "ru": f"распознаны по букве перед номером ({listed}): все такие строки отрицательные; это возвраты",
            },
        )

    def _times(self) -> None:
        if self.time not in self.has:
            return
        moment = f"TIMESTAMP '{self.now.astimezone(UTC):%Y-%m-%d %H:%M:%S}'"
        self.check("ancient-dates", f"{self.time} < TIMESTAMP '1995-01-01'", "keeps", asks_above=0.001)
        self.check("future-dates", f"{self.time} > {moment}", "asks")
        self._time_zone()
        if self.name in ("orders", "order_lines") and self.warehouse.has("customers", "registered_at"):
            if not {"customer_id", "ordered_at"} <= self.has:
                return
            customers = self.warehouse.clean("customers")
            found, money, example = one(
                self.connection,
                f"SELECT count(*), {f'coalesce(sum({self.amount}), 0)' if self.amount else _NO_MONEY}, "
                f"min(customer_id || ' ' || order_id) FROM {self.view} o JOIN (SELECT customer_id, min(day) AS joined "
                f"FROM {customers} GROUP BY 1) c USING (customer_id) WHERE o.day < c.joined",
            )
            self.add(
                "orders-before-registration",
                found,
                "keeps",
                money=money,
                example=example or "",
                asks_above=0.2,
            )

    def _time_zone(self) -> None:
        """Nobody shops at night: where the small hours are busy and others empty, the zone is wrong."""
        zone = quoted(self.config.timezone)
        hour = f"hour(timezone({zone}, timezone('UTC', {self.time})))"
        counts = dict(
            run(
                self.connection,
                f"SELECT {hour}, count(*) FROM {self.view} WHERE {self.time} IS NOT NULL GROUP BY 1",
            )
        )
        total = sum(counts.values())
        hours = [counts.get(at, 0) for at in range(24)]
        dates_only = max(hours, default=0) > 0.9 * total
        night = sum(hours[1:5]) / total if total else 0.0
        quiet = (
            min(sum(hours[(at + shift) % 24] for shift in range(4)) for at in range(24)) / total
            if total
            else 0.0
        )
        start = min(range(24), key=lambda at: sum(hours[(at + shift) % 24] for shift in range(4)))
        wrong = total >= 1000 and not dates_only and night > 0.15 and quiet < 0.02
        self.add(
            "time-zone",
            self.rows if wrong else 0,
            "asks",
            example=f"{start:02d}:00–{(start + 4) % 24:02d}:00" if wrong else "",
            note={
                "en": f"in {self.config.timezone} the quietest hours would be those; check [workspace] timezone",
                "ru": f"в поясе {self.config.timezone} самыми тихими были бы эти часы; проверьте timezone в [workspace]",
            },
        )

    def _links(self) -> None:
        tables = self.warehouse.tables()
        if self.name != "customers" and "customers" in tables and "customer_id" in self.has:
            customers = self.warehouse.clean("customers")
            self.check(
                "unknown-customers",
                f"customer_id IS NOT NULL AND customer_id NOT IN (SELECT customer_id FROM {customers})",
                "keeps",
                asks_above=0.5,
                note={
                    "en": "they count in the whole, and in no slice by attribute",
                    "ru": "учитываются в целом, но не входят в срезы по свойствам",
                },
            )
        if self.name == "order_lines" and "customer_id" in self.has:
            self.check(
                "several-customers",
                f"order_id IN (SELECT order_id FROM {self.view} GROUP BY order_id HAVING count(DISTINCT customer_id) > 1)",
                "keeps",
            )
        if self.name == "order_lines" and "orders" in self.config.tables:
            orders = self.warehouse.rows("orders")
            needed = not {"customer_id", "ordered_at"} <= self.has
            self.check(
                "lines-without-order",
                f"order_id NOT IN (SELECT order_id FROM {orders} WHERE order_id IS NOT NULL)",
                "drops" if needed else "keeps",
            )
        if self.name == "reactions":
            kinds = ", ".join(quoted(kind) for kind in REACTION_KINDS)
            self.check("unknown-kinds", f"kind NOT IN ({kinds})", "asks", shown=("message_id", "kind"))
            if "messages" in tables:
                messages = self.warehouse.rows("messages")
                self.check(
                    "reactions-without-message",
                    f"message_id NOT IN (SELECT message_id FROM {messages} WHERE message_id IS NOT NULL)",
                    "keeps",
                    asks_above=0.2,
                    note={"en": "no rate counts them", "ru": "не входят ни в одну долю"},
                )
                before = one(
                    self.connection,
                    f"SELECT count(*), min(r.message_id) FROM {self.view} r JOIN (SELECT message_id, min(sent_at) AS sent_at "
                    f"FROM {messages} GROUP BY 1) m USING (message_id) WHERE r.happened_at < m.sent_at",
                )
                self.add(
                    "reactions-before-message",
                    before[0],
                    "keeps",
                    example=f"message_id={before[1]}" if before[0] else "",
                    asks_above=0.2,
                )

    def _volume(self) -> None:
        if self.time not in self.has or self.name in ("customers", "promotions"):
            return
        counts: dict[date, int] = dict(
            run(self.connection, f"SELECT day, count(*) FROM {self.view} WHERE day IS NOT NULL GROUP BY day")
        )
        today = self.now.astimezone(self.config.zone).date()
        past = {day: count for day, count in counts.items() if day <= today}
        if not past:
            return
        volume = daily_gaps(past, last_whole=max(past) - timedelta(days=1))
        lately = max(past) - timedelta(days=14)
        for rule, days in (("volume-gaps", volume.empty), ("volume-drops", volume.low)):
            serious = longest_run(days) >= 7 or any(day >= lately for day in days)
            self.rules.append(
                Finding(
                    rule=rule,
                    table=self.name,
                    rows=len(days),
                    share=len(days) / ((max(past) - min(past)).days + 1),
                    money=math.nan,
                    example=f"{days[-1]}: {past.get(days[-1], 0)} / {volume.usual[days[-1]]:.0f}"
                    if days
                    else "",
                    action="asks" if days and serious else "keeps",
                    before=self.left,
                    after=self.left,
                    note={
                        "en": "counted in days; the example is the last one with its rows and the usual number",
                        "ru": "счёт в днях; в примере последний такой день, строк в нём и обычное число",
                    }
                    if days
                    else {},
                )
            )
