"""`primeta.toml`: what a workspace declares, checked key by key before anything runs."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from primeta.errors import BadConfig, BadInput, NotFound
from primeta.facts import TABLES
from primeta.privacy.erased import WhoIsErased

FILE_NAME = "primeta.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableConfig:
    """`[tables.NAME]`: where the rows are and which expression gives each canonical column."""

    name: str
    from_: str = ""
    sql: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    where: str = ""
    encoding: str = ""
    delimiter: str = ""
    date_format: str = ""
    returns: str = ""
    """`negative` (default), or an SQL condition that marks returns and cancellations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricConfig:
    """`[metrics.NAME]`: a metric of the team's own, or changes to a built-in one."""

    name: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesConfig:
    """`[slices]`: attributes to cut by, crossings of them, and how small a slice may be."""

    by: tuple[str, ...] = ()
    """Customer attributes, such as `age`."""
    cross: tuple[tuple[str, ...], ...] = ()
    """Paths of the segment tree: ["region", "city"] cuts region, then city within it."""
    channels: bool = True
    smallest: int = 200
    """Customers a slice needs in a usual week to be watched."""
    most_values: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConfig:
    """`[watch]`: which metrics, and how many of what is found may be false."""

    metrics: tuple[str, ...] = ()
    """Empty: every metric that the tables allow."""
    false_share: float = 0.10
    """Of the list of *holding*, in a year of weekly looks."""
    promise_weeks: int = 52
    promise_start: date | None = None
    """First day of the promise year; what lies before is only baseline. None: set by `watch`."""
    smallest_effect: float | None = None
    """For all metrics, instead of each one's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiltersConfig:
    """`[filters]`: thresholds 0–100, and what the natural values are scored against."""

    relevance: float = 50
    economic: float = 40
    feasibility: float = 60
    horizon: float = 50
    compliance: float = 70
    money_full_score: float | None = None
    """Money a year that scores 100; default 1% of a year's revenue."""
    quick_weeks: float = 12
    """An answer within so many weeks is a quick win."""


EXPERIMENT_KEYS = (
    "hypothesis",
    "trend",
    "owner",
    "starts",
    "ends",
    "arms",
    "control",
    "population",
    "entry",
    "primary",
    "window_days",
    "smallest_effect",
    "value",
    "guardrails",
    "metrics",
    "caps",
    "design",
    "looks",
    "level",
    "power",
    "planned_n",
    "covariate_days",
    "segments",
    "strata",
    "layer",
    "slots",
    "holdout",
    "ramp",
    "salt",
    "hash",
)
ARM_KEYS = ("share", "cost", "what")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentConfig:
    """`[experiments.NAME]`: an experiment as it is written; `experiments.declare` makes a plan of it."""

    name: str
    values: dict[str, Any]
    """Keys of EXPERIMENT_KEYS; `arms`, `guardrails` and `caps` are sections of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactivationConfig:
    """`[reactivation]`: how campaigns are measured on the ladder."""

    window_days: int = 30
    horizon_days: int = 365
    attribution_days: int = 7
    annual_discount: float = 0.0
    """Of money that comes later: .12 is 12% a year."""
    fixed_days: int = 90
    """The rule that lapse by own rhythm is compared with."""
    promo_codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """Experiment or campaign → arm → its code."""
    controls: dict[str, str] = field(default_factory=dict)
    """Experiment without a plan → the arm that was left alone."""
    contact_costs: dict[str, dict[str, float]] = field(default_factory=dict)
    """Experiment without a plan → arm or channel → money for one contact; "*" for all but the control."""


DELIVERED = ("digest", "reviews")
EVERY = ("day", "weekday", "week")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryConfig:
    """`[delivery.NAME]`: to whom the digest and the due reviews go, and when."""

    name: str
    to: str
    """An address as apprise writes it, secrets left out: `tgram://${TELEGRAM_TOKEN}/-100123`."""
    language: str = ""
    """Empty: the workspace's."""
    what: tuple[str, ...] = DELIVERED
    every: str = "week"
    on: str = "monday"
    """The weekday of `every = "week"`."""
    at: time = time(9)
    """In the workspace's zone."""


