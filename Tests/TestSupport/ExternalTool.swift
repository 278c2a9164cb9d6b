package import Testing

internal import Foundation

/// A program that a test compares with.
///
/// Where it is missing the test is reported as skipped, with
/// the name of the tool; with VARVE_REQUIRE_TOOLS=1 the test runs, and fails.
package struct ExternalTool: Sendable {
    package let name: String

    package init(_ name: String) { self.name = name }

    /// Python with what `make test` installs for comparisons: pyarrow, duckdb, polars and
    /// deltalake.
    package static let python = ExternalTool(
        String(decoding: Fixtures.project, as: UTF8.self) + "/.build-python/bin/python3")

    private var location: URL? {
        if name.contains("/") {
            let isThere = FileManager.default.isExecutableFile(atPath: name)
            return isThere ? URL(fileURLWithPath: name) : nil
        }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":")
            .map { URL(fileURLWithPath: String($0)).appendingPathComponent(name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// Whether tests that need it are to run.
    package var isPresentOrRequired: Bool {
        location != nil || ProcessInfo.processInfo.environment["VARVE_REQUIRE_TOOLS"] == "1"
    }

    /// What a run of the tool left.
    package struct Outcome: Sendable {
        package let status: Int32
        package let output: [UInt8]
        package var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Runs it to its end; what it says on standard error goes to that of the tests.
    package func run(_ arguments: [String], input: [UInt8]? = nil) throws -> Outcome {
        guard let location else { throw ToolError.missing(name) }
        let process = Process()
        process.executableURL = location
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        let inputPipe = Pipe()
        process.standardInput = input == nil ? FileHandle.nullDevice : inputPipe
        try process.run()
        if let input {
            try inputPipe.fileHandleForWriting.write(contentsOf: Data(input))
            try inputPipe.fileHandleForWriting.close()
        }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(status: process.terminationStatus, output: [UInt8](bytes))
    }

    /// Runs it and fails unless it succeeds; returns what it printed.
    package func text(_ arguments: [String], input: [UInt8]? = nil) throws -> String {
        let outcome = try run(arguments, input: input)
        guard outcome.status == 0 else { throw ToolError.failed(name, outcome.status) }
        return outcome.text
    }
}

/// Why a tool was no use.
package enum ToolError: Error {
    case missing(String)
    case failed(String, Int32)
}

extension Trait where Self == ConditionTrait {
    /// Runs the test only where the tool is installed, or required.
    package static func needs(_ tool: String) -> Self {
        needs(ExternalTool(tool))
    }

    /// Runs the test only where the tool is installed, or required.
    package static func needs(_ tool: ExternalTool) -> Self {
        .enabled(if: tool.isPresentOrRequired, "\(tool.name) is not installed")
    }
}
