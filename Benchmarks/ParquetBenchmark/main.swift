// Reads a Parquet file, writes its rows anew and copies its row groups, and prints the speed of
// each: `ParquetBenchmark FILE [TARGET]`. One thread; MB are 10^6 bytes of plain pages.

import Bytes
import Glibc
import Parquet
import Platform

let arguments = CommandLine.arguments
guard arguments.count >= 2 else {
    print("usage: ParquetBenchmark FILE [TARGET]")
    exit(2)
}

/// Runs `work` and prints what it took.
func measure(_ name: String, _ bytes: Int64, _ work: () throws -> Void) throws {
    let clock = ContinuousClock()
    let seconds = try clock.measure(work) / .seconds(1)
    let speed = Int(Double(bytes) / seconds / 1e6)
    print("\(name): \(Int(seconds * 1000)) ms, \(speed) MB/s")
}

let path = Array(arguments[1].utf8)
let descriptor = try Descriptor.open(path, .readOnly)
let size = try descriptor.status(path).size
let source = MemoryFile(try descriptor.read(Int(size), at: 0, path))
let file = try ParquetFile(source)
let plain = file.footer.rowGroups.reduce(Int64(0)) { $0 + $1.plainSize }
print("\(file.footer.rowCount) rows, \(size) bytes, \(plain) plain")

func readAll(_ file: ParquetFile, _ fields: [Field]) throws {
    for group in file.footer.rowGroups.indices {
        var reader = try RowGroupReader(file, rowGroup: group, fields: fields)
        while try reader.next(limit: 1 << 16) != nil {}
    }
}
try measure("read", plain) { try readAll(file, file.schema.fields) }

var batches: [RecordBatch] = []
for group in file.footer.rowGroups.indices {
    var reader = try RowGroupReader(file, rowGroup: group, fields: file.schema.fields)
    while let batch = try reader.next(limit: 1 << 16) { batches.append(batch) }
}
var written: [UInt8] = []
try measure("write", plain) {
    var writer = try ParquetWriter(MemoryFile(), file.schema)
    for batch in batches { try writer.write(batch) }
    _ = try writer.finish()
    written = writer.sink.bytes
}
print("written: \(written.count) bytes, \(written.count * 1000 / Int(size)) ‰ of the source")
let ours = try ParquetFile(MemoryFile(written))
for leaf in ours.schema.leaves {
    let chunks = ours.footer.rowGroups.map { $0.columns[leaf.index] }
    let theirs = file.footer.rowGroups.map { $0.columns[leaf.index] }
    let encodings = Set(chunks.flatMap(\.encodings)).map { "\($0)" }.sorted()
    let pages = chunks.reduce(0) { $0 + Int($1.pageCounts.last?.count ?? 0) }
    let stored = chunks.reduce(0) { $0 + $1.storedSize }
    let before = theirs.reduce(0) { $0 + $1.storedSize }
    print("  \(leaf.path[0]): \(stored) (\(before)), \(pages) pages, \(encodings)")
}
try measure("read ours", plain) { try readAll(ours, ours.schema.fields) }
for field in ours.schema.fields {
    let leaf = field.leaves[0]
    let bytes = ours.footer.rowGroups.reduce(Int64(0)) { $0 + $1.columns[leaf].plainSize }
    try measure("  read \(field.name)", bytes) { try readAll(ours, [field]) }
}
try measure("splice", Int64(written.count)) {
    var writer = try FileWriter(MemoryFile(), ours.schema, WriterOptions())
    for group in ours.footer.rowGroups.indices { try writer.splice(ours, rowGroup: group) }
    _ = try writer.finish()
}
if arguments.count > 2 {
    let target = Array(arguments[2].utf8)
    let output = try Descriptor.open(target, [.writeOnly, .create, .truncate])
    try output.write(written.span, at: 0, target)
}
