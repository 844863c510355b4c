// The encoding DELTA_BINARY_PACKED ("Delta encoding" of the format's specification): a first value, then differences in blocks, each
// with its least difference and, for each of its parts, the bits that the rest takes.

import Files

/// Reads whole numbers stored as differences.
struct ParquetDeltas {
    private(set) var cursor: ParquetCursor
    /// Numbers not yet read.
    private(set) var left: Int
    private let valuesOfPart: Int
    private let parts: Int
    private var value: Int64
    private var isFirst = true
    private var least: Int64 = 0
    private var widths: UnsafeRawBufferPointer
    private var part = 0
    private var leftOfPart = 0
    private var bits: ParquetBits

    init(_ cursor: ParquetCursor) throws(UserError) {
        var cursor = cursor
        let place = cursor.place
        let block = try cursor.count("the size of a block of differences", limit: 1 << 20)
        parts = try cursor.count("the number of parts of a block", limit: 1 << 12)
        left = try cursor.count("the number of differences", limit: Int(Int32.max))
        guard block > 0, parts > 0, block % parts == 0, (block / parts) % 8 == 0 else {
            throw place.damaged("blocks of \(block) differences in \(parts) parts are not possible")
        }
        valuesOfPart = block / parts
        value = try cursor.zigzag()
        part = parts
        widths = UnsafeRawBufferPointer(start: nil, count: 0)
        bits = ParquetBits(widths, width: 0)
        self.cursor = cursor
    }

    mutating func next() throws(UserError) -> Int64 {
        guard left > 0 else { throw cursor.endOfData() }
        left &-= 1
        if isFirst {
            isFirst = false
            return value
        }
        if leftOfPart == 0 { try nextPart() }
        leftOfPart &-= 1
        guard let rest = bits.next() else { throw cursor.endOfData() }
        value = value &+ least &+ Int64(bitPattern: rest)
        return value
    }

    private mutating func nextPart() throws(UserError) {
        if part == parts {
            least = try cursor.zigzag()
            widths = try cursor.take(parts)
            part = 0
        }
        let width = Int(widths[part])
        guard width <= 64 else { throw cursor.place.damaged("a difference has \(width) bits where 64 are possible") }
        part += 1
        leftOfPart = valuesOfPart
        // Some writers leave out the padding of the last part.
        bits = ParquetBits(try cursor.take(min(width * valuesOfPart / 8, cursor.left)), width: width)
    }

    /// Where the bytes after the numbers begin. Reads over what is left, without keeping any of it.
    func end() throws(UserError) -> ParquetCursor {
        var copy = self
        while copy.left > 0 { _ = try copy.next() }
        return copy.cursor
    }
}
