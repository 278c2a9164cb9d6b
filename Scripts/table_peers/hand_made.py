"""Tables put together by hand, with what none of the engines here writes."""
import json
import os
import struct
import uuid
import zlib

import pyarrow.parquet as parquet

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def z85(data):
    data += bytes(-len(data) % 4)
    text = ""
    for (word,) in struct.iter_unpack(">I", data):
        digits = []
        for _ in range(5):
            word, digit = divmod(word, 85)
            digits.append(Z85[digit])
        text += "".join(reversed(digits))
    return text


def roaring(rows):
    """A bitmap of 64-bit numbers (RoaringFormatSpec, and PROTOCOL.md, "Deletion Vector Format")."""
    parts = {}
    for row in sorted(rows):
        parts.setdefault(row >> 32, {}).setdefault(row >> 16 & 0xFFFF, []).append(row & 0xFFFF)
    data = struct.pack("<IQ", 1681511377, len(parts))
    for high, containers in parts.items():
        data += struct.pack("<III", high, 12346, len(containers))
        offset, bodies = 8 + 8 * len(containers), b""
        offsets = []
        for key, values in containers.items():
            data += struct.pack("<HH", key, len(values) - 1)
            offsets.append(offset + len(bodies))
            if len(values) <= 4096:
                bodies += struct.pack(f"<{len(values)}H", *values)
            else:
                bits = bytearray(8192)
                for value in values:
                    bits[value >> 3] |= 1 << (value & 7)
                bodies += bits
        data += struct.pack(f"<{len(offsets)}I", *offsets) + bodies
    return data


def inline_vector(rows):
    data = roaring(rows)
    return {"storageType": "i", "pathOrInlineDv": z85(data), "sizeInBytes": len(data),
            "cardinality": len(rows)}


def stored_vectors(table, lists):
    """One file with a vector for each list of rows."""
    name = uuid.uuid4()
    body, vectors = b"\x01", []
    for rows in lists:
        data = roaring(rows)
        vectors.append({
            "storageType": "u", "pathOrInlineDv": z85(name.bytes), "offset": len(body),
            "sizeInBytes": len(data), "cardinality": len(rows)})
        body += struct.pack(">I", len(data)) + data + struct.pack(">I", zlib.crc32(data))
    with open(os.path.join(table, f"deletion_vector_{name}.bin"), "wb") as file:
        file.write(body)
    return vectors


def commit(table, version, actions):
    log = os.path.join(table, "_delta_log")
    os.makedirs(log, exist_ok=True)
    with open(os.path.join(log, f"{version:020}.json"), "w") as file:
        file.writelines(json.dumps(action) + "\n" for action in actions)


def metadata(fields, partitions=(), configuration=None):
    """`fields` are those of the schema as JSON has them."""
    return {"metaData": {
        "id": str(uuid.uuid4()), "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps({"type": "struct", "fields": fields}),
        "partitionColumns": list(partitions), "configuration": configuration or {},
        "createdTime": 1_700_000_000_000}}


def field(name, kind, nullable=True, notes=None):
    return {"name": name, "type": kind, "nullable": nullable, "metadata": notes or {}}


def protocol(reader=1, writer=2, reading=None, writing=None):
    action = {"minReaderVersion": reader, "minWriterVersion": writer}
    if reading is not None:
        action["readerFeatures"] = reading
    if writing is not None:
        action["writerFeatures"] = writing
    return {"protocol": action}


def add(table, name, found, partition=None, vector=None, **options):
    """Writes an Arrow table as a data file and returns the action that adds it."""
    path = os.path.join(table, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    parquet.write_table(found, path, **options)
    action = {
        "path": name, "partitionValues": partition or {}, "size": os.path.getsize(path),
        "modificationTime": 1_700_000_000_000, "dataChange": True,
        "stats": json.dumps({"numRecords": len(found)})}
    if vector:
        action["deletionVector"] = vector
    return {"add": action}
