// swift-tools-version: 6.0
// Targets in layer order: C libraries, then Config, Comm and Tensor, Model, Trainer, and the command line on top.

import Foundation
import PackageDescription

/// The processor that the numeric code is compiled for, in clang's spelling (`-march`). `native` is this machine's;
/// every host of a cluster must have what it needs, so `make dist` names a portable one.
let processor = ProcessInfo.processInfo.environment["SHOAL_CPU"] ?? "native"

/// Reaches Swift's own code, through clang's target options: 512-bit vectors and fused multiply-add.
/// Not given to the command line, whose first act is to check that the processor has them.
let vectorised: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-march=\(processor)"])]

/// Lets a type lend views of its own memory (`Span`) that the compiler does not let outlive it.
let lendsViews: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes")]

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
        .systemLibrary(name: "CMatrixKernels", path: "Sources/System/CMatrixKernels"),
        .systemLibrary(name: "CMemoryFile", path: "Sources/System/CMemoryFile"),
        .systemLibrary(name: "CYAML", path: "Sources/System/CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CCrypto", path: "Sources/System/CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", path: "Sources/System/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", path: "Sources/System/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CJPEG", path: "Sources/System/CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
        .systemLibrary(name: "CPNG", path: "Sources/System/CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CWebP", path: "Sources/System/CWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"])]),

        .target(name: "Files", dependencies: ["CMemoryFile", "CCrypto", "CZlib"], swiftSettings: vectorised + lendsViews),
        .target(name: "Tables", dependencies: ["Files", "CZlib", "CZstd"], swiftSettings: vectorised),
        .target(name: "Config", dependencies: ["Files", "CYAML"], swiftSettings: vectorised),
        .target(name: "Comm", dependencies: ["Files", "COpenMPI"]),
        .target(
            name: "Tensor", dependencies: ["Files", "CMatrixKernels", "COpenBLAS", "COneDNN", "COpenMP", "CProcessor"],
            swiftSettings: vectorised + lendsViews),
        .target(
            name: "Images", dependencies: ["Files", "Tensor", "CJPEG", "CPNG", "CWebP"], swiftSettings: vectorised + lendsViews),
        .target(name: "Model", dependencies: ["Files", "Config", "Tensor", "Images"], swiftSettings: vectorised + lendsViews),
        .target(
            name: "Data", dependencies: ["Files", "Tables", "Config", "Tensor", "Comm", "Images", "Model"],
            swiftSettings: vectorised + lendsViews),
        .target(name: "Preprocessing", dependencies: ["Files", "Tensor", "Comm", "Model", "Data"], swiftSettings: vectorised),
        .target(name: "Loss", dependencies: ["Files", "Config", "Tensor", "Model", "Data"], swiftSettings: vectorised),
        .target(name: "Embedding", dependencies: ["Files", "Tensor", "Comm", "Images", "Model", "Data"], swiftSettings: vectorised),
        .target(name: "Evaluation", dependencies: ["Files", "Tensor", "Comm", "Model", "Data", "Embedding"], swiftSettings: vectorised),
        .target(name: "Project", dependencies: ["Files", "Config", "Tensor", "Model", "Data", "Loss"], swiftSettings: vectorised),
        .target(
            name: "Trainer",
            dependencies: ["Files", "Config", "Tensor", "Comm", "Model", "Data", "Loss", "Embedding", "Evaluation", "Project"],
            swiftSettings: vectorised),
        .executableTarget(
            name: "CLI",
            dependencies: [
                "CProcessor", "Files", "Tensor", "Comm", "Images", "Model", "Data", "Preprocessing", "Embedding", "Evaluation", "Project",
                "Trainer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .target(name: "Support", dependencies: ["Files", "Tensor", "Model", "Data", "Project"], path: "Tests/Support"),
        .target(name: "Synthetic", dependencies: ["Files", "Tensor", "Model"], path: "Tests/Synthetic", swiftSettings: vectorised),
        .executableTarget(
            name: "benchmark",
            dependencies: [
                "COneDNN", "COpenBLAS", "Files", "Tensor", "Comm", "Images", "Model", "Data", "Loss", "Embedding", "Project", "Trainer",
                "Synthetic",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Tests/Benchmarks", exclude: ["peer", "results"], swiftSettings: vectorised),
        .executableTarget(name: "RankProgram", dependencies: ["Files", "Tensor", "Comm", "Project", "Trainer"], path: "Tests/RankProgram"),
        .testTarget(name: "FilesTests", dependencies: ["Files", "Support"]),

        .testTarget(name: "TablesTests", dependencies: ["Files", "Tables", "Support"]),
        .testTarget(name: "CommTests", dependencies: ["Comm", "Support", "RankProgram"]),
        .testTarget(name: "TensorTests", dependencies: ["Files", "Tensor", "Support", "RankProgram"]),
        .testTarget(name: "ImagesTests", dependencies: ["Files", "Tensor", "Images", "Support"]),
        .testTarget(name: "ModelTests", dependencies: ["Files", "Tensor", "Images", "Model", "Support", "Synthetic"]),
        .testTarget(name: "DataTests", dependencies: ["Files", "Tables", "Tensor", "Comm", "Model", "Data", "Support"]),
        .testTarget(
            name: "PreprocessingTests",
            dependencies: ["Files", "Tables", "Tensor", "Comm", "Model", "Data", "Preprocessing", "Support"]),
        .testTarget(name: "LossTests", dependencies: ["Tensor", "Comm", "Model", "Data", "Loss", "Trainer", "Support"]),
        .testTarget(name: "EmbeddingTests", dependencies: ["Files", "Tensor", "Comm", "Images", "Model", "Data", "Embedding", "Support"]),
        .testTarget(
            name: "EvaluationTests",
            dependencies: ["Files", "Tensor", "Comm", "Model", "Data", "Embedding", "Evaluation", "Support"]),
        .testTarget(
            name: "ConfigTests", dependencies: ["Files", "Config", "Tensor", "Model", "Data", "Loss", "Project", "Trainer", "Support"]),
        .testTarget(
            name: "TrainerTests",
            dependencies: [
                "Files", "Config", "Tensor", "Comm", "Model", "Data", "Loss", "Embedding", "Evaluation", "Project", "Trainer", "Support",
                "RankProgram", "benchmark",
            ]),
        .testTarget(
            name: "ParityTests",
            dependencies: ["Files", "Tensor", "Comm", "Images", "Model", "Data", "Loss", "Embedding", "Project", "Trainer", "Support"]),
        .testTarget(name: "RunTests", dependencies: ["Files", "Tensor", "CLI", "Support"]),
        .testTarget(name: "CLITests", dependencies: ["Files", "Tensor", "CLI", "Support"]),
    ]
)
