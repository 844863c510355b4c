// Features of images on disk, from run to run: what the frozen tower makes of an image never changes. Kept in the element type in
// which the tower makes them, so that they have the same bits with and without a cache.
//
// Several ranks, runs and hosts may use one folder at once: a file is written aside and renamed, and says what it is of. It is
// checked when it is read, so damage costs a pass of the tower and nothing else.

import Data
import Files
import Foundation
import Images
import Model
import Synchronization
import Tensor

/// A folder of features, a file an image: `folder/3f/a0/3fa0....features`.
///
///     let cache = ImageCache(folder: "cache/images", limit: 10_000_000_000, key: key, writers: 4) { console.notice($0) }
///     let features = cache.features(of: content, grid: grid, width: 2048, .bfloat16)     // nil: not kept, or damaged
///     cache.keep(made, of: content)
package final class ImageCache: Sendable {
    private struct State {
        /// Bytes that may be written before the folder is looked at again; nil before the first look.
        var room: Int?
        /// Once something could not be written.
        var isFull = false
    }

    /// Where the features lie.
    package let folder: String
    /// Bytes of all files; nil: as much as the disk holds.
    private let limit: Int?
    /// Of everything but the image that features depend on.
    private let key: [UInt8]
    /// Processes that write to the folder, by which what is left of the limit is shared out.
    private let writers: Int
    private let notice: @Sendable (String) -> Void
    private let state = Mutex(State())

    private static let ending = ".features"
    /// Between a file's name and what makes its temporary name unique.
    private static let temporary = ".tmp-"
    /// Seconds after which an unfinished file has been left by a job that crashed.
    private static let abandoned = 86400

    /// - Parameter notice: receives a sentence when nothing can be written any more, once
    package init(folder: String, limit: Int?, key: [UInt8], writers: Int, notice: @escaping @Sendable (String) -> Void) {
        self.folder = folder
        self.limit = limit
        self.key = key
        self.writers = writers
        self.notice = notice
    }

    /// Creates the folder.
    ///
    /// - Returns: why nothing can be written, and will be; nil when something can
    package func prepare() -> String? {
        do {
            try Self.createFolder(folder)
            try AtomicWrite.requireWritable(folder + "/probe")
            return nil
        } catch {
            state.withLock { $0.isFull = true }
            return Self.sentence(folder, error)
        }
    }

    /// - Parameters:
    ///   - grid: that the image must have
    ///   - width: of a feature
    ///   - element: of its numbers
    /// - Returns: nil when there are none, or the file is not whole
    package func features(of content: ContentHash, grid: TokenGrid, width: Int, _ element: Tensor.Element) -> ImageFeatures? {
        let name = name(of: content)
        guard let file = try? MappedFile(path: path(of: name)) else { return nil }
        guard Header(name: name, grid: grid, width: width, element: element).isOf(file.contents) else { return nil }
        if limit != nil { utimensat(AT_FDCWD, file.path, nil, 0) }  // read now: it goes last
        let payload = file.contents.extracting(droppingFirst: Header.byteCount)
        return ImageFeatures(grid: grid, rows: Tensor(copying: payload, rows: grid.count, columns: width, element))
    }

    /// Writes the features of an image, where that can be done. Older files make room.
    package func keep(_ features: ImageFeatures, of content: ContentHash) {
        let (name, rows) = (name(of: content), features.rows)
        let header = Header(name: name, grid: features.grid, width: rows.columns, element: rows.element)
        let bytes = header.encoded(rows.bytes) + rows.bytes.copied(0..<rows.bytes.byteCount)
        guard makeRoom(for: bytes.count) else { return }
        do { try write(bytes, to: path(of: name)) } catch {
            if state.withLock({ state in
                defer { state.isFull = true }
                return !state.isFull
            }) {
                notice(Self.sentence(folder, error))
            }
        }
    }

    // MARK: Files

    /// SHA-256 of the image's content and the key.                 [32]
    private func name(of content: ContentHash) -> [UInt8] { SHA256.hash(of: memoryBytes(of: [content]) + key) }

    private func path(of name: [UInt8]) -> String {
        let hex = SHA256.hex(name)
        return "\(folder)/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))/\(hex)\(Self.ending)"
    }

    private func write(_ bytes: [UInt8], to path: String) throws(UserError) {
        try Self.createFolder(String(path.dropLast(2 * SHA256.digestLength + Self.ending.utf8.count + 1)))
        let file = try PlacedFile(creating: path + Self.temporary + UUID().uuidString.lowercased())
        do throws(UserError) {
            try file.write(bytes, at: 0)
            guard rename(file.path, path) == 0 else {
                throw UserError(.output, path, "cannot be created: \(String(cString: strerror(errno)))")
            }
        } catch {
            unlink(file.path)
            throw error
        }
    }

    private static func createFolder(_ path: String) throws(UserError) {
        do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
            throw UserError(.output, path, "cannot be created: \(error.localizedDescription)")
        }
    }

    private static func sentence(_ folder: String, _ error: UserError) -> String {
        "features of images are no longer kept in \(folder), because they cannot be written (\(error.description)); set data.image_cache to a "
            + "folder with room, or leave it out"
    }

    // MARK: The limit

    /// Whether a file of this size may be written.
    private func makeRoom(for bytes: Int) -> Bool {
        state.withLock { state in
            guard !state.isFull else { return false }
            guard let limit else { return true }
            guard bytes <= limit else { return false }
            if state.room ?? 0 < bytes { state.room = max(bytes, (limit - remaining(ofBytes: limit - bytes)) / writers) }
            state.room! -= bytes
            return true
        }
    }

    /// Removes what crashed jobs have left and, where the files are more than `most` bytes, those that were read longest ago until
    /// nine tenths of it are left.
    ///
    /// - Returns: bytes of all files that stay
    private func remaining(ofBytes most: Int) -> Int {
        var (files, total): ([(path: String, identity: FileIdentity)], Int) = ([], 0)
        for path in keptPaths() {
            guard let identity = try? FileIdentity(path: path) else { continue }
            if path.hasSuffix(Self.ending) {
                files.append((path, identity))
                total += identity.size
            } else if identity.seconds < Int(Date().timeIntervalSince1970) - Self.abandoned {
                unlink(path)
            }
        }
        guard total > most else { return total }
        for file in files.sorted(by: { ($0.identity.seconds, $0.identity.nanoseconds) < ($1.identity.seconds, $1.identity.nanoseconds) }) {
            guard total > most / 10 * 9 else { break }
            unlink(file.path)
            total -= file.identity.size
        }
        return total
    }

    /// Everything in folders of the two levels, finished or not.
    private func keptPaths() -> [String] {
        func children(_ path: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).map { "\(path)/\($0)" }
        }
        func isLevel(_ path: String) -> Bool { path.utf8.suffix(3).first == UInt8(ascii: "/") }
        return children(folder).filter(isLevel).flatMap(children).filter(isLevel).flatMap(children)
    }
}

/// The first bytes of a file: whose features these are, and a hash of them.
private struct Header {
    /// See `ImageCache.name`.                                       [32]
    let name: [UInt8]
    let grid: TokenGrid
    let width: Int
    let element: Tensor.Element

    /// "shoalimg", and the number of this layout.
    private static let mark: [Int64] = [0x676d_696c_616f_6873, 2]
    /// Bytes of a header.
    static let byteCount = 7 * 8 + 2 * SHA256.digestLength

    func encoded(_ payload: RawSpan) -> [UInt8] { fixed + SHA256.hash(of: payload) }

    /// Whether a file begins with this header and goes on with the features that it says.
    func isOf(_ file: RawSpan) -> Bool {
        let size = Self.byteCount + grid.count * width * element.byteWidth
        guard file.byteCount == size, file.extracting(0..<fixed.count).equals(fixed) else { return false }
        return file.extracting(fixed.count..<Self.byteCount).equals(SHA256.hash(of: file.extracting(droppingFirst: Self.byteCount)))
    }

    /// All but the hash.
    private var fixed: [UInt8] {
        let numbers = Self.mark + [grid.frames, grid.height, grid.width, width, element.byteWidth].map(Int64.init)
        return memoryBytes(of: numbers) + name
    }
}
