"""Runs SQL on Spark or on embedded ClickHouse, in a process of its own: `engine_process.py ENGINE JOB`.

A job is a JSON file: `ids` (Parquet, becomes the table `ids`), `setup` (statements), `queries` (name → SQL),
`ibis` (whether `bucket` is also called through Ibis), `out` (folder; one Parquet file a query).
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def spark(job: dict[str, Any], out: Path) -> None:
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")  # pyright: ignore[reportAttributeAccessIssue]
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    session.read.parquet(job["ids"]).createOrReplaceTempView("ids")
    for statement in job["setup"]:
        session.sql(statement)
    for name, sql in job["queries"].items():
        pq.write_table(session.sql(sql).toArrow(), out / f"{name}.parquet")
    if job["ibis"]:
        import ibis

        from primeta.warehouse.buckets import bucket_function

        ids = ibis.pyspark.connect(session).table("ids")
        found = ids.select(ids.place, drawn=bucket_function()("s", ids.unit)).to_pyarrow()
        pq.write_table(found, out / "ibis.parquet")
    session.stop()


def clickhouse(job: dict[str, Any], out: Path) -> None:
    from chdb.session import Session

    session = Session()
    session.query("CREATE DATABASE primeta ENGINE = Memory")
    session.query("USE primeta")
    session.query(f"CREATE VIEW ids AS SELECT * FROM file('{job['ids']}', Parquet)")
    for statement in job["setup"]:
        session.query(statement)
    queries = dict(job["queries"])
    if job["ibis"]:
        import ibis

        from primeta.warehouse.buckets import bucket_function

        ids = ibis.table({"place": "int64", "unit": "string"}, name="ids")
        expression = ids.select(ids.place, drawn=bucket_function()("s", ids.unit))
        queries["ibis"] = str(ibis.to_sql(expression, dialect="clickhouse"))
    for name, sql in queries.items():
        answer = session.query(sql, "ArrowStream").bytes()
        pq.write_table(pa.ipc.open_stream(answer).read_all(), out / f"{name}.parquet")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    engine, path = sys.argv[1:]
    work = json.loads(Path(path).read_text(encoding="utf-8"))
    {"spark": spark, "clickhouse": clickhouse}[engine](work, Path(work["out"]))
