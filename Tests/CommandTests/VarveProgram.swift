import Bytes
import Foundation
import Platform
import Testing

/// What a program printed, and how it ended.
struct Finished {
    var status: Int32
    var output: [UInt8]
    var errors: [UInt8]

    var text: String { String(decoding: output, as: UTF8.self) }
    var errorText: String { String(decoding: errors, as: UTF8.self) }
}

/// A directory of its own for a test, and the program run in it.
///
/// It is removed at the end.
final class Workshop {
    let directory: URL
    var path: String { directory.path }

    init() throws {
        // The names that messages show must not depend on symlinks above.
        let above = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
        directory = above.appendingPathComponent("varve-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// The program that was built with the tests; VARVE_BINARY names another.
    static let program: String = {
        if let named = ProcessInfo.processInfo.environment["VARVE_BINARY"] { return named }
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent("varve").path
    }()

    /// How often what is killed is killed; `make soak` says 100.
    static let soakRounds =
        ProcessInfo.processInfo.environment["VARVE_SOAK_ROUNDS"].flatMap(Int.init) ?? 6

    /// Functions for scripts that kill: `nap` sleeps for a part of what the work between `begin`
    /// and `end` took at most lately.
    static let randomNaps = """
        took=0.1
        nap() {
            sleep "$(awk -v r=$RANDOM -v t=$took 'BEGIN { printf "%.3f", 1.1 * t * r / 32768 }')"
        }
        begin() { began=$EPOCHREALTIME; }
        end() {
            took=$(awk -v a=$began -v b=$EPOCHREALTIME -v t=$took \\
                'BEGIN { t *= 0.9; printf "%.3f", b - a > t ? b - a : t }')
        }

        """

    /// Functions for scripts that kill what works with another host: `serving` lets the program
    /// there tell its number in the file pid, which is emptied before each run; `strike here` and
    /// `strike there` kill the child or that program after a nap, and count the hits.
    static let strikes =
        randomNaps + """
            hits=0
            serving() {
                printf '#!/bin/bash\\necho $$ >%s/pid\\nexec "%s" "$@"\\n' "$PWD" "$varve" >served
                chmod +x served
                export VARVE_REMOTE_VARVE="$PWD/served"
            }
            strike() {
                local victim=$child try
                for try in $(seq 200); do
                    if [[ -s pid ]]; then break; fi
                    sleep 0.01
                done
                nap
                if [[ $1 == there ]]; then victim=$(cat pid); fi
                # The shell has not waited for it: its number is not another's yet.
                if [[ -d /proc/$child ]] && kill -9 $victim 2>/dev/null; then
                    hits=$((hits + 1))
                fi
                # Killed or done, either will do: what is there then is looked at.
                wait $child 2>/dev/null || true
            }

            """

    /// Starts a program in the directory, its output going to files.
    func start(_ executable: String, _ arguments: [String]) throws -> Running {
        try Running(executable, arguments, in: directory)
    }

    func varve(_ arguments: String...) throws -> Finished {
        try start(Self.program, arguments).finish()
    }

    /// Runs a bash script, in which `$varve` is the program.
    func shell(_ script: String) throws -> Finished {
        try start("/bin/bash", ["-c", script]).finish()
    }

    func write(_ name: String, _ text: String) throws {
        try write(name, Array(text.utf8))
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let place = directory.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(bytes).write(to: place)
    }

    /// The text with what differs from run to run replaced: this directory by "~", ids by "ID", the
    /// rest of a line that tells a duration by "…".
    func normalized(_ text: String) -> String {
        var lines: [String] = []
        for line in text.replacingOccurrences(of: path, with: "~").components(separatedBy: "\n") {
            let hasDuration = line.hasPrefix("  time   ")
            let ids = line.replacingOccurrences(
                of: "\\b([0-9a-f]{64}|[0-9a-f]{12})\\b",
                with: "ID",
                options: .regularExpression
            )
            lines.append(hasDuration ? "  time   …" : ids)
        }
        return lines.joined(separator: "\n")
    }
}

/// A program that runs.
final class Running {
    let process = Process()
    private let files: [URL]

    fileprivate init(_ executable: String, _ arguments: [String], in directory: URL) throws {
        let name = UUID().uuidString
        files = ["out", "err"].map { kind in
            FileManager.default.temporaryDirectory.appendingPathComponent("varve-\(name).\(kind)")
        }
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = directory
        var environment = ProcessInfo.processInfo.environment
        environment["VARVE_REPO"] = nil
        environment["TZ"] = "UTC"
        environment["LC_ALL"] = "C.UTF-8"
        environment["varve"] = Workshop.program
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        let handles = try files.map { file in
            try Data().write(to: file)
            return try FileHandle(forWritingTo: file)
        }
        process.standardOutput = handles[0]
        process.standardError = handles[1]
        Self.unblockSignals()
        try process.run()
    }

    /// The threads that run tests block most signals, and a program inherits that.
    private static func unblockSignals() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM] { unsafe sigaddset(&signals, signal) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    deinit { for file in files { try? FileManager.default.removeItem(at: file) } }

    func finish() throws -> Finished {
        process.waitUntilExit()
        let contents = try files.map { try Array(Data(contentsOf: $0)) }
        let status = process.terminationStatus
        let isSignal = process.terminationReason == .uncaughtSignal
        return Finished(
            status: isSignal ? -status : status,
            output: contents[0],
            errors: contents[1]
        )
    }
}
