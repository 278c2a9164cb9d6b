import Bytes
import Platform
import SystemPackage
import TableLog
import Testing
import TestSupport
import TwoWay

/// Histories by chance, against a model that knows no files and no logs; and a stop at every step.
struct StoreSyncLawTests {
    /// What was done to a table of one side since both were equal.
    private struct Side {
        var rows: Set<Int>
        var isChanged = false
        var hasDeleted = false
        /// Files of the common version that a compaction replaced.
        var replaced: Set<String> = []

        init(_ rows: Set<Int>) { self.rows = rows }
    }

    private static let names = ["here", "there"]

    /// What the table of both sides should hold, told without files.
    private struct Model {
        let pair: StorePair
        var sides = ["here": Side([0]), "there": Side([0])]
        var common: Set<String> = []
        var next = 1

        init(_ pair: StorePair) throws {
            self.pair = pair
            try pair.create("here/t")
            try pair.append("here/t", [0])
            try pair.sync()
            try agree([0])
        }

        /// Both sides have these rows, in the same files.
        mutating func agree(_ rows: Set<Int>) throws {
            sides = ["here": Side(rows), "there": Side(rows)]
            common = Set(try pair.log("here/t").snapshot().files.keys.map(\.path.string))
        }

        /// Changes one side in some way.
        mutating func act(_ random: inout SplitMix64) throws {
            let name = StoreSyncLawTests.names[random.below(2)]
            guard var side = sides[name] else { return }
            switch random.below(8) {
            case 0:
                guard let row = side.rows.min() else { return }
                try pair.delete("\(name)/t", row)
                side.rows.remove(row)
                side.hasDeleted = true
            case 1:
                guard !side.rows.isEmpty else { return }
                let gone = try pair.compact("\(name)/t", 2)
                side.replaced.formUnion(gone.intersection(common))
            default:
                try pair.append("\(name)/t", [next, next + 1])
                side.rows.formUnion([next, next + 1])
                next += 2
            }
            side.isChanged = true
            sides[name] = side
        }

        /// What a sync should make of both; nil for a conflict.
        func outcome(_ here: Side, _ there: Side) -> Set<Int>? {
            if !there.isChanged { return here.rows }
            if !here.isChanged { return there.rows }
            let isConflict =
                here.hasDeleted || there.hasDeleted
                || !here.replaced.isDisjoint(with: there.replaced)
            return isConflict ? nil : here.rows.union(there.rows)
        }
    }

    @Test(arguments: Seed.some(6))
    func `After any history both sides have the rows of both, or a conflict says why not`(
        seed: Seed
    ) throws {
        let pair = try StorePair()
        var random = SplitMix64(seed)
        var model = try Model(pair)
        for round in 1...12 {
            for _ in 0..<random.below(5) { try model.act(&random) }
            let here = try #require(model.sides["here"])
            let there = try #require(model.sides["there"])
            let wanted = model.outcome(here, there)
            let summary = try pair.sync()
            #expect(summary.conflicts.isEmpty == (wanted != nil), "\(seed), round \(round)")
            for name in Self.names { try pair.expectWhole("\(name)/t") }
            let (ours, theirs) = (wanted ?? here.rows, wanted ?? there.rows)
            #expect(try pair.rows("here/t") == ours.sorted(), "\(seed), round \(round)")
            #expect(try pair.rows("there/t") == theirs.sorted(), "\(seed), round \(round)")
            if wanted == nil {
                // The other side is made a copy of this one, as a user would.
                try pair.replace("there/t", with: "here/t")
                #expect(try pair.sync().isComplete, "\(seed), round \(round)")
            }
            try model.agree(ours)
            #expect(try pair.sync().hasNothingToDo, "\(seed), round \(round)")
        }
    }

    /// What becomes of a file, said once more in other words than those of the plan.
    private static func settle(
        _ here: inout String?, _ there: inout String?, _ known: inout String?
    ) -> Bool {
        if here != there {
            if here == known {
                here = there
            } else if there == known {
                there = here
            } else {
                return false
            }
        }
        known = here
        return true
    }

