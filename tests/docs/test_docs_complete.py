"""Nothing that a person can type, declare or import is left undocumented."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cyclopts import App

import primeta
from primeta import config, facts
from primeta.attention import checks, promise_file, replay_policy, replay_result
from primeta.attention import report as attention_report
from primeta.attention.consent_counts import ConsentCounts
from primeta.attention.proof import Proof
from primeta.cli.app import EXPERIMENT_IN_A_WORKSPACE, VERBS, build
from primeta.experiments import analysis, certificate, certify_words, size
from primeta.reactivation import lapse, ltv, ltv_check
from primeta.signals import detect
from primeta.signals.grades import REPEATS
from primeta.signals.signal import GRADES, MEASURED, ORIGINS
from primeta.sources.declare import KINDS, READERS
from primeta.trends.records import ANSWERS, CARD_FIELDS, DECOMPOSITION, FILTERS, TREND_TYPES
from primeta.trends.weigh import GUESSES
from primeta.warehouse import diagnosis
from primeta.warehouse.metrics import BUILT_IN, METRICS, RETENTION_DAYS
from primeta.warehouse.rules import RULES
from primeta.web import texts_documents
from primeta.workspace import (
    attention_blind,
    attention_credit,
    attention_customer_words,
    attention_first_days,
    attention_links,
    attention_marks,
    attention_policy,
    collect_words,
    deliver,
    digest,
    documents,
    dossier,
    erase,
    experiment_size,
    looks,
    receipts,
    reread,
    retain,
    sources_health,
)
from primeta.workspace import experiment_documents as tests
from primeta.workspace.attention_coverage import Coverage, keep_checked
from primeta.workspace.attention_proofs import CustomerProofs
from primeta.workspace.watch import WatchReport
from primeta.worlds import attention_files, company_files, reactivation_files

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, head: str) -> str:
    """The part of a page under a heading, up to the next one of the same or a higher level."""
    found = re.search(rf"^(#+) {re.escape(head)}\s*$", text, re.MULTILINE)
    assert found, f"no section {head!r}"
    rest = text[found.end() :]
    following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def first_cells(text: str) -> set[str]:
    """Every name in backticks in the first column of a section's tables."""
    rows = (line.split("|")[1] for line in text.splitlines() if line.startswith("|"))
    return {name for cell in rows for name in re.findall(r"`([^`]+)`", cell)}


def options(app: App) -> set[str]:
    """The long options and the positional names of one command, without --help and --version."""
    names: set[str] = set()
    for argument in app.assemble_argument_collection():
        if argument.children:  # a group of options, each of which follows
            continue
        names |= {name for name in argument.names if name.startswith("--")}
        if not argument.names or not argument.names[0].startswith("-"):
            names |= {name for name in argument.names if not name.startswith("--")}
    return names


# The terminal


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_page_that_names_all_its_options(verb: str):
    text = page(f"how-to/{verb}.md")
    assert f"primeta {verb}" in text
    missing = [name for name in options(build()[verb]) if f"`{name}`" not in text]
    assert not missing, f"how-to/{verb}.md does not mention {missing}"


@pytest.mark.parametrize("verb", ["watch", "log", "decide", "digest", "deliver", "serve"])
def test_the_russian_page_of_a_verb_names_all_its_options(verb: str):
    text = page(f"ru/{verb}.md")
    missing = [name for name in options(build()[verb]) if f"`{name}`" not in text]
    assert not missing, f"ru/{verb}.md does not mention {missing}"


@pytest.mark.parametrize("verb", ["new", "attach", "edit"])
def test_the_page_of_trend_names_all_options(verb: str):
    text = page("how-to/trend.md")
    part = section(text, verb)
    for name in options(build()["trend"][verb]):
        assert f"`{name}`" in part, f"how-to/trend.md, {verb}: {name}"


