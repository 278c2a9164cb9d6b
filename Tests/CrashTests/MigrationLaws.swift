import Bytes
import Migration
import Platform
import Testing
import TestSupport
import Trees

/// What a crash must not do to a store that is moved.
struct MigrationLaws {
    private static let files = ["a": "first", "dir/b": "second", "dir/inner/c": ""]

    private static func request(_ place: CrashPlace) -> MigrationRequest {
        var request = MigrationRequest(
            source: place.path("source"), target: place.path("target"),
            filter: WalkFilter(patterns: ExcludePatterns()), scope: [])
        request.strategy = .sequential
        request.pause = .milliseconds(1)
        return request
    }

    /// As the command does it; tells when the target is proven, and when the source is clean.
    private static func migrate(_ place: CrashPlace, _ isDone: () -> Void) throws {
        let run = try MigrationRun(request(place))
        if !run.isVerified {
            try run.start(try run.plan(backsUp: false, cleans: true))
            _ = try run.execute()
            _ = try run.verify()
            #expect(run.isVerified)
        }
        isDone()
        if !run.isCleaned {
            let left = try run.cleanUp().left
            #expect(left == [])
        }
        isDone()
    }

    private static func content(_ name: String, _ place: CrashPlace) -> String? {
        (try? place.read(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test
    func `Every file is whole in the source or in the target, and the next run ends the move`()
        throws
    {
        try CrashLaw("migration", points: 500).holds { place in
            for (name, text) in Self.files { try place.write(text, "source/\(name)") }
            // What is younger than a tick of the clock counts as changing.
            HostSystem.sleep(.milliseconds(25))
        } run: { place, isDone in
            try Self.migrate(place, isDone)
        } law: { scene in
            for (name, text) in Self.files {
                let before = Self.content("source/\(name)", scene.place)
                let after = Self.content("target/\(name)", scene.place)
                scene.expect(before == text || after == text, "\(name) is lost")
                scene.expect(before == nil || before == text, "\(name) changed in the source")
                scene.expect(scene.done == 0 || after == text, "\(name) is not in the target")
                scene.expect(scene.done < 2 || before == nil, "\(name) is back in the source")
            }
            try Self.migrate(scene.place) {}
            for (name, text) in Self.files {
                let after = Self.content("target/\(name)", scene.place)
                scene.expect(after == text, "\(name) is not in the target afterwards")
            }
            let source = scene.place.path("source")
            let left = try Descriptor.open(source, [.readOnly, .directory]).names(source)
            scene.expect(left.isEmpty, "the source is not empty afterwards")
        }
    }
}
