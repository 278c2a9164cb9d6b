import Testing
import TestSupport

/// Tables that somebody made to do harm, and such as were damaged.
///
/// Nothing is read outside of them, nothing traps, and what is wrong has a name.
struct HostileTableTests {
    private static let schema =
        #"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\","#
        + #"\"nullable\":true,\"metadata\":{}}]}"#
    private static let start =
        #"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"# + "\n"
        + #"{"metaData":{"id":"a","format":{"provider":"parquet","options":{}},"#
        + #""schemaString":"\#(schema)","partitionColumns":[],"configuration":{}}}"# + "\n"

    private static func needing(_ feature: String) -> String {
        #"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"#
            + #""readerFeatures":["\#(feature)"],"writerFeatures":["\#(feature)"]}}"#
    }

    private static func add(_ path: String, _ more: String = "", size: String = "1") -> String {
        #"{"add":{"path":"\#(path)","partitionValues":{},"size":\#(size),"#
            + #""modificationTime":1,"dataChange":true\#(more)}}"#
    }

    private static func name(_ version: Int) -> String {
        let digits = String(version)
        return "table/_delta_log/" + String(repeating: "0", count: 20 - digits.count) + digits
            + ".json"
    }

    /// A table with one commit behind the first.
    private func workshop(_ commit: String) throws -> Workshop {
        let workshop = try Workshop()
        try workshop.write(Self.name(0), Self.start)
        try workshop.write(Self.name(1), commit)
        try workshop.write("secret.parquet", "secret")
        return workshop
    }

    /// Every command that reads the table fails with words, and with no signal.
    private func refuses(
        _ workshop: Workshop, _ words: String, verbs: [String] = ["scan", "verify", "export"]
    ) throws {
        for verb in verbs {
            let more = verb == "export" ? ["--to", "out.csv"] : []
            let finished = try workshop.start(
                Workshop.program, ["table", verb, "table"] + more
            ).finish()
            #expect(finished.status == 1, "\(verb) \(words)")
            #expect(finished.errorText.contains(words), "\(verb): \(finished.errorText)")
            #expect(!finished.text.contains("secret"))
        }
    }

    @Test(arguments: [
        ("../secret.parquet", "secret.parquet"), ("%2e%2e/secret.parquet", "secret.parquet"),
        ("a/../../secret.parquet", "secret.parquet"),
        ("/etc/passwd", "a data file outside of the table"),
        ("file:///etc/passwd", "a data file outside of the table"),
        ("s3://bucket/key", "a data file outside of the table"),
        ("a%zz.parquet", "expected two digits after '%'"), ("a%2", "expected two digits after"),
        ("a%00b", "expected a path in UTF-8"), ("%ff", "expected a path in UTF-8"),
        ("", "a data file outside of the table"), (".", "."), ("_delta_log", "_delta_log"),
        ("link.parquet", "link.parquet"), ("missing.parquet", "the data file is gone"),
        ("pipe", "pipe"),
    ])
    func `Paths out of a table, or to what is no file, are refused`(
        path: String, words: String
    ) throws {
        let workshop = try workshop(Self.add(path))
        _ = try workshop.shell("ln -s ../secret.parquet table/link.parquet; mkfifo table/pipe")
        try refuses(workshop, words)
    }

