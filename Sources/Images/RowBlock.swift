// Some rows of a picture, turned so that the values of one column lie side by side.

/// Up to 32 rows.                                                    [width, 3, 32]
///
/// Rows beyond the last one hold arbitrary values; nothing reads what is made of them.
final class RowBlock {
    static let rows = 32

    private let columns: Int
    private let bytes: UnsafeMutablePointer<UInt8>

    /// - Parameter pixels: of a row
    init(pixels: Int) {
        columns = 3 * pixels
        bytes = .allocate(capacity: columns * Self.rows)
        bytes.initialize(repeating: 0, count: columns * Self.rows)
    }

    deinit { bytes.deallocate() }

    /// One pixel of each row.                                       [3, 32]
    func pixel(_ pixel: Int) -> UnsafeMutablePointer<UInt8> { bytes + 3 * pixel * Self.rows }

    /// Takes rows of a picture.
    func load(_ image: RGBImage, _ rows: Range<Int>) {
        transpose(image.row(rows.lowerBound), columns, rows: rows.count, columns: columns, into: bytes, Self.rows)
    }

    /// Puts the rows into a picture.
    func store(to image: RGBImage, _ rows: Range<Int>) {
        transpose(bytes, Self.rows, rows: columns, columns: rows.count, into: image.row(rows.lowerBound), columns)
    }
}

/// Writes a matrix of bytes with rows and columns exchanged.
///
/// - Parameters:
///   - stride, targetStride: bytes from a row of the source, or of the target, to the next
///   - rows, columns: of the source
private func transpose(
    _ source: UnsafePointer<UInt8>, _ stride: Int, rows: Int, columns: Int, into target: UnsafeMutablePointer<UInt8>, _ targetStride: Int
) {
    let (wholeRows, wholeColumns) = (rows & ~7, columns & ~7)
    for row in Swift.stride(from: 0, to: wholeRows, by: 8) {
        for column in Swift.stride(from: 0, to: wholeColumns, by: 8) {
            transposeTile(source + row * stride + column, stride, into: target + column * targetStride + row, targetStride)
        }
    }
    for row in 0..<rows {
        for column in (row < wholeRows ? wholeColumns : 0)..<columns { target[column * targetStride + row] = source[row * stride + column] }
    }
}

/// 8 × 8 bytes as eight words: halves, then quarters, then bytes of pairs of rows change places.
@inline(__always)
private func transposeTile(_ source: UnsafePointer<UInt8>, _ stride: Int, into target: UnsafeMutablePointer<UInt8>, _ targetStride: Int) {
    @inline(__always) func row(_ row: Int) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(source + row * stride).loadUnaligned(as: UInt64.self))
    }
    @inline(__always) func exchange(_ a: inout UInt64, _ b: inout UInt64, _ bits: UInt64, _ mask: UInt64) {
        let difference = (a &>> bits ^ b) & mask
        b ^= difference
        a ^= difference &<< bits
    }
    var (a, b, c, d, e, f, g, h) = (row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7))
    let (halves, quarters, bytes): (UInt64, UInt64, UInt64) = (0x0000_0000_FFFF_FFFF, 0x0000_FFFF_0000_FFFF, 0x00FF_00FF_00FF_00FF)
    exchange(&a, &e, 32, halves)
    exchange(&b, &f, 32, halves)
    exchange(&c, &g, 32, halves)
    exchange(&d, &h, 32, halves)
    exchange(&a, &c, 16, quarters)
    exchange(&b, &d, 16, quarters)
    exchange(&e, &g, 16, quarters)
    exchange(&f, &h, 16, quarters)
    exchange(&a, &b, 8, bytes)
    exchange(&c, &d, 8, bytes)
    exchange(&e, &f, 8, bytes)
    exchange(&g, &h, 8, bytes)
    for (column, word) in [a, b, c, d, e, f, g, h].enumerated() {
        UnsafeMutableRawPointer(target + column * targetStride).storeBytes(of: word.littleEndian, as: UInt64.self)
    }
}
