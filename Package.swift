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
        module("Platform", ["Bytes", "CLinux", system]),
        module("Hashing", ["Bytes", "CXXHash", "CCrypto"]),
        module("Compression", ["Bytes", "CScan", "CZstd", "CSnappy", "CLZ4", "CZlib"]),
        module("Chunking", ["Bytes"]),
        module("Deltas", ["Bytes", "Compression"]),
        module("Parquet", ["Bytes", "Compression"]),
        module("JSON", []),
        module("TableLog", ["Bytes", "Platform", "Compression", "JSON", "Parquet", system]),
        module(
            "TableStore",
            [
                "Bytes", "Platform", "Hashing", "Compression", "JSON", "Parquet", "TableLog",
                system,
            ]),
        module(
            "Repository",
            ["Bytes", "Platform", "Hashing", "Compression", "Chunking", "Deltas"]),
        module(
            "Snapshots",
            [
                "Bytes", "Platform", "Hashing", "Compression", "Chunking", "Deltas", "Parquet",
                "TableLog", "Repository",
            ]),
        module(
            "Sync",
            [
                "Bytes", "Platform", "Hashing", "Compression", "Chunking", "Deltas", "TableLog",
                "Repository", "Snapshots", system,
            ]),
        module(
            "Migration",
            [
                "Bytes", "Platform", "Hashing", "Compression", "Chunking", "JSON", "Parquet",
                "TableLog", "TableStore", "Repository", "Snapshots", system,
            ]),
        .executableTarget(
            name: "varve",
            dependencies: [
                "Bytes", "Platform", "Hashing", "Compression", "Chunking", "Deltas",
                "Repository", "Snapshots", "Sync", "Parquet", "TableLog", "TableStore",
                "Migration", argumentParser,
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "FloorBenchmark",
            dependencies: ["Bytes", "Chunking", "Hashing", "Compression"],
            path: "Benchmarks/FloorBenchmark", swiftSettings: settings),
        .executableTarget(
            name: "ParquetBenchmark", dependencies: ["Bytes", "Platform", "Parquet"],
            path: "Benchmarks/ParquetBenchmark", swiftSettings: settings),
        .target(
            name: "TestSupport",
            dependencies: ["Bytes", "Platform", "Hashing", "Repository", "Snapshots"],
            path: "Tests/TestSupport", swiftSettings: settings),
        tests("Bytes", ["Bytes"]),
        tests("Platform", ["Bytes", "Platform"]),
        tests("Hashing", ["Bytes", "Hashing"]),
        tests("Compression", ["Bytes", "Compression", "Platform"]),
        tests("Chunking", ["Bytes", "Chunking"]),
        tests("Deltas", ["Bytes", "Compression", "Deltas", "Hashing", "Platform"]),
        tests("JSON", ["JSON"]),
        tests("TableLog", ["Bytes", "Platform", "JSON", "Parquet", "TableLog"]),
        tests(
            "TableStore", ["Bytes", "Platform", "JSON", "Parquet", "TableLog", "TableStore"]),
        tests("Parquet", ["Bytes", "Platform", "Compression", "Parquet"]),
        tests(
            "Repository",
            ["Bytes", "Platform", "Hashing", "Compression", "Chunking", "Repository"]),
        tests(
            "Snapshots",
            [
                "Bytes", "Platform", "Hashing", "Compression", "Chunking", "Parquet", "TableLog",
                "Repository",
                "Snapshots",
            ]),
        tests(
            "Sync",
            [
                "Bytes", "Platform", "Hashing", "Compression", "Chunking", "TableLog", "TableStore",
                "Repository", "Snapshots", "Sync",
            ]),
        tests(
            "Migration",
            [
                "Bytes", "Platform", "Hashing", "JSON", "Parquet", "Repository", "Snapshots",
                "TableLog", "TableStore", "Migration",
            ]),
        tests("Command", ["Bytes", "Platform", "varve"]),
        tests("Tidy", []),
    ]
)
