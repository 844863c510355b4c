// Images that stand in rows themselves, as bytes of a table or in base64: each is written once into a folder of the cache, under the
// hash of its bytes, and is an image file like all others from there on. So neither a run nor its index holds pictures in memory.

import Files
import Foundation
import Images

/// A folder of image files: `folder/3f/a0....png`.
///
///     let store = ImageStore(setting: config.data.cacheFolder)       // nil: nothing is kept
///     let path = try store?.path(ofImage: bytes)
///
/// Several ranks, runs and hosts may write to one folder at once: a file gets its name when it is whole, and never another content.
package struct ImageStore: Sendable {
    /// Absolute.
    package let folder: String

    /// Between the hash of a file's name and what it ends with.
    private static let endings: [ImageFormat: String] = [.jpeg: ".jpg", .png: ".png", .webP: ".webp"]

    /// Finds the folder within that of a setting, or of the user.
    ///
    /// - Parameter setting: `data.cache_dir`
    /// - Returns: nil when nothing is to be kept, or the user has no folder for such files
    package init?(setting: String?, environment: [String: String] = ProcessInfo.processInfo.environment) {
        guard let cache = CacheFolder.path(setting: setting, environment: environment) else { return nil }
        folder = (cache.hasPrefix("/") ? cache : "\(FileManager.default.currentDirectoryPath)/\(cache)") + "/row-images"
    }

    /// The store in the user's own folder for such files.
    package static var ofUser: ImageStore? { ImageStore(setting: nil) }

    /// The path of an image, which is written unless it is there. Safe from several threads and ranks.
    ///
    /// - Returns: nil when the bytes begin like none of the formats that are read
    /// - Throws: `UserError` `.output`
    func path(ofImage bytes: [UInt8]) throws(UserError) -> String? {
        guard let format = ImageFormat(beginOf: bytes) else { return nil }
        let hash = SHA256.hex(SHA256.hash(of: bytes))
        let path = "\(folder)/\(hash.prefix(2))/\(hash.dropFirst(2))\(Self.endings[format]!)"
        // A file that a crash left empty or cut short is written anew.
        if (try? FileIdentity(path: path).size) == bytes.count { return path }
        do { try write(bytes, to: path) } catch {
            throw UserError(
                .output, folder,
                "images of rows cannot be written here (\(error.description)); set data.cache_dir, or XDG_CACHE_HOME, to a folder with room"
            )
        }
        return path
    }

    /// Whether a path is that of a file as this store names them.
    func names(_ path: String) -> Bool {
        guard path.hasPrefix(folder + "/") else { return false }
        let parts = path.dropFirst(folder.count + 1).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let ending = Self.endings.values.first(where: { parts[1].hasSuffix($0) }) else { return false }
        let digits = parts[0] + parts[1].dropLast(ending.count)
        return parts[0].count == 2 && digits.utf8.count == 2 * SHA256.digestLength && digits.allSatisfy(\.isHexDigit)
    }

    private func write(_ bytes: [UInt8], to path: String) throws(UserError) {
        let parent = ImageFolder.path(ofDataFile: path)
        do { try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true) } catch {
            throw UserError(.output, parent, "cannot be created: \(error.localizedDescription)")
        }
        let file = try PlacedFile(creating: AtomicWrite.temporaryName(for: path))
        defer { unlink(file.path) }
        try file.write(bytes, at: 0)
        // Linking never replaces: another rank may have read the time of change of what it wrote a moment ago.
        if link(file.path, path) == 0 || (errno == EEXIST && (try? FileIdentity(path: path).size) == bytes.count) { return }
        guard rename(file.path, path) == 0 else { throw UserError(.output, path, "cannot be created: \(String(cString: strerror(errno)))") }
    }
}