SOURCE_KEYS = (
    "reader",
    "kind",
    "at",
    "owner",
    "trust",
    "every",
    "language",
    "allow",
    "columns",
    "select",
    "changes",
    "paused",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """`[sources.NAME]`: a source as it is written; `sources.declare` makes a source of it."""

    name: str
    values: dict[str, Any]
    """Keys of SOURCE_KEYS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesConfig:
    """`[sources]`: what people, the market and the law say, and how it is fetched."""

    declared: dict[str, SourceConfig] = field(default_factory=dict)
    contact: str = ""
    """An address or page that a site's owner can turn to; it goes out with every request."""
    proxy: str = ""
    """Through which everything is fetched; none is ever taken from the environment."""
    spacing_seconds: float = 2.0
    """Between two requests to one host."""


ATTENTION_POLICY_KEYS = (
    "caps",
    "quiet_hours",
    "first_useful",
    "useful_after_broken",
    "sell_at",
    "press_at",
    "gain_per_touch",
    "loss_of_customer",
    "cost_per_message",
    "priority",
    "channels",
    "service_programmes",
    "rest_when_blind",
    "holdout",
    "default",
)
ATTENTION_KEYS = (
    *ATTENTION_POLICY_KEYS,
    "promises",
    "controller",
    "accept_unproven_by",
    "accept_unproven_reason",
    "public_url",
    "preferences",
    "retention",
)
RETENTION_KEYS = ("touch", "reaction", "decision", "kept", "access", "voice", "raw", "reservation", "mark")
"""Classes that may have a span under `[attention.retention]`; all else is proof and is kept."""
SHORTEST_RETENTION = timedelta(days=30)
PREFERENCE_KEYS = ("sender", "contact", "channels", "topics", "languages", "consent_text")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencesConfig:
    """`[attention.preferences]`: what customers see on the pages that links in messages open."""

    sender: dict[str, str] = field(default_factory=dict)
    """Language → the sender as customers know him; empty: the workspace's name."""
    contact: str = ""
    """Where a person answers: a mail address or a telephone number."""
    channels: tuple[str, ...] = ()
    """Offered; empty: those on which the customer is written to."""
    topics: dict[str, dict[str, str]] = field(default_factory=dict)
    """Programme or campaign → language → what customers call it; empty: topics cannot be chosen."""
    languages: tuple[str, ...] = ()
    """Languages in which messages can come; empty: no choice."""
    consent_text: dict[str, str] = field(default_factory=dict)
    """Language → the text of a consent, with {sender} and {channel}; empty: Primeta's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionConfig:
    """`[attention]`: what may be sent to whom and when; `attention.policy` makes a policy of `policy`."""

    policy: dict[str, Any] = field(default_factory=dict)
    """Keys of ATTENTION_POLICY_KEYS as they are written; empty: nothing is declared."""
    promises: str = ""
    """A JSON file of promises to everybody; a path from the workspace."""
    controller: str = ""
    """Who answers for the data, as consents name it."""
    accept_unproven_by: str = ""
    """A named person who takes it upon himself that consents without proof count …"""
    accept_unproven_reason: str = ""
    """… and why."""
    retention: dict[str, timedelta] = field(default_factory=dict)
    """Class → how long it is kept; a class that is not there is kept."""
    public_url: str = ""
    """Where customers reach the pages that links in messages open: `https://mail.shop.example`."""
    preferences: PreferencesConfig = PreferencesConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A workspace as its file declares it."""

    path: Path
    name: str
    language: str = "en"
    currency: str = "USD"
    timezone: str = "UTC"
    margin: float | None = None
    people: tuple[str, ...] = ()
    as_of_facts: bool = False
    """`today = "facts"`: a history, in which today is the day after its last fact."""
    warehouse_url: str = "duckdb://"
    state_url: str = ""
    """Empty: `state.sqlite` in the workspace."""
    tables: dict[str, TableConfig] = field(default_factory=dict)
    metrics: dict[str, MetricConfig] = field(default_factory=dict)
    slices: SlicesConfig = SlicesConfig()
    goals: dict[str, float] = field(default_factory=dict)
    """Metric → weight of this year's goals."""
    filters: FiltersConfig = FiltersConfig()
    watch: WatchConfig = WatchConfig()
    experiments: dict[str, ExperimentConfig] = field(default_factory=dict)
    reactivation: ReactivationConfig = ReactivationConfig()
    delivery: dict[str, DeliveryConfig] = field(default_factory=dict)
    sources: SourcesConfig = SourcesConfig()
    attention: AttentionConfig = AttentionConfig()
    erased: WhoIsErased | None = field(default=None, compare=False, repr=False)
    """Whom no reading of tables may give; told by the workspace, not by the file."""

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class _Reader:
    """Takes values out of the parsed file; every complaint names the key and its line."""

    def __init__(self, path: Path, text: str):
        self.path = path
        self.lines = text.splitlines()

    def line_of(self, section: str, key: str = "") -> int | None:
        """The 1-based line of `key` in `[section]`, or of the section itself."""
        inside = section == ""
        for number, line in enumerate(self.lines, start=1):
            stripped = line.strip()
            head = re.match(r"\[+\s*([^\]]+?)\s*\]+", stripped)
            if head:
                name = head.group(1).replace('"', "").replace("'", "")
                inside = name == section
                if (inside and not key) or (key and name == f"{section}.{key}"):
                    return number
            elif inside and key and re.match(rf"[\"']?{re.escape(key)}[\"']?\s*=", stripped):
                return number
        return None

    def fail(self, section: str, key: str, message: str) -> BadConfig:
        line, above = self.line_of(section, key) or self.line_of(section), section
        while line is None and above:
            # A section may be written as an inline table of the one above it.
            above, _, last = above.rpartition(".")
            line = self.line_of(above, last)
        place = f"{self.path.name}, line {line}" if line else self.path.name
        name = f"[{section}] {key}".strip() if section else key
        return BadConfig(f"{place}: {name}: {message}")

    def section(self, parent: dict[str, Any], name: str, full: str) -> dict[str, Any]:
        value = parent.get(name, {})
        if not isinstance(value, dict):
            above = full.rpartition(".")[0]
            raise self.fail(above, name, f"a section [{full}] was expected, a single value was given")
        return value

    def known(self, section: str, values: dict[str, Any], allowed: tuple[str, ...]) -> None:
        for key in values:
            if key not in allowed:
                raise self.fail(
                    section, key, f"this key is not known; expected one of {', '.join(sorted(allowed))}"
                )

    def take(self, section: str, values: dict[str, Any], key: str, kind: type, default: Any) -> Any:
        if key not in values:
            return default
        value = values[key]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            names = {str: "text in quotes", float: "a number", int: "a whole number", bool: "true or false"}
            expected = names.get(kind, "a list" if kind is list else "a section")
            raise self.fail(section, key, f"{expected} was expected, {value!r} was given")
        return value

    def texts(self, section: str, values: dict[str, Any], key: str) -> tuple[str, ...]:
        entries = self.take(section, values, key, list, [])
        for entry in entries:
            if not isinstance(entry, str):
                raise self.fail(section, key, f"a list of texts was expected, it holds {entry!r}")
        return tuple(entries)

    def bounded(
        self, section: str, values: dict[str, Any], key: str, default: Any, low: float, high: float
    ) -> Any:
        value = self.take(section, values, key, float, default)
        if value is not None and not low <= value <= high:
            raise self.fail(
                section, key, f"a number from {low:g} to {high:g} was expected, {value:g} was given"
            )
        return value


SECTIONS = (
    "workspace",
    "warehouse",
    "state",
    "tables",
    "metrics",
    "slices",
    "goals",
    "filters",
    "watch",
    "sources",
    "experiments",
    "reactivation",
    "delivery",
    "attention",
)


def load_config(folder: Path | str) -> Config:
    """Read and check `primeta.toml` of a workspace.

    Raises:
        NotFound: `folder` holds no `primeta.toml`.
        BadConfig: the file is no TOML, or a key is unknown or has a wrong value; names its line.
    """
    path = Path(folder)
    path = path if path.name == FILE_NAME else path / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(
            f"{path.parent} is no workspace: it holds no {FILE_NAME}. "
            f"Make one with `primeta init {path.parent}`, or name another folder."
        ) from None
    except UnicodeDecodeError as error:
        raise BadConfig(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    return parse_config(text, path)


def parse_config(text: str, path: Path) -> Config:
    """Check the text of a workspace file; `path` is used in messages and to resolve files."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{path.name}: not valid TOML: {error}") from None
    read = _Reader(path, text)
    read.known("", document, SECTIONS)

    workspace = read.section(document, "workspace", "workspace")
    read.known(
        "workspace", workspace, ("name", "language", "currency", "timezone", "margin", "people", "today")
    )
    language = read.take("workspace", workspace, "language", str, "en")
    if language not in ("en", "ru"):
        raise read.fail("workspace", "language", f'"en" or "ru" was expected, {language!r} was given')
    currency = read.take("workspace", workspace, "currency", str, "USD")
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise read.fail(
            "workspace", "currency", f'three capitals such as "USD" were expected, not {currency!r}'
        )
    timezone = read.take("workspace", workspace, "timezone", str, "UTC")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise read.fail(
            "workspace", "timezone", f'a zone such as "Europe/Moscow" was expected, not {timezone!r}'
        ) from None

    today = read.take("workspace", workspace, "today", str, "clock")
    if today not in ("clock", "facts"):
        raise read.fail("workspace", "today", f'"clock" or "facts" was expected, {today!r} was given')

    warehouse = read.section(document, "warehouse", "warehouse")
    read.known("warehouse", warehouse, ("url",))
    state = read.section(document, "state", "state")
    read.known("state", state, ("url",))

    return Config(
        path=path,
        name=read.take("workspace", workspace, "name", str, path.parent.resolve().name),
        language=language,
        currency=currency,
        timezone=timezone,
        margin=read.bounded("workspace", workspace, "margin", None, -1, 1),
        people=read.texts("workspace", workspace, "people"),
        as_of_facts=today == "facts",
        warehouse_url=read.take("warehouse", warehouse, "url", str, "duckdb://"),
        state_url=read.take("state", state, "url", str, ""),
        tables=_tables(read, read.section(document, "tables", "tables")),
        metrics={
            name: MetricConfig(name=name, values=read.section(document["metrics"], name, f"metrics.{name}"))
            for name in read.section(document, "metrics", "metrics")
        },
        slices=_slices(read, read.section(document, "slices", "slices")),
        goals=_goals(read, read.section(document, "goals", "goals")),
        filters=_filters(read, read.section(document, "filters", "filters")),
        watch=_watch(read, read.section(document, "watch", "watch")),
        experiments=_experiments(read, read.section(document, "experiments", "experiments")),
        reactivation=_reactivation(read, read.section(document, "reactivation", "reactivation")),
        attention=_attention(read, read.section(document, "attention", "attention")),
        delivery=_delivery(read, read.section(document, "delivery", "delivery")),
        sources=_sources(read, read.section(document, "sources", "sources")),
    )


def config_error(config: Config, section: str, key: str, message: str) -> BadConfig:
    """A complaint about a key that only a later step could check, with the key's line."""
    return _Reader(config.path, config.path.read_text(encoding="utf-8")).fail(section, key, message)


def _tables(read: _Reader, sections: dict[str, Any]) -> dict[str, TableConfig]:
    tables: dict[str, TableConfig] = {}
    for name in sections:
        section = f"tables.{name}"
        values = read.section(sections, name, section)
        if name not in TABLES:
            raise read.fail("tables", name, f"no such table; expected one of {', '.join(TABLES)}")
        allowed = ("from", "sql", "columns", "where", "encoding", "delimiter", "date_format", "returns")
        read.known(section, values, allowed)
        columns = read.section(values, "columns", f"{section}.columns")
        spec = TABLES[name]
        for column, expression in columns.items():
            if not isinstance(expression, str):
                raise read.fail(
                    section, "columns", f"{column}: a column or an SQL expression in quotes was expected"
                )
            if spec.column(column) is None and not spec.free_columns:
                known = ", ".join(entry.name for entry in spec.columns)
                raise read.fail(
                    section, "columns", f"{column} is no column of {name}; expected one of {known}"
                )
        source, sql = read.take(section, values, "from", str, ""), read.take(section, values, "sql", str, "")
        if bool(source) == bool(sql):
            raise read.fail(section, "from", 'give either from = "a file, glob or table" or sql = "select …"')
        tables[name] = TableConfig(
            name=name,
            from_=source,
            sql=sql,
            columns=dict(columns),
            where=read.take(section, values, "where", str, ""),
            encoding=read.take(section, values, "encoding", str, ""),
            delimiter=read.take(section, values, "delimiter", str, ""),
            date_format=read.take(section, values, "date_format", str, ""),
            returns=read.take(section, values, "returns", str, ""),
        )
    return tables


def _slices(read: _Reader, values: dict[str, Any]) -> SlicesConfig:
    read.known("slices", values, ("by", "cross", "channels", "smallest", "most_values"))
    cross: list[tuple[str, ...]] = []
    for entry in read.take("slices", values, "cross", list, []):
        if not isinstance(entry, list) or len(entry) < 2 or not all(isinstance(part, str) for part in entry):
            raise read.fail(
                "slices", "cross", f'a list such as [["region", "city"]] was expected, it holds {entry!r}'
            )
        cross.append(tuple(entry))
    return SlicesConfig(
        by=read.texts("slices", values, "by"),
        cross=tuple(cross),
        channels=read.take("slices", values, "channels", bool, True),
        smallest=read.take("slices", values, "smallest", int, 200),
        most_values=read.take("slices", values, "most_values", int, 30),
    )


def _goals(read: _Reader, values: dict[str, Any]) -> dict[str, float]:
    return {name: read.bounded("goals", values, name, 1.0, 0, 1000) for name in values}


def _filters(read: _Reader, values: dict[str, Any]) -> FiltersConfig:
    thresholds = ("relevance", "economic", "feasibility", "horizon", "compliance")
    read.known("filters", values, (*thresholds, "money_full_score", "quick_weeks"))
    default = FiltersConfig()
    return FiltersConfig(
        **{
            name: read.bounded("filters", values, name, getattr(default, name), 0, 100) for name in thresholds
        },
        money_full_score=read.bounded("filters", values, "money_full_score", None, 0, 1e15),
        quick_weeks=read.bounded("filters", values, "quick_weeks", default.quick_weeks, 1, 520),
    )


def _watch(read: _Reader, values: dict[str, Any]) -> WatchConfig:
    read.known(
        "watch", values, ("metrics", "false_share", "promise_weeks", "promise_start", "smallest_effect")
    )
    promise = read.take("watch", values, "promise_weeks", int, 52)
    if not 4 <= promise <= 520:
        raise read.fail("watch", "promise_weeks", f"weeks from 4 to 520 were expected, {promise} was given")
    return WatchConfig(
        metrics=read.texts("watch", values, "metrics"),
        false_share=read.bounded("watch", values, "false_share", 0.10, 0.001, 0.5),
        promise_weeks=promise,
        promise_start=_day(read, "watch", values, "promise_start"),
        smallest_effect=read.bounded("watch", values, "smallest_effect", None, 0, 10),
    )


def _experiments(read: _Reader, sections: dict[str, Any]) -> dict[str, ExperimentConfig]:
    found: dict[str, ExperimentConfig] = {}
    for name in sections:
        section = f"experiments.{name}"
        values = read.section(sections, name, section)
        read.known(section, values, EXPERIMENT_KEYS)
        for part in ("arms", "guardrails", "caps"):
            read.section(values, part, f"{section}.{part}")
        for arm, given in values.get("arms", {}).items():
            if isinstance(given, dict):
                read.known(f"{section}.arms.{arm}", given, ARM_KEYS)
        found[name] = ExperimentConfig(name=name, values=dict(values))
    return found


def _reactivation(read: _Reader, values: dict[str, Any]) -> ReactivationConfig:
    default = ReactivationConfig()
    bounds = {
        "window_days": (1, 366),
        "horizon_days": (1, 3660),
        "attribution_days": (0, 366),
        "fixed_days": (1, 3660),
    }
    read.known(
        "reactivation",
        values,
        (
            "window_days",
            "horizon_days",
            "attribution_days",
            "annual_discount",
            "fixed_days",
            "promo_codes",
            "controls",
            "contact_costs",
        ),
    )
    days: dict[str, int] = {}
    for name, (low, high) in bounds.items():
        days[name] = read.take("reactivation", values, name, int, getattr(default, name))
        if not low <= days[name] <= high:
            raise read.fail(
                "reactivation", name, f"days from {low} to {high} were expected, {days[name]} was given"
            )
    if days["horizon_days"] < days["window_days"]:
        raise read.fail(
            "reactivation",
            "horizon_days",
            f"the horizon ({days['horizon_days']} days) is shorter than the window ({days['window_days']} days)",
        )
    codes: dict[str, dict[str, str]] = {}
    section = read.section(values, "promo_codes", "reactivation.promo_codes")
    for name in section:
        place = f"reactivation.promo_codes.{name}"
        arms = read.section(section, name, place)
        codes[name] = {arm: read.take(place, arms, arm, str, "") for arm in arms}
    controls = read.section(values, "controls", "reactivation.controls")
    costs: dict[str, dict[str, float]] = {}
    section = read.section(values, "contact_costs", "reactivation.contact_costs")
    for name in section:
        place = f"reactivation.contact_costs.{name}"
        arms = read.section(section, name, place)
        costs[name] = {arm: read.bounded(place, arms, arm, 0.0, 0, 1e9) for arm in arms}
    return ReactivationConfig(
        **days,
        annual_discount=read.bounded("reactivation", values, "annual_discount", 0.0, 0, 10),
        promo_codes=codes,
        controls={name: read.take("reactivation.controls", controls, name, str, "") for name in controls},
        contact_costs=costs,
    )


def _attention(read: _Reader, values: dict[str, Any]) -> AttentionConfig:
    """Keys are checked here, what they mean by `attention.policy`, with the same lines."""
    read.known("attention", values, ATTENTION_KEYS)
    by = read.take("attention", values, "accept_unproven_by", str, "")
    reason = read.take("attention", values, "accept_unproven_reason", str, "")
    if bool(by.strip()) != bool(reason.strip()):
        raise read.fail(
            "attention",
            "accept_unproven_by" if by.strip() else "accept_unproven_reason",
            "consents without proof count only where a named person says so and why: give both "
            "accept_unproven_by and accept_unproven_reason",
        )
    return AttentionConfig(
        policy={key: value for key, value in values.items() if key in ATTENTION_POLICY_KEYS},
        promises=read.take("attention", values, "promises", str, ""),
        controller=read.take("attention", values, "controller", str, ""),
        accept_unproven_by=by.strip(),
        accept_unproven_reason=reason.strip(),
        public_url=_public_url(read, values),
        preferences=_preferences(read, read.section(values, "preferences", "attention.preferences")),
        retention=_retention(read, read.section(values, "retention", "attention.retention")),
    )


def _retention(read: _Reader, values: dict[str, Any]) -> dict[str, timedelta]:
    section = "attention.retention"
    for key in values:
        if key in ("consent", "promise", "notice", "wish", "preference", "suppressed", "erased", "broken"):
            raise read.fail(
                section,
                key,
                f"{key} is proof and is kept as long as the customer is; `primeta attention erase` takes it away with him",
            )
    read.known(section, values, RETENTION_KEYS)
    found: dict[str, timedelta] = {}
    for key, value in values.items():
        match = re.fullmatch(r"(\d{1,5})([dwmy])", value.strip()) if isinstance(value, str) else None
        span = (
            timedelta(days=int(match[1]) * {"d": 1, "w": 7, "m": 30, "y": 365}[match[2]]) if match else None
        )
        if span is None or span < SHORTEST_RETENTION:
            raise read.fail(
                section,
                key,
                f'a span of at least 30 days such as "400d", "13m" or "3y" was expected, {value!r} was given',
            )
        found[key] = span
    return found


def _public_url(read: _Reader, values: dict[str, Any]) -> str:
    url = read.take("attention", values, "public_url", str, "")
    try:
        return public_address(url) if url.strip() else ""
    except BadInput as error:
        raise read.fail("attention", "public_url", str(error)) from None


def public_address(url: str) -> str:
    """The address under which customers reach their pages, without a slash at its end.

    Raises:
        BadInput: it is no https address (http: only inside one's own network), or has more than a path.
    """
    url = url.strip()
    found = re.fullmatch(r"(https?)://([^\s<>\"\\/?#@]+)(?:/[^\s<>\"\\?#,]*)?", url)
    if found is None or (found[1] == "http" and not _is_inside(found[2])):
        raise BadInput(
            f"an address such as https://mail.shop.example was expected, {url!r} was given: customers open it, and "
            "mail programs want https (http only inside your own network, to try it)"
        )
    return url.rstrip("/")


def _is_inside(place: str) -> bool:
    """Whether a host, with or without its port, is none of the internet: RFC 1918, RFC 6761."""
    host = re.sub(r":\d*$", "", place).strip("[]").casefold()
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".test", ".example", ".local", ".internal"))


