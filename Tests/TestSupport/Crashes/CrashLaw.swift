internal import Bytes
internal import Platform
internal import SystemPackage
package import Testing

/// Something that must hold after a crash at any moment of a run.
///
/// The run is traced once; then the law is asked of one crash after another, each made of the trace
/// by a number of changes and a seed. A failure prints both, as the value of VARVE_CRASH that asks
/// just this crash again. VARVE_CRASH_POINTS is the number of crashes of each law, VARVE_SEED the
/// seed of them all; without it each run has a new one. VARVE_CRASH_FORGET, a number from 0, leaves
/// out one sync of each run: whoever writes a law can see whether it notices.
package struct CrashLaw {
    package let name: String
    private let defaultPoints: Int

    /// More broken crashes than this tell nothing new.
    private static let failureLimit = 5
    /// Threads come in another order in each run: how often to record until it is the wanted one.
    private static let recordLimit = 1_000

    package init(_ name: String, points: Int = 1_000) {
        self.name = name
        defaultPoints = points
    }

    /// Makes a tree with `prepare`, traces `run`, and asks `law` of crashes in it.
    ///
    /// `run` calls the function that it is given whenever something was reported as done. Some of
    /// the traces have it run twice: a first time killed at some call, with all that it did visible
    /// and nothing of it durable, and then to its end.
    package func holds(
        kills: Int = 3, _ prepare: (CrashPlace) throws -> Void,
        run: (CrashPlace, _ isDone: () -> Void) throws -> Void,
        law: (CrashScene) throws -> Void
    ) throws {
        let wanted = CrashName.wanted
        if let wanted, wanted.law != name { return }
        if let wanted {
            try askAgain(wanted, prepare, run, law)
        } else {
            try askAll(kills, prepare, run, law)
        }
    }

    /// Records until the changes come in the wanted order.
    private func askAgain(
        _ wanted: CrashName, _ prepare: (CrashPlace) throws -> Void,
        _ run: (CrashPlace, _ isDone: () -> Void) throws -> Void,
        _ law: (CrashScene) throws -> Void
    ) throws {
        for _ in 0..<Self.recordLimit {
            let place = try CrashPlace()
            let history = try record(place, killedAt: wanted.kill, prepare, run)
            guard history.shape == wanted.shape else { continue }
            var draw = CrashDraw(history, before: wanted.point, seed: wanted.seed)
            _ = try ask(law, place, history, wanted, draw.tree())
            return
        }
        Issue.record("the changes did not come in that order again")
    }

    private func record(
        _ place: CrashPlace, killedAt kill: Int, _ prepare: (CrashPlace) throws -> Void,
        _ run: (CrashPlace, _ isDone: () -> Void) throws -> Void
    ) throws -> CrashHistory {
        try prepare(place)
        let left = Monitor(kill)
        let trace = try FileTrace(place.root) { _, path in
            left.withState { left in
                if left > 1 { left -= 1 }
                return left == 1 ? PlatformError("be killed", path, .interrupted) : nil
            }
        }
        defer { trace.stop() }
        if kill > 0 {
            try? run(place) {}
            left.withState { $0 = 0 }
        }
        try run(place) { trace.mark() }
        #expect(trace.gaps.isEmpty, "\(name)")
        return CrashHistory(Self.forgetful(trace.changes))
    }

    /// The changes without one sync, if VARVE_CRASH_FORGET is its number.
    private static func forgetful(_ changes: [FileChange]) -> [FileChange] {
        let digits = HostSystem.variable("VARVE_CRASH_FORGET")
        guard let forgotten = digits.flatMap({ Int(String(decoding: $0, as: UTF8.self)) }) else {
            return changes
        }
        var number = -1
        return changes.filter { change in
            switch change.action {
            case .sync, .syncAll:
                number += 1
                // The first is that of the tree at the start.
                return number != forgotten + 1
            default: return true
            }
        }
    }

    private func askAll(
        _ kills: Int, _ prepare: (CrashPlace) throws -> Void,
        _ run: (CrashPlace, _ isDone: () -> Void) throws -> Void,
        _ law: (CrashScene) throws -> Void
    ) throws {
        let number = HostSystem.variable("VARVE_CRASH_POINTS")
        let points = number.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? defaultPoints
        var seeds = SplitMix64(Seed.some(1).last ?? Seed(1))
        var tally = Tally()
        let begin = ContinuousClock.now
        for kill in 0...kills where tally.failures < Self.failureLimit {
            let place = try CrashPlace()
            let killedAt = kill == 0 ? 0 : 2 + seeds.below(max(1, tally.changes))
            let history = try record(place, killedAt: killedAt, prepare, run)
            // Half of the crashes are in the run that goes well.
            let share = kills == 0 ? points : points / 2 / (kill == 0 ? 1 : kills)
            try askAll(law, place, history, killedAt, share, &seeds, &tally)
        }
        print(
            "Crash law \"\(name)\": \(tally.crashes) crashes in \(tally.changes) changes,",
            "\(tally.seen.count) different trees, \(ContinuousClock.now - begin)")
    }

    private struct Tally {
        var crashes = 0
        var failures = 0
        /// Of the run that goes well.
        var changes = 0
        var seen: Set<Int> = []
    }

    private func askAll(
        _ law: (CrashScene) throws -> Void, _ place: CrashPlace, _ history: CrashHistory,
        _ kill: Int, _ points: Int, _ seeds: inout SplitMix64, _ tally: inout Tally
    ) throws {
        let possible = history.count - history.start + 1
        if kill == 0 { tally.changes = possible - 1 }
        for number in 0..<points where tally.failures < Self.failureLimit {
            // Neighbours in turn where there are few, a sample where there are many.
            let offset = points < possible ? seeds.below(possible) : number % possible
            let crash = CrashName(
                law: name, kill: kill, point: history.start + offset, seed: seeds.next(),
                shape: history.shape)
            var draw = CrashDraw(history, before: crash.point, seed: crash.seed)
            let tree = draw.tree()
            tally.crashes += 1
            let marks = history.marks(before: crash.point)
            guard tally.seen.insert(tree.fingerprint &+ marks).inserted else { continue }
            if try !ask(law, place, history, crash, tree) { tally.failures += 1 }
        }
    }

    /// Whether the law holds of a crash.
    private func ask(
        _ law: (CrashScene) throws -> Void, _ place: CrashPlace, _ history: CrashHistory,
        _ crash: CrashName, _ tree: CrashedTree
    ) throws -> Bool {
        try place.replace(with: tree)
        let scene = CrashScene(
            place: place, done: history.marks(before: crash.point), name: crash.text)
        do {
            try law(scene)
        } catch {
            scene.fail("\(error)")
        }
        return !scene.isBroken
    }
}

