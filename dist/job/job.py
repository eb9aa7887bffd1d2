"""The Spark side of Passloop's data checks: opens tables and answers queries, until the other side hangs up.

Run by spark-submit (or, with Spark Connect, by Python alone). It speaks JSON, a line each way, over the Unix socket whose
path is its one argument. It writes nothing but the rows that are asked for, to a place that is named and not there yet.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import os
import re
import socket
import struct
import sys
import time
import unicodedata

from pyspark import StorageLevel
from pyspark.sql import SparkSession, Window
from pyspark.sql.functions import col, row_number, spark_partition_id
from pyspark.sql.types import StringType

try:
    from translate import Cells, Refused, Translation, translate
except ImportError as missing:
    sys.exit(f"{missing}: the driver's Python needs sqlglot (pip install sqlglot)")

TYPES = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
    "binary": "BLOB",
}


def main(address: str) -> None:
    builder = SparkSession.builder.appName("passloop")
    remote = os.environ.get("PASSLOOP_SPARK_REMOTE")
    if remote:
        builder = builder.remote(remote)
    spark = builder.getOrCreate()
    # What numbers mean must not depend on how a cluster is set up.
    for name, value in (
        ("spark.sql.ansi.enabled", "true"),
        ("spark.sql.session.timeZone", "UTC"),
        ("spark.sql.mapKeyDedupPolicy", "EXCEPTION"),
        ("spark.sql.parquet.inferTimestampNTZ.enabled", "true"),
        ("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS"),
        ("spark.sql.parser.escapedStringLiterals", "false"),
        # Writers leave NaN out of a column's extremes, and it is above every number: no row is skipped by them.
        ("spark.sql.parquet.filterPushdown", "false"),
        ("spark.sql.parquet.aggregatePushdown", "false"),
        # A text such as '${env:NAME}' is a text, and no variable.
        ("spark.sql.variable.substitute", "false"),
    ):
        spark.conf.set(name, value)
    spark.udf.register("strip_accents", strip_accents, StringType())
    # Times come as Python's, in the zone of its process.
    os.environ["TZ"] = "UTC"
    time.tzset()
    job = Job(spark)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        with connection.makefile("rw", encoding="utf-8", newline="\n") as stream:
            for line in stream:
                stream.write(json.dumps(job.answer(json.loads(line))) + "\n")
                stream.flush()


class Job:
    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        #: Types of the columns of each open table.
        self.tables: dict[str, dict[str, str]] = {}

    def answer(self, request: dict) -> dict:
        try:
            if request["do"] == "version":
                return {"version": self.spark.version, "master": self.master()}
            if request["do"] == "read":
                return self.read(request)
            if request["do"] == "name":
                return self.name(request["relation"])
            if request["do"] == "ranks":
                return self.ranks(request["sql"], request["ranks"])
            if request["do"] == "doubles":
                return self.doubles(request["sql"], request["most"])
            if request["do"] == "write":
                return self.write(request["sql"], request["to"])
            if request["do"] == "translate":
                return {"sql": self.translated(request["sql"], for_people=True).sql()}
            return {"rows": self.rows(request["sql"])}
        except Refused as refusal:
            return {"error": str(refusal), "fault": "query"}
        except Exception as error:
            # Whatever Spark throws is the answer.
            return {"error": first_lines(error), "fault": "query" if is_query_fault(error) else "engine"}

    def master(self) -> str | None:
        return None if os.environ.get("PASSLOOP_SPARK_REMOTE") else self.spark.sparkContext.master

    def doubles(self, sql: str, most: int) -> dict:
        rows = self.spark.sql(self.translated(sql).sql()).limit(most + 1).collect()
        return {"columns": None if len(rows) > most else [list(column) for column in zip(*rows)]}

    def write(self, sql: str, to: str) -> dict:
        frame = self.spark.sql(self.translated(sql).sql())
        # Spark has no QUALIFY: its translation adds what it compares.
        own = {column for columns in self.tables.values() for column in columns}
        frame = frame.drop(*(name for name in frame.columns if re.fullmatch(r"_w(_\d+)?", name) and name not in own))
        frame.write.mode("errorifexists").option("compression", "zstd").parquet(to)
        return {}

    def read(self, request: dict) -> dict:
        """Looks at the columns of files, or of a query; `name` makes a table of it."""
        if "sql" in request:
            self.frame = self.spark.sql(self.translated(request["sql"]).sql())
        else:
            if len(request["uris"]) == 1 and self.master() is not None:
                self.refuse_versions(request["uris"][0])
            reader = self.spark.read.options(**request["options"])
            if request["format"] == "parquet":
                # Else the columns of one of the files are those of all.
                reader = reader.option("mergeSchema", "true")
            partitions = request["partitions"]
            # Of this machine's files it is known what their folders name, and as what.
            self.spark.conf.set(
                "spark.sql.sources.partitionColumnTypeInference.enabled", "false" if partitions else "true"
            )
            if partitions:
                reader = reader.option("basePath", request["base"])
            self.frame = reader.format(request["format"]).load(request["uris"])
            for name, kind in partitions.items():
                column = col("`" + name.replace("`", "``") + "`")
                self.frame = self.frame.withColumn(name, column.cast("string" if kind == "VARCHAR" else kind.lower()))
        self.columns = [
            (name, TYPES.get(kind) or decimal_type(kind) or kind.upper()) for name, kind in self.frame.dtypes
        ]
        return {"columns": self.columns}

    def refuse_versions(self, uri: str) -> None:
        """The files of a table that keeps versions hold rows that were deleted."""
        paths = self.spark._jvm.org.apache.hadoop.fs
        folder = paths.Path(uri)
        system = folder.getFileSystem(self.spark.sparkContext._jsc.hadoopConfiguration())
        if system.exists(paths.Path(folder, "_delta_log")):
            raise Refused("it is a Delta table, and only plain files are read")
        metadata = paths.Path(folder, "metadata")
        if system.exists(metadata) and any(
            ".metadata.json" in file.getPath().getName() for file in system.listStatus(metadata)
        ):
            raise Refused("it is an Iceberg table, and only plain files are read")

    def name(self, relation: str) -> dict:
        self.frame.createOrReplaceTempView(relation)
        self.tables[relation] = dict(self.columns)
        return {"rows": self.frame.count()}

    def translated(self, sql: str, for_people: bool = False) -> Translation:
        named = [columns for name, columns in self.tables.items() if f'"{name}"' in sql or f'"spark_{name}"' in sql]

        def type_of(column: str) -> str | None:
            types = {columns[column] for columns in named if column in columns}
            return types.pop() if len(types) == 1 else None

        return translate(sql, type_of, None if for_people else set(self.tables))

    def rows(self, sql: str) -> list[list]:
        translation = self.translated(sql)
        counted = self.count_cells(translation)
        if translation.is_cells_alone:
            return [with_cells((), translation, counted)]
        texts = translation.texts()
        as_values: frozenset[int] = frozenset()
        if texts:
            # Spark prints floats and times in another way than DuckDB: these come as what they are.
            kinds = self.spark.sql(translation.sql(texts)).dtypes
            as_values = frozenset(
                at for at in texts if kinds[at][1] in ("double", "float", "timestamp", "timestamp_ntz")
            )
        frame = self.spark.sql(translation.sql(as_values))
        kinds = frame.dtypes
        return [
            with_cells(
                tuple(
                    as_text(value, kinds[at][1]) if at in as_values else as_json(value) for at, value in enumerate(row)
                ),
                translation,
                counted,
            )
            for row in frame.collect()
        ]

    def ranks(self, sql: str, ranks: list[int]) -> dict:
        """The values at ranks of all values in order. Each task sorts a range of its own: no task sees them all."""
        part = Window.partitionBy("part")
        values = (
            self.spark.sql(self.translated(sql).sql())
            .repartitionByRange("v")
            .select("v", spark_partition_id().alias("part"))
            .persist(StorageLevel.DISK_ONLY)
        )
        try:
            offsets, below = {}, 0
            for part_number, rows in sorted(values.groupBy("part").count().collect()):
                offsets[part_number] = below
                below += rows
            wanted = [(at, rank - offset) for rank in ranks for at, offset in [_part_of(rank, offsets)]]
            placed = values.withColumn("rank", row_number().over(part.orderBy("v")))
            places = self.spark.createDataFrame(wanted, "part int, rank long")
            points = [row["v"] for row in placed.join(places, ["part", "rank"]).orderBy("part", "rank").collect()]
            return {"points": points, "distinct": values.select("v").distinct().count()}
        finally:
            values.unpersist()

    def count_cells(self, translation: Translation) -> dict[tuple, list[dict[int, int]]]:
        """Rows by cell, for each group and slot."""
        counted: dict[tuple, list[dict[int, int]]] = {}
        if translation.cells_sql is None:
            return counted
        for row in self.spark.sql(translation.cells_sql).collect():
            *key, slot, cell, rows = row
            slots = counted.setdefault(tuple(as_json(one) for one in key), [{} for _ in translation.cells])
            slots[slot][cell] = rows
        return counted


def _part_of(rank: int, offsets: dict[int, int]) -> tuple[int, int]:
    """The last part that begins below a rank, and what is below it."""
    return max(((at, offset) for at, offset in offsets.items() if offset < rank), key=lambda one: one[1])


def with_cells(row: tuple, translation: Translation, counted: dict[tuple, list[dict[int, int]]]) -> list:
    """The row with its cells where they were asked for, and without the keys that found them."""
    if not translation.cells:
        return list(row)
    end = len(row) - translation.group_keys
    slots = counted.get(row[end:], [{} for _ in translation.cells])
    whole = list(row[:end])
    for cells, slot in zip(translation.cells, slots):
        whole.insert(cells.at, cells_text(cells, slot))
    return whole


def cells_text(cells: Cells, counts: dict[int, int]) -> str | None:
    """As DuckDB's histograms come, as JSON."""
    if not counts:
        return None
    listed = [counts.get(at, 0) for at in range(len(cells.bounds) + 1)]
    if not cells.is_text:
        return json.dumps(listed)
    keys = [*cells.bounds, ""]
    return json.dumps([{"key": key, "value": count} for key, count in zip(keys, listed)])


