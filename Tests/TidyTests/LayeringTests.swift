import TestSupport
import Testing

/// Who may import what: the list in `Package.swift`, and which module talks to which C library.
struct LayeringTests {
    /// What one module of `Package.swift` may import.
    private struct Module {
        let name: String
        let imports: [String]
    }

    private static func modules() throws -> [Module] {
        let manifest = try ProjectFiles.text("Package.swift")
        let short = /module\(\s*"(?<name>\w+)",\s*\[(?<imports>[^\]]*)\]/
        let long =
            /executableTarget\(\s*name: "(?<name>\w+)",\s*dependencies: \[(?<imports>[^\]]*)\]/
        let quoted = /"(\w+)"/
        return
            (manifest.matches(of: short).map { (String($0.name), String($0.imports)) }
            + manifest.matches(of: long).map { (String($0.name), String($0.imports)) })
            .map { name, imports in
                Module(name: name, imports: imports.matches(of: quoted).map { String($0.1) })
            }
    }

    /// Modules of others, and the only modules of ours that may import them.
    private static let outside: [String: Set<String>] = [
        "Glibc": ["Platform"],
        "CLinux": ["Platform"],
        "Synchronization": ["Platform"],
        "CScan": ["Compression"],
        "CXXHash": ["Hashing"],
        "CCrypto": ["Hashing"],
        "CZstd": ["Compression"],
        "CSnappy": ["Compression"],
        "CLZ4": ["Compression"],
        "CZlib": ["Compression"],
        // Its Errno is part of the errors of Platform, which every module above it handles.
        "SystemPackage": [
            "Platform", "Trees", "TableLog", "TableStore", "Repository", "Capturing", "Restoring",
            "Wire", "Remote", "Targets", "Replicas", "TwoWay", "Serving", "Migration",
            "Operations", "varve",
        ],
        "ArgumentParser": ["varve"],
        "Foundation": ["varve"],
    ]

    private static func imports(_ file: SourceFile) -> [String] {
        file.lines.compactMap { line in
            let statement = /^\s*(?:@\w+ )?(?:\w+ )?import (?:\w+ )?(?<module>\w+)/
            return line.firstMatch(of: statement).map { String($0.module) }
        }
    }

    @Test func `A module imports only what Package.swift allows it`() throws {
        let modules = try Self.modules()
        #expect(modules.count >= 8)
        for module in modules {
            let directory = "Sources/" + module.name
            guard ProjectFiles.exists(directory) else { continue }
            for file in try ProjectFiles.swift(below: directory) {
                for name in Self.imports(file) where !module.imports.contains(name) {
                    let isAllowed = Self.outside[name]?.contains(module.name) == true
                    #expect(isAllowed, "\(file.path) imports \(name)")
                }
            }
        }
    }

    @Test func `C libraries and Foundation stay in their modules`() throws {
        for file in try ProjectFiles.swift(below: "Sources") {
            let module = String(file.path.split(separator: "/")[1])
            for name in Self.imports(file) {
                guard let allowed = Self.outside[name] else { continue }
                #expect(allowed.contains(module), "\(file.path) imports \(name)")
            }
        }
    }

    @Test func `Modules import only what stands above them`() throws {
        var above: Set<String> = [
            "CXXHash", "CZstd", "CCrypto", "CLinux", "CScan", "CSnappy", "CLZ4", "CZlib",
        ]
        for module in try Self.modules() {
            for name in module.imports { #expect(above.contains(name), "\(module.name): \(name)") }
            above.insert(module.name)
        }
    }

    @Test func `Every module below Sources stands in Package.swift`() throws {
        let manifest = try ProjectFiles.text("Package.swift")
        let paths = try ProjectFiles.paths(below: "Sources")
        for module in Set(paths.map { String($0.split(separator: "/")[1]) }) {
            let isNamed = manifest.contains("\"\(module)\"")
            #expect(isNamed, "\(module)")
        }
    }
}
