internal import Bytes
internal import Platform
package import Repository
internal import SystemPackage
internal import Testing

/// The contract of `Storage`, rule by rule, for each conformer.
///
/// Objects are named by numbers and not by their content, so what checks content before it is
/// published must be told not to.
package enum StorageRule: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case listing = "What is put is listed and read"
    case readEnd = "A read ends where the object ends"
    case empty = "An empty object is an object"
    case absent = "An object that is not there is told by its own error"
    case staged = "A staged object is seen only once it is published"
    case discarded = "A discarded object leaves nothing"
    case pieces = "Pieces land at their places in any order"
    case threads = "Several threads write one object"
    case again = "Publishing again what is there is no error and leaves one object"
    case damaged = "Publishing over a damaged object makes it whole"
    case config = "The configuration is written once"
    case open = "An object that is open outlives its name"
    case large = "A large object comes back as it was written"

    package var testDescription: String { rawValue }

    private static let kinds: [ObjectKind] = [.pack, .index, .snapshot]

    /// Expects the rule of an empty storage; `directory` is where its files lie, if they do.
    package func check(_ storage: any Storage, directory: [UInt8]?) throws {
        switch self {
        case .listing: for kind in Self.kinds { try Self.checkListing(storage, kind) }
        case .readEnd: try Self.checkReadEnd(storage)
        case .empty: try Self.checkEmpty(storage)
        case .absent: try Self.checkAbsent(storage)
        case .staged: try Self.checkStaged(storage)
        case .discarded: try Self.checkDiscarded(storage, directory)
        case .pieces: try Self.checkPieces(storage)
        case .threads: try Self.checkThreads(storage)
        case .again: try Self.checkAgain(storage)
        case .damaged: try Self.checkDamaged(storage)
        case .config: try Self.checkConfig(storage)
        case .open: try Self.checkOpen(storage)
        case .large: try Self.checkLarge(storage)
        }
    }

    private static func name(_ kind: ObjectKind, _ number: UInt64) throws -> ObjectName {
        try #require(ObjectName(kind, SHA256Digest(number << 56, number, 0, 1)))
    }

    private static func kind<Value>(of body: () throws -> Value) -> StorageError.Kind? {
        do {
            _ = try body()
            return nil
        } catch {
            return (error as? StorageError)?.kind
        }
    }

    private static func checkListing(_ storage: any Storage, _ object: ObjectKind) throws {
        let others = Self.kinds.filter { $0 != object }
        let before = try others.map { try storage.list($0).count }
        #expect(try storage.list(object).isEmpty)
        var digests: Set<SHA256Digest> = []
        for number in 1...20 as ClosedRange<UInt64> {
            let name = try name(object, number)
            try storage.put(name, [UInt8](repeating: UInt8(number), count: Int(number) * 100))
            digests.insert(SHA256Digest(number << 56, number, 0, 1))
        }
        let listed = try storage.list(object)
        #expect(listed.count == 20 && Set(listed) == digests)
        #expect(try others.map { try storage.list($0).count } == before)
        let stored = try storage.open(try name(object, 7))
        #expect(stored.size == 700)
        #expect(try stored.read(700, at: 0) == [UInt8](repeating: 7, count: 700))
    }

    private static func checkReadEnd(_ storage: any Storage) throws {
        let name = try name(.pack, 1)
        try storage.put(name, [1, 2, 3, 4, 5])
        let object = try storage.open(name)
        #expect(try object.read(2, at: 3) == [4, 5])
        #expect(try object.read(9, at: 3) == [4, 5])
        #expect(try object.read(1, at: 5).isEmpty)
        #expect(try object.read(1, at: 1_000).isEmpty)
        #expect(try object.read(0, at: 0).isEmpty)
        #expect(try object.withBytes(1..<4) { [UInt8](copying: $0) } == [2, 3, 4])
        #expect(try object.withBytes(5..<5) { $0.count } == 0)
    }

    private static func checkEmpty(_ storage: any Storage) throws {
        let name = try name(.snapshot, 1)
        try storage.put(name, [])
        let object = try storage.open(name)
        #expect(object.size == 0)
        #expect(try object.read(10, at: 0).isEmpty)
        #expect(try object.withBytes(0..<0) { $0.count } == 0)
    }

    private static func checkAbsent(_ storage: any Storage) throws {
        for name in [ObjectName.config, try name(.pack, 1), try name(.index, 1)] {
            #expect(kind { try storage.open(name) } == .missing)
            try storage.remove(name)
        }
    }

    private static func checkStaged(_ storage: any Storage) throws {
        let name = try name(.pack, 1)
        let staged = try storage.stage(.pack)
        let bytes: [UInt8] = [1, 2, 3]
        try staged.write(bytes.span, at: 0)
        try staged.sync()
        #expect(try storage.list(.pack).isEmpty)
        #expect(kind { try storage.open(name) } == .missing)
        try staged.publish(as: name)
        try storage.syncNames([name])
        #expect(try storage.list(.pack).count == 1)
        staged.discard()
        #expect(try storage.open(name).read(9, at: 0) == bytes)
    }

    private static func checkDiscarded(_ storage: any Storage, _ directory: [UInt8]?) throws {
        let bytes: [UInt8] = [1]
        for object in Self.kinds {
            let staged = try storage.stage(object)
            try staged.write(bytes.span, at: 0)
            staged.discard()
            staged.discard()
            _ = try storage.stage(object)  // Dropped: the same.
            #expect(try storage.list(object).isEmpty)
        }
        guard let directory else { return }
        let files = try Fixtures.files(below: directory)
        #expect(files.isEmpty, "\(files.map { PathBytes.printable($0) })")
    }

    private static func checkPieces(_ storage: any Storage) throws {
        let name = try name(.pack, 1)
        let staged = try storage.stage(.pack)
        let (first, last): ([UInt8], [UInt8]) = ([1, 2], [5, 6])
        try staged.write(last.span, at: 4)
        try staged.write(first.span, at: 0)
        try staged.sync()
        try staged.publish(as: name)
        #expect(try storage.open(name).read(9, at: 0) == [1, 2, 0, 0, 5, 6])
    }

    private static func checkThreads(_ storage: any Storage) throws {
        let name = try name(.pack, 1)
        let staged = try storage.stage(.pack)
        let failures = Monitor(0)
        let threads = WorkerThreads(count: 4) { thread in
            for piece in stride(from: thread, to: 200, by: 4) {
                let bytes = [UInt8](repeating: UInt8(piece), count: 10)
                do { try staged.write(bytes.span, at: UInt64(piece * 10)) } catch {
                    failures.update { $0 += 1 }
                }
            }
        }
        threads.join()
        #expect(failures.withState { $0 } == 0)
        try staged.publish(as: name)
        let bytes = try storage.open(name).read(3_000, at: 0)
        #expect(bytes == (0..<2_000).map { UInt8($0 / 10) })
    }
}

