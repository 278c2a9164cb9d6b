internal import ArgumentParser
internal import Platform
internal import Reports

/// A command of varve: parses, calls one function, prints.
protocol VarveCommand: ParsableCommand {
    var output: OutputOptions { get }

    /// Does the work. Sets `console.status` before it prints, so that a reader who closes the pipe
    /// cannot hide how the work went.
    func run(_ console: Console) throws
}

/// One run of the program: arguments in, exit status out.
enum Invocation {
    static func run(_ arguments: ArraySlice<[UInt8]>) -> ExitStatus {
        let texts = arguments.map(LosslessText.encode)
        let console = Console(isJSON: texts.contains("--json"))
        do {
            if texts.isEmpty { try checkProcesses() }
            try CommandHint.check(texts)
            var command = try Varve.parseAsRoot(texts)
            if let command = command as? any VarveCommand {
                console.configure(command.output)
                try command.run(console)
            } else {
                try command.run()
            }
            try console.flush()
            return console.status
        } catch {
            return finish(error, texts, console)
        }
    }

    /// Swift takes the arguments from /proc: without it every command line looks empty.
    ///
    /// The help that an empty one gets would be an exit status of 0 for work that was not done.
    private static func checkProcesses() throws(UsageError) {
        guard (try? FileStatus.of(Array("/proc/self/cmdline".utf8))) == nil else { return }
        throw UsageError(
            "the command line cannot be read, because /proc is not mounted; nothing was done",
            "Mount it: mount -t proc proc /proc")
    }

    private static func finish(
        _ error: any Error, _ arguments: [String], _ console: Console
    ) -> ExitStatus {
        if let error = error as? OutputError, case .closed = error {
            // The reader has what it wanted, as with `varve ls … | head`: that is no failure.
            return console.status
        }
        if Varve.exitCode(for: error) == .success {
            return printHelp(Varve.message(for: error), console)
        }
        try? console.flush()
        var failure = Failure(error)
        failure.avoidAdvice(toRun: arguments)
        console.report(failure)
        return failure.status
    }

    /// Help, the version and completion scripts: what ArgumentParser asks to print by throwing.
    private static func printHelp(_ text: String, _ console: Console) -> ExitStatus {
        do {
            try console.print(LosslessText.decode(text) + [UInt8(ascii: "\n")])
            try console.flush()
            return .done
        } catch {
            if case .closed = error { return .done }
            console.report(Failure(error))
            return .failed
        }
    }
}
