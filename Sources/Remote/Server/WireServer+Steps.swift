internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import SystemPackage
internal import Wire

/// What a client has open.
struct ServedTables {
    /// An open object, or why it could not be opened: reads may be under way already.
    var objects: [UInt32: Result<any StoredObject, StorageError>] = [:]
    /// A staged object, or the first thing that went wrong with it.
    var staged: [UInt32: StagedEntry] = [:]
    var uploads: [UInt32: IncomingStream] = [:]
    var downloads: [UInt32: OutgoingStream] = [:]
    /// Threads that streams run on.
    var streamThreads = 0

    struct StagedEntry {
        var object: (any StagedObject)?
        var failure: RemoteFailure?
    }

    mutating func discardAll() {
        for entry in staged.values { entry.object?.discard() }
        staged = [:]
        objects = [:]
    }
}

extension WireServer {
    /// Does what the client asks; what may take long is left to other threads.
    func perform(_ message: ClientMessage, _ number: UInt32) throws {
        guard let served = served.withState({ $0 }) else { return }
        if message.isChange, !policy.mayWrite {
            return try refuse(message, number)
        }
        switch message {
        case .open(let name, let head): try open(name, head, number, served)
        case .read(let object, let offset, let count):
            try read(object, offset, count, number)
        case .close: tables.withState { $0.objects[number] = nil }
        case .stage(let kind): stage(kind, number, served)
        case .write(let offset, let content): write(content, at: offset, number)
        case .discard:
            let entry = tables.withState { $0.staged.removeValue(forKey: number) }
            entry?.object?.discard()
        case .ping: try send(.pong, 0)
        case .upload, .download, .data, .end, .credit, .cancel:
            try performStream(message, number, served)
        default: slow.push(SlowStep(number: number) { try self.slowly(message, served) })
        }
    }

    /// A server that may not write; what is not answered is told at the sync or publish.
    private func refuse(_ message: ClientMessage, _ number: UInt32) throws {
        let failure = RemoteFailure(.forbidden, "the server was started with --read-only")
        switch message {
        case .stage, .write: return
        case .upload:
            session.withState { $0.answered(number) }
            try send(.failure(failure), number)
        default: try send(.failure(failure), number)
        }
    }

    // MARK: Objects

    private func open(
        _ name: ObjectName, _ head: UInt32, _ number: UInt32, _ served: ServedStorage
    ) throws {
        let opened: Result<any StoredObject, StorageError>
        do throws(StorageError) {
            opened = .success(try served.storage.open(name))
        } catch {
            opened = .failure(error)
        }
        tables.withState { $0.objects[number] = opened }
        let answer: ServerMessage
        do throws(StorageError) {
            let object = try opened.get()
            let count = min(Int(head), WireLimits.content, Int(clamping: object.size))
            let bytes = count > 0 ? try object.read(count, at: 0) : []
            answer = .opened(size: object.size, head: bytes[...])
        } catch {
            answer = .failure(RemoteFailure(error))
        }
        try send(answer, number)
    }

    private func read(
        _ object: UInt32, _ offset: UInt64, _ count: UInt32, _ number: UInt32
    ) throws {
        guard let opened = tables.withState({ $0.objects[object] }) else { return }
        let answer: ServerMessage
        do throws(StorageError) {
            answer = .bytes(try opened.get().read(Int(count), at: offset)[...])
        } catch {
            answer = .failure(RemoteFailure(error))
        }
        try send(answer, number)
    }

    // MARK: Staged objects

    private func stage(_ kind: ObjectKind, _ number: UInt32, _ served: ServedStorage) {
        var entry = ServedTables.StagedEntry()
        do throws(StorageError) {
            entry.object = try served.storage.stage(kind)
        } catch {
            entry.failure = RemoteFailure(error)
        }
        tables.withState { $0.staged[number] = entry }
    }

    private func write(_ content: ArraySlice<UInt8>, at offset: UInt64, _ number: UInt32) {
        guard let object = tables.withState({ $0.staged[number]?.object }) else { return }
        do throws(StorageError) {
            try object.write(content.span, at: offset)
        } catch {
            let failure = RemoteFailure(error)
            tables.withState { tables in
                if tables.staged[number]?.failure == nil {
                    tables.staged[number]?.failure = failure
                }
            }
        }
    }

    private func staged(_ number: UInt32) throws(RemoteFailure) -> any StagedObject {
        let entry = tables.withState { $0.staged[number] }
        if let failure = entry?.failure { throw failure }
        guard let object = entry?.object else {
            throw RemoteFailure(.missing, "object \(number) is not staged")
        }
        return object
    }

