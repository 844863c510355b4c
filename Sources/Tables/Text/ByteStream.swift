// The bytes of a file from its start to its end, unpacked on the way, through one window of memory.
// Convention: `rest` is what was read and not yet used. Whoever needs more calls `fill`, which may move it.

import Files
import Foundation

/// Where the bytes of a stream come from.
protocol ByteSource {
    /// Writes the next bytes and gives their number: 0 at the end alone.
    mutating func read(into room: UnsafeMutableRawBufferPointer) throws(UserError) -> Int
}

/// A window over the unpacked bytes of a file. Not safe to share between threads.
final class ByteStream {
    /// The longest record that is held, in bytes: a row of text, or an element of a JSON array.
    static let maximumRecord = 256 << 20
    /// The window's first size; it doubles where a record needs more.
    private static let firstCapacity = 256 << 10

    let file: MappedFile
    private var source: any ByteSource
    private var window: UnsafeMutableRawPointer
    private var capacity = firstCapacity
    private var (start, end) = (0, 0)
    /// Whether nothing is left but `rest`.
    private(set) var isAtEnd = false

    init(_ file: MappedFile, _ packing: TablePacking) throws(UserError) {
        self.file = file
        window = malloc(Self.firstCapacity)!
        switch packing {
        case .none: source = MappedSource(bytes: file.bytes)
        case .gzip: source = try GzipSource(file)
        case .zstandard: source = try ZstandardSource(file)
        }
    }

    deinit { free(window) }

    /// What was read and not yet used.
    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: window + start, count: end - start) }

    /// Passes over the first bytes of `rest`.
    func drop(_ count: Int) { start += count }

    /// Reads on until the window is full or the file ends. Pointers into `rest` are worth nothing afterwards.
    /// - Returns: whether `rest` has grown
    /// - Throws: `UserError` when the file is damaged; the caller's `tooLong` when the window may grow no further
    func fill(tooLong: () -> UserError) throws(UserError) -> Bool {
        guard !isAtEnd else { return false }
        if start > 0 {
            memmove(window, window + start, end - start)
            (start, end) = (0, end - start)
        }
        if end == capacity {
            guard capacity < Self.maximumRecord else { throw tooLong() }
            capacity *= 2
            window = realloc(window, capacity)!
        }
        let before = end
        while end < capacity {
            let count = try source.read(into: UnsafeMutableRawBufferPointer(start: window + end, count: capacity - end))
            guard count > 0 else {
                isAtEnd = true
                break
            }
            end += count
        }
        return end > before
    }
}

/// A file as it lies on the disk.
private struct MappedSource: ByteSource {
    let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func read(into room: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(room.count, bytes.count - offset)
        guard count > 0 else { return 0 }
        memcpy(room.baseAddress!, bytes.baseAddress! + offset, count)
        offset += count
        return count
    }
}
