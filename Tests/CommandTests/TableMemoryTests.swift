import Testing
import TestSupport

/// How much memory tables take, whatever their size.
@Suite(.serialized) struct TableMemoryTests {
    /// Kilobytes that a command held at most, behind what it printed.
    private static let measured = """
        measured() {
            python3 -c 'import resource, subprocess, sys
        status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        sys.exit(status)' "$@"
        }
        """

    /// More than waits in memory at a time, 96 MiB; partitions are written out in between.
    @Test(.needs("python3"))
    func `An import of 107 MB and a scan stay below 300 MB`() throws {
        let workshop = try Workshop()
        let finished = try workshop.shell(
            """
            \(Self.measured)
            set -eu
            awk 'BEGIN {
                for (i = 0; i < 900; i++) text = text sprintf("%c", 97 + i * i % 26)
                print "id,day,price,text"
                for (i = 0; i < 115000; i++)
                    printf "%d,2026-01-%02d,%d.25,%s%d\\n", i, i % 28 + 1, i % 1000, text, i
            }' >rows.csv
            [[ $(stat -c %s rows.csv) -gt 106000000 ]]
            measured "$varve" table import -q table rows.csv --partition-by day
            measured "$varve" table scan table --format csv --where 'price < 500'
            """)
        #expect(finished.status == 0, "\(finished.errorText)")
        let kilobytes = finished.text.split(separator: "\n").compactMap { Int($0) }
        #expect(kilobytes.count == 2)
        #expect(kilobytes.allSatisfy { $0 < 300_000 }, "\(kilobytes)")
    }
}
