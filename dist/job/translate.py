"""Passloop's queries, which are DuckDB's SQL, as Spark's.

Both engines must give the same numbers, so nothing is passed on unread: a function that is not known to mean the same
in both is refused. Counts of cells, for which Spark has no aggregate, become a query of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

# What means the same in both engines, once translated; tests hold both to it.
KNOWN_FUNCTIONS = {
    exp.Abs, exp.And, exp.Array, exp.ArrayAgg, exp.Case, exp.Cast, exp.Ceil, exp.Coalesce, exp.Contains, exp.Count,
    exp.CountIf, exp.Day, exp.EndsWith, exp.Explode, exp.Floor, exp.Greatest, exp.If, exp.IsInf, exp.IsNan, exp.Lag,
    exp.Least, exp.Length, exp.Lower, exp.Max, exp.Min, exp.Month, exp.Nullif, exp.Or, exp.PercentileCont,
    exp.PercentileDisc, exp.RegexpFullMatch, exp.RegexpLike, exp.RegexpReplace, exp.Round, exp.RowNumber,
    exp.StartsWith, exp.Struct, exp.Substring, exp.Sum, exp.Trim, exp.UnixToTime, exp.Xor, exp.Year,
}  # fmt: skip
# Sums of floats, whose last digits differ from run to run.
SHOWN_FUNCTIONS = {exp.Avg, exp.Corr, exp.Median, exp.StddevSamp, exp.Variance}
KNOWN_ANONYMOUS = {"hash", "isfinite", "prefix", "strip_accents", "suffix", "to_json"}
KNOWN_OPERATORS = (
    exp.Add, exp.Alias, exp.Between, exp.Distinct, exp.Div, exp.DPipe, exp.EQ, exp.GT, exp.GTE, exp.ILike, exp.In,
    exp.IntDiv, exp.Is, exp.LT, exp.LTE, exp.Like, exp.Mod, exp.Mul, exp.NEQ, exp.Neg, exp.Not, exp.NullSafeEQ,
    exp.NullSafeNEQ, exp.Paren, exp.PropertyEQ, exp.Sub, exp.Dot,
)  # fmt: skip
#: Characters of one expression; some forms say their operands several times.
LONGEST = 100_000
INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT"}


#: The type of a column by its name, in DuckDB's words; None where no open table has it.
TypeOf = Callable[[str], "str | None"]


class Refused(Exception):
    """The query means something that this translation doesn't know on Spark."""


@dataclass
class Cells:
    """A projection that counts rows by cell: which one, of what, into which."""

    at: int
    value: exp.Expression
    #: Inner edges of (-inf, e1] .. (ek, inf), or the listed texts; the last cell is for all other values.
    bounds: list
    is_text: bool


@dataclass
class Translation:
    tree: exp.Expression
    type_of: TypeOf
    cells: list[Cells]
    #: One row per group, slot and cell: the group's keys, then slot, cell and rows.
    cells_sql: str | None
    group_keys: int

    @property
    def is_cells_alone(self) -> bool:
        return isinstance(self.tree, exp.Select) and not self.tree.expressions

    def sql(self, as_values: frozenset[int] = frozenset()) -> str:
        """`as_values`: projections that are casts to text, to be left as the values that they are."""
        tree = self.tree.copy()
        for at in as_values:
            cast = tree.expressions[at].unalias()
            cast.replace(cast.this.copy())
        return _spark(tree, self.type_of)

    def texts(self) -> frozenset[int]:
        """Projections that are casts to text."""
        if not isinstance(self.tree, exp.Select):
            return frozenset()
        inner = [projection.unalias() for projection in self.tree.expressions]
        return frozenset(
            at for at, one in enumerate(inner) if isinstance(one, exp.Cast) and one.to.is_type("varchar", "text")
        )


