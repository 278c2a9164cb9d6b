import Bytes
import Platform
import Repository
import SystemPackage
import Testing
import TestSupport

/// The simulation must be able to lose what may be lost, or the tests that rest on it prove little.
struct SimulatedStorageTests {
    private static let name = ObjectName.pack(PackID(SHA256Digest(1, 2, 3, 4)))
    private static let content = [UInt8](repeating: 0xaa, count: 3_000)

    /// What many crashes leave of one name: nil where it is gone.
    private func outcomes(_ storage: SimulatedStorage) -> Set<[UInt8]?> {
        var generator = SplitMix64(seed: 1)
        return Set((0..<200).map { _ in storage.crash(using: &generator).bytes(Self.name) })
    }

    private func publish(isSynced: Bool, isNamed: Bool) throws -> SimulatedStorage {
        let storage = SimulatedStorage()
        let staged = try storage.stage(.pack)
        try staged.write(Self.content.span, at: 0)
        if isSynced { try staged.sync() }
        try staged.publish(as: Self.name)
        if isNamed { try storage.syncNames([Self.name]) }
        return storage
    }

    @Test func `What is synced and named survives every crash`() throws {
        #expect(outcomes(try publish(isSynced: true, isNamed: true)) == [Self.content])
    }

    @Test func `A name that was not synced may be lost`() throws {
        #expect(outcomes(try publish(isSynced: true, isNamed: false)) == [Self.content, nil])
    }

    @Test func `Content that was not synced may be empty or zeros or torn at sectors`() throws {
        let left = outcomes(try publish(isSynced: false, isNamed: true))
        #expect(left.contains([]) && left.contains(Self.content))
        #expect(left.contains([UInt8](repeating: 0, count: 3_000)))
        #expect(left.contains { $0.map { (1..<3_000).contains($0.count) } ?? false })
        for bytes in left.compactMap(\.self) {
            for start in stride(from: 0, to: bytes.count, by: 512) {
                #expect(Set(bytes[start..<min(start + 512, bytes.count)]).count == 1)
            }
        }
    }

    @Test func `A removed object may come back`() throws {
        let storage = try publish(isSynced: true, isNamed: true)
        try storage.remove(Self.name)
        #expect(storage.bytes(Self.name) == nil)
        #expect(outcomes(storage) == [Self.content, nil])
    }

    @Test func `What was staged only is gone`() throws {
        let storage = SimulatedStorage()
        let staged = try storage.stage(.pack)
        try staged.write(Self.content.span, at: 0)
        try staged.sync()
        #expect(outcomes(storage) == [nil])
    }

    @Test func `After a failed sync the next one lies`() throws {
        let storage = SimulatedStorage()
        let staged = try storage.stage(.pack)
        try staged.write(Self.content.span, at: 0)
        storage.plan(FaultPlan(at: 0, .fail(.ioError)))
        #expect(throws: StorageError.self) { try staged.sync() }
        try staged.sync()
        try staged.publish(as: Self.name)
        try storage.syncNames([Self.name])
        #expect(outcomes(storage).count > 1)
    }

    @Test func `After a power cut every step fails`() throws {
        let storage = try publish(isSynced: true, isNamed: true)
        storage.plan(FaultPlan(at: 1, .powerCut))
        let staged = try storage.stage(.pack)
        #expect(throws: StorageError.self) { try staged.sync() }
        #expect(throws: StorageError.self) { try storage.remove(Self.name) }
        #expect(throws: StorageError.self) { _ = try storage.list(.pack) }
        #expect(throws: StorageError.self) { _ = try storage.open(Self.name) }
        #expect(outcomes(storage) == [Self.content])
    }

    @Test func `A short write leaves half`() throws {
        let storage = SimulatedStorage()
        let staged = try storage.stage(.pack)
        storage.plan(FaultPlan(at: 0, .shortWrite))
        #expect(throws: StorageError.self) { try staged.write(Self.content.span, at: 0) }
        try staged.publish(as: Self.name)
        #expect(storage.bytes(Self.name)?.count == 1_500)
    }

    @Test func `A killed process leaves its names and not its staged objects`() throws {
        let storage = try publish(isSynced: true, isNamed: false)
        let restarted = storage.restarted()
        #expect(restarted.bytes(Self.name) == Self.content)
        #expect(outcomes(restarted) == [Self.content, nil])
    }
}