    @Test(arguments: Seed.some(4))
    func `Files go where they were not changed, and what both changed stays`(seed: Seed) throws {
        let pair = try StorePair()
        var random = SplitMix64(seed)
        try pair.write("always", "here/kept")
        try pair.sync()
        let paths = ["a", "b", "d/x", "d/y", "d/e/z"]
        var files: [String: [String: String]] = ["here": [:], "there": [:]]
        var known: [String: String] = [:]
        for round in 1...15 {
            for _ in 0..<random.below(6) {
                let (name, path) = (Self.names[random.below(2)], paths[random.below(paths.count)])
                if random.below(3) == 0 {
                    guard files[name]?[path] != nil else { continue }
                    try pair.remove("\(name)/\(path)")
                    files[name]?[path] = nil
                } else {
                    // Few contents, so that both sides come to the same now and then.
                    let text = String(repeating: "x", count: random.below(3))
                    try pair.write(text, "\(name)/\(path)")
                    files[name]?[path] = text
                }
            }
            var conflicts: [String] = []
            for path in paths {
                var (ours, theirs) = (files["here"]?[path], files["there"]?[path])
                if !Self.settle(&ours, &theirs, &known[path]) { conflicts.append(path) }
                files["here"]?[path] = ours
                files["there"]?[path] = theirs
            }
            let summary = try pair.sync()
            let told = summary.conflicts.map { String(decoding: $0.path, as: UTF8.self) }
            #expect(told.sorted() == conflicts.sorted(), "\(seed), round \(round)")
            #expect(summary.problems.isEmpty, "\(seed), round \(round)")
            for name in Self.names {
                let wanted = (files[name] ?? [:]).merging(["kept": "always"]) { $1 }
                #expect(try pair.contents(name) == wanted, "\(seed), round \(round), \(name)")
            }
        }
    }

    @Test(arguments: ["here", "there"])
    func `Stopped at any step a sync leaves whole versions, and the next one does the rest`(
        victim: String
    ) throws {
        var isOver = false
        var step = 0
        while !isOver {
            let pair = try StorePair()
            try pair.create("here/t")
            try pair.append("here/t", [1, 2])
            for name in ["a", "b", "gone"] { try pair.write("1", "here/\(name)") }
            try pair.sync()
            try pair.append("here/t", [10])
            try pair.compact("here/t")
            try pair.append("there/t", [20])
            try pair.append("there/t", [21])
            try pair.create("here/new", id: "new")
            try pair.append("here/new", [5])
            try pair.create("there/other", id: "other")
            try pair.write("2", "here/a")
            try pair.write("3", "there/b")
            try pair.remove("here/gone")
            try pair.write("new", "there/d/e")
            let left = Monitor(step)
            let stopped = Result {
                try pair.sync(asking: victim) { _, path in
                    left.withState { left in
                        left -= 1
                        return left < 0 ? PlatformError("stop", path, .interrupted) : nil
                    }
                }
            }
            if case .success(let summary) = stopped { isOver = summary.isComplete }
            for table in ["here/t", "there/t"] { try pair.expectWhole(table) }
            #expect(try pair.sync().isComplete, "step \(step)")
            for side in ["here", "there"] {
                #expect(try pair.rows("\(side)/t") == [1, 2, 10, 20, 21], "step \(step)")
                #expect(try pair.rows("\(side)/new") == [5], "step \(step)")
                #expect(try pair.version("\(side)/other") == 0)
                #expect(
                    try pair.contents(side) == ["a": "2", "b": "3", "d/e": "new"], "step \(step)")
            }
            #expect(try pair.sync().hasNothingToDo, "step \(step)")
            // The law of crashes stops at each.
            step += 3
        }
        #expect(step > 30, "there were steps to stop at")
    }
}