def translate(sql: str, type_of: TypeOf, tables: set[str] | None) -> Translation:
    """`tables`: those that may be read; None for a query that people may paste, whose last digits decide nothing."""
    try:
        tree = parse_one(sql, read="duckdb")
    except SqlglotError as error:
        raise Refused(f"the query cannot be read: {error}") from None
    _list_in_place(tree)
    _require_known(tree, tables)
    for cast in tree.find_all(exp.Cast):
        _require_known_cast(cast, type_of)
    _compare_short(tree, type_of, is_shown=tables is None)
    cells = _take_cells(tree) if isinstance(tree, exp.Select) else []
    if not cells:
        return Translation(tree, type_of, [], None, 0)
    cells_sql = _cells_query(tree, cells, type_of)
    keys = _group(tree)
    for key in keys:
        tree.append("expressions", key.copy())
    return Translation(tree, type_of, cells, cells_sql, len(keys))


def _list_in_place(tree: exp.Expression) -> None:
    """list_contains([1, 2], x) is x IN (1, 2), which Spark has: of literals alone, since NULL in a list is another thing."""
    for node in list(tree.find_all(exp.ArrayContains)):
        literals = node.this.expressions if isinstance(node.this, exp.Array) else []
        if literals and all(isinstance(one.this if isinstance(one, exp.Neg) else one, exp.Literal) for one in literals):
            node.replace(exp.In(this=node.expression.copy(), expressions=[one.copy() for one in literals]))


COMPARISONS = (
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Between, exp.In,
)  # fmt: skip
#: Places in which a value stays what it is, or is only counted or looked at.
PLAIN_PLACES = (
    exp.Alias, exp.Cast, exp.Count, exp.CountIf, exp.Distinct, exp.Explode, exp.Group, exp.Is, exp.IsInf, exp.IsNan,
    exp.Order, exp.Ordered, exp.Select, exp.Struct, exp.PropertyEQ, exp.ArrayAgg, exp.Window,
)  # fmt: skip


def _compare_short(tree: exp.Expression, type_of: TypeOf, is_shown: bool) -> None:
    """A FLOAT is compared with what was written, or a whole number or a decimal, as a FLOAT there; Spark makes doubles of both."""
    for column in list(tree.find_all(exp.Column)):
        if type_of(column.name) != "FLOAT" or not _is_of_table(column):
            continue
        value = _short_around(column)
        _keep_short(column, value)
        place = value.parent
        if isinstance(place, COMPARISONS):
            _make_short(place, type_of)
        elif not (is_shown and isinstance(place, exp.AggFunc)) and not isinstance(place, PLAIN_PLACES) and not (
            isinstance(place, exp.Anonymous) and place.name.lower() in ("isfinite", "hash", "histogram")
        ):
            raise Refused(
                f"a short float in {type(place).__name__.lower()} is not known to mean the same on Spark:"
                f" write CAST({column.sql('duckdb')} AS DOUBLE)"
            )


def _is_of_table(column: exp.Column) -> bool:
    """Columns are quoted by the plan, and written as they come by people, over a table; other names are the plan's own."""
    if column.this.quoted:
        return True
    select = column.find_ancestor(exp.Select)
    source = select.args.get("from_") if select is not None else None
    return source is not None and isinstance(source.this, exp.Table)


def _short_around(node: exp.Expression) -> exp.Expression:
    """The largest expression around it that is the same FLOAT, or one of the same column."""
    while True:
        place = node.parent
        same = isinstance(place, (exp.Paren, exp.Neg, exp.Abs, exp.Min, exp.Max, exp.Lag)) or (
            isinstance(place, (exp.Window, exp.Filter)) and place.this is node
        )
        if isinstance(place, exp.If) and place.args.get("true") is node and isinstance(place.parent, exp.Case):
            case = place.parent
            if len(case.args["ifs"]) > 1 or case.args.get("default") is not None:
                return node
            node = case
        elif same or _is_unchanged(node, place):
            node = place
        else:
            return node


def _is_unchanged(node: exp.Expression, place: exp.Expression | None) -> bool:
    """Whether it is that and 0, by which -0 becomes 0."""
    zero = place.expression if isinstance(place, exp.Add) and place.this is node else None
    if isinstance(zero, exp.Cast) and zero.to.is_type("float"):
        zero = zero.this
    return isinstance(zero, exp.Literal) and zero.name == "0"


