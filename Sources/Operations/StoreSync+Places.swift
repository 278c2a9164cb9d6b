package import Remote
internal import Serving
internal import TwoWay
internal import Wire

extension StoreSync {
    /// Connects to a store of this host, through pipes: one way to do it, near and far.
    package static func local(_ path: [UInt8]) throws -> Connection {
        try LocalService.connect(path, .sync)
    }

    /// Connects to a store on another host.
    package static func remote(
        _ location: RemoteLocation, _ ssh: SSHCommand
    ) throws -> Connection {
        try ssh.connect(to: location, .sync)
    }
}