@pytest.mark.parametrize("verb", ["plan", "assign", "analyse"])
def test_every_verb_of_experiment_has_a_page_that_names_all_its_options(verb: str):
    text = page(f"how-to/experiment-{verb}.md")
    assert f"primeta experiment {verb}" in text
    known = options(build()["experiment"][verb])
    missing = [name for name in known if f"`{name}`" not in text]
    assert not missing, f"how-to/experiment-{verb}.md does not mention {missing}"
    said = set(re.findall(r"^\| .*?\|", text, re.MULTILINE))
    for name in {entry for cell in said for entry in re.findall(r"`(--[a-z-]+)`", cell)}:
        assert name in known, f"how-to/experiment-{verb}.md names {name}, which there is not"


def test_the_page_of_lapse_names_all_its_options():
    text = page("how-to/lapse.md")
    missing = [name for name in options(build()["reactivation"]["lapse"]) if f"`{name}`" not in text]
    assert not missing, f"how-to/lapse.md does not mention {missing}"


@pytest.mark.parametrize("verb", EXPERIMENT_IN_A_WORKSPACE)
def test_every_verb_of_an_experiments_life_is_documented_with_all_its_options(verb: str):
    part = section(page("how-to/experiment-life.md"), verb)
    assert f"primeta experiment {verb}" in part
    known = options(build()["experiment"][verb])
    missing = [name for name in known if f"`{name}`" not in part]
    assert not missing, f"how-to/experiment-life.md, {verb}, does not mention {missing}"
    said = set(re.findall(r"^\| .*?\|", part, re.MULTILINE))
    for name in {entry for cell in said for entry in re.findall(r"`(--[a-z-]+)`", cell)}:
        assert name in known, f"how-to/experiment-life.md, {verb}, names {name}, which there is not"


@pytest.mark.parametrize("verb", ["moment", "sequence", "discount"])
def test_moment_sequence_and_discount_are_documented_with_all_their_options(verb: str):
    text = page("how-to/moment-sequence-discount.md")
    assert f"primeta reactivation {verb}" in text
    missing = [name for name in options(build()["reactivation"][verb]) if f"`{name}`" not in text]
    assert not missing, f"how-to/moment-sequence-discount.md does not mention {missing}"


def test_the_rules_of_sending_are_documented_with_all_their_options_and_keys():
    text = page("how-to/policy.md")
    assert "primeta attention policy" in text
    missing = [name for name in options(build()["attention"]["policy"]) if f"`{name}`" not in text]
    assert not missing, f"how-to/policy.md does not mention {missing}"
    said = set(re.findall(r"\w+", section(page("reference/json.md"), "attention policy")))
    made = (attention_policy.PolicyBook.as_dict, attention_policy._told, attention_policy._replayed)
    assert {key for one in made for key in re.findall(r'"(\w+)":', inspect.getsource(one))} <= said


def test_coverage_and_proofs_are_documented_with_all_their_keys():
    for head, made in (
        ("attention consents coverage", (Coverage.as_dict, ConsentCounts.as_dict, keep_checked)),
        ("attention consents of", (CustomerProofs.as_dict, Proof.as_dict)),
    ):
        said = set(re.findall(r"\w+", section(page("reference/json.md"), head)))
        assert {key for one in made for key in re.findall(r'"(\w+)":', inspect.getsource(one))} <= said


@pytest.mark.parametrize(
    "verb", ["record", "wishes", "verify", "consents import", "consents coverage", "consents of"]
)
def test_the_ledgers_verbs_are_documented_with_all_their_options(verb: str):
    app = build()["attention"]
    for part in verb.split():
        app = app[part]
    text = page("how-to/consents.md")
    assert f"primeta attention {verb}" in text
    missing = [name for name in options(app) if f"`{name}`" not in text]
    assert not missing, f"how-to/consents.md does not mention {missing}"
    assert section(page("reference/json.md"), f"attention {verb}")


