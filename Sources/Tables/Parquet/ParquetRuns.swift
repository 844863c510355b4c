// The encoding RLE ("Run Length Encoding / Bit-Packing Hybrid" of the format's specification): levels, indices into dictionaries,
// booleans. Runs of one value, or groups of eight packed ones, each kind with its count before it.

import Files

/// Reads the numbers of runs, one after another, however many a run says it has.
struct ParquetRuns {
    private var cursor: ParquetCursor
    private let width: Int
    private var left = 0
    private var isPacked = false
    private var value = 0
    private var bits: ParquetBits

    /// - Parameter width: bits of a number; 0 means that all are 0 and that nothing need be written
    init(_ bytes: UnsafeRawBufferPointer, width: Int, _ place: ParquetPlace) throws(UserError) {
        guard (0...32).contains(width) else { throw place.damaged("numbers of \(width) bits are said to be packed where 32 are possible") }
        cursor = ParquetCursor(bytes, place)
        self.width = width
        bits = ParquetBits(bytes, width: 0)
    }

    @inline(__always)
    mutating func next() throws(UserError) -> Int {
        guard width > 0 else { return 0 }
        if left == 0 { try nextRun() }
        left &-= 1
        guard isPacked else { return value }
        guard let packed = bits.next() else { throw cursor.endOfData() }
        return Int(truncatingIfNeeded: packed)
    }

    private mutating func nextRun() throws(UserError) {
        while left == 0 {
            let head = try cursor.count("the length of a run", limit: Int(UInt32.max))
            isPacked = head & 1 == 1
            if isPacked {
                left = (head >> 1) * 8
                // Some writers leave out the padding of the last group.
                bits = ParquetBits(try cursor.take(min((head >> 1) * width, cursor.left)), width: width)
            } else {
                left = head >> 1
                value = 0
                for k in 0..<(width + 7) / 8 { value |= Int(try cursor.byte()) << (8 * k) }
            }
        }
    }
}