def _keep_short(node: exp.Expression, whole: exp.Expression) -> None:
    """Of a FLOAT and a whole number Spark makes a double: what is added between these two is a FLOAT too."""
    while node is not whole:
        node = node.parent
        if isinstance(node, exp.Add):
            node.set("expression", exp.cast(exp.Literal.string("0"), "float"))


def _is_short(node: exp.Expression, type_of: TypeOf) -> bool:
    columns = [
        column
        for column in node.find_all(exp.Column)
        if type_of(column.name) == "FLOAT" and _is_of_table(column)
    ]
    return any(_is_within(node, _short_around(column)) for column in columns)


def _is_within(node: exp.Expression, whole: exp.Expression) -> bool:
    """Whether both are one, brackets aside."""
    return node.unnest() is whole.unnest()


def _make_short(comparison: exp.Expression, type_of: TypeOf) -> None:
    if isinstance(comparison, exp.In):
        if comparison.args.get("query") is not None:
            raise Refused("a short float in a query's rows is not known to mean the same on Spark")
        sides = [comparison.this, *comparison.expressions]
    elif isinstance(comparison, exp.Between):
        sides = [comparison.this, comparison.args["low"], comparison.args["high"]]
    else:
        sides = [comparison.this, comparison.expression]
    kinds = [_kind(side, type_of) for side in sides]
    if None in kinds:
        raise Refused("a short float against what is reckoned is not known to mean the same on Spark")
    # Beside a double, all are doubles in both.
    if "double" in kinds:
        return
    for side, kind in zip(sides, kinds):
        if kind == "written":
            text = side.unnest().sql("duckdb").replace("(", "").replace(")", "").replace(" ", "")
            side.replace(exp.cast(exp.Literal.string(text), "float"))
        elif kind == "exact":
            side.replace(exp.cast(side.copy(), "float"))


def _kind(side: exp.Expression, type_of: TypeOf) -> str | None:
    bare = side.unnest()
    if isinstance(bare, exp.Null) or _is_short(side, type_of):
        return "short"
    if isinstance(bare, exp.Cast):
        return "double" if bare.to.is_type("double") else "short" if bare.to.is_type("float") else None
    number = bare.this.unnest() if isinstance(bare, exp.Neg) else bare
    if isinstance(number, exp.Literal) and not number.is_string:
        return "double" if "e" in number.name.lower() else "written"
    if isinstance(bare, exp.Column):
        kind = type_of(bare.name) or ""
        return "double" if kind == "DOUBLE" else "exact" if kind in INTEGERS or kind.startswith("DECIMAL") else None
    return None


def _require_known(tree: exp.Expression, tables: set[str] | None) -> None:
    functions = KNOWN_FUNCTIONS | SHOWN_FUNCTIONS if tables is None else KNOWN_FUNCTIONS
    for node in tree.walk():
        if isinstance(node, exp.Anonymous):
            if node.name.lower() not in KNOWN_ANONYMOUS | {"map_values", "map_entries", "histogram", "histogram_exact"}:
                raise Refused(f"the function {node.name} is not known to mean the same on Spark")
        elif isinstance(node, exp.Func):
            if type(node) not in functions:
                raise Refused(f"the function {node.sql_name().lower()} is not known to mean the same on Spark")
        elif isinstance(node, (exp.Binary, exp.Unary)) and not isinstance(node, KNOWN_OPERATORS):
            raise Refused(f"`{type(node).__name__}` is not known to mean the same on Spark")
        elif isinstance(node, (exp.Command, exp.DDL, exp.DML)):
            raise Refused("it is no query")
        if isinstance(node, exp.Table) and tables is not None and (node.name not in tables or node.db):
            raise Refused("it reads something else than the tables that are open")
        if isinstance(node, exp.Anonymous) and node.name.lower() == "hash":
            cast = node.parent
            if not (isinstance(cast, exp.Cast) and isinstance(cast.parent, exp.Sum) and len(node.expressions) == 1):
                raise Refused("hash is another one on Spark")
        if isinstance(node, exp.Trim) and node.expression is None:
            raise Refused("trim without its characters is not known to mean the same on Spark")
        if isinstance(node, exp.Substring):
            start = node.args.get("start")
            if not (isinstance(start, exp.Literal) and not start.is_string and int(start.name) > 0):
                raise Refused(
                    "substr from anything but a place that is written out is not known to mean the same on Spark"
                )
        if isinstance(node, exp.RegexpLike) and node.args.get("flag") is not None:
            raise Refused("regexp_matches with options is not known to mean the same on Spark")
        if isinstance(node, exp.RegexpReplace) and "g" not in str(node.args.get("modifiers") or ""):
            raise Refused("regexp_replace without the option 'g' is not known to mean the same on Spark")
        if isinstance(node, exp.Round) and node.args.get("decimals") is not None:
            raise Refused("round to digits is not known to mean the same on Spark")


