import Capturing
import Snapshots
import Trees
import Upkeep
@testable import Restoring
import Bytes
import Platform
import Testing
import TestSupport

/// restore(capture(tree)) == tree, for trees with one of everything.
struct RoundTripLawTests {
    private static func complete() -> RestoreOptions {
        var options = RestoreOptions()
        options.attributes.setsSetID = true
        options.verifies = true
        return options
    }

    private func filledVault(_ seed: Seed) throws -> (Vault, TestTree) {
        let vault = try Vault()
        var tree = TestTree(vault.sourcePath, seed)
        try tree.fill()
        return (vault, tree)
    }

    @Test(arguments: Seed.some(4))
    func `What was captured is restored in every respect`(seed: Seed) throws {
        let (vault, _) = try filledVault(seed)
        let before = try vault.listing("source")
        let captured = try vault.capture()
        #expect(captured.problems.isEmpty)
        expectSame(before, try vault.listing("source"), "a capture changes nothing")
        let restored = try vault.restore(captured.record, Self.complete())
        #expect(restored.failures.isEmpty)
        #expect(restored.bytesKept == 0)
        expectSame(before, try vault.listing("target"))
        let check = try vault.check(readDataPercent: 100)
        #expect(check.damages.isEmpty)
        #expect(check.warnings.isEmpty)
    }

    @Test(arguments: Seed.some(2))
    func `An unchanged tree gives the same manifest and writes no blob`(seed: Seed) throws {
        let (vault, _) = try filledVault(seed)
        let first = try vault.capture()
        let second = try vault.capture()
        #expect(second.record.root == first.record.root)
        #expect(second.write.isNothing)
        try vault.settle(second.record)
        let third = try vault.capture()
        #expect(third.record.root == first.record.root)
        #expect(third.write.isNothing)
        #expect(third.record.statistics.bytesRead == 0)
        #expect(third.record.statistics.newFiles + third.record.statistics.changedFiles == 0)
        let anew = try vault.captureAnew()
        #expect(anew.record.root == first.record.root)
        #expect(anew.write.isNothing)
    }

    /// Verify-first, trusted entries and a capture from nothing must agree in every bit.
    @Test(arguments: Seed.some(4))
    func `With or without a parent the same tree gives the same manifest`(seed: Seed) throws {
        let (vault, made) = try filledVault(seed)
        var tree = made
        for _ in 0..<4 {
            try vault.settle(try vault.capture().record)
            try tree.edit(12)
            let captured = try vault.capture()
            let anew = try vault.captureAnew()
            #expect(captured.record.root == anew.record.root)
            #expect(anew.write.isNothing, "everything is there already")
            #expect(captured.record.statistics.unchangedFiles > 10)
        }
        let last = try vault.capture()
        try vault.restore(last.record, Self.complete())
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    /// The target is an older state: everything that differs is put right.
    @Test(arguments: Seed.some(2))
    func `A restore over another state makes it equal`(seed: Seed) throws {
        let (vault, made) = try filledVault(seed)
        var tree = made
        let first = try vault.capture()
        let before = try vault.listing("source")
        try tree.edit(40)
        var options = Self.complete()
        options.deletes = true
        let restored = try vault.restore(first.record, to: "source", options)
        #expect(restored.failures.isEmpty)
        expectSame(before, try vault.listing("source"))
        #expect(restored.bytesKept > 0)
        let again = try vault.restore(first.record, to: "source", options)
        #expect(again.deleted == 0)
        expectSame(before, try vault.listing("source"))
    }
}