@pytest.mark.parametrize("verb", ["dossier", "erase", "retain"])
@pytest.mark.parametrize("where", ["how-to/rights.md", "ru/rights.md"])
def test_rights_are_documented_with_all_their_options(verb: str, where: str):
    text = page(where)
    assert f"primeta attention {verb}" in text
    missing = [name for name in options(build()["attention"][verb]) if f"`{name}`" not in text]
    assert not missing, f"{where} does not mention {missing}"
    said = set(re.findall(r"\w+", section(page("reference/json.md"), f"attention {verb}")))
    made = {
        "dossier": (dossier.Dossier.as_dict, dossier._history, dossier._promise, dossier._entry),
        "erase": (receipts.Receipt.as_dict, erase.ErasePreview.as_dict, receipts.ReceiptChecked.as_dict),
        "retain": (retain.Retained.as_dict,),
    }[verb]
    for kind in made:
        assert set(re.findall(r'"(\w+)":', inspect.getsource(kind))) <= said


def test_every_class_of_retention_is_documented():
    for name in config.RETENTION_KEYS:
        assert f"`{name}`" in page("how-to/rights.md")
        assert f"`{name}`" in page("reference/workspace-file.md")


def test_blind_is_documented_with_its_options_and_keys():
    text = page("how-to/credit.md")
    assert "primeta attention blind" in text
    missing = [name for name in options(build()["attention"]["blind"]) if f"`{name}`" not in text]
    assert not missing, f"how-to/credit.md does not mention {missing}"
    said = set(re.findall(r"\w+", section(page("reference/json.md"), "attention blind")))
    assert set(re.findall(r'"(\w+)":', inspect.getsource(attention_blind.BlindBase.as_dict))) <= said
    assert set(attention_blind.Resting.__slots__) <= said


@pytest.mark.parametrize("verb", ["may-send", "choose", "filter", "sync"])
def test_may_send_and_its_kin_are_documented_with_all_their_options(verb: str):
    text = page("how-to/may-send.md")
    assert f"primeta attention {verb}" in text
    missing = [name for name in options(build()["attention"][verb]) if f"`{name}`" not in text]
    assert not missing, f"how-to/may-send.md does not mention {missing}"
    assert section(page("reference/json.md"), f"attention {verb}")


@pytest.mark.parametrize("where", ["how-to/preference-centre.md", "ru/preference-centre.md"])
def test_links_are_documented_with_all_their_options(where: str):
    text = page(where)
    assert "primeta attention links" in text
    known = options(build()["attention"]["links"])
    missing = [name for name in known if f"`{name}`" not in text]
    assert not missing, f"{where} does not mention {missing}"
    said = set(re.findall(r"\w+", section(page("reference/json.md"), "attention links")))
    for kind in (attention_links.Linked, attention_links.MessageLinks):
        assert set(re.findall(r'"(\w+)":', inspect.getsource(kind.as_dict))) <= said
    assert set(config.PREFERENCE_KEYS) <= first_cells(
        section(page("reference/workspace-file.md"), "[attention]")
    )


@pytest.mark.parametrize("where", ["how-to/replay.md", "ru/replay.md"])
def test_replay_is_documented_with_all_its_options_and_keys(where: str):
    text = page(where)
    missing = [name for name in options(build()["attention"]["replay"]) if f"`{name}`" not in text]
    assert not missing, f"{where} does not mention {missing}"
    assert {key for key in promise_file.KEYS if key != "name"} <= set(re.findall(r"`(\w+)`", text))
    said = set(re.findall(r"\w+", section(page("reference/json.md"), "attention replay")))
    result = replay_result.AttentionReplay
    for made in (result._rows, result.rest, checks.PromiseCheck.as_dict, replay_policy.PolicyReplay.as_dict):
        assert set(re.findall(r'"(\w+)":', inspect.getsource(made))) <= said