def _preferences(read: _Reader, values: dict[str, Any]) -> PreferencesConfig:
    section = "attention.preferences"
    read.known(section, values, PREFERENCE_KEYS)
    topics = read.section(values, "topics", f"{section}.topics")
    consent = _in_languages(read, section, values, "consent_text")
    for text in consent.values():
        if "{channel}" not in text or re.sub(r"\{(sender|channel)\}", "", text).count("{"):
            raise read.fail(
                section,
                "consent_text",
                "a text with {channel}, and {sender} if you like, was expected: it is asked for each channel",
            )
    return PreferencesConfig(
        sender=_in_languages(read, section, values, "sender"),
        contact=read.take(section, values, "contact", str, "").strip(),
        channels=tuple(name.strip().lower() for name in read.texts(section, values, "channels")),
        topics={name: _in_languages(read, f"{section}.topics", topics, name) for name in topics},
        languages=read.texts(section, values, "languages"),
        consent_text=consent,
    )


def _in_languages(read: _Reader, section: str, values: dict[str, Any], key: str) -> dict[str, str]:
    """One text for all languages, or `{ en = "…", ru = "…" }`."""
    told = values.get(key, {})
    if isinstance(told, str):
        told = {"en": told, "ru": told}
    if not isinstance(told, dict) or not all(
        lang in ("en", "ru") and isinstance(text, str) and text.strip() for lang, text in told.items()
    ):
        raise read.fail(
            section, key, f'a text, or {{ en = "…", ru = "…" }} was expected, {values[key]!r} was given'
        )
    return {lang: text.strip() for lang, text in told.items()}


PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
"""`${NAME}` of the environment, or `${file:PATH}`."""
WITHOUT_A_TOKEN = ("mailto", "mailtos", "json", "jsons", "form", "forms", "xml", "xmls")
"""Addresses that may hold no secret at all; any other service is reached by a token of its own."""


def _delivery(read: _Reader, sections: dict[str, Any]) -> dict[str, DeliveryConfig]:
    found: dict[str, DeliveryConfig] = {}
    for name in sections:
        section = f"delivery.{name}"
        values = read.section(sections, name, section)
        if not re.fullmatch(r"[\w-]{1,64}", name):
            raise read.fail("delivery", name, "letters, digits, _ and - (at most 64) make a name")
        read.known(section, values, ("to", "language", "what", "every", "on", "at"))
        if "to" not in values:
            raise read.fail(
                section, "to", 'an address such as "tgram://${TELEGRAM_TOKEN}/-100123" is missing'
            )
        chosen: dict[str, str] = {}
        choices = {"language": ("en", "ru"), "every": EVERY, "on": WEEKDAYS}
        for key, allowed in choices.items():
            chosen[key] = read.take(section, values, key, str, "")
            if key in values and chosen[key] not in allowed:
                raise read.fail(
                    section, key, f"one of {', '.join(allowed)} was expected, {chosen[key]!r} was given"
                )
        every = chosen["every"] or "week"
        if chosen["on"] and every != "week":
            raise read.fail(section, "on", f'a weekday goes with every = "week", not with every = "{every}"')
        what = read.texts(section, values, "what") if "what" in values else DELIVERED
        for entry in what:
            if entry not in DELIVERED:
                raise read.fail(
                    section, "what", f"one of {', '.join(DELIVERED)} was expected, {entry!r} was given"
                )
        if not what:
            raise read.fail(section, "what", f"an empty list sends nothing; name {' or '.join(DELIVERED)}")
        found[name] = DeliveryConfig(
            name=name,
            to=_address(read, section, read.take(section, values, "to", str, "")),
            language=chosen["language"],
            what=tuple(dict.fromkeys(what)),
            every=every,
            on=chosen["on"] or "monday",
            at=_hour(read, section, values),
        )
    return found


