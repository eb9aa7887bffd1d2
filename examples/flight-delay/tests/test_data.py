from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from flight_delay.features import KEY, LABEL
from prepare import EARLIEST_MINUTES, SCHEMA, SPLITS, clean, describe, sample

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("name", SPLITS)
def test_a_file_holds_its_own_period_only(name):
    first, end, count = SPLITS[name]
    table = pq.read_table(DATA / f"{name}.parquet")
    rows = table.to_pandas()

    assert table.schema == SCHEMA
    assert len(rows) == count
    assert rows[KEY].is_unique
    assert not rows.isna().any(axis=None)
    assert str(rows["date"].min()) >= first
    assert str(rows["date"].max()) < end
    assert set(rows[LABEL]) == {0, 1}
    assert rows["hub"].value_counts().min() > 3_000


def test_no_flight_is_in_two_files():
    keys = [set(pq.read_table(DATA / f"{name}.parquet", columns=[KEY])[KEY].to_pylist()) for name in SPLITS]
    assert len(set.union(*keys)) == sum(len(part) for part in keys)


def flight(date: str, delay: int, origin: str, destination: str, distance: int = 450) -> dict:
    return {
        "date": pd.Timestamp(date),
        "delay": delay,
        "distance": distance,
        "origin": origin,
        "destination": destination,
    }


def test_shares_look_back_only():
    flights = pd.DataFrame(
        [
            flight("2001-01-02 08:00", 60, "AAA", "BBB"),  # late; down at 09:30
            flight("2001-01-02 08:30", 0, "AAA", "BBB"),  # in time; down at 10:00
            flight("2001-01-02 10:00", 90, "BBB", "AAA"),  # sees the first one only: the second is just landing
            flight("2001-01-02 13:00", 0, "BBB", "AAA"),  # the first landed more than three hours ago
            flight("2001-01-03 06:00", 0, "BBB", "CCC"),  # nothing landed: the day before stands in
        ]
    )
    rows = describe(clean(flights))

    assert rows["late"].tolist() == [1, 0, 1, 0, 0]
    assert rows["origin_late_3h"].tolist()[2:] == [1.0, 0.0, 0.5]
    assert rows["origin_late_day"].tolist()[4] == 0.5  # BBB, the day before: one of two
    assert rows["destination_late_day"].tolist()[4] == 0.5  # CCC had no flight: the network's two of four
    assert rows["departure_minute"].tolist() == [480, 510, 600, 780, 360]
    assert rows["day_of_week"].tolist() == [2, 2, 2, 2, 3]


def test_a_share_does_not_see_the_flight_itself():
    flights = [flight(f"2001-01-02 {hour:02}:00", 0, "AAA", "BBB") for hour in range(6, 12)]
    calm = describe(clean(pd.DataFrame(flights)))
    flights[-1]["delay"] = 500
    late = describe(clean(pd.DataFrame(flights)))
    pd.testing.assert_frame_equal(calm.drop(columns=LABEL), late.drop(columns=LABEL))


def test_rows_that_cannot_be_used_go_and_the_others_keep_their_key():
    flights = pd.DataFrame(
        [
            flight("2001-01-02 08:00", EARLIEST_MINUTES - 1, "AAA", "BBB"),
            flight("2001-01-02 08:10", 0, None, "BBB"),
            flight("2001-01-02 08:20", EARLIEST_MINUTES, "AAA", "BBB"),
            flight("2001-07-01 00:00", 0, "AAA", "BBB"),
        ]
    )
    assert clean(flights)["id"].tolist() == [2]


def test_a_sample_is_the_same_whatever_stands_around_it():
    flights = pd.DataFrame({"id": range(1_000)})
    chosen = sample(flights, 100)["id"].tolist()

    assert chosen == sorted(chosen)
    assert len(chosen) == 100
    assert set(sample(flights[flights["id"] % 2 == 0], 1_000)["id"]) == set(range(0, 1_000, 2))
    assert sample(flights[flights["id"].isin(chosen)], 100)["id"].tolist() == chosen
