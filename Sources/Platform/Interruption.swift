internal import CLinux
internal import Glibc
internal import Synchronization

/// Thrown where work stops because SIGINT or SIGTERM was received.
package struct Interrupted: Error {
    package let signal: CInt

    package init(signal: CInt) { self.signal = signal }
}

private let received = Atomic<CInt>(0)

/// Turns SIGINT and SIGTERM into a flag that long work asks at object boundaries.
package enum Interruption {
    /// Installs the handlers; a second signal ends the process at once.
    ///
    /// SIGPIPE is ignored, so that writing to a closed pipe is an ordinary error; SIGXFSZ likewise.
    package static func install() {
        unblock()
        _ = received.load(ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            _ = signal(number) { number in
                if received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
            }
        }
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGXFSZ, SIG_IGN)
    }

    /// A parent may have left the signals blocked; then nothing would ever stop the work.
    private static func unblock() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] { unsafe sigaddset(&signals, number) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    package static var isRequested: Bool { received.load(ordering: .relaxed) != 0 }

    package static func check() throws(Interrupted) {
        let signal = received.load(ordering: .relaxed)
        if signal != 0 { throw Interrupted(signal: signal) }
    }
}
