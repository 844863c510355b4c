// Tables read whole, and cells compared with what JSON says they are.

import Files
import Support
import Tables
import Testing

/// All rows of a file.
func rows(_ path: String, _ projection: TableProjection = .all) throws -> [TableRow] {
    let reader = try TableFile(path: path).reader(projection)
    var rows: [TableRow] = []
    while let row = try reader.next() { rows.append(row) }
    return rows
}

/// The rows of a file with these bytes.
func rows(_ name: String, _ bytes: some Sequence<UInt8>, _ projection: TableProjection = .all) throws -> [TableRow] {
    let folder = try TemporaryFolder()
    return try rows(try folder.write(name, bytes), projection)
}

/// Rows as a text that tells all values apart, for comparison: `id=1 text='a'`.
func shown(_ rows: [TableRow]) -> [String] { rows.map { shown($0.record) } }

func shown(_ record: TableRecord) -> String { zip(record.names, record.values).map { "\($0)=\(shown($1))" }.joined(separator: " ") }

func shown(_ value: TableValue) -> String {
    switch value {
    case .null: "null"
    case .text(let text): "'\(text)'"
    case .integer(let number): "\(number)"
    case .double(let number): "\(number)"
    case .bool(let bool): "\(bool)"
    case .bytes(let bytes): "\(bytes)"
    case .list(let elements): "[" + elements.map(shown).joined(separator: ", ") + "]"
    case .record(let record): "{" + shown(record) + "}"
    }
}

/// Whether a cell is what JSON says, with bytes as `{"bytes": hexadecimal}`, numbers by their bits and texts by their bytes.
func isSame(_ cell: TableValue, _ expected: JSONValue) -> Bool {
    switch (cell, expected) {
    case (.null, .null): true
    case (.text(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    case (.integer(let a), .integer(let b)): a == b
    case (.double(let a), .number(let b)): a.bitPattern == b.bitPattern
    case (.bool(let a), .bool(let b)): a == b
    case (.bytes(let a), .object(let b)): b.entries.count == 1 && b["bytes"]?.stringValue.map { Hexadecimal.bytes($0) == a } == true
    case (.list(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy(isSame)
    case (.record(let a), .object(let b)):
        a.names.count == b.entries.count
            && zip(zip(a.names, a.values), b.entries).allSatisfy { $0.0.utf8.elementsEqual($1.key.utf8) && isSame($0.1, $1.value) }
    default: false
    }
}

/// Hexadecimal digits to bytes.
enum Hexadecimal {
    static func bytes(_ text: String) -> [UInt8] {
        let digits = text.utf8.map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Random {
    var state: UInt64
    mutating func next(below limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(limit))
    }
}
