"""Segments of varve as Spark reads them: as Parquet files, partitions found by their directories."""
import os
import sys

from engines import BUILD, Different, compare, run
from model import EXACT, NAN, bits, decimal_parts, edge_rows
from written_by_us import ALL_KINDS, ALL_TYPES, fits, imported, place, with_ids, write_rows

sys.path.insert(0, os.path.join(BUILD, "spark"))
from pyspark.sql import SparkSession, functions, types  # noqa: E402

SIMPLE = {
    "boolean": types.BooleanType(), "byte": types.ByteType(), "short": types.ShortType(),
    "integer": types.IntegerType(), "long": types.LongType(), "float": types.FloatType(),
    "double": types.DoubleType(), "string": types.StringType(), "binary": types.BinaryType(),
    "date": types.DateType(), "timestamp": types.TimestampType(),
    "timestamp_ntz": types.TimestampNTZType(),
}


def spark_type(kind):
    parts = decimal_parts(kind)
    return types.DecimalType(*parts) if parts else SIMPLE[kind]


def session():
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    settings = {
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "1g", "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1", "spark.log.level": "ERROR",
        "spark.driver.bindAddress": "127.0.0.1",
        # Ours are days of the Gregorian calendar, whatever the year.
        "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
        "spark.sql.sources.partitionColumnTypeInference.enabled": "true",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def as_numbers(frame, shape):
    """Dates and times as the numbers that they are, the others as they are."""
    columns = []
    for name, kind in zip(shape.names, shape.kinds):
        column = functions.col(f"`{name}`")
        if kind == "date":
            column = functions.expr(f"unix_date(`{name}`)")
        elif kind == "timestamp":
            column = functions.expr(f"unix_micros(`{name}`)")
        elif kind == "timestamp_ntz":
            column = functions.expr(f"unix_micros(cast(`{name}` as timestamp))")
        columns.append(column.alias(name))
    return frame.select(*columns)


def plain(kind, value):
    if value is None:
        return None
    parts = decimal_parts(kind)
    if parts:
        return int(value.scaleb(parts[1], EXACT))
    if kind in NAN:
        return bits(kind, value)
    return bytes(value) if kind == "binary" else value


def read(table, shape, declared=()):
    """What Spark makes of the directory; `declared` are columns whose types are told to it."""
    reader = session().read
    if declared:
        reader = reader.schema(types.StructType([
            types.StructField(name, spark_type(kind)) for name, kind in
            zip(shape.names, shape.kinds)]))
    frame = reader.parquet(table)
    found = {field.name: field.dataType for field in frame.schema.fields}
    for name, kind in zip(shape.names, shape.kinds):
        if found.get(name) != spark_type(kind):
            raise Different(f"column {name}: {found.get(name)} instead of {kind}")
    rows = as_numbers(frame, shape).collect()
    return shape.with_columns([
        [plain(kind, row[place_]) for row in rows] for place_, kind in enumerate(shape.kinds)])


def every_type(directory, random):
    """Types are found in the files."""
    rows = with_ids(edge_rows(ALL_TYPES, random))
    table = imported(directory, "types", rows)
    compare("spark", read(table, rows), rows)
    run("table", "compact", table)
    run("table", "vacuum", table, "--retention", "0s", "--force")
    compare("spark", read(table, rows), rows)


def every_width(directory, random):
    schema = [(f"d{p}_{s}", f"decimal({p},{s})")
              for p in range(1, 39) for s in sorted({0, p // 2, p})]
    rows = edge_rows(schema, random, null_every=4)
    compare("spark", read(imported(directory, "widths", rows), rows), rows)


def partitions(directory, random):
    """Partitions are found in the directories, when their types are told."""
    for kind in ALL_KINDS:
        if kind in ("binary", "timestamp_ntz"):
            continue
        schema = [("id", "long"), ("p", kind), ("note", "string")]
        rows = with_ids(edge_rows(schema, random)).where("p", lambda value: fits(kind, value))
        name = kind.replace("(", "-").replace(",", "-").rstrip(")")
        table = imported(directory, name, rows, flags=["--partition-by", "p"])
        compare(f"spark by {kind}", read(table, rows, declared=["p"]), rows)


def found_types(directory, random):
    """Whole numbers, dates and texts in directories are found without help."""
    schema = [("id", "long"), ("day", "date"), ("region", "string"), ("n", "integer")]
    rows = with_ids(edge_rows(schema, random)).taking(range(20))
    rows.columns[1] = [20_000 + number % 3 for number in range(20)]
    rows.columns[2] = [["EU west", "a/b", "50%", "größe"][number % 4] for number in range(20)]
    rows.columns[3] = [number % 2 for number in range(20)]
    table = imported(directory, "found", rows, flags=["--partition-by", "day,region,n"])
    run("table", "append", table, write_rows(directory, "more", rows, "csv"))
    compare("spark", read(table, rows), rows + rows)


CASES = [every_type, every_width, partitions, found_types]
