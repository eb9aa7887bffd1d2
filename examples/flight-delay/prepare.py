"""Make the Parquet files of this example from the flights table of the npm package `vega-datasets`.

Run once; the result is committed, and a second run writes the same bytes:

    npm pack vega-datasets@3.2.1
    python prepare.py vega-datasets-3.2.1.tgz

The source has one row for each domestic flight that a large US airline reported between 1 January and 30 June 2001:
`date` (when the aircraft left, local time), `delay` (minutes late on arrival), `distance` (miles), `origin`,
`destination`. What this script adds is known when the aircraft leaves, and needs the whole table: how many of
the flights that landed before were late. The three files are split by time, never at random.
"""

import argparse
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

SOURCE = "package/data/flights-3m.parquet"
SOURCE_SHA256 = "dbeb920c90f59b6ccaff823dcc3d08f25a97fa1ce128d93f40be4e931f5900b0"

# file: first day, day after the last one, rows. The first of January has no day before it to look back to.
SPLITS = {
    "train": ("2001-01-02", "2001-05-01", 150_000),
    "test": ("2001-05-01", "2001-06-01", 60_000),
    "later": ("2001-06-01", "2001-07-01", 40_000),
}
LATE_MINUTES = 15
LOOK_BACK_MINUTES = 180
# An arrival more than an hour and a half early is a slip of the pen (three rows, at -212 to -1116 minutes).
EARLIEST_MINUTES = -90

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("date", pa.date32(), nullable=False),
        pa.field("day_of_week", pa.int64(), nullable=False),
        pa.field("departure_minute", pa.int64(), nullable=False),
        pa.field("distance", pa.int64(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("destination", pa.string(), nullable=False),
        pa.field("origin_late_day", pa.float64(), nullable=False),
        pa.field("destination_late_day", pa.float64(), nullable=False),
        pa.field("origin_late_3h", pa.float64(), nullable=False),
        pa.field("destination_late_3h", pa.float64(), nullable=False),
        pa.field("hub", pa.string(), nullable=False),
        pa.field("late", pa.int8(), nullable=False),
    ]
)


def read_source(tarball: Path) -> pd.DataFrame:
    """Read the flights out of the npm tarball, and refuse any other bytes than the ones this example was made from."""
    with tarfile.open(tarball) as archive:
        content = archive.extractfile(SOURCE).read()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SOURCE_SHA256:
        raise SystemExit(f"{tarball}: {SOURCE} has sha256 {digest}, expected {SOURCE_SHA256}: use vega-datasets 3.2.1")
    return pq.read_table(io.BytesIO(content)).to_pandas()


def clean(flights: pd.DataFrame) -> pd.DataFrame:
    """Give every flight its key (its row number in the source) and drop, with a count, what can't be used."""
    flights = flights.assign(id=np.arange(len(flights), dtype=np.int64))
    incomplete = flights.isna().any(axis=1)
    impossible = flights["delay"] < EARLIEST_MINUTES
    outside = flights["date"] >= "2001-07-01"
    print(f"dropped: {incomplete.sum()} incomplete, {impossible.sum()} impossible, {outside.sum()} outside the months")
    return flights[~(incomplete | impossible | outside)].reset_index(drop=True)


def late_share_day_before(flights: pd.DataFrame, airport: str) -> pd.Series:
    """Share of late flights at the same airport on the day before; where it had none, of the whole network."""
    share = flights.groupby([airport, "day"])["late"].mean().rename("share").reset_index()
    share["day"] += pd.Timedelta(days=1)
    joined = flights[[airport, "day"]].merge(share, on=[airport, "day"], how="left")["share"]
    network = flights.groupby("day")["late"].mean()
    network.index += pd.Timedelta(days=1)
    return joined.fillna(flights["day"].map(network))


