import Platform
import Testing

@Suite struct CivilTimeTests {
    @Test(arguments: [
        ("1970-01-01", 0), ("2000-02-29", 951_782_400), ("2026-11-20", 1_795_132_800),
        ("2026-11-20T03:04", 1_795_143_840), ("2026-11-20T03:04:05", 1_795_143_845),
        ("2100-03-01", 4_107_542_400), ("9999-12-31T23:59:59", 253_402_300_799),
    ])
    func `Written times are moments of Greenwich`(text: String, seconds: Int64) throws {
        let time = try #require(CivilTime(parsing: text))
        #expect(time.moment(offset: 0) == Timestamp(seconds: seconds, nanoseconds: 0))
        let zoned = text.contains("T") ? CivilTime(parsing: text + "Z") : nil
        if let zoned { #expect(zoned.moment().seconds == seconds) }
    }

    @Test(arguments: [
        ("2026-11-20T03:00+01:00", 1_795_140_000), ("2026-11-20T03:00:00-05:30", 1_795_163_400),
    ])
    func `An offset is taken off`(text: String, seconds: Int64) throws {
        #expect(try #require(CivilTime(parsing: text)).moment().seconds == seconds)
    }

    @Test(arguments: [
        "", "2026", "2026-11", "2026-1-20", "26-11-20", "2026-11-20T", "2026-11-20T03",
        "2026-11-20T03:0", "2026-11-20T03:00:5", "2026-11-20T03:00:05.5", "2026-11-20Z",
        "2026-00-20", "2026-13-20", "2026-11-00", "2026-11-31", "2025-02-29", "1900-02-29",
        "2026-11-20T24:00", "2026-11-20T03:60", "2026-11-20T03:00:60", "2026-11-20T03:00+1:00",
        "2026-11-20T03:00+24:00", " 2026-11-20", "2026-11-20 ", "+026-11-20",
    ])
    func `Other text is no time`(text: String) {
        #expect(CivilTime(parsing: text) == nil)
    }

    @Test func `Local time comes back as the same moment`() {
        for seconds in stride(from: Int64(0), to: 4_000_000_000, by: 86_399 * 37) {
            let moment = Timestamp(seconds: seconds, nanoseconds: 0)
            let local = CivilTime(local: moment)
            #expect(local.moment() == moment)
            #expect(CivilTime(parsing: local.rfc3339)?.moment() == moment)
        }
    }

    @Test(arguments: [
        ("2026-12-31", "2027-01-01"), ("2024-02-28", "2024-02-29"),
        ("2026-12-31T23:59", "2027-01-01T00:00"), ("2026-11-20T03:00:59", "2026-11-20T03:01:00"),
    ])
    func `The next unit begins where this one ends`(text: String, next: String) throws {
        let time = try #require(CivilTime(parsing: text)).next
        let wanted = try #require(CivilTime(parsing: next))
        #expect(time.moment(offset: 0) == wanted.moment(offset: 0))
        #expect(time.moment() == wanted.moment())
    }
}
