// A JSON array of objects, element by element: brackets are counted to find where an element ends, then a strict scanner reads it.

import Files

/// The rows of a JSON array. Not safe to share between threads.
final class JSONArrayReader: TableRowSource {
    private let stream: ByteStream
    private let path: String
    /// Of the first byte of the rest, counted from 1; the column in characters.
    private var (line, column) = (1, 1)
    private var row = 0
    private var isFinished = false
    private var records = JSONRecords()
    private(set) var canGoOn = false

    init(_ stream: ByteStream) throws(UserError) {
        self.stream = stream
        path = stream.file.path
        _ = try stream.fill { tooLong() }
        if stream.rest.starts(with: [0xEF, 0xBB, 0xBF]) { stream.drop(3) }
        guard try skipBlanks() == UInt8(ascii: "[") else { throw fault("\(found()) where an array of objects, [{…}, …], is expected") }
        pass(1)
    }

    var names: [String] { records.names }

    func project(_ projection: TableProjection) { records.projection = projection }

    func next() throws(UserError) -> TableRow? {
        canGoOn = false
        guard !isFinished else { return nil }
        var byte = try skipBlanks()
        if byte == UInt8(ascii: "]"), row == 0 { return try finish() }
        if row > 0 {
            if byte == UInt8(ascii: "]") { return try finish() }
            guard byte == UInt8(ascii: ",") else {
                throw fault("\(found()) where a comma or the end of the array is expected after row \(row)")
            }
            pass(1)
            byte = try skipBlanks()
        }
        row += 1
        guard byte == UInt8(ascii: "{") else { throw fault("row \(row): \(found()) where an object with the row's columns is expected") }
        let length = try lengthOfObject()
        let (startLine, startColumn) = (line, column)
        var scanner = JSONScanner(UnsafeRawBufferPointer(rebasing: stream.rest[..<length]), path: path, firstLine: line)
        do throws(UserError) {
            let record = try records.read(&scanner)
            try scanner.expectEnd()
            pass(length)
            return TableRow(place: TablePlace(path: path, row: row, line: startLine), record: record)
        } catch {
            // The scanner counts columns from the element's first byte.
            let moved = error.line == startLine ? error.column.map { $0 + startColumn - 1 } : error.column
            pass(length)
            canGoOn = true
            throw UserError(error.code, error.path, line: error.line, column: moved, error.message)
        }
    }

    private func finish() throws(UserError) -> TableRow? {
        pass(1)
        isFinished = true
        guard try skipBlanks() == nil else { throw fault("\(found()) after the end of the array; one array of objects is expected") }
        return nil
    }

    /// Bytes of the object at the start of the rest, by its brackets outside strings; grammar is the scanner's to check.
    private func lengthOfObject() throws(UserError) -> Int {
        var (i, depth, isInString) = (0, 0, false)
        while true {
            let bytes = stream.rest.bindMemory(to: UInt8.self)
            while i < bytes.count {
                let byte = bytes[i]
                if isInString {
                    if byte == UInt8(ascii: "\\") {
                        // The escaped byte may lie beyond the window; then it is looked at again.
                        if i + 1 == bytes.count { break }
                        i &+= 1
                    } else if byte == UInt8(ascii: "\"") {
                        isInString = false
                    }
                } else if byte == UInt8(ascii: "\"") {
                    isInString = true
                } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                    depth &+= 1
                } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                    depth &-= 1
                    if depth == 0 { return i + 1 }
                }
                i &+= 1
            }
            // The scanner says better than this loop what is missing.
            if try !stream.fill(tooLong: tooLong) { return stream.rest.count }
        }
    }

    /// The next byte that is no blank, which becomes the first of the rest, or nil at the end.
    private func skipBlanks() throws(UserError) -> UInt8? {
        while true {
            let rest = stream.rest
            if let place = rest.firstIndex(where: { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }) {
                pass(place)
                return stream.rest[0]
            }
            pass(rest.count)
            guard try stream.fill(tooLong: tooLong) else { return nil }
        }
    }

    /// Drops bytes and keeps count of line and column.
    private func pass(_ count: Int) {
        let passed = stream.rest[..<count]
        let breaks = passed.count { $0 == 0x0A }
        if breaks > 0 {
            line += breaks
            column = 1 + passed[(passed.lastIndex(of: 0x0A)! + 1)...].count { $0 & 0xC0 != 0x80 }
        } else {
            column += passed.count { $0 & 0xC0 != 0x80 }
        }
        stream.drop(count)
    }

    private func found() -> String {
        guard let byte = stream.rest.first else { return "found the end of the file" }
        return (0x21...0x7E).contains(byte) ? "found '\(Character(UnicodeScalar(byte)))'" : "found byte \(byte)"
    }

    private func fault(_ message: String) -> UserError { UserError(.content, path, line: line, column: column, message) }

    private func tooLong() -> UserError { fault("an element begins here that is longer than \(ByteStream.maximumRecord) bytes") }
}