@pytest.mark.parametrize("verb", ["health", "promises", "campaigns"])
def test_the_pages_of_attention_are_documented_with_all_their_options_and_keys(verb: str):
    text = page("how-to/attention-pages.md")
    assert f"primeta attention {verb}" in text
    missing = [name for name in options(build()["attention"][verb]) if f"`{name}`" not in text]
    assert not missing, f"how-to/attention-pages.md does not mention {missing}"
    said = set(re.findall(r"\w+", section(page("reference/json.md"), f"attention {verb}")))
    made = {
        "health": (attention_report.HealthReport.as_dict, attention_report._standing_dict),
        "promises": (
            attention_report.PromisesReport.as_dict,
            attention_report._promise_dict,
            checks.PromiseCheck.as_dict,
        ),
        "campaigns": (attention_report.CampaignsReport.as_dict, attention_report.Spent.as_dict),
    }[verb]
    for kind in made:
        assert set(re.findall(r'"(\w+)":', inspect.getsource(kind))) <= said


def test_every_key_of_the_policy_is_documented():
    part = section(page("reference/workspace-file.md"), "[attention]")
    assert set(config.ATTENTION_KEYS) <= first_cells(part)


@pytest.mark.parametrize("verb", ["customer", "first-days", "marks"])
def test_the_customer_view_is_documented_with_all_its_options_and_keys(verb: str):
    text = page("how-to/customer-view.md")
    assert f"primeta attention {verb}" in text or f"attention {verb}" in text
    missing = [name for name in options(build()["attention"][verb]) if f"`{name}`" not in text]
    assert not missing, f"how-to/customer-view.md does not mention {missing}"
    said = set(re.findall(r"\w+", section(page("reference/json.md"), f"attention {verb}")))
    made = {
        "customer": (attention_customer_words.view_document, attention_customer_words._lying),
        "first-days": (attention_first_days.FirstDays.as_dict, attention_first_days._example),
        "marks": (attention_marks.TouchMarks.as_dict, attention_marks._row),
    }[verb]
    for kind in made:
        assert set(re.findall(r'"(\w+)":', inspect.getsource(kind))) <= said


def test_attention_credit_is_documented_with_all_its_options():
    text = page("how-to/credit.md")
    missing = [name for name in options(build()["attention"]["credit"]) if f"`{name}`" not in text]
    assert not missing, f"how-to/credit.md does not mention {missing}"
    said = set(re.findall(r"\w+", section(page("reference/json.md"), "attention credit")))
    for kind in (attention_credit.CustomerCredit, attention_credit.ChannelCredit):
        assert set(re.findall(r'"(\w+)":', inspect.getsource(kind.as_dict))) <= said


def test_options_that_a_page_names_exist():
    known = {verb: options(build()[verb]) for verb in VERBS}
    known["trend"] = set().union(*(options(build()["trend"][verb]) for verb in ("new", "attach", "edit")))
    for verb, names in known.items():
        said = set(re.findall(r"^\| .*?\|", page(f"how-to/{verb}.md"), re.MULTILINE))
        for name in {entry for cell in said for entry in re.findall(r"`(--[a-z-]+)`", cell)}:
            assert name in names, f"how-to/{verb}.md names {name}, which `primeta {verb}` does not know"


def test_the_home_page_leads_to_every_verb():
    home = page("index.md")
    for verb in (
        *VERBS,
        "trend",
        "experiment-life",
        "experiment-plan",
        "experiment-assign",
        "experiment-analyse",
    ):
        assert f"how-to/{verb}.md" in home


# primeta.toml


def keys_of(source: str) -> dict[str, set[str]]:
    """Section → the keys that `config.py` knows, from the tuples that it checks against."""
    found: dict[str, set[str]] = {}
    for name, listed in re.findall(r'read\.known\(\s*"(\w*)",\s*\w+,\s*\(([^)]*)\)\s*\)', source):
        found[name] = set(re.findall(r'"(\w+)"', listed))
    return found


