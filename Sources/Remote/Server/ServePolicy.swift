package import Wire

/// What a server lets its client do.
///
/// It comes from the server's own arguments alone. The client cannot widen it.
package struct ServePolicy: Sendable {
    /// Nothing may change.
    package var isReadOnly = false
    /// Objects may be added and none taken away, but for an index segment whose entries other
    /// segments have.
    package var isAppendOnly = false
    /// Nothing but replications: a live directory may be made equal to a snapshot.
    package var isReplicaOnly = false
    /// Nothing but syncs of stores.
    package var isSyncOnly = false
    package var limits = ServerLimits()
    package var deadlines = WireDeadlines.standard

    package init(
        isReadOnly: Bool = false, isAppendOnly: Bool = false, isReplicaOnly: Bool = false,
        isSyncOnly: Bool = false
    ) {
        self.isReadOnly = isReadOnly
        self.isAppendOnly = isAppendOnly
        self.isReplicaOnly = isReplicaOnly
        self.isSyncOnly = isSyncOnly
    }

    package var mayWrite: Bool { !isReadOnly }
    package var mayRemove: Bool { !isReadOnly && !isAppendOnly }
}
