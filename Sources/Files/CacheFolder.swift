// Where a user's programs keep what can be made again.

import Foundation

/// The folder for what is kept from run to run: token indexes, features of images, proofs of engines.
package enum CacheFolder {
    /// The folder that `setting` names, or the user's own by the XDG Base Directory Specification.
    ///
    /// - Parameter setting: `data.cache_dir`
    /// - Returns: nil when nothing is to be kept, or the user has no such folder
    package static func path(setting: String?, environment: [String: String] = ProcessInfo.processInfo.environment) -> String? {
        switch setting {
        case "none": return nil
        case let folder?: return folder
        case nil:
            let given = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            let caches = given ?? environment["HOME"].flatMap { $0.isEmpty ? nil : $0 + "/.cache" }
            return caches.map { $0 + "/shoal" }
        }
    }
}
