// Thrift's compact protocol, as footers and page headers are written (Apache Thrift, "Thrift compact protocol encoding").
// Convention: a caller names the fields that it knows by their numbers and skips the others, so that newer files can be read.

import Files

/// Reads structures from the front of its bytes.
///
///     var field = 0
///     while let type = try reader.nextField(&field) {
///         switch field {
///         case 3: count = try reader.integer(type)
///         default: try reader.skip(type)
///         }
///     }
struct ThriftReader {
    /// Types of fields and elements.
    enum Kind: UInt8 {
        case yes = 1
        case no, byte, short, int, long, double, binary, list, set, map, structure, uuid
    }

    private var cursor: ParquetCursor
    private var depth = 0

    init(_ bytes: UnsafeRawBufferPointer, _ place: ParquetPlace) { cursor = ParquetCursor(bytes, place) }

    /// Bytes read so far.
    var offset: Int { cursor.offset }
    private var place: ParquetPlace { cursor.place }

    /// The next field of a structure, or nil at its end.
    /// - Parameter field: 0 at the structure's start, then the number of the field before; becomes that of the next
    mutating func nextField(_ field: inout Int) throws(UserError) -> Kind? {
        let head = try cursor.byte()
        guard head != 0 else { return nil }
        if head >> 4 == 0 {
            let number = try cursor.zigzag()
            guard (0...0x7FFF).contains(number) else { throw place.damaged("a field has the number \(number)") }
            field = Int(number)
        } else {
            field += Int(head >> 4)
        }
        return try kind(head & 0x0F)
    }

    private func kind(_ code: UInt8) throws(UserError) -> Kind {
        guard let kind = Kind(rawValue: code) else { throw place.damaged("a field has the unknown type \(code)") }
        return kind
    }

    // MARK: Values

    mutating func integer(_ kind: Kind) throws(UserError) -> Int {
        switch kind {
        case .byte: return Int(Int8(bitPattern: try cursor.byte()))
        case .short, .int, .long: return Int(try cursor.zigzag())
        default: throw place.damaged("a field is no whole number where one is expected")
        }
    }

    mutating func bool(_ kind: Kind) throws(UserError) -> Bool {
        guard kind == .yes || kind == .no else { throw place.damaged("a field is not true or false where it should be") }
        return kind == .yes
    }

    mutating func text(_ kind: Kind) throws(UserError) -> String {
        guard kind == .binary else { throw place.damaged("a field is no text where one is expected") }
        let bytes = try cursor.take(try cursor.count("the length of a text", limit: cursor.left))
        guard let text = String(validating: bytes.bindMemory(to: UInt8.self), as: UTF8.self) else {
            throw place.damaged("a name is not UTF-8")
        }
        return text
    }

    /// The number of elements of a list, which follow.
    /// - Throws: also when its elements are of another kind
    mutating func list(_ kind: Kind, of element: Kind) throws(UserError) -> Int {
        guard kind == .list || kind == .set else { throw place.damaged("a field is no list where one is expected") }
        let (found, count) = try listHead()
        guard found == element || count == 0 else { throw place.damaged("the elements of a list are of a wrong type") }
        return count
    }

    /// To be called before the fields of a structure inside another.
    mutating func structure(_ kind: Kind) throws(UserError) {
        guard kind == .structure else { throw place.damaged("a field is no structure where one is expected") }
    }

    private mutating func listHead() throws(UserError) -> (Kind, Int) {
        let head = try cursor.byte()
        var count = Int(head >> 4)
        // Each element takes a byte or more.
        if count == 15 { count = try cursor.count("the length of a list", limit: cursor.left) }
        guard count <= cursor.left else { throw cursor.endOfData() }
        return (count == 0 ? Kind(rawValue: head & 0x0F) ?? .byte : try kind(head & 0x0F), count)
    }

    // MARK: Skipping

    mutating func skip(_ kind: Kind) throws(UserError) {
        switch kind {
        case .yes, .no: break
        default: try skipElement(kind)
        }
    }

    /// Elements of lists and maps: like fields, but for truth values, which take a byte.
    private mutating func skipElement(_ kind: Kind) throws(UserError) {
        guard depth < ParquetLimits.depth else { throw place.damaged("its structures lie deeper than \(ParquetLimits.depth) levels") }
        depth += 1
        defer { depth -= 1 }
        switch kind {
        case .yes, .no, .byte: _ = try cursor.byte()
        case .short, .int, .long: _ = try cursor.variable()
        case .double: _ = try cursor.take(8)
        case .uuid: _ = try cursor.take(16)
        case .binary: _ = try cursor.take(try cursor.count("the length of a text", limit: cursor.left))
        case .list, .set:
            let (element, count) = try listHead()
            for _ in 0..<count { try skipElement(element) }
        case .map:
            let count = try cursor.count("the length of a map", limit: cursor.left)
            guard count > 0 else { return }
            let kinds = try cursor.byte()
            let (key, value) = (try self.kind(kinds >> 4), try self.kind(kinds & 0x0F))
            for _ in 0..<count {
                try skipElement(key)
                try skipElement(value)
            }
        case .structure:
            var field = 0
            while let kind = try nextField(&field) { try skip(kind) }
        }
    }
}