    // MARK: What may take long

    private func slowly(
        _ message: ClientMessage, _ served: ServedStorage
    ) throws -> [ServerMessage] {
        switch message {
        case .list(let kind): return Self.names(try served.storage.list(kind))
        case .sync(let object): try staged(object).sync()
        case .publish(let object, let name): try publish(object, name, served)
        case .put(let name, let content): try put(name, content, served)
        case .syncNames(let names): try served.storage.syncNames(names)
        case .remove(let name): try remove(name, served)
        case .have(let ids): return [try have(ids, served)]
        default: preconditionFailure("done at once")
        }
        return [.done([])]
    }

    /// Frames with all names; the last may hold none.
    private static func names(_ all: [SHA256Digest]) -> [ServerMessage] {
        guard !all.isEmpty else { return [.names([], isLast: true)] }
        return stride(from: 0, to: all.count, by: WireLimits.names).map { start in
            let end = min(start + WireLimits.names, all.count)
            return .names(Array(all[start..<end]), isLast: end == all.count)
        }
    }

    private func publish(
        _ number: UInt32, _ name: ObjectName, _ served: ServedStorage
    ) throws {
        let object: any StagedObject
        do throws(RemoteFailure) {
            object = try staged(number)
        } catch {
            tables.withState { $0.staged.removeValue(forKey: number) }?.object?.discard()
            throw error
        }
        _ = tables.withState { $0.staged.removeValue(forKey: number) }
        do {
            try publish(object, name, served)
        } catch {
            object.discard()
            throw error
        }
    }

    private func publish(
        _ object: any StagedObject, _ name: ObjectName, _ served: ServedStorage
    ) throws {
        guard let content = object.content else {
            throw RemoteFailure(.unsupported, "the storage cannot be read back")
        }
        try verify(name, content, served.storage)
        do throws(StorageError) {
            try object.publish(as: name, replacing: false)
        } catch {
            guard error.kind == .exists, name != .config else { throw error }
            try repair(name, with: object, served)
        }
    }

    /// Replaces an object that holds something else than what came, if that is damaged and the
    /// client may; a sound one stays, since the name says what it holds.
    private func repair(
        _ name: ObjectName, with object: any StagedObject, _ served: ServedStorage
    ) throws {
        if (try? verify(name, try served.storage.open(name), served.storage)) != nil {
            return object.discard()
        }
        guard policy.mayRemove else {
            throw RemoteFailure(
                .forbidden, "\(name) is damaged there; with --append-only it is not replaced")
        }
        try object.publish(as: name, replacing: true)
    }

    private func put(
        _ name: ObjectName, _ content: ArraySlice<UInt8>, _ served: ServedStorage
    ) throws {
        let object = try served.storage.stage(name.kind)
        do {
            try object.write(content.span, at: 0)
            try object.sync()
            try publish(object, name, served)
        } catch {
            object.discard()
            throw error
        }
        try served.storage.syncNames([name])
    }

    private func remove(_ name: ObjectName, _ served: ServedStorage) throws {
        if name == .config {
            guard try isAbsent(name, served) else {
                throw RemoteFailure(.forbidden, "a configuration is never removed")
            }
            return
        }
        if !policy.mayRemove { try requireSuperseded(name, served) }
        try served.storage.remove(name)
    }

    private func isAbsent(_ name: ObjectName, _ served: ServedStorage) throws -> Bool {
        do throws(StorageError) {
            _ = try served.storage.open(name)
            return false
        } catch {
            guard error.kind == .missing else { throw error }
            return true
        }
    }

    /// An append-only client may remove what it merged: nothing is lost with it.
    private func requireSuperseded(_ name: ObjectName, _ served: ServedStorage) throws {
        if case .index(let id) = name,
            try ObjectVerification.isSuperseded(id, in: served.storage)
        {
            return
        }
        throw RemoteFailure(.forbidden, "the server was started with --append-only")
    }

    private func have(_ ids: [BlobID], _ served: ServedStorage) throws -> ServerMessage {
        let repository = try served.repository()
        var bits = [UInt8](repeating: 0, count: (ids.count + 7) / 8)
        for (number, id) in ids.enumerated() where try repository.contains(id) {
            bits[number / 8] |= 1 << UInt8(number % 8)
        }
        return .bitmap(bits[...])
    }
}
