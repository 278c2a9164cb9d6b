"""Values of every type that tables have, in one form that is compared, and their other forms.

The form that is compared, by type: None for null; whole numbers as int; decimals as the int that
they are without the point; floats as their bits, with one NaN; dates and times as days and
microseconds since 1970; strings as str, binary as bytes.
"""
import base64
import datetime
import decimal
import json
import re
import struct

import pyarrow as pa

EXACT = decimal.Context(prec=80)
EPOCH = datetime.date(1970, 1, 1).toordinal()
DAY = 86_400_000_000
FIRST_DAY, LAST_DAY = 1 - EPOCH, datetime.date(9999, 12, 31).toordinal() - EPOCH
SIMPLE = {
    "boolean": pa.bool_(), "byte": pa.int8(), "short": pa.int16(), "integer": pa.int32(),
    "long": pa.int64(), "float": pa.float32(), "double": pa.float64(), "string": pa.string(),
    "binary": pa.binary(), "date": pa.date32(), "timestamp": pa.timestamp("us", tz="UTC"),
    "timestamp_ntz": pa.timestamp("us"),
}
KINDS = list(SIMPLE)
WIDTHS = {"byte": 8, "short": 16, "integer": 32, "long": 64}
NAN = {"float": 0x7FC00000, "double": 0x7FF8000000000000}
TEXTS = [
    "", " ", "a", "a b", " lead", "trail ", "%", "%25", "%2F", "/", "a/b", "..", ".", "a=b", ":",
    "+", "#", "?", "&", '"', "'", "''", "\\", "\t", "\n", "\r\n", "a,b", "null", "NULL", "NaN",
    "__HIVE_DEFAULT_PARTITION__", "ä", "é", "日本語", "🦊", "\x7f", "\x01", "~*[]{}|<>^`", "x" * 300,
    "true", "0", "2026-01-01",
]


def decimal_parts(kind):
    """Precision and scale, or None."""
    found = re.fullmatch(r"decimal\((\d+),(\d+)\)", kind)
    return (int(found[1]), int(found[2])) if found else None


def arrow_type(kind):
    parts = decimal_parts(kind)
    return pa.decimal128(*parts) if parts else SIMPLE[kind]


def bits(kind, number):
    """A float as its bits."""
    if number != number:
        return NAN[kind]
    form = "<f" if kind == "float" else "<d"
    return int.from_bytes(struct.pack(form, number), "little")


def number(kind, value):
    """The float of some bits."""
    form, size = ("<f", 4) if kind == "float" else ("<d", 8)
    return struct.unpack(form, value.to_bytes(size, "little"))[0]


