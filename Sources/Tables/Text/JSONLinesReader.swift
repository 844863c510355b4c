// JSON lines as a stream: one object a line, lines of blanks passed over. Data/Rows reads such files by line number instead.

import Files
import Foundation

/// The rows of a file of JSON lines. Not safe to share between threads.
final class JSONLinesReader: TableRowSource {
    private let stream: ByteStream
    private let path: String
    private var line = 1
    private var row = 0
    private var records = JSONRecords()
    /// Bytes of the line that was last read or passed over, without its end.
    private(set) var lineBytes = 0
    private(set) var canGoOn = false

    init(_ stream: ByteStream) throws(UserError) {
        self.stream = stream
        path = stream.file.path
        _ = try stream.fill { tooLong() }
        if stream.rest.starts(with: [0xEF, 0xBB, 0xBF]) { stream.drop(3) }
    }

    var names: [String] { records.names }

    func project(_ projection: TableProjection) { records.projection = projection }

    func next() throws(UserError) -> TableRow? {
        canGoOn = false
        while let length = try lengthOfLine() {
            let text = UnsafeRawBufferPointer(rebasing: stream.rest[..<length.text])
            defer {
                stream.drop(length.whole)
                line += 1
            }
            if Self.isBlank(text) { continue }
            (row, lineBytes, canGoOn) = (row + 1, length.text, true)
            var scanner = JSONScanner(text, path: path, firstLine: line)
            guard try scanner.peek() == .object else {
                throw scanner.fault("row \(row) is \(try scanner.peek().rawValue) where an object with the row's columns is expected")
            }
            do throws(UserError) {
                let record = try records.read(&scanner)
                try scanner.expectEnd()
                return TableRow(place: TablePlace(path: path, row: row, line: line), record: record)
            } catch {
                guard row == 1, scanner.offset >= text.count, path.hasSuffix(".json") || path.contains(".json.") else { throw error }
                throw UserError(
                    .content, path, line: error.line, column: error.column,
                    error.message + "; an array of objects or one whole object a line is expected")
            }
        }
        return nil
    }

    /// Passes over the next line that is not blank, without reading it.
    ///
    /// - Returns: whether there was one
    func pass() throws(UserError) -> Bool {
        canGoOn = false
        while let length = try lengthOfLine() {
            let isBlank = Self.isBlank(UnsafeRawBufferPointer(rebasing: stream.rest[..<length.text]))
            stream.drop(length.whole)
            line += 1
            if isBlank { continue }
            (row, lineBytes) = (row + 1, length.text)
            return true
        }
        return false
    }

    private static func isBlank(_ text: UnsafeRawBufferPointer) -> Bool { text.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } }

    /// The bytes of the next line, without and with its end, or nil at the end of the file.
    private func lengthOfLine() throws(UserError) -> (text: Int, whole: Int)? {
        var searched = 0
        while true {
            let bytes = stream.rest
            if bytes.count > searched, let start = bytes.baseAddress, let end = memchr(start + searched, 0x0A, bytes.count - searched) {
                let length = UnsafeRawPointer(end) - start
                return (length, length + 1)
            }
            searched = bytes.count
            if try !stream.fill(tooLong: tooLong) { return searched > 0 ? (searched, searched) : nil }
        }
    }

    private func tooLong() -> UserError {
        UserError(.content, path, line: line, "is longer than \(ByteStream.maximumRecord) bytes; check that this is the right file")
    }
}
