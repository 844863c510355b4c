// Where token indexes are kept from run to run. Names say whose they are; a file has its name only once it is whole. Several
// ranks, runs and hosts may use one folder at once: what one of them replaces the others keep mapped.

import Files
import Foundation

/// A folder of token indexes.
///
///     let path = cache.path(of: "train.jsonl", key: key)
///     let file = try cache.create(path)           // under another name
///     ...
///     try cache.publish(file, as: path)
package struct TokenCache: Sendable {
    let folder: String

    /// The most indexes kept for one training file: runs may take turns in their settings.
    static let limit = 4
    /// Seconds after which an unfinished file has been left by a job that crashed.
    private static let abandoned = 86400.0

    init(folder: String) { self.folder = folder }

    /// Finds the folder that a setting names.
    ///
    /// - Parameter setting: `data.cache_dir`; nil: the user's folder for such files, by the XDG Base Directory Specification
    /// - Returns: nil when nothing is to be kept, or the user has no such folder
    package init?(setting: String?, environment: [String: String] = ProcessInfo.processInfo.environment) {
        guard let folder = CacheFolder.path(setting: setting, environment: environment) else { return nil }
        self.init(folder: folder)
    }

    /// The path of a training file's index.
    ///
    /// - Parameters:
    ///   - source: path of the training file, which must exist
    ///   - key: what the rows depend on, beside the file (see `TrainingSource.key`)
    func path(of source: String, key: [UInt8]) -> String { "\(folder)/\(Self.stem(of: source))\(SHA256.hex(key.prefix(8)))\(Self.ending)" }

    /// Creates the folder and, beside `path`, a file that is to become it.
    ///
    /// - Throws: `UserError` `.output`
    func create(_ path: String) throws(UserError) -> PlacedFile {
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw UserError(.output, folder, "cannot be created: \(error.localizedDescription)")
        }
        return try PlacedFile(creating: AtomicWrite.temporaryName(for: path))
    }

    /// Gives a finished file its name, unless another host has made the same meanwhile; ends it either way.
    ///
    /// - Throws: `UserError` `.output`
    func publish(_ file: PlacedFile, as path: String, _ header: TokenIndexHeader) throws(UserError) {
        defer { unlink(file.path) }
        // Linking never replaces: a host that has mapped the other file over the network would lose it.
        if link(file.path, path) == 0 { return }
        if let other = TokenIndex(path: path, key: header.key, folder: "."), other.header.origin.sha256 == header.origin.sha256,
            other.header.tablesHash == header.tablesHash
        {
            return
        }
        guard rename(file.path, path) == 0 else { throw UserError(.output, path, "cannot be created: \(String(cString: strerror(errno)))") }
    }

    /// Removes all but the newest indexes of a training file, and what crashed jobs have left of it.
    ///
    /// - Parameter path: of an index that stays
    func removeOld(of source: String, keeping path: String) {
        let stem = Self.stem(of: source)
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasPrefix(stem) }
        let files = names.map { "\(folder)/\($0)" }.filter { $0 != path }.map { path -> (path: String, isWhole: Bool, changed: Double) in
            var status = stat()
            guard stat(path, &status) == 0 else { return (path, false, .infinity) }
            return (path, path.hasSuffix(Self.ending), Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) * 1e-9)
        }
        let old = files.filter(\.isWhole).sorted { $0.changed > $1.changed }.dropFirst(Self.limit - 1)
        let left = files.filter { !$0.isWhole && $0.changed < Date().timeIntervalSince1970 - Self.abandoned }
        for file in old + left { unlink(file.path) }
    }

    private static let ending = ".tokens"

    /// The begin of the names of a training file's indexes: its name, to be recognised, and a hash of where it lies.
    private static func stem(of source: String) -> String {
        let path = resolved(source)
        let name = String(String.UnicodeScalarView(path.unicodeScalars.split(separator: "/").last?.prefix(40) ?? []))
        return "\(name)-\(SHA256.hex(SHA256.hash(of: path.utf8).prefix(8)))-"
    }

    /// The same path, absolute and without links.
    static func resolved(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