def edges(kind):
    """The values where something may go wrong."""
    parts = decimal_parts(kind)
    if parts:
        largest = 10 ** parts[0] - 1
        return sorted({0, 1, -1, largest, -largest, largest // 7, 10 ** parts[1] % (largest + 1)})
    if kind in WIDTHS:
        top = 2 ** (WIDTHS[kind] - 1)
        return [0, 1, -1, top - 1, -top, top // 3]
    if kind in NAN:
        is_short = kind == "float"
        ends = [3.4028234663852886e38 if is_short else 1.7976931348623157e308,
                1e-45 if is_short else 5e-324]
        known = [0.0, -0.0, 1.5, -1.5, 0.1, float("inf"), float("-inf"), float("nan"), 1e16, -1e-7]
        return [bits(kind, x) for x in known + ends]
    if kind == "string":
        return TEXTS
    if kind == "binary":
        return [b"", b"\0", b"\xff\xfe", b"abc", bytes(range(256)), b"%/ ", b"\n"]
    if kind == "date":
        return [0, -1, 1, FIRST_DAY, LAST_DAY, -25567, 20_000]
    if kind in ("timestamp", "timestamp_ntz"):
        return [0, -1, 1, 999, -999, -1_000_001, FIRST_DAY * DAY, (LAST_DAY + 1) * DAY - 1,
                -2_208_988_800_000_000, 1_763_600_000_123_456, 1_763_600_000_123_000]
    return [False, True]


def some(kind, random):
    """A value by chance, edges among them."""
    if random.random() < 0.25:
        return random.choice(edges(kind))
    parts = decimal_parts(kind)
    if parts:
        return random.randrange(-(10 ** parts[0]) + 1, 10 ** parts[0])
    if kind in WIDTHS:
        return random.randrange(-(2 ** (WIDTHS[kind] - 1)), 2 ** (WIDTHS[kind] - 1))
    if kind in NAN:
        return bits(kind, random.choice([random.gauss(0, 1e3), random.randrange(-99, 99) / 4]))
    if kind == "string":
        return "".join(random.choice("abc ä%/\"',\n🦊0") for _ in range(random.randrange(12)))
    if kind == "binary":
        return random.randbytes(random.randrange(20))
    if kind == "date":
        return random.randrange(-40_000, 40_000)
    if kind in ("timestamp", "timestamp_ntz"):
        return random.randrange(-4_000_000, 4_000_000) * random.choice([1, 1000, 10**6, 777_777])
    return random.random() < 0.5


class Rows:
    """Columns of values: what all others are compared with."""

    def __init__(self, schema, columns):
        """`schema` has pairs of name and type, where `!` at the end of the type means not null."""
        self.names = [name for name, _ in schema]
        self.kinds = [kind.rstrip("!") for _, kind in schema]
        self.required = [kind.endswith("!") for _, kind in schema]
        self.columns = columns

    def __len__(self):
        return len(self.columns[0])

    @property
    def schema_text(self):
        """As `--schema` takes it."""
        return ", ".join(
            f"`{name}` {kind}" + (" not null" if required else "")
            for name, kind, required in zip(self.names, self.kinds, self.required))

    def with_columns(self, columns):
        rows = Rows([], columns)
        rows.names, rows.kinds, rows.required = self.names, self.kinds, self.required
        return rows

    def taking(self, places):
        places = list(places)
        return self.with_columns([[column[i] for i in places] for column in self.columns])

    def __add__(self, other):
        return self.with_columns([a + b for a, b in zip(self.columns, other.columns)])

    def where(self, name, test):
        values = self.columns[self.names.index(name)]
        return self.taking(i for i, value in enumerate(values) if test(value))

    def tuples(self):
        """The rows, in an order that depends on what they hold only."""
        return sorted(zip(*self.columns), key=repr)

    def arrow(self):
        fields = [
            pa.field(name, arrow_type(kind), not required)
            for name, kind, required in zip(self.names, self.kinds, self.required)]
        arrays = [to_arrow(kind, column) for kind, column in zip(self.kinds, self.columns)]
        return pa.table(arrays, schema=pa.schema(fields))

    def ndjson(self):
        lines = []
        for row in zip(*self.columns):
            pairs = zip(self.names, self.kinds, row)
            lines.append(
                "{" + ",".join(f"{json.dumps(n)}:{json_text(k, v)}" for n, k, v in pairs) + "}\n")
        return "".join(lines).encode()

    def csv(self):
        lines = [",".join(csv_quoted(name) for name in self.names) + "\n"]
        for row in zip(*self.columns):
            lines.append(",".join(csv_text(k, v) for k, v in zip(self.kinds, row)) + "\n")
        return "".join(lines).encode()


# MARK: Arrow

def to_arrow(kind, values):
    target, parts = arrow_type(kind), decimal_parts(kind)
    if parts:
        numbers = [None if v is None else decimal.Decimal(v).scaleb(-parts[1], EXACT)
                   for v in values]
        return pa.array(numbers, target)
    if kind in NAN:
        return pa.array([None if v is None else number(kind, v) for v in values], target)
    if kind == "date":
        return pa.array(values, pa.int32()).cast(target)
    if kind in ("timestamp", "timestamp_ntz"):
        return pa.array(values, pa.int64()).cast(target)
    return pa.array(values, target)


def from_arrow(kind, array):
    """Values of an Arrow column; fails when its type is another one."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):
            return [value for chunk in array.chunks for value in from_arrow(kind, chunk)]
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    parts = decimal_parts(kind)
    if parts:
        assert array.type.scale == parts[1], f"{array.type} instead of {kind}"
        return [None if v is None else int(v.scaleb(parts[1], EXACT)) for v in array.to_pylist()]
    if kind in NAN:
        assert array.type == arrow_type(kind), f"{array.type} instead of {kind}"
        return [None if v is None else bits(kind, v) for v in array.to_pylist()]
    if kind == "date":
        assert array.type == pa.date32(), f"{array.type} instead of {kind}"
        return array.cast(pa.int32()).to_pylist()
    if kind in ("timestamp", "timestamp_ntz"):
        has_zone = getattr(array.type, "tz", None) is not None
        assert has_zone == (kind == "timestamp"), f"{array.type} instead of {kind}"
        zone = "UTC" if has_zone else None
        return array.cast(pa.timestamp("us", tz=zone)).cast(pa.int64()).to_pylist()
    if kind in ("string", "binary"):
        array = array.cast(arrow_type(kind))
    else:
        assert array.type == arrow_type(kind), f"{array.type} instead of {kind}"
    return array.to_pylist()


# MARK: Text

def day_text(days):
    return datetime.date.fromordinal(days + EPOCH).isoformat()


def moment_text(micros, suffix):
    days, rest = divmod(micros, DAY)
    seconds, fraction = divmod(rest, 1_000_000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{day_text(days)}T{clock}.{fraction:06}{suffix}"


def plain_text(kind, value):
    """A value as it stands in CSV and in filters."""
    parts = decimal_parts(kind)
    if parts:
        return f"{decimal.Decimal(value).scaleb(-parts[1], EXACT):f}"
    if kind in NAN:
        floating = number(kind, value)
        known = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
        return known.get(repr(floating), repr(floating))
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "binary":
        return base64.b64encode(value).decode()
    if kind == "date":
        return day_text(value)
    if kind in ("timestamp", "timestamp_ntz"):
        return moment_text(value, "Z" if kind == "timestamp" else "")
    return str(value)


def json_text(kind, value):
    if value is None:
        return "null"
    text = plain_text(kind, value)
    is_word = kind in NAN and text.lstrip("-") in ("NaN", "Infinity")
    if is_word or kind in ("string", "binary", "date", "timestamp", "timestamp_ntz"):
        return json.dumps(text)
    return text


def csv_quoted(text):
    odd = any(sign in text for sign in ',"\r\n')
    return '"' + text.replace('"', '""') + '"' if odd or text == "" else text


def csv_text(kind, value):
    return "" if value is None else csv_quoted(plain_text(kind, value))


def from_json(kind, value):
    """A value of a JSON document that was read with all numbers as Decimal."""
    if value is None:
        return None
    parts = decimal_parts(kind)
    if parts:
        assert isinstance(value, decimal.Decimal), f"{value!r} instead of {kind}"
        scaled = value.scaleb(parts[1], EXACT)
        assert scaled == int(scaled)
        return int(scaled)
    if kind in NAN:
        floating = float(value)
        return bits(kind, floating)
    if kind in WIDTHS:
        assert isinstance(value, decimal.Decimal) and value == int(value)
        return int(value)
    if kind == "binary":
        return base64.b64decode(value, validate=True)
    if kind == "date":
        return datetime.date.fromisoformat(value).toordinal() - EPOCH
    if kind in ("timestamp", "timestamp_ntz"):
        return from_moment(kind, value)
    assert isinstance(value, bool if kind == "boolean" else str)
    return value


def from_moment(kind, text):
    zone = "Z" if kind == "timestamp" else ""
    form = r"(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{3}|\d{6}))?" + zone
    found = re.fullmatch(form, text)
    assert found, f"{text!r} is not {kind}"
    seconds = int(found[2]) * 3600 + int(found[3]) * 60 + int(found[4])
    micros = int((found[5] or "0").ljust(6, "0"))
    days = datetime.date.fromisoformat(found[1]).toordinal() - EPOCH
    return days * DAY + seconds * 1_000_000 + micros


def numbered(schema, count, pick):
    """Rows whose column `i` has values from `pick(kind, row)`; nulls are its to give."""
    columns = []
    for _, kind in schema:
        columns.append([pick(kind.rstrip("!"), row) for row in range(count)])
    return Rows(schema, columns)


def edge_rows(schema, random, null_every=5):
    """Rows with all edges of all columns."""
    count = max(len(edges(kind.rstrip("!"))) for _, kind in schema) + null_every

    def pick(kind, row, required):
        if not required and row % null_every == null_every - 1:
            return None
        known = edges(kind)
        return known[row % len(known)] if row < 2 * len(known) else some(kind, random)

    columns = [
        [pick(kind.rstrip("!"), row, kind.endswith("!")) for row in range(count)]
        for _, kind in schema]
    return Rows(schema, columns)


def random_rows(schema, count, random):
    def pick(kind):
        return None if not kind.endswith("!") and random.random() < 0.15 \
            else some(kind.rstrip("!"), random)

    return Rows(schema, [[pick(kind) for _ in range(count)] for _, kind in schema])
