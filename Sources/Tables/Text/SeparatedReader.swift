// CSV and TSV after RFC 4180: a header, cells in quotes where they hold separators, quotes (doubled) or line breaks.
// Lines end in LF or CR LF. Beyond the RFC: UTF-8 with or without a byte-order mark; a quote inside a cell that does not begin with
// one stands for itself, as all readers take it; lines without any character are passed over. A cell without quotes and characters
// is null, one of two quotes is an empty text.

import Files
import Foundation

/// The rows of a CSV or TSV file. Not safe to share between threads.
final class SeparatedReader: TableRowSource {
    /// The most cells of a row.
    static let maximumCells = 100_000

    private let stream: ByteStream
    private let path: String
    private let separator: UInt8
    private var line = 1
    private var row = 0
    private var cells: [Cell] = []
    /// The names of the header, in their order.
    private(set) var names: [String] = []
    private var wanted: [Int] = []
    private var wantedNames: [String] = []
    private(set) var canGoOn = false

    /// Where a cell lies in the rest of the stream, without its quotes.
    private struct Cell {
        var range: Range<Int>
        var isQuoted = false
        var hasDoubledQuotes = false
    }

    /// Reads the header.
    init(_ stream: ByteStream, isTabbed: Bool) throws(UserError) {
        self.stream = stream
        path = stream.file.path
        separator = isTabbed ? 0x09 : UInt8(ascii: ",")
        _ = try stream.fill { tooLong() }
        if stream.rest.starts(with: [0xEF, 0xBB, 0xBF]) { stream.drop(3) }
        guard let length = try scanRow() else {
            throw UserError(.content, path, "is empty where a header with the names of its columns is expected")
        }
        for i in cells.indices { names.append(try text(i)) }
        stream.drop(length.bytes)
        try checkHeader()
        line += length.lines
        project(Array(names.indices))
    }

    func project(_ places: [Int]) {
        wanted = places
        wantedNames = places.map { names[$0] }
    }

    func next() throws(UserError) -> TableRow? {
        canGoOn = false
        guard let length = try scanRow() else { return nil }
        (row, canGoOn) = (row + 1, true)
        defer {
            stream.drop(length.bytes)
            line += length.lines
        }
        guard cells.count == names.count else {
            throw UserError(
                .content, path, line: line,
                "has \(Figures.count(cells.count, "cell")) where the header has \(names.count); put cells that hold "
                    + "\(separator == 0x09 ? "tabs" : "commas") or line breaks in quotes")
        }
        var values: [TableValue] = []
        values.reserveCapacity(wanted.count)
        for i in wanted { values.append(cells[i].range.isEmpty && !cells[i].isQuoted ? .null : .text(try text(i))) }
        return TableRow(place: TablePlace(path: path, row: row, line: line), record: TableRecord(names: wantedNames, values: values))
    }

    // MARK: Cells

