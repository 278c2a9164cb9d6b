import Bytes
import TableStore
import Testing

struct FilterTests {
    private static func store() throws -> TestStore {
        let store = try TestStore()
        try store.create("id long, name string, price decimal(6,2), x double, day date, ok boolean")
        try store.append(
            """
            id,name,price,x,day,ok
            1,Ann,1.50,0.5,2026-01-01,true
            2,Bo,2.00,NaN,2026-01-02,false
            3,,3.25,-Infinity,,
            4,"it's",,7,2026-01-04,true
            """)
        return store
    }

    @Test(arguments: [
        ("id = 2", "2"), ("id != 2", "134"), ("id <> 2", "134"), ("id < 3", "12"),
        ("id >= 2.5", "34"), ("id < 2.5", "12"), ("id = 2.5", ""), ("id != 2.5", "1234"),
        ("id > 99999999999999999999", ""), ("id < 99999999999999999999", "1234"),
        ("id > -99999999999999999999", "1234"), ("id <= -99999999999999999999", ""),
        ("price >= 2", "23"), ("price = 1.5", "1"), ("price > 1.499", "123"),
        ("price < 1.501", "1"), ("name = \"Ann\"", "1"), ("name = 'it''s'", "4"),
        ("name >= 'B'", "24"), ("name IS NULL", "3"), ("name is not null", "124"),
        ("NOT name = 'Ann'", "24"), ("NOT (name = 'Ann' OR id = 4)", "2"),
        ("day = '2026-01-02'", "2"), ("day < '2026-01-04' AND ok = true", "1"),
        ("ok = false", "2"), ("x > 1", "24"), ("x < 0", "3"), ("x != 7", "123"), ("x = NaN", ""),
        ("id IN (1, 3, 5)", "13"), ("id NOT IN (1,3)", "24"), ("id BETWEEN 2 AND 3", "23"),
        ("id NOT BETWEEN 2 AND 3", "14"), ("`id` = 1 or `id` = 2 and ok = true", "1"),
        ("(id = 1 or id = 2) and ok = false", "2"), ("ID = 1", "1"),
    ])
    func `A filter finds its rows`(filter: String, ids: String) throws {
        // x = NaN has no quotes, so it is no literal.
        guard filter != "x = NaN" else {
            #expect(throws: TableStoreError.self) { try Filter(parsing: filter) }
            return
        }
        #expect(try Self.store().lines(where: filter, columns: ["id"]).joined() == ids)
    }

    @Test func `NaN is equal to itself and greater than all others`() throws {
        let store = try Self.store()
        #expect(try store.lines(where: "x = 'NaN'", columns: ["id"]) == ["2"])
        #expect(try store.lines(where: "x > 'Infinity'", columns: ["id"]) == ["2"])
    }

    @Test(arguments: [
        "", "id", "id =", "= 3", "id = 3 and", "(id = 3", "id = 3)", "id = abc", "id in ()",
        "id between 1", "id is 3", "id = 'x", "id = 3 id = 4", "id ! 3",
    ])
    func `A filter that makes no sense is refused`(filter: String) {
        #expect(throws: TableStoreError.self) { try Filter(parsing: filter) }
    }

    @Test(arguments: ["nope = 3", "id = 'x'", "name = 3", "day = 'soon'", "ok = 1", "id = true"])
    func `A filter that does not fit the table is refused`(filter: String) throws {
        let store = try Self.store()
        #expect(throws: TableStoreError.self) { try store.lines(where: filter) }
    }

    @Test func `A filter that is nested deep is refused and does not trap`() {
        let text = String(repeating: "(", count: 100_000) + "a = 1"
        #expect(throws: TableStoreError.self) { try Filter(parsing: text) }
        let nots = String(repeating: "not ", count: 100_000) + "a = 1"
        #expect(throws: TableStoreError.self) { try Filter(parsing: nots) }
    }
}