def _address(read: _Reader, section: str, to: str) -> str:
    """An address whose form is right and that holds no secret; a complaint never repeats the address."""
    whole = PLACEHOLDER.fullmatch(to.strip())
    for entry in PLACEHOLDER.findall(to):
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*|file:.+", entry):
            raise read.fail(section, "to", "${NAME} of the environment or ${file:PATH} was expected in ${…}")
    rest = PLACEHOLDER.sub("", to)
    if "${" in rest:
        raise read.fail(section, "to", "${ is not closed; write ${NAME} or ${file:PATH}")
    scheme, mark, place = to.strip().partition("://")
    if whole:
        return to.strip()
    if not mark or not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", scheme) or not place:
        raise read.fail(
            section,
            "to",
            "an address such as mailto://…, tgram://…, slack://… was expected (any that apprise knows)",
        )
    advice = "write it as ${NAME} (from the environment) or ${file:PATH}, not into this file"
    host, _, query = place.partition("?")
    login, at, _ = host.rpartition("@")
    password = login.partition(":")[2]
    if at and password and PLACEHOLDER.sub("", password):
        raise read.fail(section, "to", f"a password stands in the address; {advice}")
    for pair in re.split("[&;]", query):
        key, _, value = pair.partition("=")
        if key.lower() in ("pass", "password", "token", "secret", "key") and PLACEHOLDER.sub("", value):
            raise read.fail(section, "to", f"a secret stands in the address ({key}=…); {advice}")
    if scheme.lower() not in WITHOUT_A_TOKEN and not PLACEHOLDER.search(to):
        raise read.fail(section, "to", f"the token of {scheme}:// stands in the address; {advice}")
    return to.strip()


