package import Platform
package import Remote
package import TwoWay

/// Makes two live stores hold the same.
package struct StoreSyncRequest {
    /// A directory of this host.
    package var store: [UInt8]
    /// The other store, as it was named.
    package var target: [UInt8]
    /// How the host of the other store is reached.
    package var ssh: SSHCommand
    /// Finds out what would be done, and changes nothing.
    package var isDryRun = false
    /// At most so much is sent a second; nil for no limit.
    package var bytesPerSecond: UInt64?

    /// A sync of a store here with another one, which is made if it is missing.
    package init(_ store: [UInt8], with target: [UInt8], _ ssh: SSHCommand) {
        self.store = store
        self.target = target
        self.ssh = ssh
    }

    /// Throws a `StoreSyncError`, or what the connection throws.
    package func run(
        _ progress: WorkProgress
    ) throws -> (summary: StoreSyncSummary, duration: Duration) {
        let path = try HostSystem.resolve(store)
        let location = try TargetCheck.location(target)
        try TargetCheck.apart(location, named: target, from: path, .store)
        let here = try StoreSync.local(path)
        var options: TwoWayOptions = isDryRun ? [.dryRun] : []
        let there: Connection
        switch location {
        case .directory(let path): there = try StoreSync.local(path)
        case .remote(let remote):
            options.insert(.compress)
            there = try StoreSync.remote(remote, ssh)
        }
        let sync = StoreSync(here, there, options, bytesPerSecond: bytesPerSecond)
        let start = ContinuousClock.now
        let summary = try sync.run(progress)
        return (summary, ContinuousClock.now - start)
    }
}
