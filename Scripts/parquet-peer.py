#!/usr/bin/env python3
"""What other readers and writers of Parquet make of a file, for the tests of `Parquet`.

parquet-peer.py dump pyarrow|duckdb FILE   prints each row as a line of text
parquet-peer.py write DIRECTORY SEED ROWS  writes files of every kind, and in .txt what is in them

The text of a row: values between tabs. `-` is null; numbers are integers in the unit of the
column, floats their bits in hexadecimal; strings and binary are hexadecimal after an `x`; lists,
maps and structures stand in brackets.
"""
import datetime
import decimal as decimals
import os
import random
import struct
import sys


def plain(array):
    """Values of an Arrow array as texts."""
    import pyarrow as pa
    import pyarrow.types as t

    kind = array.type
    if isinstance(array, pa.ChunkedArray):
        return [text for chunk in array.chunks for text in plain(chunk)]
    if t.is_dictionary(kind):
        return plain(array.dictionary_decode())
    if isinstance(array, pa.ExtensionArray):
        return plain(array.storage)
    if t.is_timestamp(kind) or t.is_time64(kind) or t.is_duration(kind):
        return [number(v) for v in array.cast(pa.int64()).to_pylist()]
    if t.is_date32(kind) or t.is_time32(kind):
        return [number(v) for v in array.cast(pa.int32()).to_pylist()]
    if t.is_decimal(kind):
        return [decimal(v, kind.scale) for v in array.to_pylist()]
    if t.is_boolean(kind):
        return ["-" if v is None else str(int(v)) for v in array.to_pylist()]
    if t.is_integer(kind):
        return [number(v) for v in array.to_pylist()]
    if t.is_float16(kind):
        return [octets(None if v is None else struct.pack("<e", v)) for v in array.to_pylist()]
    if t.is_float32(kind):
        return [floating(v, "<f") for v in array.to_pylist()]
    if t.is_float64(kind):
        return [floating(v, "<d") for v in array.to_pylist()]
    if t.is_map(kind):
        keys, items = plain(array.keys), plain(array.items)
        base = array.offsets[0].as_py() if len(array) else 0
        # keys and items begin with the first entry of the slice.
        pairs = ["[" + k + " " + v + "]" for k, v in zip(keys, items)]
        return lists(array, pairs, base)
    if t.is_list(kind) or t.is_large_list(kind):
        base = array.offsets[0].as_py() if len(array) else 0
        return lists(array, plain(array.values[base:]), base)
    if t.is_struct(kind):
        fields = [plain(array.field(i)) for i in range(kind.num_fields)]
        valid = array.is_valid().to_pylist()
        return [
            "[" + " ".join(f[i] for f in fields) + "]" if valid[i] else "-"
            for i in range(len(array))
        ]
    if t.is_null(kind):
        return ["-"] * len(array)
    return [octets(v) for v in array.to_pylist()]


def lists(array, elements, base):
    offsets = [o - base for o in array.offsets.to_pylist()]
    valid = array.is_valid().to_pylist()
    return [
        "[" + " ".join(elements[offsets[i] : offsets[i + 1]]) + "]" if valid[i] else "-"
        for i in range(len(array))
    ]


def number(value):
    return "-" if value is None else str(value)


def decimal(value, scale):
    if value is None:
        return "-"
    sign, digits, exponent = value.as_tuple()
    whole = int("".join(map(str, digits)) or "0") * 10 ** (exponent + scale)
    return str(-whole if sign else whole)


def floating(value, form):
    if value is None:
        return "-"
    if value != value:
        return "nan"
    return struct.pack(form, value)[::-1].hex()


def octets(value):
    if value is None:
        return "-"
    return "x" + (value.encode() if isinstance(value, str) else value).hex()


def rows(table):
    columns = [plain(c) for c in table.columns]
    return ["\t".join(c[i] for c in columns) for i in range(table.num_rows)]