SOURCE_SETTINGS = ("contact", "proxy", "spacing_seconds")


def _sources(read: _Reader, values: dict[str, Any]) -> SourcesConfig:
    """Sections are sources, single values are settings of fetching; what a source's values mean, `declare` checks."""
    declared: dict[str, SourceConfig] = {}
    settings: dict[str, Any] = {}
    for name, value in values.items():
        if not isinstance(value, dict):
            if name not in SOURCE_SETTINGS:
                raise read.fail(
                    "sources",
                    name,
                    f"this key is not known; expected one of {', '.join(SOURCE_SETTINGS)}, or a section "
                    "[sources.NAME]",
                )
            settings[name] = value
            continue
        section = f"sources.{name}"
        if not re.fullmatch(r"[\w-]{1,64}", name):
            raise read.fail(section, "", "letters, digits, _ and - (at most 64) make a name")
        if name == "notes":
            raise read.fail(
                section, "", "what people write down is the source `notes`; name this one otherwise"
            )
        read.known(section, value, SOURCE_KEYS)
        for key in ("reader", "kind", "at", "owner", "every", "language", "select"):
            read.take(section, value, key, str, "")
        for key in ("changes", "paused"):
            read.take(section, value, key, bool, False)
        read.bounded(section, value, "trust", 0.5, 0, 1)
        read.texts(section, value, "allow")
        columns = read.section(value, "columns", f"{section}.columns")
        for column in columns:
            read.take(f"{section}.columns", columns, column, str, "")
        declared[name] = SourceConfig(name=name, values=dict(value))
    proxy = read.take("sources", settings, "proxy", str, "")
    if proxy and not re.fullmatch(r"https?://[^\s@]+", proxy):
        raise read.fail(
            "sources",
            "proxy",
            'an address such as "http://proxy.office.lan:3128" without a password was expected',
        )
    return SourcesConfig(
        declared=declared,
        contact=read.take("sources", settings, "contact", str, ""),
        proxy=proxy,
        spacing_seconds=read.bounded("sources", settings, "spacing_seconds", 2.0, 0, 3600),
    )


def _hour(read: _Reader, section: str, values: dict[str, Any]) -> time:
    """An hour of the day, written as TOML time or as text."""
    value = values.get("at", time(9))
    if isinstance(value, str):
        try:
            value = time.fromisoformat(value.strip().zfill(5))
        except ValueError:
            value = values["at"]
    if isinstance(value, time) and value.tzinfo is None and not value.microsecond:
        return value
    raise read.fail(section, "at", f'an hour such as "09:00" was expected, {value!r} was given')


def _day(read: _Reader, section: str, values: dict[str, Any], key: str) -> date | None:
    """A day, written as a TOML date or as text."""
    value = values.get(key)
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            value = values[key]
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise read.fail(section, key, f'a day such as "2026-01-31" was expected, {value!r} was given')