def test_every_key_of_the_workspace_file_is_documented():
    source = Path(config.__file__).read_text(encoding="utf-8")
    known = keys_of(source)
    assert {"workspace", "warehouse", "state", "slices", "watch"} <= known.keys()
    known["filters"] |= {"relevance", "economic", "feasibility", "horizon", "compliance"}
    allowed = re.search(r"allowed = \(([^)]*)\)", source)
    assert allowed
    known["tables.NAME"] = set(re.findall(r'"(\w+)"', allowed[1]))
    text = page("reference/workspace-file.md")
    for name, keys in known.items():
        assert first_cells(section(text, f"[{name}]")) == keys, f"[{name}]"


def test_every_key_of_a_metric_is_documented():
    from primeta.warehouse import metrics

    text = page("reference/workspace-file.md")
    assert first_cells(section(text, "[metrics.NAME]")) == set(metrics._KEYS)


def test_every_key_of_an_experiment_is_documented():
    part = section(page("reference/workspace-file.md"), "[experiments.NAME]")
    keys, arms = part.split("### Arms")
    assert first_cells(keys) == set(config.EXPERIMENT_KEYS)
    assert first_cells(section(f"### Arms{arms}", "Arms")) == set(config.ARM_KEYS)


def test_every_key_of_a_channel_is_documented():
    part = section(page("reference/workspace-file.md"), "[delivery.NAME]")
    assert first_cells(part) == {entry.name for entry in dataclasses.fields(config.DeliveryConfig)} - {"name"}
    for name in (*config.DELIVERED, *config.EVERY):
        assert f'`"{name}"`' in part


def test_every_key_of_a_source_is_documented():
    text = page("reference/workspace-file.md")
    assert first_cells(section(text, "[sources]")) == set(config.SOURCE_SETTINGS)
    part = section(text, "[sources.NAME]")
    assert first_cells(part) == set(config.SOURCE_KEYS)
    for name in (*READERS, *KINDS):
        assert f'`"{name}"`' in part


def test_the_example_of_an_experiment_is_a_plan(tmp_path: Path):
    from primeta.experiments.declare import plan_of

    part = section(page("reference/workspace-file.md"), "[experiments.NAME]")
    found = re.search(r"```toml\n(.*?)```", part, re.DOTALL)
    assert found
    path = tmp_path / "primeta.toml"
    path.write_text(found[1], encoding="utf-8")
    plan = plan_of(config.parse_config(found[1], path), "autumn_offer")
    assert [arm.name for arm in plan.arms] == ["control", "ten"]


def test_every_section_of_the_workspace_file_has_a_heading():
    heads = " ".join(re.findall(r"^## (.*)$", page("reference/workspace-file.md"), re.MULTILINE))
    for name in config.SECTIONS:
        assert re.search(rf"\[{name}[\].]", heads), name


# Facts and metrics


@pytest.mark.parametrize("table", facts.TABLES)
def test_every_canonical_column_is_documented_as_it_is(table: str):
    spec = facts.TABLES[table]
    part = section(page("reference/facts.md"), table)
    rows = {
        cells[1].strip().strip("`"): (cells[2].strip(), cells[3].strip())
        for cells in (line.split("|") for line in part.splitlines() if line.startswith("| `"))
    }
    words = {"flag": "yes/no"}
    expected = {
        column.name: (
            words.get(column.kind, column.kind) + (", 0 or more" if column.minimum is not None else ""),
            "yes" if column.required else "",
        )
        for column in spec.columns
    }
    assert rows == expected


def test_no_table_is_documented_that_does_not_exist():
    heads = re.findall(r"^### (.*)$", page("reference/facts.md"), re.MULTILINE)
    assert heads == list(facts.TABLES)


def test_every_metric_is_documented_as_it_is():
    part = section(page("reference/metrics.md"), "What Primeta brings")
    rows = {}
    for line in part.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            rows[cells[0].split("`")[1]] = cells[1:]
    assert list(rows) == [metric.name for metric in METRICS]
    for metric in METRICS:
        ratio, unit, good, smallest, after = rows[metric.name]
        assert ratio == f"`{metric.numerator} / {metric.denominator}`"
        assert (unit, good) == (metric.unit, metric.good)
        assert smallest == f"{metric.smallest_effect:.0%}"
        assert after == (f"{metric.maturity_days} days" if metric.maturity_days else "")


