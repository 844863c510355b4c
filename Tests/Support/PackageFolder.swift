// Files of this package that tests read: the example model and the golden files.

import Foundation

package enum PackageFolder {
    /// - Parameter relative: such as `examples/jina-tiny`
    package static func path(_ relative: String) -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return root.appendingPathComponent(relative).path
    }
}
