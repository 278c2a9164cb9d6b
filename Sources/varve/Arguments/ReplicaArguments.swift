internal import ArgumentParser
internal import Bytes
internal import Capturing
internal import Operations
internal import Platform
internal import Replicas

/// How a replica is written.
struct ReplicaArguments: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Replace what others changed at the target.",
            discussion: "What they added where the replica has files is set aside."
        )
    )
    var overwrite = false

    @Flag(help: "Bring over set-user-id and set-group-id bits.")
    var samePermissions = false

    @Option(
        help: ArgumentHelp("Send at most this much a second, such as 5M.", valueName: "size")
    )
    var limitRate: SizeArgument?

    func validate() throws {
        if let limitRate, limitRate.count.bytes == 0 {
            throw ValidationError("The value of '--limit-rate' must not be zero.")
        }
    }

    private func options(isDryRun: Bool) -> ReplicaOptions {
        var options: ReplicaOptions = []
        if overwrite { options.insert(.overwrite) }
        if isDryRun { options.insert(.dryRun) }
        if samePermissions { options.insert(.setID) }
        return options
    }

    /// The request that the options make, of a store and the target of its replica.
    func request(
        _ store: ByteArgument, _ target: ByteArgument?, _ repository: RepositoryOptions,
        _ exclusion: ExclusionOptions, isDryRun: Bool = false
    ) throws -> ReplicationRequest {
        var capture = CaptureOptions(
            filter: try exclusion.filter(), host: HostSystem.hostName())
        capture.programVersion = Array(Version.text.utf8)
        var request = ReplicationRequest(
            of: store.bytes, to: target?.bytes, through: try repository.access(),
            options(isDryRun: isDryRun), capture)
        request.bytesPerSecond = limitRate?.count.bytes
        return request
    }
}
