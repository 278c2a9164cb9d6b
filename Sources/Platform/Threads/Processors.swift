internal import CLinux
internal import Glibc

/// The machine as far as it decides how many threads are worth having.
package enum Processors {
    /// Processors that this process may use (sched_getaffinity(2)); those of the machine when the
    /// system does not tell.
    package static let count: Int = {
        let allowed = Int(varve_processors())
        return max(1, allowed > 0 ? allowed : Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }()
}
