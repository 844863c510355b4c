// The values of a page in each encoding that is read ("Encodings" of the format's specification), one after another.

import Files

/// Reads the values of a page that are there; nulls have no place in it.
struct ParquetValues {
    private enum Way {
        case plain, plainBits, dictionary, runs, deltas, lengths, prefixes, streams
    }

    private static let names = [
        "PLAIN", "GROUP_VAR_INT", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY",
        "DELTA_BYTE_ARRAY",
        "RLE_DICTIONARY", "BYTE_STREAM_SPLIT",
    ]

    private let way: Way
    private let leaf: ParquetLeaf
    private let place: ParquetPlace
    private var cursor: ParquetCursor
    private var bits: ParquetBits
    private var runs: ParquetRuns
    private var deltas: ParquetDeltas?
    private var suffixes: ParquetDeltas?
    private var last: [UInt8] = []
    private var index = 0

    /// - Throws: `UserError` naming an encoding that is not read
    init(_ bytes: UnsafeRawBufferPointer, encoding: Int, _ leaf: ParquetLeaf, _ place: ParquetPlace) throws(UserError) {
        (self.leaf, self.place) = (leaf, place)
        cursor = ParquetCursor(bytes, place)
        bits = ParquetBits(bytes, width: 1)
        runs = try ParquetRuns(bytes, width: 0, place)
        switch (encoding, leaf.physical) {
        case (0, 0): way = .plainBits
        case (0, _): way = .plain
        case (2, 1...), (8, 1...):
            way = .dictionary
            // A page of nulls alone may leave out even the width.
            if cursor.left > 0 {
                let width = Int(try cursor.byte())
                runs = try ParquetRuns(try cursor.take(cursor.left), width: width, place)
            }
        case (3, 0):
            way = .runs
            if cursor.left > 0 {
                let size = Int(try cursor.number(UInt32.self))
                runs = try ParquetRuns(try cursor.take(size), width: 1, place)
            }
        case (5, 1), (5, 2):
            way = .deltas
            if cursor.left > 0 { deltas = try ParquetDeltas(cursor) }
        case (6, 6):
            way = .lengths
            if cursor.left > 0 {
                let lengths = try ParquetDeltas(cursor)
                cursor = try lengths.end()
                deltas = lengths
            }
        case (7, 6):
            way = .prefixes
            if cursor.left > 0 {
                let prefixes = try ParquetDeltas(cursor)
                let lengths = try ParquetDeltas(try prefixes.end())
                cursor = try lengths.end()
                (deltas, suffixes) = (prefixes, lengths)
            }
        case (9, 1...5):
            way = .streams
            guard bytes.count % Self.size(leaf.physical) == 0 else {
                throw place.damaged("a page of split bytes does not hold whole values")
            }
        default:
            let name = Self.names.indices.contains(encoding) ? Self.names[encoding] : "encoding \(encoding)"
            throw place.refused(
                "is written in the encoding \(name), which is not read for this type; write the file again with pyarrow's defaults")
        }
    }

    /// - Parameter dictionary: what indices lead to
    @inline(__always)
    mutating func next(_ dictionary: [TableValue]) throws(UserError) -> TableValue {
        switch way {
        case .plain: return try plain()
        case .dictionary:
            let index = try runs.next()
            guard index < dictionary.count else {
                throw place.damaged("value \(index) of a dictionary is meant, which has \(dictionary.count)")
            }
            return dictionary[index]
        default: return try other()
        }
    }

    private mutating func other() throws(UserError) -> TableValue {
        switch way {
        case .plainBits:
            guard let bit = bits.next() else { throw cursor.endOfData() }
            return .bool(bit == 1)
        case .runs:
            guard cursor.bytes.count > 0 else { throw cursor.endOfData() }
            return .bool(try runs.next() == 1)
        case .deltas:
            guard let value = try deltas?.next() else { throw cursor.endOfData() }
            // Differences of 32-bit numbers wrap at 32 bits.
            return try leaf.physical == 1 ? integer(Int32(truncatingIfNeeded: value)) : integer(value)
        case .lengths:
            guard let length = try deltas?.next() else { throw cursor.endOfData() }
            return try bytes(try cursor.take(Int(length)))
        case .streams: return try gathered()
        default: return try prefixed()
        }
    }

    /// A text that begins as the one before.
    private mutating func prefixed() throws(UserError) -> TableValue {
        guard let prefix = try deltas?.next(), let length = try suffixes?.next() else { throw cursor.endOfData() }
        guard prefix >= 0, prefix <= Int64(last.count) else {
            throw place.damaged("a text takes \(prefix) bytes from the one before, which has \(last.count)")
        }
        let suffix = try cursor.take(Int(length))
        guard Int(prefix) + suffix.count <= ParquetLimits.value else { throw tooLong(Int(prefix) + suffix.count) }
        last.removeLast(last.count - Int(prefix))
        last.append(contentsOf: suffix)
        return try last.withUnsafeBufferPointer { (whole) throws(UserError) in try bytes(UnsafeRawBufferPointer(whole)) }
    }

    /// A number whose bytes lie in as many streams, the lowest first (BYTE_STREAM_SPLIT).
    private mutating func gathered() throws(UserError) -> TableValue {
        let size = Self.size(leaf.physical)
        let count = cursor.bytes.count / size
        guard index < count else { throw cursor.endOfData() }
        var value: UInt64 = 0
        for k in 0..<size { value |= UInt64(cursor.bytes[k * count + index]) << UInt64(8 * k) }
        index += 1
        switch leaf.physical {
        case 1: return try integer(Int32(truncatingIfNeeded: value))
        case 2: return try integer(Int64(bitPattern: value))
        case 4: return .double(Double(Float(bitPattern: UInt32(truncatingIfNeeded: value))))
        default: return .double(Double(bitPattern: value))
        }
    }

    /// Bytes of a number of a physical type.
    private static func size(_ physical: Int) -> Int { physical == 1 || physical == 4 ? 4 : 8 }

    @inline(__always)
    private mutating func plain() throws(UserError) -> TableValue {
        switch leaf.physical {
        case 6:
            let length = try cursor.number(UInt32.self)
            return try bytes(try cursor.take(Int(length)))
        case 1: return try integer(try cursor.number(Int32.self))
        case 2: return try integer(try cursor.number(Int64.self))
        case 4: return .double(Double(Float(bitPattern: try cursor.number(UInt32.self))))
        default: return .double(Double(bitPattern: try cursor.number(UInt64.self)))
        }
    }

    private func integer(_ value: Int32) throws(UserError) -> TableValue {
        .integer(leaf.isUnsigned ? Int64(UInt32(bitPattern: value)) : Int64(value))
    }

    private func integer(_ value: Int64) throws(UserError) -> TableValue {
        guard value >= 0 || !leaf.isUnsigned else {
            throw place.refused("holds \(UInt64(bitPattern: value)), which is above 2^63 - 1; write it as text")
        }
        return .integer(value)
    }

    @inline(__always)
    private func bytes(_ bytes: UnsafeRawBufferPointer) throws(UserError) -> TableValue {
        guard bytes.count <= ParquetLimits.value else { throw tooLong(bytes.count) }
        guard leaf.kind == .text else { return .bytes(Array(bytes)) }
        guard let text = String(validating: bytes.bindMemory(to: UInt8.self), as: UTF8.self) else {
            throw place.damaged("a text is not UTF-8; bytes must be in a column of bytes")
        }
        return .text(text)
    }

    private func tooLong(_ count: Int) -> UserError {
        place.refused("has a value of \(count) bytes, more than the \(ParquetLimits.value) that are read")
    }
}
