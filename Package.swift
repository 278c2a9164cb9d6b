// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .strictMemorySafety(),
]

/// A module of varve: `imports` may name only modules that stand above it in the list below.
func module(_ name: String, _ imports: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: imports, swiftSettings: settings)
}

/// The tests of one module, with the shared test support.
func tests(_ name: String, _ imports: [Target.Dependency]) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: imports + ["TestSupport"], swiftSettings: settings)
}

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "varve",
    products: [.executable(name: "varve", targets: ["varve"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        .systemLibrary(
            name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CScan"),
        .systemLibrary(name: "CSnappy", providers: [.apt(["libsnappy-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        module("Bytes", []),
        module("Platform", ["CLinux", "Bytes", system]),
        module("Hashing", ["CXXHash", "CCrypto", "Bytes"]),
        module("Compression", ["CZstd", "CScan", "CSnappy", "CLZ4", "CZlib", "Bytes"]),
        module("Chunking", []),
        module("Deltas", ["Bytes", "Compression"]),
        module("Parquet", ["Bytes", "Compression"]),
        module("JSON", ["Bytes"]),
        module("Trees", ["Bytes", "Platform", system]),
        module(
            "TableLog",
            ["Bytes", "Platform", "Compression", "Parquet", "JSON", "Trees", system]),
        module(
            "TableStore",
            ["Bytes", "Platform", "Hashing", "Parquet", "JSON", "TableLog", system]),
        module(
            "Repository",
            ["Bytes", "Platform", "Hashing", "Compression", "Chunking", "Deltas", system]),
        module(
            "Snapshots",
            [
                "Bytes", "Platform", "Hashing", "Chunking", "Deltas", "Parquet", "Trees",
                "TableLog", "Repository",
            ]),
        module(
            "Capturing",
            [
                "Bytes", "Platform", "Hashing", "Compression", "Chunking", "Deltas", "Trees",
                "TableLog", "Repository", "Snapshots", system,
            ]),
        module(
            "Restoring",
            [
                "Bytes", "Platform", "Hashing", "Trees", "TableLog", "Repository", "Snapshots",
                system,
            ]),
        module("Upkeep", ["Bytes", "Platform", "Hashing", "Repository", "Snapshots"]),
        module("Wire", ["Bytes", "Platform", "Hashing", "Repository", system]),
        module(
            "Remote",
            [
                "Bytes", "Platform", "Hashing", "Compression", "Chunking", "Deltas", "Repository",
                "Snapshots", "Wire", system,
            ]),
        module("Targets", ["Bytes", "Platform", "Hashing", "Trees", "Repository", "Wire", system]),
        module(
            "Replicas",
            [
                "Bytes", "Platform", "Hashing", "Compression", "Trees", "Repository", "Snapshots",
                "Wire", "Remote", "Targets", system,
            ]),
        module(
            "TwoWay",
            [
                "Bytes", "Platform", "Hashing", "Compression", "Trees", "TableLog", "Repository",
                "Snapshots", "Wire", "Remote", "Targets", system,
            ]),
        module(
            "Serving",
            [
                "Bytes", "Platform", "Repository", "Wire", "Remote", "Targets", "Replicas",
                "TwoWay", system,
            ]),
        module(
            "Migration",
            [
                "Bytes", "Platform", "Hashing", "Chunking", "JSON", "Trees", "TableLog",
                "TableStore", "Repository", "Capturing", system,
            ]),
        module(
            "Operations",
            [
                "Bytes", "Platform", "Hashing", "Chunking", "Trees", "TableLog", "Repository",
                "Snapshots", "Capturing", "Restoring", "Wire", "Remote", "Targets", "Replicas",
                "TwoWay", "Serving", "Migration", system,
            ]),
        module(
            "Reports",
            [
                "Bytes", "Platform", "Hashing", "Chunking", "Parquet", "JSON", "Trees", "TableLog",
                "TableStore", "Repository", "Snapshots", "Capturing", "Restoring", "Upkeep",
                "Wire", "Remote", "Targets", "Replicas", "TwoWay", "Migration", "Operations",
                system,
            ]),
        .executableTarget(
            name: "varve",
            dependencies: [
                "Bytes", "Platform", "Compression", "Chunking", "Parquet", "Trees",
                "TableLog", "TableStore", "Repository", "Snapshots", "Capturing", "Restoring",
                "Upkeep", "Remote", "Replicas", "TwoWay", "Serving",
                "Migration", "JSON", "Operations", "Reports", system, argumentParser,
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "FloorBenchmark",
            dependencies: ["Chunking"],
            path: "Benchmarks/FloorBenchmark", swiftSettings: settings),
        .executableTarget(
            name: "ParquetBenchmark", dependencies: ["Bytes", "Platform", "Parquet"],
            path: "Benchmarks/ParquetBenchmark", swiftSettings: settings),
        .target(
            name: "TestSupport",
            dependencies: [
                "Bytes", "Platform", "Hashing", "Chunking", "Trees", "Repository", "Snapshots",
                "Capturing", system,
            ],
            path: "Tests/TestSupport", swiftSettings: settings),
        tests("Bytes", ["Bytes"]),
        tests("Platform", ["Bytes", "Platform", system]),
        tests("Hashing", ["Bytes", "Hashing"]),
        tests("Compression", ["Bytes", "Platform", "Compression"]),
        tests("Chunking", ["Chunking"]),
        tests("Deltas", ["Bytes", "Platform", "Hashing", "Compression", "Deltas"]),
        tests("JSON", ["Bytes", "JSON"]),
        tests("TableLog", ["Bytes", "Platform", "Parquet", "TableLog"]),
        tests("TableStore", ["Bytes", "Platform", "Parquet", "TableLog", "TableStore"]),
        tests("Parquet", ["Bytes", "Parquet"]),
        tests(
            "Repository",
            [
                "Bytes", "Platform", "Hashing", "Compression", "Chunking", "Deltas", "Repository",
                system,
            ]),
        tests("Trees", ["Bytes", "Platform", "Trees", system]),
        tests(
            "Snapshots",
            [
                "Bytes", "Platform", "Hashing", "Compression", "Chunking", "Parquet", "Trees",
                "TableLog", "Repository", "Snapshots", "Capturing", "Restoring", "Upkeep", system,
            ]),
        tests(
            "Sync",
            [
                "Bytes", "Platform", "Hashing", "Compression", "Chunking", "Deltas", "Trees",
                "TableLog", "Repository", "Snapshots", "Capturing", "Restoring", "Upkeep", "Wire",
                "Remote", "Targets", "Replicas", "TwoWay", "Serving", "Operations", system,
            ]),
        tests(
            "Migration",
            [
                "Bytes", "Platform", "Hashing", "Parquet", "JSON", "Trees", "TableLog",
                "TableStore", "Migration",
            ]),
        tests(
            "Crash",
            [
                "Bytes", "Platform", "Hashing", "Trees", "TableLog", "TableStore", "Repository",
                "Snapshots", "Capturing", "Restoring", "Upkeep", "Remote", "Replicas", "TwoWay",
                "Migration", "Operations",
            ]),
        tests(
            "Operations",
            [
                "Platform", "Chunking", "Trees", "Repository", "Snapshots", "Capturing",
                "Restoring", "Remote", "Operations",
            ]),
        tests("Reports", ["Bytes", "JSON", "Reports"]),
        tests("Command", ["Bytes", "Platform", "JSON", "Reports", "varve"]),
        tests("Tidy", []),
    ]
)
