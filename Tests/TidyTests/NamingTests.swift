import Testing
import TestSupport

/// Names that say nothing, and things that may stand in few places only.
struct NamingTests {
    /// As whole words of a name: `CacheManager` is caught, `Managed` is not.
    private static let bannedWords: Set<String> = [
        "Manager", "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities", "Handler",
        "Common", "Core", "Misc",
    ]
    /// As the last word: "a base of something" says nothing, but `BaseContent` is the content of
    /// the base, which is a word of ours.
    private static let bannedLastWords: Set<String> = ["Base"]

    /// "HTTPServer2" is HTTP and Server2.
    static func words(_ name: some StringProtocol) -> [String] {
        String(name).matches(of: /[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z0-9]+/).map { String($0.output) }
    }

    private static func isBanned(_ name: some StringProtocol) -> Bool {
        let words = words(name).map { $0.prefix(1).uppercased() + $0.dropFirst() }
        return !bannedWords.isDisjoint(with: words)
            || words.last.map(bannedLastWords.contains) == true
    }

    @Test func `The rule for names catches what it should and no more`() {
        #expect(Self.words("XXH3Digest") == ["XXH3", "Digest"])
        #expect(Self.words("HTTPHandler") == ["HTTP", "Handler"])
        for name in ["CacheManager", "PathUtils", "HandlerTable", "Core", "StoreBase", "Misc2D"] {
            #expect(Self.isBanned(name) == (name != "Misc2D"), "\(name)")
        }
        for name in ["BaseContent", "Managed", "Database", "CoreferencePath", "Handled"] {
            #expect(!Self.isBanned(name), "\(name)")
        }
    }