def _require_known_cast(cast: exp.Cast, type_of: TypeOf) -> None:
    """Floats are printed, and decimals, truths and short floats made, by rules of each engine's own."""
    value = cast.this.unnest()
    source = type_of(value.name) if isinstance(value, exp.Column) else None
    if cast.to.is_type("float", "boolean") or (
        cast.to.is_type("decimal") and not (value.is_number or source in INTEGERS or "DECIMAL" in (source or ""))
    ):
        raise Refused(f"a cast to {cast.to.sql('duckdb')} is not known to mean the same on Spark")
    if not cast.to.is_type("varchar", "text") or cast.find(exp.AggFunc) is not None:
        return
    place = cast.parent
    # The plan compares two columns as texts, which are then of one engine, counts them, and asks for values as texts.
    is_plan = (
        isinstance(place, (exp.Select, exp.Alias, exp.Anonymous))
        or (
            isinstance(place, (exp.NullSafeNEQ, exp.EQ))
            and all(isinstance(side, exp.Cast) for side in place.args.values())
        )
        or (isinstance(place, exp.Coalesce) and isinstance(place.parent, exp.Count))
    )
    is_reckoned = isinstance(value, (exp.Binary, exp.Unary, exp.Func)) and not isinstance(value, exp.Predicate)
    if not is_plan and (source in ("DOUBLE", "FLOAT") or is_reckoned):
        raise Refused("a float as a text is not known to be the same on Spark")


def _take_cells(select: exp.Select) -> list[Cells]:
    found = []
    for at, projection in enumerate(list(select.expressions)):
        inner = projection.unalias()
        call = inner.this if isinstance(inner, exp.Cast) else inner
        if not (isinstance(call, exp.Anonymous) and call.name == "to_json"):
            continue
        entries = call.expressions[0]
        if not (isinstance(entries, exp.Anonymous) and entries.name in ("map_values", "map_entries")):
            continue
        histogram = entries.expressions[0]
        value, array = histogram.expressions
        is_text = histogram.name == "histogram_exact"
        bounds = [_literal(item) for item in array.expressions]
        found.append(Cells(at, value, bounds if is_text else [float(bound) for bound in bounds], is_text))
        projection.pop()
    return found


def _literal(node: exp.Expression) -> str:
    while isinstance(node, (exp.Cast, exp.Paren)):
        node = node.this
    return node.name


def _group(select: exp.Select) -> list[exp.Expression]:
    group = select.args.get("group")
    return [] if group is None else list(group.expressions)


def _cells_query(select: exp.Select, cells: list[Cells], type_of: TypeOf) -> str:
    """Each row says once per slot in which cell it is; Spark adds up in each task before anything is moved."""
    if select.args.get("joins") or not isinstance(select.args["from_"].this, exp.Table):
        raise Refused("cells are counted over one table")
    keys = _group(select)
    values = [_spark(cell.value, type_of) for cell in cells]
    relation = _spark(select.args["from_"].this, type_of)
    where = select.args.get("where")
    inner = ", ".join(
        [f"{_spark(key, type_of)} AS k{i}" for i, key in enumerate(keys)]
        + [f"{value} AS v{i}" for i, value in enumerate(values)]
    )
    names = [f"k{i}" for i in range(len(keys))]
    bins = ", ".join(_bin(f"v{i}", cell) for i, cell in enumerate(cells))
    listed = "".join(f"{name}, " for name in names)
    return (
        f"SELECT {listed}slot, cell, count(*) AS n FROM ("
        f"SELECT {listed}posexplode(array({bins})) AS (slot, cell) FROM (SELECT {inner} FROM {relation}"
        f"{'' if where is None else ' ' + _spark(where, type_of)})) WHERE cell IS NOT NULL GROUP BY {listed}slot, cell"
    )