def test_every_sum_is_documented():
    part = section(page("reference/metrics.md"), "The sums")
    assert first_cells(part) == set(BUILT_IN)
    assert {f"retained_{days}" for days in RETENTION_DAYS} <= first_cells(part)


def test_every_rule_of_the_doctor_is_documented():
    part = section(page("how-to/doctor.md"), "The rules")
    assert first_cells(part) == set(RULES)


# Words


@pytest.mark.parametrize("name", ["words.md", "methods/grades.md"])
def test_every_grade_is_explained(name: str):
    for grade in GRADES:
        assert re.search(rf"^\| {grade} \|", page(name), re.MULTILINE), grade


def test_the_russian_glossary_names_every_code():
    text = page("ru/words.md")
    for code in (*GRADES, *ANSWERS, *CARD_FIELDS, *DECOMPOSITION):
        assert f"`{code}`" in text, code


def test_the_card_is_explained_field_by_field():
    text = page("how-to/trend.md")
    assert first_cells(section(text, "The eleven fields")) == set(CARD_FIELDS)
    for name in DECOMPOSITION:
        assert f"`{name}`" in text
    assert first_cells(section(text, "Guesses")) == set(GUESSES)
    for kind in TREND_TYPES:
        assert f"`{kind}`" in section(text, "new")


def test_origins_answers_and_filters_are_explained():
    log, decide, weighing = page("how-to/log.md"), page("how-to/decide.md"), page("methods/weighing.md")
    for origin in ORIGINS:
        assert origin in MEASURED or f"`{origin}`" in log
    for answer in ANSWERS:
        assert f"`{answer}`" in decide
    for name in FILTERS:
        assert re.search(rf"^\| [a-z ]*{name}", weighing, re.MULTILINE), name


def test_grades_page_states_how_many_blocks_repeat():
    # "3 of the last 4 weeks, 2 of the last 3 months, both of the last 2 quarters"
    text = page("methods/grades.md")
    assert REPEATS == {"weeks": (3, 4), "months": (2, 3), "quarters": (2, 2)}
    assert "3 of the last 4 weeks, 2 of the last 3 months, both of the last 2 quarters" in text


# JSON


@pytest.mark.parametrize(
    ("head", "made_by"),
    [
        ("doctor", [diagnosis.Finding.as_dict, diagnosis.TableSummary.as_dict, diagnosis.Diagnosis.as_dict]),
        ("signals", [documents.signal_document, documents.note_document, documents._blocks]),
        ("trends", [documents.trend_document, documents._filters, documents._money]),
        ("digest", [digest.Digest.as_dict]),
        ("collect", [collect_words.report_document]),
        (
            "sources",
            [
                sources_health.source_document,
                sources_health.trouble_document,
                sources_health.SourceList.as_dict,
                reread.RereadReport.as_dict,
            ],
        ),
        ("deliver", [deliver.Deliveries.as_dict, deliver.Outcome.as_dict]),
        ("detect", [detect.Found.as_dict, detect.Detection.as_dict]),
        ("ltv", [ltv.Ltv.as_dict, ltv_check.Holdout.as_dict, ltv_check.Histogram.as_dict]),
        ("reactivation lapse", [lapse.Lapse.as_dict, lapse.FixedRule.as_dict]),
        ("experiment plan", [size.Size.as_dict]),
        ("experiment analyse", [analysis.Analysis.as_dict, analysis.effect_document]),
        ("certify", [certificate.Certificate.as_dict, certificate.Certified.as_dict]),
        (
            "experiment list",
            [tests.experiments_document, tests.experiment_entry, tests._brief, tests._decision],
        ),
        (
            "experiment show",
            [
                tests.experiment_document,
                tests.plan_document,
                tests._arm,
                tests._goal,
                tests._amount,
                tests._step,
                tests._gate,
                tests._event,
            ],
        ),
        ("experiment look", [looks.Looked.as_dict]),
        ("experiment size", [experiment_size.PlanSize.as_dict, experiment_size._baseline]),
        ("experiment lessons", [tests.lessons_document, tests.lesson_document]),
        ("experiment sync", [tests.sync_document]),
        (
            "reading",
            [
                texts_documents.document_entry,
                texts_documents.reading_document,
                texts_documents._story,
                texts_documents._topic,
                texts_documents.topic_document,
                texts_documents._block,
            ],
        ),
        (
            "world",
            [
                company_files.Made.as_dict,
                reactivation_files.MadeReactivation.as_dict,
                attention_files.MadeAttention.as_dict,
            ],
        ),
    ],
)
def test_every_json_key_is_documented(head: str, made_by: list[Callable[..., object]]):
    said = set(re.findall(r"\w+", section(page("reference/json.md"), head)))
    for function in made_by:
        keys = re.findall(r'"(\w+)":', inspect.getsource(function))
        assert keys
        assert set(keys) <= said, f"{function.__qualname__}: {set(keys) - said}"


