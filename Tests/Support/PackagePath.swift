// Where the golden files lie, and the embedded examples: inside the package.

import Foundation

package enum PackagePath {
    /// The folder of Package.swift.
    package static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// - Parameter relative: such as `text/flat-bf16`
    package static func golden(_ relative: String) -> String { root.appendingPathComponent("Tests/Golden/\(relative)").path }

    /// - Parameter relative: such as `jina-tiny`
    package static func example(_ relative: String) -> String { root.appendingPathComponent("examples/\(relative)").path }
}