def _bin(name: str, cell: Cells) -> str:
    """The number of a value's cell, by halves: some seven comparisons for a hundred cells."""
    order = range(len(cell.bounds))
    if not cell.is_text:
        steps = [(_double(cell.bounds[i]), str(i)) for i in order]
        tree = _halves(name, steps, str(len(steps)))
    else:
        by_bytes = sorted(order, key=lambda i: cell.bounds[i].encode())
        other = str(len(cell.bounds))
        steps = [
            (text, f"CASE WHEN {name} = {text} THEN {i} ELSE {other} END")
            for i, text in ((i, exp.Literal.string(cell.bounds[i]).sql("spark")) for i in by_bytes)
        ]
        tree = _halves(name, steps, other)
    return f"CASE WHEN {name} IS NOT NULL THEN {tree} END"


def _double(value: float) -> str:
    return f"CAST('{value!r}' AS DOUBLE)"


def _halves(name: str, steps: list[tuple[str, str]], last: str) -> str:
    if not steps:
        return last
    middle = len(steps) // 2
    bound, leaf = steps[middle]
    if middle == 0:
        return f"CASE WHEN {name} <= {bound} THEN {leaf} ELSE {last} END"
    below = _halves(name, steps[:middle], leaf)
    return f"CASE WHEN {name} <= {bound} THEN {below} ELSE {_halves(name, steps[middle + 1 :], last)} END"


def _spark(node: exp.Expression, type_of: TypeOf) -> str:
    return node.copy().transform(lambda one: _rewritten(one, type_of)).sql("spark")