def test_every_key_of_a_certificate_is_documented():
    said = set(re.findall(r"\w+", section(page("reference/json.md"), "certify")))
    for kind in (certificate.Rung, certificate.Hashed):
        assert {field.name for field in dataclasses.fields(kind)} <= said
    text = page("methods/certify.md")
    for code in certify_words.WORDS["en"]:
        if code in ("holds", "holds-from", "cap", "unknown") or f"not.{code}" in certify_words.WORDS["en"]:
            assert f"`{code}`" in text, code


def test_every_key_of_the_watch_report_is_documented():
    said = set(re.findall(r"\w+", section(page("reference/json.md"), "watch")))
    assert {field.name for field in dataclasses.fields(WatchReport)} <= said


# Python


def test_every_public_name_is_documented():
    text = page("reference/python.md") + page("reference/errors.md")
    for name in primeta.__all__:
        assert re.search(rf"\b{name}\b", text), name


def test_the_errors_page_draws_the_tree():
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page("reference/errors.md"), re.MULTILINE)
    drawn = dict(rows)
    errors = {
        name: entry
        for name in primeta.__all__
        if isinstance(entry := getattr(primeta, name), type) and issubclass(entry, Exception)
    }
    assert drawn == {name: entry.__bases__[0].__name__ for name, entry in errors.items()}


# The site


class _Addresses(HTMLParser):
    """What a page loads: scripts, styles, pictures, frames, forms. Links that a reader follows do not count."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed"):
            self.loaded.append(given.get("src") or "")
        elif tag == "link" and given.get("rel") not in ("canonical", "next", "prev"):
            self.loaded.append(given.get("href") or "")


@pytest.mark.slow
def test_the_site_builds_and_loads_nothing_from_elsewhere(tmp_path: Path):
    from mkdocs.commands.build import build as build_site
    from mkdocs.config import load_config

    settings = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path / "site"), strict=True)
    build_site(settings)
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) >= len(list(DOCS.rglob("*.md")))
    for built in pages:
        seen = _Addresses()
        seen.feed(built.read_text(encoding="utf-8"))
        outside = [address for address in seen.loaded if urlsplit(address).netloc]
        assert not outside, f"{built.name} loads {outside}"
    for style in (tmp_path / "site").rglob("*.css"):
        outside = re.findall(r"url\([\"']?(?:https?:)?//[^)]*\)", style.read_text(encoding="utf-8"))
        assert not outside, f"{style.name} loads {outside}"


def test_every_page_is_in_the_navigation():
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for path in DOCS.rglob("*.md"):
        assert f": {path.relative_to(DOCS).as_posix()}" in settings, path


def test_links_from_the_readmes_lead_somewhere():
    for name in ("README.md", "README.ru.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"(?<!!)\[[^\]]+\]\(([^)#]+)", text):
            if not urlsplit(target).scheme:
                assert (ROOT / target).exists(), f"{name}: {target}"
