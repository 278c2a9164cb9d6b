import Testing

/// The commands of tables as they are typed, and what they say to mistakes.
@Suite struct TableCommandTests {
    private static let orders = """
        id,customer,price,day
        1,Anna,12.50,2026-11-19
        2,"Ben, Jr.",99.90,2026-11-19
        3,Chloé,,2026-11-20

        """

    private static func workshop() throws -> Workshop {
        let workshop = try Workshop()
        try workshop.write("orders.csv", orders)
        return workshop
    }

    private static func withTable() throws -> Workshop {
        let workshop = try workshop()
        let made = try workshop.varve(
            "table", "import", "orders", "orders.csv", "--partition-by", "day")
        #expect(made.status == 0, "\(made.errorText)")
        #expect(made.text.hasPrefix("made table orders: 3 rows in 2 data files, "))
        return workshop
    }

    @Test func `A table is made, filled, scanned and described as in the manual`() throws {
        let workshop = try Self.workshop()
        let schema = "id long not null, customer string, price decimal(12,2), day date"
        let created = try workshop.varve(
            "table", "create", "t", "--schema", schema, "--partition-by", "day", "--sort-by", "id")
        #expect(created.status == 0 && created.text == "made table t with 4 columns\n")
        #expect(try workshop.varve("table", "append", "t", "orders.csv").status == 0)
        let scan = try workshop.varve(
            "table", "scan", "t", "--columns", "id,price", "--where",
            #"id >= 1 AND customer = "Anna""#, "--format", "csv", "--at-version", "1")
        #expect(scan.text == "id,price\n1,12.50\n")
        let lines = try workshop.varve("table", "scan", "t", "--format", "ndjson", "--limit", "1")
        #expect(
            lines.text == #"{"id":1,"customer":"Anna","price":12.50,"day":"2026-11-19"}"# + "\n")
        let info = try workshop.varve("table", "info", "t")
        #expect(info.text.contains("\nrows        3\n"))
        #expect(info.text.contains("\npartitions  2, by day\nsorted by   id\n"))
    }

    @Test func `The schema comes from a document, a file or a sample`() throws {
        let workshop = try Self.workshop()
        try workshop.write("schema.json", #"{"properties":{"a":{"type":"integer"}}}"#)
        let choices = [
            ["--schema-file", "schema.json"], ["--sample", "orders.csv"],
            ["--schema", #"{"properties":{"a":{"type":"integer"}}}"#],
        ]
        for (number, choice) in choices.enumerated() {
            let made = try workshop.start(
                Workshop.program, ["table", "create", "t\(number)"] + choice
            ).finish()
            #expect(made.status == 0, "\(made.errorText)")
        }
        let info = try workshop.varve("table", "info", "t1", "--json")
        #expect(
            info.text.contains(#""schema":"id long, customer string, price double, day date""#))
    }

    @Test(arguments: [
        ["create", "t"], ["create", "t", "--schema", "a long", "--sample", "orders.csv"],
        ["create", "t", "--schema", "a lng"], ["create", "t", "--schema", "a long b long"],
        ["import", "orders", "orders.csv", "--sort-by", "id"],
        ["scan", "orders", "--where", "day = 2026-11-20"],
        ["scan", "orders", "--where", "prise > 1"], ["scan", "orders", "--columns", "a"],
        ["scan", "orders", "--at-version", "1", "--at-time", "2026-11-20"],
        ["restore", "orders"], ["import", "t", "orders.xlsx"], ["crate", "t"],
        ["delete", "orders"],
        ["import", "t", "/dev/stdin", "--input-format", "csv"],
    ])
    func `Wrong usage of tables exits with 2 and changes nothing`(arguments: [String]) throws {
        let workshop = try Self.withTable()
        let result = try workshop.start(Workshop.program, ["table"] + arguments).finish()
        #expect(result.status == 2)
        #expect(result.output == [])
        #expect(result.errorText.hasPrefix("varve: "))
        #expect(try workshop.varve("table", "info", "t").status == 10)
    }

    @Test(arguments: ["orders.csv", "nowhere", "."])
    func `A place without a table exits with 10`(place: String) throws {
        let workshop = try Self.workshop()
        for command in ["scan", "info", "history", "verify", "compact", "vacuum"] {
            let result = try workshop.varve("table", command, place)
            #expect(result.status == 10, "\(result.errorText)")
            #expect(result.errorText.contains("Check the path, or make a table there"))
        }
    }

    @Test(arguments: [
        ("1,Anna,1,2026-11-19\n", "--no-header"), ("id;price\n1;2\n", "--delimiter ';'"),
        ("id,price\n1,2\n2,abc\n", "line 3, column price: expected a number, found 'abc'"),
        ("id,size\n1,2\n", "there is no column \"size\""),
    ])
    func `A file that does not fit is told by line, and the table stays as it is`(
        text: String, message: String
    ) throws {
        let workshop = try Self.withTable()
        try workshop.write("bad.csv", text)
        let result = try workshop.varve("table", "append", "orders", "bad.csv")
        #expect(result.status == 1 && result.errorText.contains(message), "\(result.errorText)")
        #expect(result.errorText.contains("Nothing was changed; the table is as it was."))
        #expect(try workshop.varve("table", "scan", "orders", "--format", "csv").text.count > 20)
        #expect(try workshop.varve("table", "info", "orders").text.contains("version     1\n"))
    }

    @Test func `Rows that are left out are listed, and the status is 3`() throws {
        let workshop = try Self.withTable()
        try workshop.write("bad.csv", "id,price\n4,2\n5,abc\n")
        let result = try workshop.varve("table", "append", "orders", "bad.csv", "--on-error=skip")
        #expect(result.status == 3)
        #expect(result.errorText.contains("left out: bad.csv, line 3, column price"))
        #expect(result.text.hasPrefix("appended to orders: 1 row in 1 data file"))
    }

    @Test func `A version that vacuum took away is refused, and the newest stays`() throws {
        let workshop = try Self.withTable()
        let deleted = try workshop.varve(
            "table", "delete", "orders", "--where", #"day = "2026-11-19""#)
        #expect(
            deleted.text == "deleted 2 rows: 1 data file removed, 0 added, version 2\n")
        let refused = try workshop.varve("table", "vacuum", "orders", "--retention", "0h")
        #expect(refused.status == 1 && refused.errorText.contains("--force"))
        let tried = try workshop.varve(
            "table", "vacuum", "orders", "--retention", "0h", "--force", "--dry-run")
        #expect(tried.text.contains("would remove 1 file, "))
        let waits = try workshop.varve("table", "vacuum", "orders")
        #expect(waits.text.hasPrefix("removed 0 files, 0 B\n  1 file, "))
        #expect(waits.text.hasSuffix(" will be old enough within 7 days\n"))
        #expect(try workshop.varve("table", "scan", "orders", "--at-version", "1").status == 0)
        #expect(
            try workshop.varve("table", "vacuum", "orders", "--retention", "0h", "--force").status
                == 0)
        for command in [["scan", "orders", "--at-version"], ["restore", "orders", "--version"]] {
            let gone = try workshop.start(
                Workshop.program, ["table"] + command + ["1"]
            ).finish()
            #expect(gone.status == 1)
            #expect(gone.errorText.contains("version 1 needs this data file, which is gone"))
        }
        #expect(try workshop.varve("table", "verify", "orders").status == 0)
        let unknown = try workshop.varve("table", "scan", "orders", "--at-version", "9")
        #expect(unknown.errorText.hasPrefix("varve: there is no version 9; the newest is 2\n"))
    }

    /// A limit on the size of files stands for a disk that is full.
    @Test func `A disk that takes no more is no damage, and nothing stays behind`() throws {
        let workshop = try Self.withTable()
        let rows = (0..<50_000).map { "\($0),\($0 &* 7919 % 50_021)" }.joined(separator: "\n")
        try workshop.write("rows.csv", "id,price\n" + rows + "\n")
        let before = try workshop.shell("find orders -type f | sort").text
        let result = try workshop.shell("ulimit -f 16; $varve table append orders rows.csv")
        #expect(result.status == 1)
        #expect(result.errorText.hasPrefix("varve: cannot write "), "\(result.errorText)")
        #expect(result.errorText.contains("What was committed before is as it was"))
        #expect(try workshop.shell("find orders -type f | sort").text == before)
        let export = try workshop.shell(
            "$varve table import t rows.csv -q --schema 'id long, price double' && ulimit -f 16 "
                + "&& $varve table export t --to t.parquet; ls -A | grep parquet")
        #expect(export.text == "" && export.errorText.contains("cannot write"))
    }

    @Test func `A reader that stops early ends a scan quietly`() throws {
        let workshop = try Self.workshop()
        let rows = (0..<50_000).map { "\($0),some text for row \($0)" }.joined(separator: "\n")
        try workshop.write("rows.csv", "id,text\n" + rows + "\n")
        let result = try workshop.shell(
            "$varve table import t rows.csv -q && $varve table scan t --format csv | head -2; "
                + "echo ${PIPESTATUS[0]}")
        #expect(result.text == "id,text\n0,some text for row 0\n0\n")
        #expect(result.errors == [])
    }

    @Test(arguments: ["table crate", "table optimise", "table query", "import", "vacuum"])
    func `A command of tables that there is not is told with one that there is`(
        command: String
    ) throws {
        let result = try Workshop().shell("$varve \(command) x; exit $?")
        #expect(result.status == 2)
        #expect(result.errorText.contains("Did you mean `varve table "))
    }

    @Test func `Every command of tables has help with an example`() throws {
        let workshop = try Workshop()
        let commands = [
            "create", "import", "append", "scan", "export", "info", "history", "delete", "compact",
            "vacuum", "restore", "verify",
        ]
        for command in commands {
            let help = try workshop.varve("table", command, "--help")
            #expect(help.status == 0)
            #expect(help.text.contains("Examples:\n  varve table \(command)"), "\(command)")
        }
    }

    @Test func `JSON is one document, or a summary behind what tells of progress`() throws {
        let workshop = try Self.withTable()
        let appended = try workshop.varve("table", "append", "orders", "orders.csv", "--json")
        let last = appended.text.split(separator: "\n").last ?? ""
        #expect(last.hasPrefix(#"{"type":"summary","created":false,"rows_added":3,"#))
        let history = try workshop.varve("table", "history", "orders", "--json")
        #expect(history.text.hasPrefix(#"[{"version":2,"time":"#))
        let failed = try workshop.varve("table", "info", "nowhere", "--json")
        #expect(failed.status == 10 && failed.errorText.contains(#""exit_code":10"#))
    }
}