/// What a law is asked of.
package final class CrashScene {
    /// The tree that the crash left.
    package let place: CrashPlace
    /// How many things were reported as done before the crash.
    package let done: Int
    private let name: String
    private(set) var isBroken = false

    init(place: CrashPlace, done: Int, name: String) {
        self.place = place
        self.done = done
        self.name = name
    }

    package func fail(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
        isBroken = true
        Issue.record("\(what), \(done) done, \(name)", sourceLocation: sourceLocation)
    }

    /// Expects two listings to be equal; tells of the first lines that are not.
    package func expectSame(
        _ found: [String], _ wanted: [String], _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let (isThere, isWanted) = (Set(found), Set(wanted))
        let differences =
            wanted.filter { !isThere.contains($0) }.map { "\n- " + $0 }
            + found.filter { !isWanted.contains($0) }.map { "\n+ " + $0 }
        guard found != wanted else { return }
        fail("\(what)\(differences.prefix(6).joined())", sourceLocation: sourceLocation)
    }

    package func expect(
        _ condition: Bool, _ what: @autoclosure () -> String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        if !condition { fail(what(), sourceLocation: sourceLocation) }
    }
}

/// One crash of one law, as VARVE_CRASH names it.
private struct CrashName {
    var law: String
    /// The call at which a first run was killed; 0 where there was none.
    var kill: Int
    var point: Int
    var seed: UInt64
    /// Of the trace that it was in.
    var shape: UInt64

    var text: String { "VARVE_CRASH='\(law)/\(kill)/\(point)/\(seed)/\(shape)'" }

    static var wanted: CrashName? {
        guard let bytes = HostSystem.variable("VARVE_CRASH") else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "/")
        guard parts.count == 5, let kill = Int(parts[1]), let point = Int(parts[2]),
            let seed = UInt64(parts[3]), let shape = UInt64(parts[4])
        else { return nil }
        return CrashName(
            law: String(parts[0]), kill: kill, point: point, seed: seed, shape: shape)
    }
}
