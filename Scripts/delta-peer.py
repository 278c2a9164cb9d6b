#!/usr/bin/env python3
"""What delta-rs makes of a table, for the tests of `TableLog`.

delta-peer.py files DIRECTORY [VERSION]    prints the version, and the paths of the data files
delta-peer.py rows DIRECTORY [VERSION]     prints the values of each row, sorted
delta-peer.py write DIRECTORY COMMITS      makes a table, appends, deletes and compacts
delta-peer.py append DIRECTORY ID          appends one row to a table of (id long, name string)
delta-peer.py count DIRECTORY...           prints how many rows each of the tables has
"""
import os
import sys

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake


def one(number):
    return pa.table({"id": pa.array([number], pa.int64()), "name": pa.array([f"row {number}"])})


def main(arguments):
    verb, directory = arguments[0], arguments[1]
    if verb == "count":
        for table in arguments[1:]:
            print(DeltaTable(table).to_pyarrow_table().num_rows)
        return
    if verb == "append":
        write_deltalake(directory, one(int(arguments[2])), mode="append")
        return
    if verb == "write":
        for number in range(int(arguments[2])):
            write_deltalake(directory, one(number), mode="append")
        table = DeltaTable(directory)
        table.delete("id = 1")
        table.optimize.compact()
        return
    version = int(arguments[2]) if len(arguments) > 2 else None
    table = DeltaTable(directory, version=version)
    if verb == "files":
        print(table.version())
        names = [uri.split("/")[-1] for uri in table.file_uris()]
        print("\n".join(sorted(names)))
    else:
        rows = table.to_pyarrow_table().to_pylist()
        print("\n".join(sorted("\t".join(str(v) for v in row.values()) for row in rows)))


main(sys.argv[1:])
sys.stdout.flush()
# The threads of the libraries sometimes abort while the interpreter takes itself down.
os._exit(0)
