import Bytes
import Hashing
import Platform
import SystemPackage
import Testing
import TestSupport

@testable import Repository

/// Where threads meet: who waits for whom when something fails.
struct PackSinkTests {
    /// Lets the write at the first byte behind the header wait, and then fail.
    private final class Gate: Storage {
        let location = "gate"
        let isReached = Monitor(false)
        let isOpen = Monitor(false)

        func stage(_ kind: ObjectKind) throws(StorageError) -> any StagedObject { Object(self) }
        func syncNames(_ names: [ObjectName]) throws(StorageError) {}
        func list(_ kind: ObjectKind) throws(StorageError) -> [SHA256Digest] { [] }
        func remove(_ name: ObjectName) throws(StorageError) {}

        func open(_ name: ObjectName) throws(StorageError) -> any StoredObject {
            throw StorageError(.missing, name)
        }

        private final class Object: StagedObject {
            private let gate: Gate
            init(_ gate: Gate) { self.gate = gate }
            func sync() throws(StorageError) {}
            func publish(as name: ObjectName, replacing: Bool) throws(StorageError) {}
            func discard() {}

            func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(StorageError) {
                guard offset == UInt64(PackFormat.headerSize) else { return }
                gate.isReached.update { $0 = true }
                gate.isOpen.wait { $0 ? () : nil }
                throw StorageError(PlatformError("write", [], .noSpace))
            }
        }
    }

    /// One thread is to write what was gathered and then its own large blob.
    ///
    /// Another fills the pack meanwhile, so that it is being sealed when the first write fails; the
    /// second write never comes, and nobody may wait for it.
    @Test(.endsWithin(minutes: 5))
    func `A pack that is being sealed does not wait for writes that failed`() throws {
        let gate = Gate()
        let packs = Monitor(0)
        let size = PackFormat.gatherLimit
        let sink = PackSink(gate, packSize: size * 2) { _, _ in packs.update { $0 += 1 } }
        let small = TestBlob([1, 2, 3])
        let large = (0..<2).map { TestBlob([UInt8](repeating: $0, count: size)) }
        try sink.append(small)
        let outcome = Monitor(false)
        let thread = WorkerThreads(count: 1) { _ in
            let error = failure { try sink.append(large[0]) }
            outcome.update { $0 = error != nil }
        }
        gate.isReached.wait { $0 ? () : nil }
        try sink.append(large[1])
        HostSystem.sleep(.milliseconds(50))  // The sealer waits by now.
        gate.isOpen.update { $0 = true }
        thread.join()
        #expect(outcome.withState { $0 })
        #expect(failure { try sink.finish() } != nil)
        #expect(packs.withState { $0 } == 0)
    }
}

extension PackSink {
    fileprivate func append(_ blob: TestBlob) throws {
        let plain = blob.plain
        try append(blob.id, .stored, plain.span, plainSize: plain.count)
    }
}