    @Test(arguments: [
        (#"{"add":{"path":"a","partitionValues":{},"si"#, "00000001.json"),
        (#"{"add":7}"#, "expected"), ("[]", "expected an object"), ("nonsense", "expected"),
        (add("a", size: "99999999999999999999"), "number 'size'"),
        (add("a", size: "-1"), "a size that is not negative"), (add("a", size: "1e400"), "size"),
        (add("a", size: "\"1\""), "number 'size'"),
        (#"{"metaData":{"id":"a","schemaString":"{}","partitionColumns":[]}}"#, "schema"),
        (#"{"metaData":{"id":"a","schemaString":"[[[[","partitionColumns":[]}}"#, "schema"),
        (String(repeating: "[", count: 100_000), "not so deep"),
        (#"{"protocol":{"minReaderVersion":9,"minWriterVersion":9}}"#, "reader version 9"),
        (needing("variantType"), "reader feature 'variantType'"),
        (needing("catalogManaged"), "reader feature 'catalogManaged'"),
        (
            add(
                "a",
                #","deletionVector":{"storageType":"p","pathOrInlineDv":"file:///etc/passwd","#
                    + #""offset":1,"sizeInBytes":1,"cardinality":1}"#), "a"
        ),
    ])
    func `Logs that make no sense, or need more than is known, are refused by name`(
        commit: String, words: String
    ) throws {
        let workshop = try workshop(commit)
        try workshop.write("table/a", "x")
        try refuses(workshop, words)
    }

    @Test func `A torn commit leaves the versions before it, and that is said`() throws {
        let workshop = try workshop(#"{"add":{"path":"a","#)
        let finished = try workshop.varve("table", "scan", "table")
        #expect(finished.status == 1)
        #expect(finished.errorText.contains("No version from there on can be read"))
        #expect(try workshop.varve("table", "scan", "table", "--at-version", "0").status == 0)
    }

    @Test func `A version that is missing is named, the first as well`() throws {
        let workshop = try workshop(Self.add("a"))
        try workshop.write(Self.name(3), "{}")
        try refuses(workshop, "version 2 is not in the log")
        let finished = try workshop.varve("table", "scan", "table", "--at-version", "0")
        #expect(finished.status == 0)
        _ = try workshop.shell("rm table/_delta_log/*00.json")
        try refuses(workshop, "version 0 is not in the log")
    }

    @Test func `Columns under other names are read and written by their shown names`() throws {
        let workshop = try Workshop()
        let mapping =
            #"\"metadata\":{\"delta.columnMapping.id\":1,"#
            + #"\"delta.columnMapping.physicalName\":\"id\"}"#
        let mapped = Self.start.replacing(#"\"metadata\":{}"#, with: mapping)
            .replacing(#"\"name\":\"id\""#, with: #"\"name\":\"shown name\""#)
            .replacing(
                #""configuration":{}"#,
                with: #""configuration":{"delta.columnMapping.mode":"name"}"#
            )
            .replacing(#"ReaderVersion":1"#, with: #"ReaderVersion":2"#)
            .replacing(#"WriterVersion":2"#, with: #"WriterVersion":5"#)
        try workshop.write("rows.csv", "id\n7\n")
        let finished = try workshop.shell(
            """
            "$varve" table import -q plain rows.csv --schema 'id long' && mkdir -p table &&
            cp plain/seg-* table/ && cp -r plain/_delta_log table/
            """)
        #expect(finished.status == 0, "\(finished.errorText)")
        try workshop.write(Self.name(0), mapped)
        let scan = try workshop.varve(
            "table", "scan", "table", "--format", "ndjson", "--where", "`shown name` = 7")
        #expect(scan.text == "{\"shown name\":7}\n", "\(scan.errorText)")
        let refused = try workshop.varve("table", "append", "table", "rows.csv")
        #expect(refused.status == 1)
        #expect(refused.errorText.contains("shown name"), "\(refused.errorText)")
        try workshop.write("more.csv", "shown name\n8\n")
        let append = try workshop.varve("table", "append", "table", "more.csv")
        #expect(append.status == 0, "\(append.errorText)")
        let both = try workshop.varve("table", "scan", "table", "--format", "ndjson")
        #expect(
            both.text.split(separator: "\n").sorted()
                == ["{\"shown name\":7}", "{\"shown name\":8}"], "\(both.errorText)")
    }

    @Test func `A damaged data file is named, and the rows of the others are there`() throws {
        let workshop = try Workshop()
        let finished = try workshop.shell(
            """
            set -eu
            for file in 1 2 3; do
                echo id,text >rows.csv
                for i in $(seq 2000); do echo "$i,row $((i * file * 7919))" >>rows.csv; done
                "$varve" table import -q table rows.csv
            done
            "$varve" table verify -q table
            ls -t table/seg-* | tail -n 1 >first
            size=$(stat -c %s "$(cat first)")
            printf '\\377\\000\\377\\000' |
                dd of="$(cat first)" bs=1 seek=$((size / 3)) conv=notrunc 2>/dev/null
            basename "$(cat first)"
            """)
        #expect(finished.status == 0, "\(finished.errorText)")
        let name = String(finished.text.dropLast())
        let verify = try workshop.varve("table", "verify", "table")
        #expect(verify.status == 1)
        #expect(verify.errorText.contains("damaged: \(name): "), "\(verify.errorText)")
        #expect(verify.errorText.split(separator: "\n").count { $0.contains("seg-") } == 1)
        let json = try workshop.varve("table", "verify", "table", "--json")
        #expect(json.status == 1)
        #expect(json.text.contains(name))
        let scan = try workshop.varve("table", "scan", "table", "--format", "csv")
        #expect(scan.status == 1)
        #expect(scan.errorText.contains(name))
        _ = try workshop.shell("rm \"$(cat first)\"")
        let gone = try workshop.varve("table", "verify", "table")
        #expect(gone.errorText.contains("damaged: \(name): the data file is gone"))
        let back = try workshop.varve("table", "restore", "table", "--version", "0")
        #expect(back.status == 0, "\(back.errorText)")
    }
}
