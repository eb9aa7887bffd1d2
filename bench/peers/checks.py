"""The checks of bench/data.ts by other tools, on the same Parquet file: python bench/peers/checks.py TOOL FILE

TOOL is great-expectations, pandera-pandas, pandera-polars or deepchecks. Prints seconds without the start of Python and the imports, and whether all checks passed.
Install beside it: pip install great_expectations 'pandera[polars]' pyarrow polars
deepchecks 0.19.1 does not start with what pip takes for it: scikit-learn from 1.6 on has no scorer 'max_error', and numpy 2 no Inf.
In an environment of its own: pip install deepchecks 'scikit-learn<1.6' 'numpy<2' 'pandas<3' 'category_encoders<2.7' 'pyarrow<21'
It has no ranges, sets, types or conditions on rows: of the thirty checks it makes thirteen, the shares of NULL and the unique key.
"""

import sys
import time

NUMBERS = ["f1", "f2", "f3", "f4", "f5", "i1", "i2", "i3"]
PRESENT = [*NUMBERS, "s1", "s2", "day", "id"]
S1 = [f"c{k}" for k in range(12)]
I1 = list(range(24))


def great_expectations(file):
    import great_expectations as gx
    import pandas as pd

    started = time.perf_counter()
    frame = pd.read_parquet(file)
    context = gx.get_context(mode="ephemeral")
    batch = (
        context.data_sources.add_pandas("bench")
        .add_dataframe_asset(name="table")
        .add_batch_definition_whole_dataframe("whole")
        .get_batch({"dataframe": frame})
    )
    e = gx.expectations
    suite = gx.ExpectationSuite(name="bench")
    for name in ["id", "day", "f1", "s1"]:
        suite.add_expectation(e.ExpectColumnToExist(column=name))
    suite.add_expectation(e.ExpectTableRowCountToBeBetween(min_value=1))
    for name in PRESENT:
        suite.add_expectation(e.ExpectColumnValuesToNotBeNull(column=name, mostly=0.9))
    for name in NUMBERS:
        suite.add_expectation(e.ExpectColumnValuesToBeBetween(column=name, min_value=-100, max_value=10000))
    for k in range(5):
        suite.add_expectation(
            e.ExpectColumnValuesToBeBetween(
                column=f"f{k + 1}", min_value=-9, row_condition=f"i1 > {k}", condition_parser="pandas"
            )
        )
    suite.add_expectation(e.ExpectColumnValuesToBeInSet(column="s1", value_set=S1))
    suite.add_expectation(e.ExpectColumnValuesToBeInSet(column="i1", value_set=I1))
    suite.add_expectation(e.ExpectColumnValuesToBeUnique(column="id"))
    result = batch.validate(suite, result_format="BASIC")
    return time.perf_counter() - started, result.success


def pandera(file, polars):
    if polars:
        import pandera.polars as pa
        import polars as pl
    else:
        import pandas as pd
        import pandera.pandas as pa

    def column(name):
        checks = []
        if name in NUMBERS:
            checks.append(pa.Check.in_range(-100, 10000))
        if name == "s1":
            checks.append(pa.Check.isin(S1))
        if name == "i1":
            checks.append(pa.Check.isin(I1))
        return pa.Column(nullable=True, checks=checks, unique=name == "id")

    def present(name):
        if polars:
            return pa.Check(lambda data: data.lazyframe.select(pl.col(name).is_not_null().mean() >= 0.9))
        return pa.Check(lambda frame: bool(frame[name].notna().mean() >= 0.9))

    def where(k):
        name = f"f{k + 1}"
        if polars:
            ok = ~(pl.col("i1") > k) | pl.col(name).is_null() | (pl.col(name) >= -9)
            return pa.Check(lambda data: data.lazyframe.select(ok.all()))
        return pa.Check(lambda frame: bool((~(frame["i1"] > k) | frame[name].isna() | (frame[name] >= -9)).all()))

    started = time.perf_counter()
    schema = pa.DataFrameSchema(
        {name: column(name) for name in PRESENT},
        checks=[*(present(name) for name in PRESENT), *(where(k) for k in range(5))],
    )
    frame = pl.read_parquet(file) if polars else pd.read_parquet(file)
    schema.validate(frame, lazy=True)
    return time.perf_counter() - started, True


def deepchecks(file):
    import pandas as pd
    from deepchecks.tabular import Dataset, Suite
    from deepchecks.tabular.checks import DataDuplicates, PercentOfNulls

    started = time.perf_counter()
    frame = pd.read_parquet(file)
    suite = Suite(
        "bench",
        # By default it takes samples of the rows.
        PercentOfNulls(columns=PRESENT, n_samples=None).add_condition_percent_of_nulls_not_greater_than(0.1),
        DataDuplicates(columns=["id"], n_samples=None).add_condition_ratio_less_or_equal(0),
    )
    data = Dataset(frame, cat_features=["s1", "s2", "s3", "flag"], index_name=None, datetime_name=None)
    result = suite.run(data)
    return time.perf_counter() - started, result.passed(fail_if_check_not_run=True)


tool, file = sys.argv[1:3]
if tool == "great-expectations":
    seconds, passed = great_expectations(file)
elif tool == "deepchecks":
    seconds, passed = deepchecks(file)
else:
    seconds, passed = pandera(file, tool == "pandera-polars")
print(f"{tool}: {seconds:.1f} s, {'passed' if passed else 'failed'}")
