import Bytes
import Foundation
import Platform
import Testing
import TestSupport

/// One vocabulary: whatever a command prints, its keys stand in the table of varve(1).
@Suite struct JSONKeyTests {
    /// The keys of the table.
    private static func table() throws -> Set<String> {
        let page = try ProjectFiles.text("man/parts/varve.mdoc")
        let list = page.components(separatedBy: ".Ss Keys of JSON\n").last ?? ""
        let end = list.components(separatedBy: "\n.El\n").first ?? ""
        return Set(
            end.matches(of: /\n\.It Cm (?<key>\w+)/.anchorsMatchLineEndings())
                .map { String($0.key) })
    }

    /// All keys of a document; those of `settings` are names of others.
    private func keys(_ value: Any) -> Set<String> {
        if let list = value as? [Any] { return list.reduce(into: []) { $0.formUnion(keys($1)) } }
        guard let object = value as? [String: Any] else { return [] }
        return object.reduce(into: []) { found, member in
            found.insert(member.key)
            if member.key != "settings" { found.formUnion(keys(member.value)) }
        }
    }

    /// The keys of all lines, or of the one document that the output is.
    private func keys(_ output: [UInt8]) throws -> Set<String> {
        guard !output.isEmpty else { return [] }
        if let whole = try? JSONSerialization.jsonObject(with: Data(output)) { return keys(whole) }
        return try output.split(separator: UInt8(ascii: "\n")).reduce(into: []) { found, line in
            found.formUnion(keys(try JSONSerialization.jsonObject(with: Data(line))))
        }
    }

    /// Every command, in an order in which each has something to say.
    private static let commands = """
        version
        init -r repo
        init -r other
        snapshot store -r repo --tag t
        snapshot store -r repo --dry-run
        list -r repo
        show latest -r repo
        ls latest -R -r repo
        find a -r repo
        diff latest~1 latest -r repo
        diff latest~1 latest --stat -r repo
        diff latest~1 latest --blocks -r repo
        diff latest~1 latest --tables -r repo
        tables latest -r repo
        stats -r repo
        stats latest -r repo
        check --read-data -r repo
        restore latest -t out -r repo
        restore latest -t out2 --dry-run -r repo
        restore latest --table t -t table -r repo
        restore latest --table t -t table2 --at 0 --dry-run -r repo
        send latest -r repo --estimate
        send latest -r repo -o stream.varve
        send latest~1 -r repo -o streams/
        receive streams -r other
        receive streams -r other
        push -r repo --to other
        pull -r other --from repo
        sync -r repo --with other
        replicate store live -r repo
        replicate store live -r repo
        watch store -r repo --rounds 1 --replicate live
        sync store copy
        sync store copy --dry-run
        migrate store new --plan -r repo
        migrate store new -r repo
        migrate store new --clean-source
        table info t
        table history t
        table append t rows.csv rows.csv --on-error=skip
        table append t bad.csv --on-error=skip
        table delete t --where id=1
        table compact t
        table vacuum t --retention 0h --force
        table restore t --version 1
        table verify t
        table export t --to rows.ndjson
        table create u --schema id\u{a0}long
        table import v rows.csv --once
        list -r nowhere
        frob
        """

    @Test func `No command prints a key that the manual does not have`() throws {
        let workshop = try Workshop()
        let made = try workshop.shell(
            """
            set -e
            mkdir -p store/d store/t streams
            echo a >store/a; ln -s a store/l; mkfifo store/p
            printf 'a\\xff' >store/$'b\\xff'; setfattr -n user.x -v y store/a
            printf 'id,name\\n1,a\\n2,b\\n' >rows.csv; printf 'id,name\\nx,a\\n' >bad.csv
            $varve init -r first -q; rmdir store/t
            $varve table import store/t rows.csv -q; $varve table import t rows.csv -q
            $varve init -r repo -q; $varve snapshot store -r repo -q; rm -rf first
            echo b >>store/a; echo c >store/c; $varve table append store/t rows.csv -q
            $varve snapshot store -r repo -q; mv repo made
            """)
        try #require(made.status == 0, "\(made.errorText)")
        let table = try Self.table()
        #expect(table.count > 150)
        var seen: Set<String> = []
        for line in Self.commands.split(separator: "\n") {
            let words = line.split(separator: " ").map {
                $0.replacingOccurrences(of: "\u{a0}", with: " ")
            }
            if words == ["snapshot", "store", "-r", "repo", "--tag", "t"] {
                let moved = try workshop.shell("rm -rf repo && mv made repo")
                #expect(moved.status == 0, "\(moved.errorText)")
            }
            let result = try workshop.start(Workshop.program, words + ["--json"]).finish()
            let found = try keys(result.output).union(keys(result.errors))
            #expect(!found.isEmpty, "\(line): \(result.errorText)")
            let unknown = found.filter { key in
                !table.contains(key) && !table.contains(key.replacing(/_base64$/, with: ""))
            }
            #expect(unknown.isEmpty, "\(line) prints \(unknown.sorted())")
            seen.formUnion(found)
        }
        #expect(seen.contains("path_base64"))
        #expect(seen.count > 120)
    }
}
