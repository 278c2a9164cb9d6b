internal import Bytes
internal import Platform
internal import Wire

/// Why ssh, or what it ran, ended.
enum SSHFailure {
    /// Lines of standard error that are told; ssh says much about a changed host key.
    private static let lineLimit = 12

    /// nil where neither the end nor what was said tells anything.
    static func explain(
        _ end: ProcessEnd, _ errors: [UInt8], _ location: String
    ) -> ConnectionError? {
        let lines = errors.split { $0 == 0x0a || $0 == 0x0d }
            .map { RemoteFailure.harmless(Array($0)) }.filter { !$0.isEmpty }
        let text = lines.suffix(lineLimit).joined(separator: "\n")
        let last = lines.last ?? ""
        switch end {
        case .exited(0): return text.isEmpty ? nil : ConnectionError(.lost, location, text)
        // What a shell says of a program that is not there, or may not be run.
        case .exited(127), .exited(126): return ConnectionError(.programMissing, location, last)
        case .exited(255): return ConnectionError(kind(text), location, isLong(text) ? text : last)
        case .exited(let status):
            let what = last.isEmpty ? "the program there ended with status \(status)" : text
            return ConnectionError(.lost, location, what)
        case .killed(let signal):
            return ConnectionError(.lost, location, "ssh was ended by signal \(signal)")
        }
    }

    private static func isLong(_ text: String) -> Bool { text.contains("IDENTIFICATION") }

    /// ssh has one status for all that it fails with; what it says tells them apart.
    private static func kind(_ text: String) -> ConnectionError.Kind {
        if text.contains("Host key verification failed") || isLong(text) { return .hostKey }
        if text.contains("Permission denied") || text.contains("Too many authentication") {
            return .loginRefused
        }
        let losses = [
            "Connection reset", "Broken pipe", "closed by remote host", "Timeout, server",
            "disconnect",
        ]
        let isLoss = losses.contains { text.contains($0) } && !text.contains("kex_exchange")
        return isLoss ? .lost : .unreachable
    }
}
