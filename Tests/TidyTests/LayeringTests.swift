import Testing
import TestSupport

/// Who may import what: the list in `Package.swift`, and which module talks to which C library.
struct LayeringTests {
    /// What one module of `Package.swift` may import.
    private struct Module {
        let name: String
        /// Where its files are.
        let directory: String
        let imports: [String]
    }

    /// Constants of `Package.swift` that stand for products of other packages.
    private static let products = ["system": "SystemPackage", "argumentParser": "ArgumentParser"]

    private static func modules() throws -> [Module] {
        let short = /\bmodule\(\s*"(?<name>\w+)",\s*\[(?<imports>[^\]]*)\]/
        let long =
            /executableTarget\(\s*name: "(?<name>\w+)",\s*dependencies: \[(?<imports>[^\]]*)\]/
        let manifest = try ProjectFiles.text("Package.swift")
        return manifest.matches(of: short).map { module($0.name, $0.imports) }
            + manifest.matches(of: long).map { module($0.name, $0.imports) }
    }

    private static func module(_ name: Substring, _ imports: Substring) -> Module {
        let isBenchmark = name.hasSuffix("Benchmark")
        let directory = (isBenchmark ? "Benchmarks/" : "Sources/") + String(name)
        return Module(name: String(name), directory: directory, imports: names(imports))
    }

    /// The tests of the modules, which may import the support of all tests too.
    private static func tests() throws -> [Module] {
        let pattern = /\btests\(\s*"(?<name>\w+)",\s*\[(?<imports>[^\]]*)\]/
        return try ProjectFiles.text("Package.swift").matches(of: pattern).map { match in
            let name = String(match.name) + "Tests"
            return Module(
                name: name, directory: "Tests/" + name, imports: names(match.imports))
        }
    }

    private static func names(_ list: Substring) -> [String] {
        list.split(whereSeparator: { ", \n".contains($0) }).map { word in
            products[String(word)] ?? String(word.filter { $0 != "\"" })
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
            "Operations", "Reports", "varve",
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
            for file in try ProjectFiles.swift(below: module.directory) {
                for name in Self.imports(file) where !module.imports.contains(name) {
                    let isAllowed =
                        Self.outside[name]?.contains(module.name) == true
                        || name == "Glibc" && module.directory.hasPrefix("Benchmarks/")
                    #expect(isAllowed, "\(file.path) imports \(name)")
                }
            }
        }
    }

    @Test func `Tests import only what Package.swift allows them`() throws {
        let ours = try Set(Self.modules().map(\.name)).union(Self.products.values)
        let tests = try Self.tests()
        #expect(tests.count >= 12)
        for module in tests {
            for file in try ProjectFiles.swift(below: module.directory) {
                let names = Self.imports(file).filter(ours.contains)
                for name in names where !module.imports.contains(name) {
                    Issue.record("\(file.path) imports \(name)")
                }
            }
        }
    }

    @Test func `Nothing is declared in Package.swift that is not imported`() throws {
        for module in try Self.modules() + Self.tests() {
            let imported = Set(
                try ProjectFiles.swift(below: module.directory).flatMap(Self.imports))
            for name in module.imports where !imported.contains(name) {
                Issue.record("\(module.name) declares \(name) and never imports it")
            }
        }
    }

    /// What other modules see of a repository: blobs in and out, objects by name, storages.
    private static let repositoryTypes: Set<String> = [
        "AppendOnlyStorage", "BlobCodec", "BlobEncoder", "BlobReader", "ChunkDecoder",
        "DirectoryStorage", "EncodedBlob", "ForeignBlob", "IndexID", "NodeCache", "ObjectKind",
        "ObjectName", "ObjectVerification", "PackID", "PatchSource", "Repository",
        "RepositoryConfig", "RepositoryError", "RepositoryID", "RepositoryInspection",
        "RepositoryStatistics", "RepositoryWriter", "SizeLimits", "SnapshotID", "StagedObject",
        "Storage", "StorageError", "StoredObject", "WriteStatistics", "WriterLimits",
    ]

    /// Sealing blobs, or laying packs out anew, must stay a change of one module.
    @Test func `Where blobs lie and how packs and index are made is nobody's business`() throws {
        let declaration =
            /^package (?:final )?(?:class|struct|enum|protocol|actor|typealias) (?<name>\w+)/
        var found: Set<String> = []
        for file in try ProjectFiles.swift(below: "Sources/Repository") {
            for line in file.code {
                if let match = line.firstMatch(of: declaration) { found.insert(String(match.name)) }
            }
        }
        for name in found.subtracting(Self.repositoryTypes) { Issue.record("\(name) is visible") }
        for name in Self.repositoryTypes.subtracting(found) { Issue.record("no \(name)") }
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
        above.formUnion(Self.products.values)
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

    // MARK: The picture

    /// What each module of ours builds on, without what it reaches by a longer way too.
    private static func reduced() throws -> [String: Set<String>] {
        let modules = try modules().filter { $0.directory.hasPrefix("Sources/") }
        let names = Set(modules.map(\.name))
        var reached: [String: Set<String>] = [:]
        var reduced: [String: Set<String>] = [:]
        for module in modules {
            let direct = names.intersection(module.imports)
            let farther = direct.reduce(into: Set<String>()) { $0.formUnion(reached[$1] ?? []) }
            reached[module.name] = direct.union(farther)
            reduced[module.name] = direct.subtracting(farther)
        }
        return reduced
    }

    @Test func `The picture of the modules in CONTRIBUTING.md is that of Package.swift`() throws {
        let arrow = /^    (?<from>\w+) --> (?<to>[\w &]+)$/
        var drawn: [String: Set<String>] = [:]
        for line in try ProjectFiles.text("CONTRIBUTING.md").split(separator: "\n") {
            guard let match = line.firstMatch(of: arrow) else { continue }
            let names = match.to.split(whereSeparator: { " &".contains($0) }).map(String.init)
            drawn[String(match.from), default: []].formUnion(names)
        }
        for (module, built) in try Self.reduced() {
            let arrows = drawn[module] ?? []
            #expect(arrows == built, "\(module) --> \(built.sorted().joined(separator: " & "))")
        }
    }

    @Test func `CONTRIBUTING.md says what each module holds`() throws {
        let text = try ProjectFiles.text("CONTRIBUTING.md")
        let table = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let named = table.flatMap { row in
            row.dropFirst(2).prefix { $0 != "|" }.matches(of: /`(?<name>\w+)`/).map {
                String($0.name)
            }
        }
        let modules = try Self.modules().map(\.name).filter { ProjectFiles.exists("Sources/\($0)") }
        for module in modules { #expect(named.contains(module), "\(module)") }
    }
}
