internal import Bytes
package import Platform
internal import SystemPackage
package import Trees

extension TargetTree {
    /// Sets owner, attributes, mode and time of an open file or directory that has, or is to get,
    /// the name `path`.
    ///
    /// What cannot be set is noted for that path. `place` is where the file is now.
    package func apply(
        _ metadata: FileMetadata, to file: borrowing Descriptor, _ place: [UInt8], for path: [UInt8]
    ) throws(PlatformError) {
        note(try target.applyEach(metadata, to: file, place), path)
    }

    /// The same for what cannot be opened.
    package func applyByName(
        _ metadata: FileMetadata, at place: [UInt8], for path: [UInt8]
    ) throws(PlatformError) {
        note(try target.applyEachByName(metadata, at: place), path)
    }

    private func note(_ unset: [UnsetMetadata], _ path: [UInt8]) {
        for unset in unset {
            let errno =
                switch unset.cause {
                case .refused(let error): error.errno.rawValue
                case .outOfRange: Errno.outOfRange.rawValue
                }
            switch unset.part {
            case .owner: note(TargetFailure(.owner, path, errno: errno))
            case .attribute(let name):
                note(TargetFailure(.attribute, path, attribute: name, errno: errno))
            case .mode: note(TargetFailure(.mode, path, errno: errno))
            case .time: note(TargetFailure(.time, path, errno: errno))
            }
        }
    }
}