def as_json(value: object) -> object:
    """Whole numbers that JSON's readers would round come as text; so do decimals."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else as_text(value, "double")
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return as_text(value, "")


def as_text(value: object, kind: str) -> str | None:
    """A value as DuckDB prints it."""
    if value is None:
        return None
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return short_text(value) if kind == "float" else repr(value)
    if isinstance(value, datetime.datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S")
        if value.microsecond:
            text += f".{value.microsecond:06d}".rstrip("0")
        return text + ("+00" if kind == "timestamp" else "")
    return str(value)


def short_text(value: float) -> str:
    """The fewest digits that are this FLOAT again."""
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
            return repr(float(text))
    return repr(value)


def strip_accents(text: str | None) -> str | None:
    if text is None:
        return None
    bare = (letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", "".join(bare))


def decimal_type(kind: str) -> str | None:
    return kind.upper().replace(",", ", ") if kind.startswith("decimal(") else None


#: What Spark calls its own errors: `[FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER] ...`.
CONDITION = re.compile(r"\[([A-Z][A-Z0-9_.]+)\] [^\n]*")


def is_query_fault(error: Exception) -> bool:
    """Whether it lies in the query or the data, and not in the cluster."""
    state = getattr(error, "getSqlState", lambda: None)()
    condition = CONDITION.search(str(error))
    return (
        type(error).__name__ in ("AnalysisException", "ParseException")
        or (state is not None and state[:2] in ("22", "42"))
        or (condition is not None and condition[1].split(".")[0] in ("FAILED_READ_FILE", "MALFORMED_RECORD_IN_PARSING"))
    )


def first_lines(error: Exception) -> str:
    condition = CONDITION.search(str(error))
    state = getattr(error, "getSqlState", lambda: None)() or "".join(re.findall(r"SQLSTATE: (\w{5})", str(error))[:1])
    # What is wrong with a row is told by the row, and its values go into documents that others read.
    if condition is not None and state[:2] == "22":
        return f"[{condition[1]}] the value of a row is not one that this takes"
    text = str(error) if condition is None else condition[0]
    # Between quotes stand values of rows.
    text = re.sub(r"'[^']*'", "'…'", text)
    text = text.split("\n\nJVM stacktrace", 1)[0].split(" SQLSTATE", 1)[0][:500]
    is_other_header = "header does not conform to the schema" in str(error)
    return f"{text.rstrip()} Its header has other columns, or in another order, than that of the first file." if is_other_header else text


if __name__ == "__main__":
    main(sys.argv[1])