def read(engine, path):
    if engine == "duckdb":
        import duckdb

        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        return connection.sql(f"SELECT * FROM read_parquet('{path}')").to_arrow_table()
    import pyarrow.parquet as pq

    # Strings as they are stored, not as an Arrow schema in the file has them.
    file = pq.ParquetFile(
        path, page_checksum_verification=True, coerce_int96_timestamp_unit="us"
    )
    return file.read()


def flat_table(seed, count):
    """Columns of every type that there is, with nulls."""
    import pyarrow as pa

    chance = random.Random(seed)

    def column(make, kind, nulls=10):
        values = [None if chance.randrange(100) < nulls else make(i) for i in range(count)]
        return pa.array(values, kind)

    def exact(digits):
        # Numbers of fewer digits too, and both signs.
        return lambda i: decimals.Decimal(
            chance.randrange(-(10 ** chance.randrange(1, digits + 1)) + 1, 10**digits)
        ).scaleb(-2, decimals.Context(prec=40))

    words = ["", "Oslo", "Bergen", "Tromsø", "東京"]
    floats = [float("nan"), -0.0, 0.0, float("inf"), 1.5, -2.25e-20]
    day = datetime.date(1970, 1, 1)
    return pa.table(
        {
            "flag": column(lambda i: chance.randrange(2) == 1, pa.bool_()),
            "there": column(lambda i: i % 3 == 0, pa.bool_(), nulls=0),
            "byte": column(lambda i: chance.randrange(-128, 128), pa.int8()),
            "short": column(lambda i: chance.randrange(-32768, 32768), pa.int16()),
            "int": column(lambda i: chance.randrange(-(2**31), 2**31), pa.int32()),
            "long": column(lambda i: chance.randrange(-(2**63), 2**63), pa.int64()),
            "row": column(lambda i: i * 1000, pa.int64(), nulls=0),
            "unsigned": column(lambda i: chance.randrange(2**31), pa.uint32()),
            "float": column(lambda i: floats[chance.randrange(6)], pa.float32()),
            "double": column(lambda i: chance.random() * 1000, pa.float64()),
            "small": column(exact(5), pa.decimal128(7, 2)),
            "large": column(exact(30), pa.decimal128(33, 2)),
            "day": column(lambda i: day + datetime.timedelta(chance.randrange(-9999, 9999)), pa.date32()),
            "millis": column(lambda i: chance.randrange(-(2**40), 2**40), pa.timestamp("ms")),
            "micros": column(lambda i: chance.randrange(-(2**50), 2**50), pa.timestamp("us", "UTC")),
            "word": column(lambda i: words[chance.randrange(5)], pa.string()),
            "key": column(lambda i: f"customer-{1000000 + i}", pa.string(), nulls=0),
            "binary": column(lambda i: chance.randbytes(chance.randrange(20)), pa.binary()),
            "fixed": column(lambda i: chance.randbytes(5), pa.binary(5)),
            "nothing": column(lambda i: None, pa.string(), nulls=100),
        }
    )


def nested_table(seed, count):
    """Lists, maps and structures in each other, empty and null at every level."""
    import pyarrow as pa

    chance = random.Random(seed)

    def maybe(make):
        return None if chance.randrange(6) == 0 else make()

    def some(make):
        return [make() for _ in range(chance.randrange(4))]

    def number():
        return maybe(lambda: chance.randrange(1000))

    def text():
        return maybe(lambda: "t" * chance.randrange(5))

    numbers = [maybe(lambda: some(number)) for _ in range(count)]
    lists = [maybe(lambda: some(lambda: maybe(lambda: some(number)))) for _ in range(count)]
    maps = [
        maybe(lambda: [(f"k{i}", text()) for i in range(chance.randrange(3))])
        for _ in range(count)
    ]
    points = [
        maybe(lambda: {"x": number(), "inner": maybe(lambda: {"label": text(), "tags": maybe(lambda: some(text))})})
        for _ in range(count)
    ]
    groups = [
        maybe(lambda: some(lambda: maybe(lambda: {"name": text(), "sizes": maybe(lambda: some(number))})))
        for _ in range(count)
    ]
    inner = pa.struct([("label", pa.string()), ("tags", pa.list_(pa.string()))])
    group = pa.struct([("name", pa.string()), ("sizes", pa.list_(pa.int32()))])
    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "numbers": pa.array(numbers, pa.list_(pa.int64())),
            "lists": pa.array(lists, pa.list_(pa.list_(pa.int32()))),
            "map": pa.array(maps, pa.map_(pa.string(), pa.string())),
            "point": pa.array(points, pa.struct([("x", pa.int64()), ("inner", inner)])),
            "groups": pa.array(groups, pa.list_(group)),
        }
    )


