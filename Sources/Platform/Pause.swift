internal import CLinux
internal import Glibc
internal import Synchronization

private let paused = Atomic<Bool>(false)

/// Long work that can be held up by a signal: SIGUSR1 holds it, SIGUSR2 lets it go on.
package enum Pause {
    private static let step = Duration.milliseconds(50)

    /// Installs the handlers; without them either signal ends the process.
    package static func install() {
        _ = paused.load(ordering: .relaxed)
        _ = signal(SIGUSR1) { _ in paused.store(true, ordering: .relaxed) }
        _ = signal(SIGUSR2) { _ in paused.store(false, ordering: .relaxed) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in [SIGUSR1, SIGUSR2] { unsafe sigaddset(&signals, number) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    package static var isRequested: Bool { paused.load(ordering: .relaxed) }

    /// Waits while work is held up; an interruption ends the wait too.
    package static func wait() {
        while isRequested, !Interruption.isRequested { HostSystem.sleep(step) }
    }
}
