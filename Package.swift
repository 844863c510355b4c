// swift-tools-version: 6.0
// Targets in layer order: C libraries, then Comm and Tensor, Model, Trainer, and the command line on top.

import Foundation
import PackageDescription

/// The processor that the numeric code is compiled for, in clang's spelling (`-march`). `native` is this machine's;
/// every host of a cluster must have what it needs, so `make dist` names a portable one.
let processor = ProcessInfo.processInfo.environment["SHOAL_CPU"] ?? "native"

/// Reaches Swift's own code, through clang's target options: 512-bit vectors and fused multiply-add.
/// Not given to the command line, whose first act is to check that the processor has them.
let vectorised: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-march=\(processor)"])]

let package = Package(
    name: "Shoal",
    products: [.executable(name: "shoal", targets: ["CLI"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        .systemLibrary(name: "COpenMPI", path: "Sources/System/COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
        .systemLibrary(name: "COpenBLAS", path: "Sources/System/COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "COneDNN", path: "Sources/System/COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .systemLibrary(name: "COpenMP", path: "Sources/System/COpenMP", providers: [.apt(["libgomp1"])]),
        .systemLibrary(name: "CProcessor", path: "Sources/System/CProcessor"),
        .systemLibrary(name: "CMemoryFile", path: "Sources/System/CMemoryFile"),
        .systemLibrary(name: "CYAML", path: "Sources/System/CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CCrypto", path: "Sources/System/CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", path: "Sources/System/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CJPEG", path: "Sources/System/CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
        .systemLibrary(name: "CPNG", path: "Sources/System/CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CWebP", path: "Sources/System/CWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"])]),

        .target(name: "Comm", dependencies: ["COpenMPI"]),
        .target(
            name: "Tensor",
            dependencies: ["COpenBLAS", "COneDNN", "COpenMP", "CProcessor", "CMemoryFile", "CCrypto", "CZlib"],
            swiftSettings: vectorised),
        .target(name: "Model", dependencies: ["Tensor", "CJPEG", "CPNG", "CWebP"], swiftSettings: vectorised),
        .target(name: "Trainer", dependencies: ["Comm", "Model", "Tensor", "CYAML"], swiftSettings: vectorised),
        .executableTarget(
            name: "CLI",
            dependencies: [
                "CProcessor", "Comm", "Model", "Tensor", "Trainer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .target(name: "Support", dependencies: ["Tensor"], path: "Tests/Support"),
        .target(name: "Synthetic", dependencies: ["Model", "Tensor"], path: "Tests/Synthetic", swiftSettings: vectorised),
        .executableTarget(
            name: "benchmark",
            dependencies: [
                "COneDNN", "COpenBLAS", "Comm", "Model", "Synthetic", "Tensor", "Trainer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Tests/Benchmarks", exclude: ["peer", "results"], swiftSettings: vectorised),
        .executableTarget(name: "RankProgram", dependencies: ["Comm", "Tensor", "Trainer"], path: "Tests/RankProgram"),
        .testTarget(name: "CommTests", dependencies: ["Comm", "Support", "RankProgram"]),
        .testTarget(name: "TensorTests", dependencies: ["Tensor", "Support", "RankProgram"]),
        .testTarget(name: "ModelTests", dependencies: ["Model", "Tensor", "Support", "Synthetic"]),
        .testTarget(name: "RunTests", dependencies: ["CLI", "Tensor", "Support"]),
        .testTarget(name: "ParityTests", dependencies: ["Trainer", "Comm", "Model", "Tensor", "Support"]),
        .testTarget(name: "TrainerTests", dependencies: ["Trainer", "Comm", "Model", "Tensor", "Support", "RankProgram", "benchmark"]),
        .testTarget(name: "CLITests", dependencies: ["CLI", "Tensor", "Support"]),
    ]
)