def _rewritten(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    """What Spark calls by another name or reckons in another way; all else stays as it is."""

    def raw(template: str, *parts: exp.Expression) -> exp.Expression:
        text = template.format(*(_spark(part, type_of) for part in parts))
        if len(text) > LONGEST:
            raise Refused("it is too deep: Spark's form of it would be endless")
        return exp.Var(this=text)

    if isinstance(node, exp.Cast):
        return _cast(node, type_of, raw)
    if isinstance(node, exp.Sum):
        # There, a sum of whole numbers never overflows.
        value = node.this.args["ifs"][0].args["true"] if isinstance(node.this, exp.Case) else node.this
        if isinstance(value, exp.Column) and type_of(value.name) in INTEGERS:
            return raw("sum(CAST({0} AS DECIMAL(38, 0)))", node.this)
    if isinstance(node, exp.Div):
        # 1 / 0 is infinite there, 0 / 0 is NaN, and whole numbers are divided as doubles.
        return raw(
            "(CASE WHEN {1} = 0 THEN CASE WHEN {0} IS NULL THEN NULL WHEN {0} = 0 OR isnan({0}) THEN double('NaN')"
            " ELSE sign({0}) * double('Infinity') END ELSE double({0}) / double({1}) END)",
            node.this,
            node.expression,
        )
    if isinstance(node, exp.IntDiv) and not (_is_whole(node.this, type_of) and _is_whole(node.expression, type_of)):
        raise Refused("// of anything but whole numbers is not known to mean the same on Spark")
    if isinstance(node, (exp.IntDiv, exp.Mod)):
        sign = "DIV" if isinstance(node, exp.IntDiv) else "%"
        return raw(f"(CASE WHEN {{1}} <> 0 THEN {{0}} {sign} {{1}} END)", node.this, node.expression)
    if isinstance(node, exp.IsNan):
        return raw("(CASE WHEN {0} IS NOT NULL THEN isnan({0}) END)", node.this)
    if isinstance(node, exp.IsInf):
        return raw("(abs({0}) = double('Infinity'))", node.this)
    if isinstance(node, exp.UnixToTime):
        return raw("unix_millis({0})", node.this)
    if isinstance(node, exp.RegexpFullMatch):
        return raw(f"({{0}} RLIKE {_pattern(node.expression, full=True)})", node.this)
    if isinstance(node, exp.RegexpLike):
        return raw(f"({{0}} RLIKE {_pattern(node.expression)})", node.this)
    if isinstance(node, exp.RegexpReplace):
        replacement = node.args["replacement"]
        if not replacement.is_string or any(mark in replacement.name for mark in "\\$"):
            raise Refused("a replacement with \\ or $ is not known to mean the same on Spark")
        return raw(f"regexp_replace({{0}}, {_pattern(node.expression)}, {{1}})", node.this, replacement)
    if isinstance(node, exp.PercentileCont):
        return raw("percentile({0}, {1})", node.this, node.expression)
    if isinstance(node, exp.PercentileDisc):
        return _ranked(node, type_of, raw)
    if isinstance(node, exp.Filter) and isinstance(node.this, exp.ArrayAgg):
        order = node.this.this
        by = order.expressions[0].this
        return raw(
            "transform(array_sort(collect_list(struct({1} AS by, {0} AS v)) FILTER ({2})), one -> one.v)",
            order.this,
            by,
            node.expression,
        )
    if isinstance(node, (exp.Like, exp.ILike)) and node.expression.is_string:
        # There, no character escapes another.
        node.set("expression", exp.Literal.string(node.expression.name.replace("\\", "\\\\")))
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        if name == "isfinite":
            return raw("(NOT isnan({0}) AND abs({0}) < double('Infinity'))", *node.expressions)
        if name == "hash":
            return raw("xxhash64({0})", *node.expressions)
        if name in ("prefix", "suffix"):
            return raw(f"{'starts' if name == 'prefix' else 'ends'}with({{0}}, {{1}})", *node.expressions)
    return node


def _pattern(node: exp.Expression, full: bool = False) -> str:
    """A pattern of RE2 as one of Java: letters fold beyond ASCII, `.` takes all but a line feed, `$` is the very end."""
    if not node.is_string:
        raise Refused("a pattern that is no text is not known to mean the same on Spark")
    text, java, in_class, at = node.name, "", False, 0
    while at < len(text):
        letter = text[at]
        if letter == "\\":
            escape = text[at : at + 2]
            if escape in ("\\Q", "\\E") or (escape == "\\S" and in_class):
                raise Refused(f"a pattern with {escape} means something else on Spark")
            # There, a vertical tab is no space.
            spaces = {"\\s": "\\t\\n\\f\\r " if in_class else "[\\t\\n\\f\\r ]", "\\S": "[^\\t\\n\\f\\r ]"}
            java += spaces.get(escape, escape)
            at += 2
            continue
        if in_class and (letter == "[" or text.startswith("&&", at)):
            raise Refused("a pattern with [ or && in a class means something else on Spark")
        if letter == "[" and not in_class:
            # A bracket that comes first in its class is one of its letters.
            opening = 2 if text.startswith("[^", at) else 1
            in_class = True
            java += text[at : at + opening]
            at += opening
            if text.startswith("]", at):
                java += "\\]"
                at += 1
            continue
        if letter == "]":
            in_class = False
        if letter == "(" and not in_class and (flags := re.match(r"\(\?([a-zA-Z-]*)[:)]", text[at:])):
            if set(flags[1]) - set("is-"):
                raise Refused(f"a pattern with (?{flags[1]}) means something else on Spark")
        java += "\\z" if letter == "$" and not in_class else letter
        at += 1
    whole = f"(?du)\\A(?:{java})\\z" if full else f"(?du){java}"
    # It becomes part of a template.
    return exp.Literal.string(whole).sql("spark").replace("{", "{{").replace("}", "}}")


def _is_whole(node: exp.Expression, type_of: TypeOf) -> bool:
    """Whether it is surely a whole number, or true or false: what a cast to a whole number can't round."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        return type_of(node.name) in (*INTEGERS, "BOOLEAN")
    if isinstance(node, exp.Literal):
        return not node.is_string and node.name.isdigit()
    if isinstance(node, exp.Cast):
        return node.to.is_type("tinyint", "smallint", "int", "bigint", "int128", "boolean")
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
        return _is_whole(node.this, type_of) and _is_whole(node.expression, type_of)
    if isinstance(node, exp.Window):
        return _is_whole(node.this, type_of)
    if isinstance(node, (exp.Coalesce, exp.Filter)):
        rest = node.expressions if isinstance(node, exp.Coalesce) else []
        return all(_is_whole(one, type_of) for one in [node.this, *rest])
    # Sums and counts are the plan's own, and of whole numbers.
    return isinstance(node, (exp.Neg, exp.Predicate, exp.Connector, exp.Not, exp.Sum, exp.Count, exp.CountIf)) and (
        not isinstance(node, exp.Neg) or _is_whole(node.this, type_of)
    )


def _cast(node: exp.Cast, type_of: TypeOf, raw: Callable[..., exp.Expression]) -> exp.Expression:
    value = node.this.unnest()
    source = type_of(value.name) if isinstance(value, exp.Column) else None
    if node.to.is_type("int128"):
        is_hash = isinstance(value, exp.Anonymous) and value.name.lower() == "hash"
        if is_hash or source in INTEGERS or isinstance(value, exp.Literal):
            return raw("CAST({0} AS DECIMAL(38, 0))", node.this)
        # A double has 53 bits: cut at 2^47, both parts are whole numbers that a BIGINT and a DECIMAL hold exactly.
        return raw(
            "(CAST(CAST(floor({0} / 140737488355328D) AS BIGINT) AS DECIMAL(38, 0)) * 140737488355328"
            " + CAST(CAST(rint({0} - floor({0} / 140737488355328D) * 140737488355328D) AS BIGINT) AS DECIMAL(38, 0)))",
            node.this,
        )
    if not node.to.is_type("tinyint", "smallint", "int", "bigint") or _is_whole(value, type_of):
        return node
    # There, a cast rounds: floats to the even one, decimals away from zero.
    if source in ("DOUBLE", "FLOAT"):
        return raw(f"CAST(rint({{0}}) AS {node.to.sql('spark')})", node.this)
    if source is not None and source.startswith("DECIMAL"):
        return raw(f"CAST(round({{0}}) AS {node.to.sql('spark')})", node.this)
    # A text that isn't a whole number is an error there, which nobody takes for an answer.
    if source == "VARCHAR" or value.is_string:
        return node
    raise Refused("a cast of this to a whole number is not known to mean the same on Spark")


def _ranked(node: exp.PercentileDisc, type_of: TypeOf, raw: Callable[..., exp.Expression]) -> exp.Expression:
    """The value of a rank. Spark ranks numbers only: times are ranked as numbers, and made times again."""
    is_list = isinstance(node.expression, exp.Array)
    # Columns are quoted by the plan; what isn't is a name of its own, such as v, which a column may have too.
    is_column = isinstance(node.this, exp.Column) and node.this.this.quoted
    source = type_of(node.this.name) if is_column else None
    there, back = {
        "DATE": ("unix_date({0})", "date_from_unix_date(CAST({} AS INT))"),
        "TIMESTAMP": (
            "unix_micros(CAST({0} AS TIMESTAMP))",
            "CAST(timestamp_micros(CAST({} AS BIGINT)) AS TIMESTAMP_NTZ)",
        ),
        "TIMESTAMP WITH TIME ZONE": ("unix_micros({0})", "timestamp_micros(CAST({} AS BIGINT))"),
    }.get(source or "", ("{0}", "{}"))
    ranked = [
        back.format(f"percentile_disc({share.sql('spark')}) WITHIN GROUP (ORDER BY {there})")
        for share in (node.expression.expressions if is_list else [node.expression])
    ]
    return raw(f"array({', '.join(ranked)})" if is_list else ranked[0], node.this)
