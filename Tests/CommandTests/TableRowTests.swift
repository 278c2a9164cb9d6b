import Testing
import TestSupport

/// What `varve table` prints, and how it ends.
struct TableRowTests {
    private static let orders = """
        id,day,price,name
        1,2026-11-20,9.90,apple
        2,2026-11-20,12.00,"pear, ripe"
        3,2026-11-21,0.05,
        4,2026-11-21,100.00,""

        """
    private static let schema = "id long not null, day date, price decimal(12,2), name string"

    private func workshop(_ flags: String = "") throws -> Workshop {
        let workshop = try Workshop()
        try workshop.write("orders.csv", Self.orders)
        let made = try workshop.shell(
            "\"$varve\" table import orders orders.csv --schema '\(Self.schema)' \(flags)")
        #expect(made.status == 0, "\(made.errorText)")
        return workshop
    }

    private func scan(_ workshop: Workshop, _ flags: String...) throws -> String {
        let flags = ["table", "scan", "orders"] + flags
        let finished = try workshop.start(Workshop.program, flags).finish()
        #expect(finished.status == 0, "\(finished.errorText)")
        return finished.text
    }

    @Test func `Rows are printed as a table, as CSV and as NDJSON`() throws {
        let workshop = try workshop()
        #expect(
            try scan(workshop, "--format", "csv") == Self.orders)
        #expect(
            try scan(workshop, "--format", "ndjson", "--where", "id >= 3") == """
                {"id":3,"day":"2026-11-21","price":0.05,"name":null}
                {"id":4,"day":"2026-11-21","price":100.00,"name":""}

                """)
        #expect(try scan(workshop, "--json", "--limit", "0") == "")
        let lines = try scan(workshop, "--columns", "name,id", "--limit", "2")
            .split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.map { $0.contains("pear, ripe") } == [false, false, true])
    }

    @Test(arguments: [
        ("id = 1 OR id = 3", [1, 3]), ("day = '2026-11-20' AND price > 10", [2]),
        ("NOT (id = 1 OR id = 3)", [2, 4]), ("name IS NULL", [3]), ("name = \"\"", [4]),
        ("id = 1 OR id = 2 AND price < 10", [1]), ("(id = 1 OR id = 2) AND price < 10", [1]),
        ("price IN (0.05, 9.9) AND day <> '2026-11-20'", [3]), ("id BETWEEN 2 AND 3", [2, 3]),
        ("price = 9.901", []), ("id > 2.5", [3, 4]), ("name <> 'apple'", [2, 4]),
        ("id > 99999999999999999999", []), ("id < 99999999999999999999 AND id >= 4", [4]),
    ])
    func `Filters take AND before OR, and no null`(filter: String, ids: [Int]) throws {
        for flags in ["", "--partition-by day", "--sort-by name"] {
            let workshop = try workshop(flags)
            let text = try scan(
                workshop, "--columns", "id", "--format", "csv", "--where", filter)
            let found = text.split(separator: "\n").dropFirst().compactMap { Int($0) }
            #expect(found.sorted() == ids, "\(flags)")
        }
    }

    @Test func `Older versions are read by number and by time`() throws {
        let workshop = try workshop()
        let finished = try workshop.shell(
            """
            set -eu
            sleep 1.1; between=$(date +%s); sleep 0.1
            "$varve" table delete -q orders --where 'id > 1'
            for flags in '--at-version 1' "--at-time @$between" '--at-version 0' ''; do
                "$varve" table scan orders --columns id --format csv $flags | tail -n +2 | wc -l
            done
            """)
        #expect(finished.status == 0, "\(finished.errorText)")
        #expect(finished.text == "4\n4\n0\n1\n")
        for (flags, words) in [
            (["--at-version", "9"], "there is no version 9; the newest is 2"),
            (["--at-time", "2000-01-01"], "no version is as old"),
        ] {
            let missing = try workshop.start(
                Workshop.program, ["table", "scan", "orders"] + flags
            ).finish()
            #expect(missing.status == 1)
            #expect(missing.errorText.contains(words), "\(missing.errorText)")
            #expect(missing.errorText.contains("table history"))
        }
    }

    @Test func `Every type is exact in NDJSON`() throws {
        let workshop = try Workshop()
        let rows =
            #"{"l":9223372036854775807,"d":-0.00000000000000000000000000000000000001,"f":0.1,"#
            + #""x":5e-324,"b":"AP/+","t":"1969-12-31T23:59:59.999999Z","#
            + #""n":"0001-01-01T00:00:00","s":"é\n\u0000\"","y":true,"q":"9999-12-31"}"# + "\n"
            + #"{"l":-9223372036854775808,"d":0.99999999999999999999999999999999999999,"f":-0.0,"#
            + #""x":"NaN","b":"","t":"2026-11-20T03:00:05.123Z","#
            + #""n":"9999-12-31T23:59:59.999999","s":"","y":false,"q":"0001-01-01"}"# + "\n"
            + #"{"l":null,"d":null,"f":null,"x":"-Infinity","b":null,"t":null,"n":null,"#
            + #""s":null,"y":null,"q":null}"# + "\n"
        try workshop.write("rows.ndjson", rows)
        let finished = try workshop.shell(
            """
            "$varve" table import -q t rows.ndjson --schema 'l long, d decimal(38,38), f float,
                x double, b binary, t timestamp, n timestamp_ntz, s string, y boolean, q date' &&
            "$varve" table scan t --format ndjson
            """)
        #expect(finished.status == 0, "\(finished.errorText)")
        #expect(finished.text == rows)
    }

    // MARK: Rows that do not fit

    private static let wrong = """
        id,day,price,name
        1,2026-11-20,9.90,a
        x,2026-11-20,9.90,b
        3,2026-11-31,9.90,c
        4,2026-11-20,9.905,d
        5,2026-11-20
        6,2026-11-20,1.00,e,f
        7,2026-11-20,1.00,"g"h
        ,2026-11-20,1.00,i
        9,2026-11-20,1.00,j

        """

    private static let complaints = [
        "line 3, column id: expected a whole number of 64 bits, found 'x'",
        "line 4, column day: expected", "line 5, column price: expected",
        "line 6: expected 4 fields, found 2", "line 7: expected 4 fields, found 5",
        "line 8: expected a delimiter behind the closing quote",
        "line 9, column id: expected a value: the column is not null",
    ]

    private func importing(
        _ policy: String, _ more: String = ""
    ) throws -> (Workshop, Finished) {
        let workshop = try workshop()
        try workshop.write("wrong.csv", Self.wrong)
        let finished = try workshop.shell(
            "\"$varve\" table append orders wrong.csv \(more) --on-error=\(policy)")
        return (workshop, finished)
    }

    @Test func `The first row that does not fit ends an import, and nothing stays of it`() throws {
        let (workshop, finished) = try importing("fail")
        #expect(finished.status == 1)
        #expect(finished.output.isEmpty)
        #expect(
            finished.errorText == """
                varve: wrong.csv: line 3, column id: expected a whole number of 64 bits, found 'x'
                  Nothing was changed; the table is as it was.
                  Put the file right, give a fitting --schema, or leave rows out with \
                --on-error=skip.

                """)
        let files = try workshop.shell("find orders -name 'seg-*' | wc -l")
        #expect(files.text == "1\n")
    }

    @Test func `Rows that do not fit are left out and named when that is wanted`() throws {
        let (workshop, finished) = try importing("skip")
        #expect(finished.status == 3)
        let lines = finished.errorText.split(separator: "\n")
        #expect(lines.count == Self.complaints.count)
        for (line, complaint) in zip(lines, Self.complaints) {
            #expect(line.hasPrefix("varve: left out: wrong.csv, \(complaint)"), "\(line)")
        }
        #expect(
            try scan(workshop, "--columns", "id", "--format", "csv", "--where", "price IN (9.9, 1)")
                == "id\n1\n1\n9\n")
    }

    @Test func `A file with a row that does not fit is left out, the others come`() throws {
        let (workshop, finished) = try importing("reject-file", "orders.csv")
        #expect(finished.status == 3)
        #expect(finished.errorText.contains("left out: wrong.csv: line 3, column id"))
        #expect(
            try scan(workshop, "--format", "csv", "--columns", "id").split(separator: "\n")
                .count == 9)
        let json = try workshop.shell(
            "\"$varve\" table append orders wrong.csv --json --on-error=reject-file")
        #expect(json.status == 3)
        #expect(json.text.contains("\"files_rejected\":1"))
        #expect(json.text.contains("\"version\":null"))
    }

    @Test func `NDJSON that does not fit is named by line and column too`() throws {
        let workshop = try workshop()
        try workshop.write(
            "wrong.ndjson",
            """
            {"id":1,"day":"2026-11-20"}
            {"id":2.5}
            {"id":3,"color":"red"}
            [4]
            "id":5
            {"id":"6"}
            {"id":7,"price":123456789012.00}
            {"id":18446744073709551616}

            """)
        let finished = try workshop.shell(
            "\"$varve\" table append orders wrong.ndjson --on-error=skip")
        #expect(finished.status == 3)
        let starts = [
            "line 2, column id: expected a whole number of 64 bits, found '2.5'",
            "line 3, column color: the table has no such column", "line 4: expected an object",
            "line 5: expected JSON", "line 6, column id: expected",
            "line 7, column price: expected", "line 8, column id: expected",
        ]
        let lines = finished.errorText.split(separator: "\n")
        #expect(lines.count == starts.count, "\(finished.errorText)")
        for (line, start) in zip(lines, starts) {
            #expect(line.hasPrefix("varve: left out: wrong.ndjson, \(start)"), "\(line)")
        }
    }

    // MARK: Odd CSV

    @Test(arguments: [
        ("\u{feff}a,b\r\n1,x\r\n2,\"y\r\nz\"\r\n", "1,x\n2,\"y\r\nz\"\n"),
        ("a,b\n1,\"say \"\"hi\"\"\"\n", "1,\"say \"\"hi\"\"\"\n"),
        ("a,b\n\n1,x\n\r\n\n2,y", "1,x\n2,y\n"), ("b,a\nx,1\n", "1,x\n"),
        ("A,B\n1,x\n", "1,x\n"), ("a\n7\n", "7,\n"), ("a,b\n", ""), ("", ""),
        ("a,b\n1,\"\"\n2,\n", "1,\"\"\n2,\n"), ("a,b\n1, x \n", "1, x \n"),
        ("a,b\n1,x\ty\n", "1,x\ty\n"), ("a,b\n1,it's \"so\"\n", "1,\"it's \"\"so\"\"\"\n"),
        ("a,b,\n1,x,\n", "1,x\n"),
    ])
    func `CSV as others write it is understood`(text: String, rows: String) throws {
        let workshop = try Workshop()
        try workshop.write("in.csv", text)
        let finished = try workshop.shell(
            """
            "$varve" table import -q t in.csv --schema 'a long, b string' &&
            "$varve" table scan t --format csv | tail -n +2
            """)
        #expect(finished.status == 0, "\(finished.errorText)")
        #expect(finished.text == rows)
    }

    @Test(arguments: [
        ("a,b\n1,\"x\n2,y\n", "line 2: expected a closing quote"),
        ("a,c\n1,x\n", "line 1: there is no column \"c\""),
        ("a,a\n1,2\n", "line 1: column a stands there twice"),
        ("a,b\n1,\u{fffd}x\n", ""), ("\"a\"x,b\n", "line 1: expected a delimiter"),
    ])
    func `CSV that cannot be understood is refused with its line`(
        text: String, words: String
    ) throws {
        let workshop = try Workshop()
        var bytes = Array(text.utf8)
        // A byte that is no UTF-8.
        if let place = bytes.firstIndex(of: 0xef) {
            bytes.replaceSubrange(place..<place + 3, with: [0xff])
        }
        try workshop.write("in.csv", bytes)
        let finished = try workshop.shell(
            "\"$varve\" table import -q t in.csv --schema 'a long, b string'")
        #expect(finished.status == 1)
        let expected = words.isEmpty ? "line 2, column b: expected text in UTF-8" : words
        #expect(finished.errorText.contains("in.csv: \(expected)"), "\(finished.errorText)")
        #expect(try workshop.shell("test -e t").status == 1)
    }

    @Test func `A field of three megabytes comes back, and a quote left open ends early`() throws {
        let workshop = try Workshop()
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 3_000_000)
        try workshop.write("in.csv", Array("a,b\n1,\"".utf8) + long + Array("\"\n2,y\n".utf8))
        let finished = try workshop.shell(
            """
            "$varve" table import -q t in.csv --schema 'a long, b string' &&
            "$varve" table scan t --format csv | wc -c
            """)
        #expect(finished.text == "3000011\n", "\(finished.errorText)")
    }
}
