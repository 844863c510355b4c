// Text files by line, plain or gzip: rows of data, corpora, merges. Plain files stay mapped, gzip is inflated once.
// Convention: a line excludes its "\n" and one "\r" at its end; the last line needs no "\n". Lines count from 0 here and from 1
// in messages. A UTF-8 byte-order mark at the start of the file is passed over, since it says nothing; UTF-16 is refused.

import Foundation

/// The lines of a file, in any order. UTF-8 is checked by whoever reads a line: `string(_:)`, or the JSON scanner.
///
///     let file = try TextFile(path: "train.jsonl.gz")
///     for i in file.lines.indices { try JSONValue.parse(file.line(i), path: file.path, firstLine: i + 1) }
///
/// Safe to share between threads: nothing changes after `init`.
package final class TextFile: Sendable {
    /// The path as it was given.
    package let path: String
    /// Where each line lies in `bytes`, without its line end.              [lines]
    package let lines: [Range<Int>]
    private let mapping: MappedFile
    private let inflated: InflatedBytes?

    /// The whole text; that of a gzip file is inflated.
    package var bytes: UnsafeRawBufferPointer { inflated?.bytes ?? mapping.bytes }

    /// Opens a file and finds its lines.
    ///
    /// - Parameters:
    ///   - path: a name that ends in `.gz` is inflated
    ///   - maximumLineLength: in bytes
    /// - Throws: `UserError` `.missing`, `.inputOutput`, or `.content` when the file is UTF-16 or a pointer of Git LFS, has a longer
    ///   line, or is gzip cut short, damaged or under a wrong name
    package init(path: String, maximumLineLength: Int = 64 << 20) throws(UserError) {
        self.path = path
        mapping = try MappedFile(path: path)
        if let pointer = StandIn.pointer(mapping.bytes) { throw UserError(.content, path, pointer) }
        mapping.prefetch(0..<mapping.bytes.count)
        if path.utf8.suffix(3).elementsEqual(".gz".utf8) {
            inflated = try InflatedBytes(gzip: mapping.bytes, path: path, maximumLineLength: maximumLineLength)
        } else if mapping.bytes.starts(with: [0x1F, 0x8B]) {
            throw UserError(.content, path, "is gzip under a name without .gz; rename it to \(path).gz")
        } else {
            inflated = nil
        }
        lines = try Self.index(inflated?.bytes ?? mapping.bytes, path, maximumLineLength)
    }

    /// The bytes of line `i`, counted from 0; valid as long as the file is.
    package func line(_ i: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[lines[i]]) }

    /// Line `i`, counted from 0, as a string.
    /// - Throws: `UserError` `.content` with line and column when the line is not UTF-8
    package func string(_ i: Int) throws(UserError) -> String {
        defer { withExtendedLifetime(self) {} }
        let text = line(i).bindMemory(to: UInt8.self)
        if let fault = UTF8Check.firstFault(in: text) {
            let column = 1 + text[..<fault].count { $0 & 0xC0 != 0x80 }
            throw UserError(.content, path, line: i + 1, column: column, "is not valid UTF-8 here; save the file as UTF-8")
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Checks that the file is as it was when it was opened.
    /// - Throws: `UserError` `.inputOutput` when the file was changed or replaced since it was opened
    package func checkUnchanged() throws(UserError) { try mapping.checkUnchanged() }

    private static func index(_ bytes: UnsafeRawBufferPointer, _ path: String, _ maximumLength: Int) throws(UserError) -> [Range<Int>] {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw UserError(.content, path, "is UTF-16 text; save it as UTF-8")
        }
        guard let base = bytes.baseAddress else { return [] }
        var lines: [Range<Int>] = []
        var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while start < bytes.count {
            let newline = memchr(base + start, 0x0A, bytes.count - start).map { UnsafeRawPointer($0) - base }
            var end = newline ?? bytes.count
            if end > start, bytes[end - 1] == 0x0D { end -= 1 }
            guard end - start <= maximumLength else { throw UserError.lineTooLong(path, line: lines.count + 1, limit: maximumLength) }
            lines.append(start..<end)
            start = (newline ?? bytes.count) + 1
        }
        return lines
    }
}

extension UserError {
    static func lineTooLong(_ path: String, line: Int, limit: Int) -> UserError {
        UserError(
            .content, path, line: line, "is longer than \(limit) bytes; break the text into lines, or check that this is the right file")
    }
}