extension StorageRule {
    private static func checkAgain(_ storage: any Storage) throws {
        let name = try name(.index, 3)
        try storage.put(name, [1, 2, 3])
        let before = try storage.open(name)
        try storage.put(name, [1, 2, 3])
        #expect(try storage.list(.index).count == 1)
        #expect(try before.read(3, at: 0) == [1, 2, 3])
        #expect(try storage.open(name).read(9, at: 0) == [1, 2, 3])
    }

    /// Names are digests of what they name, so other bytes under the same name are damage.
    private static func checkDamaged(_ storage: any Storage) throws {
        let damages: [[UInt8]] = [[], [1], [1, 2, 4], [1, 2, 3, 4]]
        for (number, damaged) in damages.enumerated() {
            for object in Self.kinds {
                let name = try name(object, UInt64(number + 1))
                try storage.put(name, damaged)
                try storage.put(name, [1, 2, 3])
                #expect(try storage.open(name).read(9, at: 0) == [1, 2, 3])
                #expect(try storage.list(object).count == number + 1)
            }
        }
    }

    private static func checkConfig(_ storage: any Storage) throws {
        try storage.put(.config, [1])
        #expect(kind { try storage.put(.config, [1]) } == .exists)
        #expect(kind { try storage.put(.config, [2]) } == .exists)
        #expect(try storage.open(.config).read(9, at: 0) == [1])
    }

    private static func checkOpen(_ storage: any Storage) throws {
        let name = try name(.index, 1)
        try storage.put(name, [1, 2, 3])
        let object = try storage.open(name)
        try storage.remove(name)
        #expect(try storage.list(.index).isEmpty)
        #expect(try object.read(3, at: 0) == [1, 2, 3])
        #expect(try object.withBytes(0..<3) { $0[2] } == 3)
    }

    private static func checkLarge(_ storage: any Storage) throws {
        var generator = SplitMix64(seed: 7)
        let bytes = generator.bytes(4_000_001)
        for kind in Self.kinds {
            let name = try name(kind, 9)
            let limit = kind == .snapshot ? 3_000_000 : bytes.count
            let content = Array(bytes.prefix(limit))
            try storage.put(name, content)
            let object = try storage.open(name)
            #expect(object.size == UInt64(content.count))
            let isSame = try object.read(20_000_000, at: 0) == content
            #expect(isSame)
            for offset in [0, 65_535, 65_537, 1_048_575, 2_000_000] {
                let wanted = Array(content[offset..<offset + 1_000])
                let isRight = try object.read(1_000, at: UInt64(offset)) == wanted
                #expect(isRight)
            }
        }
    }
}
