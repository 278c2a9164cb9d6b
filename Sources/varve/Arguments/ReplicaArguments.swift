internal import Capturing
internal import Targets
internal import ArgumentParser
internal import Bytes
internal import Platform

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

    func options(isDryRun: Bool) -> ReplicaOptions {
        var options: ReplicaOptions = []
        if overwrite { options.insert(.overwrite) }
        if isDryRun { options.insert(.dryRun) }
        if samePermissions { options.insert(.setID) }
        return options
    }

    func captureOptions(
        _ exclusion: ExclusionOptions,
        _ selection: SourceSelection
    ) throws -> CaptureOptions {
        let filter = try exclusion.filter(adding: selection.repositoryPattern)
        var options = CaptureOptions(filter: filter, host: HostSystem.hostName())
        options.programVersion = Array(Version.text.utf8)
        return options
    }
}
