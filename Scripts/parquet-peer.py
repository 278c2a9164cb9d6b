#!/usr/bin/env python3
"""What other readers and writers of Parquet make of a file, for the tests of `Parquet`.

parquet-peer.py dump pyarrow|duckdb FILE   prints each row as a line of text
parquet-peer.py write DIRECTORY            writes files of every kind, and what is in them

The text of a row: values between tabs. `-` is null; numbers are integers in the unit of the
column, floats their bits in hexadecimal; strings and binary are hexadecimal after an `x`; lists,
maps and structures stand in brackets.
"""
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
        return lists(array, plain(array.flatten() if False else array.values[base:]), base)
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
        relation = connection.execute(f"SELECT * FROM read_parquet('{path}')")
        return relation.to_arrow_table() if hasattr(relation, "to_arrow_table") else relation.arrow()
    import pyarrow.parquet as pq

    # Strings as they are stored, not as an Arrow schema in the file has them.
    file = pq.ParquetFile(
        path, page_checksum_verification=True, coerce_int96_timestamp_unit="us"
    )
    return file.read()


def main(arguments):
    if arguments[:1] == ["dump"]:
        for row in rows(read(arguments[1], arguments[2])):
            print(row)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