    @Test func `No type and no file has a name that says nothing`() throws {
        let declaration = /\b(?:struct|class|enum|protocol|actor|typealias) (?<name>\w+)/
        for file in try ["Sources", "Tests", "Benchmarks"].flatMap(ProjectFiles.swift) {
            let stems = file.name.dropLast(".swift".count).split(separator: "+")
            for stem in stems { #expect(!Self.isBanned(stem), "\(file.path)") }
            for line in file.code {
                for match in line.matches(of: declaration) {
                    #expect(!Self.isBanned(match.name), "\(file.path): \(match.name)")
                }
            }
        }
    }

    @Test func `No type is named like its module`() throws {
        let declaration =
            /^(?:package |final |public )*(?:struct|class|enum|protocol|actor) (?<name>\w+)/
        // The module's one reason to be, opened by every user of it.
        let exceptions: Set<String> = ["Repository"]
        for file in try ProjectFiles.swift(below: "Sources") {
            let module = file.path.split(separator: "/")[1]
            for line in file.code {
                guard let match = line.firstMatch(of: declaration), match.name == module else {
                    continue
                }
                #expect(exceptions.contains(String(module)), "\(file.path)")
            }
        }
    }

    /// Each is a class whose doc comment says why it may be shared.
    @Test func `Only three files promise the compiler that sharing is safe`() throws {
        let allowed = ["MappedFile.swift", "Monitor.swift", "ReadBuffer.swift"]
        for file in try ["Sources", "Tests"].flatMap(ProjectFiles.swift)
        where file.code.contains(where: { $0.contains("@unchecked Sendable") }) {
            #expect(allowed.contains(file.name), "\(file.path)")
        }
        let escapes = /nonisolated\(unsafe\)|unsafeBitCast|@_/
        for file in try ProjectFiles.swift(below: "Sources") {
            #expect(!file.code.contains { $0.contains(escapes) }, "\(file.path)")
        }
    }

    /// Files with `unsafe`, and why it is sound there.
    private static let unsafeFiles: [String: String] = [
        "Sources/Bytes/ByteReader.swift": "a word is loaded at once, after its bounds were checked",
        "Sources/Bytes/ByteWriter.swift": "the bytes of a word are appended at once",
        "Sources/Bytes/SpanCopies.swift": "a span is copied into an array",
        "Sources/Chunking/FastCDC+Scan.swift": "the hot loop, over bytes of a span it holds",
        "Sources/Compression/Gathering/Gather.swift":
            "fields are copied, into columns that were measured",
        "Sources/Compression/Gathering/Spread.swift":
            "fields are copied, after a check of bounds",
        "Sources/Compression/Checksum.swift": "zlib, over bytes of a span",
        "Sources/Compression/PageDecoder.swift": "four libraries, with buffers of known size",
        "Sources/Compression/ZstdDecoder.swift": "libzstd, with buffers of the size it is told",
        "Sources/Compression/ZstdEncoder.swift": "libzstd, with buffers of the size it is told",
        "Sources/Compression/ZstdPrefix.swift": "libzstd, with buffers of the size it is told",
        "Sources/Deltas/Anchors.swift": "words are loaded at once, inside a span",
        "Sources/Deltas/Edits.swift": "words are compared at once, inside two spans",
        "Sources/Deltas/EqualProbes.swift": "words are compared at once, inside two spans",
        "Sources/Hashing/Digesting.swift": "libxxhash and libcrypto, over bytes of a span",
        "Sources/Hashing/PairedSHA256.swift": "pieces of memory that is held while they are hashed",
        "Sources/Parquet/Encoding/BitPacking.swift": "the bytes of a word are appended at once",
        "Sources/Parquet/Encoding/BitUnpacking.swift": "words are loaded, after a check of bounds",
        "Sources/Parquet/Encoding/DeltaDecoding.swift": "words are loaded, after a check of bounds",
        "Sources/Parquet/Encoding/DenseValues.swift": "values are copied by checked indices",
        "Sources/Parquet/Encoding/PlainDecoding.swift": "values are copied, after their bounds",
        "Sources/Parquet/Encoding/ValueEncoding.swift": "numbers are appended as their bytes",
        "Sources/Parquet/Writing/Dictionary.swift": "words are compared, after a check of bounds",
        "Sources/Parquet/Writing/ValueHashes.swift": "words are loaded, after a check of bounds",
        "Sources/Platform/Descriptor.swift": "read(2) and write(2) into memory of known size",
        "Sources/Platform/ChildProcess.swift": "arguments as C strings, and read(2) into an array",
        "Sources/Platform/DirectoryListing.swift": "getdents64(2), records inside one buffer",
        "Sources/Platform/DirectoryWatch.swift": "inotify(7), events read by checked indices",
        "Sources/Platform/ServiceNotice.swift": "names as C strings, for the time of a call",
        "Sources/Platform/ExtendedAttributes.swift": "the xattr calls, into memory of known size",
        "Sources/Platform/FileCopying.swift": "statvfs(3), into a struct",
        "Sources/Platform/FileOperations.swift": "calls that take names as C strings",
        "Sources/Platform/FileStatus.swift": "statx(2), into a struct",
        "Sources/Platform/HostSystem.swift": "calls that return C strings, copied at once",
        "Sources/Platform/HostSystem+Process.swift": "arguments and environment, copied at once",
        "Sources/Platform/Interruption.swift": "a set of signals, filled before it is used",
        "Sources/Platform/LocalTime.swift": "the calendar of libc, into structs",
        "Sources/Platform/MappedFile.swift": "mmap(2), never written, unmapped by its owner",
        "Sources/Platform/Pause.swift": "a set of signals, filled before it is used",
        "Sources/Platform/PipePair.swift": "read(2), write(2), poll(2), with memory of known size",
        "Sources/Platform/PlatformError.swift": "C strings that live as long as the call",
        "Sources/Platform/ReadBuffer.swift": "memory that its owner allocates and bounds-checks",
        "Sources/Platform/Threads/Monitor.swift": "a lock of pthreads, held round every access",
        "Sources/Platform/Threads/WorkerThreads.swift": "pthread_create(3), which takes a closure",
        "Sources/TableStore/Importing/CSVBlocks.swift": "words are loaded, inside an array",
        "Sources/TableStore/Importing/CSVSplitting.swift": "words are loaded, more bytes follow",
        "Sources/TableStore/Importing/ColumnBuilder+Fields.swift":
            "fields are read at places that were found in the same bytes",
        "Sources/TableStore/Importing/FieldText.swift": "bytes of one field, whose number is told",
        "Benchmarks/FloorBenchmark/main.swift": "measures what the rest is built on",
    ]

    @Test func `Unsafe code stands only in files listed here with the reason`() throws {
        var found: Set<String> = []
        for file in try ["Sources", "Benchmarks"].flatMap(ProjectFiles.swift)
        where file.code.contains(where: { $0.contains(/\bunsafe\b/) }) {
            found.insert(file.path)
        }
        for path in found.subtracting(Self.unsafeFiles.keys) { Issue.record("\(path)") }
        for path in Set(Self.unsafeFiles.keys).subtracting(found) {
            Issue.record("\(path) is listed and has none")
        }
    }
}
