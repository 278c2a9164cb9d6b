package import Bytes
internal import Platform
package import Repository
internal import SystemPackage
internal import Wire

/// A storage that another varve serves.
///
/// Usable from any number of threads. What is written streams without waiting for an answer; what
/// goes wrong there is told by `sync` or `publish`. Index segments are fetched whole, into the
/// local cache where there is one. The configuration, and the first lists of snapshots and index
/// segments, come with the server's first words and cost nothing.
package final class RemoteStorage: Storage {
    private struct State {
        /// Lists that came with the greeting; each is used once.
        var indexNames: [SHA256Digest]?
        var snapshotNames: [SHA256Digest]?
        /// Objects whose `open` was sent and not yet waited for.
        var prepared: [ObjectName: UInt32] = [:]
        /// What is still to be prepared, in order.
        var waiting: [ObjectName] = []
    }

    package let connection: Connection
    private let link: ServerLink
    private let cache: RemoteCache?
    private let state: Monitor<State>

    /// Objects that are asked for before they are wanted.
    private static let preparedLimit = 64
    /// As much of an object comes with its `open`: the whole of most snapshots.
    private static let headSize = 32 << 10

    package var location: String { connection.location }

    /// Uses a connection; nothing is cached where `cache` is nil.
    package init(_ connection: Connection, cache: RemoteCache? = nil) {
        self.connection = connection
        self.cache = cache
        link = connection.link
        let hello = connection.hello
        var state = State()
        state.indexNames = hello.index.isComplete ? hello.index.names : nil
        state.snapshotNames = hello.snapshots.isComplete ? hello.snapshots.names : nil
        self.state = Monitor(state)
        if let names = state.indexNames { cache?.keepOnly(names) }
    }

    /// Turns what the link throws into an error of storage.
    func on<Value>(
        _ body: () throws(ConnectionError) -> Value
    ) throws(StorageError) -> Value {
        do throws(ConnectionError) {
            return try body()
        } catch {
            throw error.storageError
        }
    }

    // MARK: Writing

    package func stage(_ kind: ObjectKind) throws(StorageError) -> any StagedObject {
        try checkKind(kind)
        forgetList(kind)
        let number = try on { () throws(ConnectionError) in try link.send(.stage(kind)) }
        return RemoteStagedObject(self, link, number)
    }

    /// What came with the greeting is not true any more once this side changes it.
    private func forgetList(_ kind: ObjectKind) {
        state.withState { state in
            if kind == .index { state.indexNames = nil }
            if kind == .snapshot { state.snapshotNames = nil }
        }
    }

    private func checkKind(_ kind: ObjectKind) throws(StorageError) {
        guard kind != .lease else {
            throw StorageError(.unsupported, location, "\(location): leases are not served")
        }
    }

    package func put(_ name: ObjectName, _ bytes: [UInt8]) throws(StorageError) {
        forgetList(name.kind)
        guard bytes.count > WireLimits.content else {
            try on { () throws(ConnectionError) in try link.expectDone(.put(name, bytes[...])) }
            if case .index(let id) = name { cache?.add(id, bytes) }
            return
        }
        let staged = try stage(name.kind)
        do throws(StorageError) {
            try staged.write(bytes.span, at: 0)
            try staged.sync()
            try staged.publish(as: name)
        } catch {
            staged.discard()
            throw error
        }
        try syncNames([name])
        if case .index(let id) = name { cache?.add(id, bytes) }
    }

    package func syncNames(_ names: [ObjectName]) throws(StorageError) {
        try on { () throws(ConnectionError) in
            for start in stride(from: 0, to: names.count, by: WireLimits.names) {
                let end = min(start + WireLimits.names, names.count)
                try link.expectDone(.syncNames(Array(names[start..<end])))
            }
        }
    }

    package func remove(_ name: ObjectName) throws(StorageError) {
        forgetList(name.kind)
        try on { () throws(ConnectionError) in try link.expectDone(.remove(name)) }
    }

    // MARK: Reading

    package func list(_ kind: ObjectKind) throws(StorageError) -> [SHA256Digest] {
        try checkKind(kind)
        let greeted = state.withState { state -> [SHA256Digest]? in
            switch kind {
            case .index:
                defer { state.indexNames = nil }
                return state.indexNames
            case .snapshot:
                defer { state.snapshotNames = nil }
                return state.snapshotNames
            default: return nil
            }
        }
        if let greeted { return greeted }
        return try on { () throws(ConnectionError) in
            let reply = try link.ask(.list(kind))
            guard case .names(let names) = reply else { throw link.misfit() }
            return names
        }
    }

    package func open(_ name: ObjectName) throws(StorageError) -> any StoredObject {
        if name == .config, let config = connection.hello.config {
            return HeldObject(config)
        }
        if case .index(let id) = name {
            if let cached = cache?.find(id) {
                forget(name)
                return cached
            }
            return try fetch(id)
        }
        return try openRemote(name)
    }

    private func openRemote(_ name: ObjectName) throws(StorageError) -> RemoteStoredObject {
        let number = try request(name)
        do throws(StorageError) {
            return try on { () throws(ConnectionError) in try opened(number, name) }
        } catch {
            _ = try? link.send(.close, number: number)
            throw error
        }
    }

    /// Asks for an object, unless that was asked ahead.
    private func request(_ name: ObjectName) throws(StorageError) -> UInt32 {
        if let number = takePrepared(name) { return number }
        return try on { () throws(ConnectionError) in
            try link.send(.open(name, head: Self.head(name)))
        }
    }

    private func opened(
        _ number: UInt32, _ name: ObjectName
    ) throws(ConnectionError) -> RemoteStoredObject {
        let reply = try link.reply(number)
        guard case .opened(let size, let head) = reply else { throw link.misfit() }
        return RemoteStoredObject(link, number, name, size: size, head: head)
    }

    private static func head(_ name: ObjectName) -> UInt32 {
        name.kind == .snapshot ? UInt32(headSize) : 0
    }

    /// Reads a whole index segment, which is looked into at random.
    private func fetch(_ id: IndexID) throws(StorageError) -> any StoredObject {
        let object = try openRemote(.index(id))
        guard object.size <= SizeLimits.index, let size = Int(exactly: object.size) else {
            throw StorageError(.damaged, .index(id), "larger than an index segment may be")
        }
        let bytes = try object.read(size, at: 0)
        cache?.add(id, bytes)
        return cache?.find(id) ?? HeldObject(bytes)
    }

    // MARK: Asking ahead

    package func prepare(_ names: [ObjectName]) {
        let wanted = names.filter { name in
            if case .index(let id) = name { return cache?.has(id) != true }
            return name != .config
        }
        state.withState { $0.waiting = wanted.reversed() }
        askAhead()
    }

    private func askAhead() {
        while true {
            let next = state.withState { state -> ObjectName? in
                guard state.prepared.count < Self.preparedLimit else { return nil }
                return state.waiting.popLast()
            }
            guard let next else { return }
            // What fails here fails again, and is told, when the object is opened.
            guard let number = try? link.send(.open(next, head: Self.head(next))) else { return }
            let earlier = state.withState { $0.prepared.updateValue(number, forKey: next) }
            if let earlier { _ = try? link.send(.close, number: earlier) }
        }
    }

    private func takePrepared(_ name: ObjectName) -> UInt32? {
        let number = state.withState { $0.prepared.removeValue(forKey: name) }
        if number != nil { askAhead() }
        return number
    }

    /// Closes an object that was asked for in vain.
    private func forget(_ name: ObjectName) {
        if let number = takePrepared(name) { _ = try? link.send(.close, number: number) }
    }
}

extension ServerLink {
    /// Sends a request that is answered by "done".
    func expectDone(_ message: ClientMessage) throws(ConnectionError) {
        guard case .done = try ask(message) else { throw misfit() }
    }
}
