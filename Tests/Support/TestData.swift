// The folder of real data that some tests read. Not part of this project: tests say that they skip where it is absent.

import Foundation

/// Use: `@Test(.enabled(if: TestData.available, "set SHOAL_TEST_DATA"))`.
package enum TestData {
    /// `SHOAL_TEST_DATA`, else `../shared/data` beside the package.
    package static let folder: URL = {
        if let path = named { return URL(fileURLWithPath: path, isDirectory: true) }
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return package.deletingLastPathComponent().appendingPathComponent("shared/data", isDirectory: true)
    }()

    /// Whether tests of real data run. A folder that was named and is absent counts as available, so that they fail instead of skipping.
    package static var available: Bool { named != nil || FileManager.default.fileExists(atPath: folder.path) }

    /// - Parameter relative: such as `sts/stsb-free-dev.jsonl`
    package static func url(_ relative: String) -> URL { folder.appendingPathComponent(relative) }

    private static var named: String? {
        guard let path = ProcessInfo.processInfo.environment["SHOAL_TEST_DATA"], !path.isEmpty else { return nil }
        return path
    }
}
