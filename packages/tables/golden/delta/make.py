"""Writes small Delta tables and what their versions hold, by another implementation of the format.

    python3 -m venv /tmp/delta && /tmp/delta/bin/pip install deltalake==1.6.6 pyarrow==26.0.1
    /tmp/delta/bin/python packages/tables/golden/delta/make.py
"""

import datetime
import decimal
import json
import pathlib
import shutil

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

HERE = pathlib.Path(__file__).parent


def table(first: int, rows: int, **more) -> pa.Table:
    ids = list(range(first, first + rows))
    return pa.table({"id": pa.array(ids, pa.int64()), "age": pa.array([i % 7 for i in ids], pa.int32()), **more})


def plain(path: str) -> None:
    """Appends, a deletion that rewrites a file, a checkpoint, an overwrite, and more after it."""
    write_deltalake(path, table(0, 10))
    write_deltalake(path, table(10, 5), mode="append")
    DeltaTable(path).delete("id = 3 or id = 12")
    DeltaTable(path).create_checkpoint()
    write_deltalake(path, table(100, 4), mode="append")
    write_deltalake(path, table(200, 6), mode="overwrite")
    write_deltalake(path, table(300, 2), mode="append")


def partitioned(path: str) -> None:
    """Three partition columns, with values that a path, a URL and SQL each read in another way."""
    names = ["plain", "a b/c", "it's", '"; DROP', "x=y", "100%", "ü", None]
    days = [datetime.date(2024, 2, 29), datetime.date(2024, 3, 1)]
    rows = [(i, names[i % len(names)], days[i % 2], 2023 + i % 2) for i in range(16)]

    def part(chosen) -> pa.Table:
        return pa.table(
            {
                "id": pa.array([row[0] for row in chosen], pa.int64()),
                "name": pa.array([row[1] for row in chosen], pa.string()),
                "day": pa.array([row[2] for row in chosen], pa.date32()),
                "year": pa.array([row[3] for row in chosen], pa.int32()),
                "price": pa.array([row[0] * 1.5 for row in chosen], pa.float64()),
            }
        )

    write_deltalake(path, part(rows[:8]), partition_by=["name", "day", "year"])
    DeltaTable(path).create_checkpoint()
    write_deltalake(path, part(rows[8:]), mode="append")
    DeltaTable(path).delete("name = 'it''s'")


def evolved(path: str) -> None:
    """A column that the first file lacks, one that only the schema has, and a timestamp without a zone (a reader feature)."""
    at = pa.array([datetime.datetime(2024, 1, 1, 12, 30)] * 3, pa.timestamp("us"))
    write_deltalake(path, table(0, 3, at=at))
    more = table(3, 3, at=at, paid=pa.array([True, False, None]))
    write_deltalake(path, more, mode="append", schema_mode="merge")
    DeltaTable(path).create_checkpoint()
    DeltaTable(path).delete("id >= 3")


def typed(path: str) -> None:
    """Types that text could be read as in several ways, in files and in the log."""
    utc = datetime.timezone.utc
    money = pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("-3.00")], pa.decimal128(10, 2))
    moments = [datetime.datetime(2024, 1, 1, 12, 30, 0, 123456, tzinfo=utc), datetime.datetime(2024, 1, 2, tzinfo=utc), None]
    rows = pa.table(
        {
            "id": pa.array([1, 2, 3], pa.int64()),
            "amount": money,
            "at": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "list": pa.array([[1, 2], None, []], pa.list_(pa.int32())),
            "by_flag": pa.array([True, False, None], pa.bool_()),
            "by_moment": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "by_amount": money,
            "by_share": pa.array([1.5, 2.5, None], pa.float64()),
        }
    )
    write_deltalake(path, rows, partition_by=["by_flag", "by_moment", "by_amount", "by_share"])
    DeltaTable(path).create_checkpoint()


def text(value) -> str | None:
    """A value as DuckDB writes it in UTC."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).removesuffix(":00") if isinstance(value, datetime.datetime) and value.tzinfo else str(value)


def main() -> None:
    expected = {}
    for make in (plain, partitioned, evolved, typed):
        path = HERE / make.__name__
        shutil.rmtree(path, ignore_errors=True)
        make(str(path))
        newest = DeltaTable(str(path)).version()
        for version in range(newest + 1):
            found = DeltaTable(str(path), version=version).to_pyarrow_table().sort_by("id")
            rows = [[text(value) for value in row.values()] for row in found.to_pylist()]
            expected[f"{make.__name__}@v{version}"] = {"columns": found.column_names, "rows": rows}
    (HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