def write(directory, seed, count):
    import duckdb
    import pyarrow.parquet as pq

    flat, nested = flat_table(seed, count), nested_table(seed, count)

    def store(name, table, **options):
        path = os.path.join(directory, name + ".parquet")
        pq.write_table(table, path, store_schema=False, **options)
        describe(path)

    def describe(path, engine="pyarrow"):
        with open(path.removesuffix(".parquet") + ".txt", "w") as file:
            file.writelines(row + "\n" for row in rows(read(engine, path)))

    for codec in ["none", "snappy", "gzip", "zstd", "lz4"]:
        store("flat-v1-" + codec, flat, compression=codec, data_page_size=200, write_batch_size=7)
    store("flat-v2-snappy", flat, data_page_version="2.0", write_page_checksum=True)
    store(
        "flat-v2-small-pages", flat, data_page_version="2.0", compression="zstd",
        data_page_size=100, write_batch_size=5, write_page_index=True, row_group_size=17,
    )
    store("flat-plain", flat, use_dictionary=False, compression="none", write_page_index=True)
    deltas = {
        "int": "DELTA_BINARY_PACKED", "long": "DELTA_BINARY_PACKED", "row": "DELTA_BINARY_PACKED",
        "millis": "DELTA_BINARY_PACKED", "day": "DELTA_BINARY_PACKED", "word": "DELTA_BYTE_ARRAY",
        "key": "DELTA_BYTE_ARRAY", "binary": "DELTA_LENGTH_BYTE_ARRAY",
        "fixed": "DELTA_BYTE_ARRAY", "there": "RLE", "flag": "RLE",
    }
    store("flat-deltas", flat, use_dictionary=False, column_encoding=deltas, data_page_version="2.0")
    store("flat-deltas-v1", flat, use_dictionary=False, column_encoding=deltas, compression="gzip")
    splits = dict.fromkeys(["float", "double", "int", "long", "fixed"], "BYTE_STREAM_SPLIT")
    store("flat-splits", flat, use_dictionary=False, column_encoding=splits)
    times = flat.select(["micros", "millis"])
    store("int96", times, use_deprecated_int96_timestamps=True)
    store("integer-decimals", flat.select(["small"]), store_decimal_as_integer=True)
    store("nested-v1", nested, compression="snappy", data_page_size=100, write_batch_size=5)
    store("nested-v2", nested, compression="zstd", data_page_version="2.0", data_page_size=100, write_batch_size=3)
    store("nested-old-names", nested, use_compliant_nested_type=False, row_group_size=13)
    for version in ["V1", "V2"]:
        path = os.path.join(directory, f"duckdb-{version.lower()}.parquet")
        # It reads milliseconds as microseconds.
        table = flat.drop_columns(["unsigned", "millis"])
        duckdb.connect().register("source", table).execute(
            f"COPY (SELECT * FROM source) TO '{path}' (FORMAT parquet, PARQUET_VERSION {version})"
        )
        describe(path, "duckdb")


def main(arguments):
    if arguments[:1] == ["dump"] and len(arguments) == 3:
        for row in rows(read(arguments[1], arguments[2])):
            print(row)
    elif arguments[:1] == ["write"] and len(arguments) == 4:
        write(arguments[1], int(arguments[2]), int(arguments[3]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