def late_share_landed(flights: pd.DataFrame, airport: str, otherwise: pd.Series) -> np.ndarray:
    """Share of late flights among those that landed at `airport` in the last three hours; `otherwise` where none did.

    The source doesn't say when a flight landed; half an hour plus the distance at 450 miles an hour stands for it.
    """
    codes = {name: code for code, name in enumerate(sorted(set(flights["origin"]) | set(flights["destination"])))}
    minute = (flights["date"].astype("datetime64[s]").astype(np.int64) // 60).to_numpy()
    landed = minute + 30 + np.rint(flights["distance"].to_numpy() / 7.5).astype(np.int64)
    span = 10**9  # more than any minute count: keeps one airport's times apart from the next one's
    at = flights["destination"].map(codes).to_numpy(np.int64) * span + landed
    order = np.argsort(at, kind="stable")
    at, late = at[order], np.concatenate([[0], np.cumsum(flights["late"].to_numpy()[order], dtype=np.int64)])
    now = flights[airport].map(codes).to_numpy(np.int64) * span + minute
    first, last = np.searchsorted(at, now - LOOK_BACK_MINUTES), np.searchsorted(at, now)
    flew = last - first
    return np.where(flew > 0, (late[last] - late[first]) / np.maximum(flew, 1), otherwise)


def hub_size(flights: pd.DataFrame) -> pd.Series:
    """The origin's size by its share of the flights before the holdout: the FAA's bounds of 1 % and 0.25 %."""
    before = flights.loc[flights["day"] < SPLITS["test"][0], "origin"]
    share = flights["origin"].map(before.value_counts(normalize=True)).fillna(0)
    return pd.Series(np.select([share >= 0.01, share >= 0.0025], ["large", "medium"], "small"))


def describe(flights: pd.DataFrame) -> pd.DataFrame:
    """All columns of `SCHEMA`, a row per flight, in the source's order (by time)."""
    flights = flights.assign(day=flights["date"].dt.floor("D"), late=(flights["delay"] > LATE_MINUTES).astype(np.int8))
    day = {airport: late_share_day_before(flights, airport) for airport in ("origin", "destination")}
    return pd.DataFrame(
        {
            "id": flights["id"],
            "date": flights["day"].dt.date,
            "day_of_week": flights["date"].dt.day_of_week.astype(np.int64) + 1,
            "departure_minute": (flights["date"].dt.hour * 60 + flights["date"].dt.minute).astype(np.int64),
            "distance": flights["distance"],
            "origin": flights["origin"],
            "destination": flights["destination"],
            "origin_late_day": day["origin"].round(4),
            "destination_late_day": day["destination"].round(4),
            "origin_late_3h": late_share_landed(flights, "origin", day["origin"]).round(4),
            "destination_late_3h": late_share_landed(flights, "destination", day["destination"]).round(4),
            "hub": hub_size(flights),
            "late": flights["late"],
            "day": flights["day"],
        }
    )


def sample(flights: pd.DataFrame, rows: int) -> pd.DataFrame:
    """The `rows` flights with the smallest hash of their key: the same ones on any machine and library version."""
    mixed = flights["id"].to_numpy(np.uint64) * np.uint64(2_654_435_761) % np.uint64(2**32)
    return flights.iloc[np.sort(np.argsort(mixed, kind="stable")[:rows])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tarball", type=Path, help="vega-datasets-3.2.1.tgz, as `npm pack` writes it")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data")
    arguments = parser.parse_args()

    flights = describe(clean(read_source(arguments.tarball)))
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, (first, end, rows) in SPLITS.items():
        chosen = sample(flights[(flights["day"] >= first) & (flights["day"] < end)], rows)
        table = pa.Table.from_pandas(chosen[SCHEMA.names], SCHEMA, preserve_index=False).replace_schema_metadata(None)
        path = arguments.out / f"{name}.parquet"
        pq.write_table(table, path, compression="zstd", compression_level=19, row_group_size=65_536)
        print(f"{path}: {table.num_rows} rows, {path.stat().st_size} bytes, {chosen['late'].mean():.4f} late")


if __name__ == "__main__":
    main()
