"""Writes small Iceberg tables and what their snapshots hold, by another implementation of the format.

    python3 -m venv /tmp/iceberg && /tmp/iceberg/bin/pip install "pyiceberg[sql-sqlite,pyarrow,pyiceberg-core]==0.12.0" pyarrow==26.0.1
    /tmp/iceberg/bin/python packages/tables/golden/iceberg/make.py
"""

import datetime
import decimal
import json
import pathlib
import shutil
import tempfile
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform, TruncateTransform
from pyiceberg.typedef import Record
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FixedType,
    FloatType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

HERE = pathlib.Path(__file__).parent
UTC = datetime.timezone.utc


def columns(*types) -> Schema:
    return Schema(*(NestedField(place, name, type) for place, (name, type) in enumerate(types, 1)))


def rows(table, found: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(found, schema=table.schema().as_arrow())


def plain(make) -> None:
    """Appends, a deletion that rewrites a file, an overwrite; a tag and a branch."""
    table = make(columns(("id", LongType()), ("age", IntegerType())))

    def some(first, count):
        return rows(table, [{"id": i, "age": i % 7} for i in range(first, first + count)])

    table.append(some(0, 10))
    table.append(some(10, 5))
    with table.manage_snapshots() as manage:
        manage.create_tag(table.current_snapshot().snapshot_id, "2024-q1")
    table.delete("id = 3 or id = 12")
    with table.manage_snapshots() as manage:
        manage.create_branch(table.current_snapshot().snapshot_id, "audit")
    table.overwrite(some(200, 6))
    table.append(some(300, 2))


def evolved(make) -> None:
    """Columns that were renamed, widened, moved, added, dropped, and one whose name another had before."""
    table = make(
        columns(
            ("id", IntegerType()),
            ("share", FloatType()),
            ("amount", DecimalType(8, 2)),
            ("old", StringType()),
            ("gone", StringType()),
        )
    )
    table.append(
        rows(
            table,
            [
                {"id": 1, "share": 0.1, "amount": decimal.Decimal("1.25"), "old": "a", "gone": "x"},
                {"id": 2, "share": None, "amount": decimal.Decimal("-999999.99"), "old": None, "gone": "y"},
            ],
        )
    )
    with table.update_schema() as update:
        update.update_column("id", LongType())
        update.update_column("share", DoubleType())
        update.update_column("amount", DecimalType(20, 2))
        update.rename_column("old", "it's \"new\"")
        update.delete_column("gone")
    with table.update_schema() as update:
        update.add_column("gone", LongType())
        update.add_column("late", TimestamptzType())
        update.move_first("late")
    late = datetime.datetime(2024, 1, 1, 12, 30, 0, 123456, tzinfo=UTC)
    more = {"share": 0.1, "amount": decimal.Decimal("123456789012345678.90"), "it's \"new\"": "b"}
    table.append(rows(table, [{"id": 2**40, "gone": 7, "late": late, **more}]))
    # No snapshot comes with it: the newest one is read by it, older ones by the schema of their time.
    with table.update_schema() as update:
        update.add_column("last", BooleanType())


def partitioned(make) -> None:
    """The first version of the format, transforms of each kind, and a partition that changed."""
    table = make(
        columns(("id", LongType()), ("name", StringType()), ("at", TimestampType()), ("year", IntegerType())),
        PartitionSpec(
            PartitionField(1, 1000, BucketTransform(3), "id_bucket"),
            PartitionField(2, 1001, TruncateTransform(2), "name_trunc"),
            PartitionField(3, 1002, DayTransform(), "at_day"),
        ),
        {"format-version": "1"},
    )
    names = ["plain", "a b/c", "it's", '"; DROP', "x=y", "100%", "ü", None]

    def row(i):
        at = datetime.datetime(2024, 2, 28 + i % 2, 12, i)
        return {"id": i, "name": names[i % 8], "at": at, "year": 2023 + i % 2}

    def some(first):
        return rows(table, [row(i) for i in range(first, first + 3)])

    table.append(some(0))
    with table.update_spec() as update:
        update.remove_field("at_day")
        update.remove_field("id_bucket")
        update.add_identity("year")
    table.append(some(3))
    table.append(some(6))


def typed(make) -> None:
    """Every type; most of them partition the table, and its last files lack those, as files of Hive do."""
    types = [
        ("id", LongType()),
        ("flag", BooleanType()),
        ("whole", LongType()),
        ("share", DoubleType()),
        ("amount", DecimalType(20, 3)),
        ("day", DateType()),
        ("clock", TimeType()),
        ("moment", TimestampType()),
        ("zoned", TimestamptzType()),
        ("text", StringType()),
        ("known", UUIDType()),
        ("bytes", BinaryType()),
        ("four", FixedType(4)),
    ]
    schema = Schema(
        *(NestedField(place, name, type) for place, (name, type) in enumerate(types, 1)),
        NestedField(20, "list", ListType(21, IntegerType())),
        NestedField(22, "map", MapType(23, StringType(), 24, LongType())),
        NestedField(25, "struct", StructType(NestedField(26, "a", IntegerType()), NestedField(27, "b c", StringType()))),
    )
    parts = [name for name, _ in types[1:11]]
    spec = PartitionSpec(*(PartitionField(2 + i, 1000 + i, IdentityTransform(), name) for i, name in enumerate(parts)))
    table = make(schema, spec)
    full = {
        "id": 1,
        "flag": True,
        "whole": -(2**62),
        "share": 0.5,
        "amount": decimal.Decimal("-12345678901234567.891"),
        "day": datetime.date(1969, 12, 31),
        "clock": datetime.time(23, 59, 59, 123456),
        "moment": datetime.datetime(1969, 12, 31, 23, 59, 59, 999999),
        "zoned": datetime.datetime(2024, 2, 29, 12, 30, 0, 123456, tzinfo=UTC),
        "text": "it's",
        "known": uuid.UUID(int=2**127 + 5).bytes,
        "bytes": b"ab",
        "four": b"abcd",
        "list": [1, 2],
        "map": [("k", 1)],
        "struct": {"a": 1, "b c": "x"},
    }
    empty = {"id": 2, **{name: None for name in full if name != "id"}}
    data = pathlib.Path(table.location().removeprefix("file://"), "data")
    data.mkdir(parents=True)
    arrow = schema_to_pyarrow(table.schema(), include_field_ids=True)
    # What a migration leaves: files without the columns of their partition.
    short = pa.schema([field for field in arrow if field.name not in parts])
    with table.transaction() as transaction, transaction.update_snapshot().fast_append() as append:
        for place, (values, stored) in enumerate(((full, arrow), (empty, arrow), (full, short), (empty, short)), 1):
            file = data / f"{place}.parquet"
            row = {**values, "id": place}
            pq.write_table(pa.Table.from_pylist([{name: row[name] for name in stored.names}], schema=stored), file)
            partition = [values[name] for name in parts]
            partition[-1] = None if partition[-1] is None else uuid.UUID(bytes=partition[-1])
            append.append_data_file(
                DataFile.from_args(
                    content=DataFileContent.DATA,
                    file_path=f"file://{file}",
                    file_format=FileFormat.PARQUET,
                    partition=Record(*(spec_value(value) for value in partition)),
                    file_size_in_bytes=file.stat().st_size,
                    record_count=1,
                    sort_order_id=None,
                    spec_id=table.spec().spec_id,
                    equality_ids=None,
                    key_metadata=None,
                )
            )


def spec_value(value):
    """A value as a manifest holds it: days, and microseconds."""
    if isinstance(value, datetime.datetime):
        zero = datetime.datetime(1970, 1, 1, tzinfo=value.tzinfo)
        return (value - zero) // datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date):
        return (value - datetime.date(1970, 1, 1)).days
    if isinstance(value, datetime.time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    return value


def text(value) -> str | None:
    """A value as DuckDB writes it in UTC."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        if value and isinstance(value[0], tuple):
            return "{" + ", ".join(f"{key}={text(one)}" for key, one in value) + "}"
        return "[" + ", ".join(str(text(one)) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"'{key}': {text(one)}" for key, one in value.items()) + "}"
    return str(value).removesuffix(":00") if isinstance(value, datetime.datetime) and value.tzinfo else str(value)


def contents(scan) -> dict:
    found = scan.to_arrow().sort_by("id")
    return {
        "columns": found.column_names,
        "rows": [[text(cell(value, found.schema.field(name).type)) for name, value in row.items()] for row in found.to_pylist()],
    }


def cell(value, type: pa.DataType):
    """A value as Python has it, for those that arrow gives in another way."""
    if value is not None and type == pa.float32():
        return f"{value:.7g}"
    return uuid.UUID(bytes=value) if type == pa.uuid() and isinstance(value, bytes) else value


def main() -> None:
    expected = {}
    with tempfile.TemporaryDirectory(prefix="warehouse-") as warehouse:
        catalog = SqlCatalog("golden", uri="sqlite:///:memory:", warehouse=f"file://{warehouse}")
        catalog.create_namespace("db")
        for fill in (plain, evolved, partitioned, typed):
            name = fill.__name__

            def make(schema, spec=PartitionSpec(), properties=None):
                return catalog.create_table(f"db.{name}", schema, partition_spec=spec, properties=properties or {})

            fill(make)
            table = catalog.load_table(f"db.{name}")
            shutil.rmtree(HERE / name, ignore_errors=True)
            shutil.copytree(pathlib.Path(warehouse, "db", name), HERE / name)
            expected[name] = contents(table.scan())
            for snapshot in table.snapshots():
                expected[f"{name}@{snapshot.snapshot_id}"] = contents(table.scan(snapshot_id=snapshot.snapshot_id))
            for ref in table.metadata.refs:
                if ref != "main":
                    expected[f"{name}@{ref}"] = contents(table.scan().use_ref(ref))
    (HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