    private func text(_ i: Int) throws(UserError) -> String {
        let cell = cells[i]
        let bytes = UnsafeRawBufferPointer(rebasing: stream.rest[cell.range]).bindMemory(to: UInt8.self)
        if !cell.hasDoubledQuotes, let text = String(validating: bytes, as: UTF8.self) { return text }
        if let fault = UTF8Check.firstFault(in: bytes) {
            throw self.fault(at: cell.range.lowerBound + fault, "is not valid UTF-8 here; save the file as UTF-8")
        }
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var wasQuote = false
        for byte in bytes {
            wasQuote = byte == UInt8(ascii: "\"") && !wasQuote
            if !wasQuote { plain.append(byte) }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    /// Finds the cells of the next row that has any character, passing over empty lines.
    /// - Returns: bytes and lines of the row with its end, or nil at the end of the file
    private func scanRow() throws(UserError) -> (bytes: Int, lines: Int)? {
        while true {
            let bytes = stream.rest.bindMemory(to: UInt8.self)
            if bytes.isEmpty {
                guard try stream.fill(tooLong: tooLong) else { return nil }
            } else if bytes[0] == 0x0A || (bytes.count > 1 && bytes[0] == 0x0D && bytes[1] == 0x0A) {
                stream.drop(bytes[0] == 0x0A ? 1 : 2)
                line += 1
            } else if let length = try scan(bytes) {
                return length
            } else {
                _ = try stream.fill(tooLong: tooLong)
            }
        }
    }

    /// - Returns: nil when the row goes on beyond `bytes`
    private func scan(_ bytes: UnsafeBufferPointer<UInt8>) throws(UserError) -> (bytes: Int, lines: Int)? {
        cells.removeAll(keepingCapacity: true)
        var (i, lines) = (0, 0)
        while true {
            guard cells.count < Self.maximumCells else {
                throw UserError(.content, path, line: line, "has more than \(Self.maximumCells) cells; check that this is the right file")
            }
            var cell = Cell(range: i..<i)
            if i < bytes.count, bytes[i] == UInt8(ascii: "\"") {
                guard let end = try endOfQuoted(bytes, from: i, &cell, &lines) else { return nil }
                i = end
            } else {
                while i < bytes.count, bytes[i] != separator, bytes[i] != 0x0A, bytes[i] != 0x0D { i &+= 1 }
                cell.range = cell.range.lowerBound..<i
            }
            if i == bytes.count, !stream.isAtEnd { return nil }
            cells.append(cell)
            if i == bytes.count { return (i, lines + 1) }
            if bytes[i] == separator {
                i &+= 1
                continue
            }
            if bytes[i] == 0x0A { return (i + 1, lines + 1) }
            if bytes[i] == 0x0D {
                if i + 1 < bytes.count, bytes[i + 1] == 0x0A { return (i + 2, lines + 1) }
                if i + 1 == bytes.count { return stream.isAtEnd ? (i + 1, lines + 1) : nil }
                throw fault(at: i, "a carriage return stands without a line feed; end lines with LF or CR LF, or put the cell in quotes")
            }
            throw fault(
                at: i, "found \(character(bytes[i])) after the closing quote of a cell; double the quotes that belong to the text of a cell"
            )
        }
    }

    /// - Returns: the byte after the closing quote, or nil when the cell goes on beyond `bytes`
    private func endOfQuoted(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, _ cell: inout Cell, _ lines: inout Int
    ) throws(UserError) -> Int? {
        cell.isQuoted = true
        var i = start + 1
        while i < bytes.count {
            if bytes[i] == 0x0A { lines += 1 }
            guard bytes[i] == UInt8(ascii: "\"") else {
                i &+= 1
                continue
            }
            if i + 1 == bytes.count, !stream.isAtEnd { return nil }
            guard i + 1 < bytes.count, bytes[i + 1] == UInt8(ascii: "\"") else {
                cell.range = start + 1..<i
                return i + 1
            }
            cell.hasDoubledQuotes = true
            i &+= 2
        }
        guard stream.isAtEnd else { return nil }
        throw fault(at: start, "a cell in quotes begins here and never ends; close it, or double the quotes that belong to its text")
    }

    // MARK: Errors

    private func checkHeader() throws(UserError) {
        var seen: Set<ExactString> = []
        for name in names where !seen.insert(ExactString(name)).inserted {
            throw UserError(.content, path, line: line, "the header names the column \(quoted(name)) twice; rename one")
        }
        guard names.count == 1 else { return }
        let others: [(Character, String)] =
            separator == 0x09 ? [(",", "commas"), (";", "semicolons")] : [("\t", "tabs"), (";", "semicolons")]
        for (mark, word) in others where names[0].contains(mark) {
            let expected = separator == 0x09 ? "tabs" : "commas"
            throw UserError(
                .content, path, line: line,
                "its header is one cell, \(quoted(names[0])): cells are separated by \(word) where \(expected) are "
                    + "expected; save it with \(expected), or rename it")
        }
    }

    /// An error at a byte of the rest of the stream, which begins with the row.
    private func fault(at place: Int, _ message: String) -> UserError {
        let before = stream.rest[..<min(place, stream.rest.count)]
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let column = 1 + before[start...].count { $0 & 0xC0 != 0x80 }
        return UserError(.content, path, line: line + before.count { $0 == 0x0A }, column: column, message)
    }

    private func tooLong() -> UserError {
        UserError(
            .content, path, line: line,
            "a row begins here that is longer than \(ByteStream.maximumRecord) bytes; a closing quote may be missing")
    }

    private func character(_ byte: UInt8) -> String {
        (0x21...0x7E).contains(byte) ? "'\(Character(UnicodeScalar(byte)))'" : "byte \(byte)"
    }
}
