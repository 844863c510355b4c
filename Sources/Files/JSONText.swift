// Strings of a JSON text: found, checked and, on demand, unescaped. Part of JSONScanner.
// Convention: scanning proves every rule (UTF-8, escapes, surrogate pairs), so that unescaping cannot fail.

/// A string as it stands in the text: what lies between its quotes, checked and not yet unescaped.
package struct JSONText {
    /// The bytes between the quotes, as they stand in the text. Points into the scanned bytes.
    package let raw: UnsafeBufferPointer<UInt8>
    /// Whether `raw` has escapes; when false, `raw` is the string's UTF-8.
    package let hasEscapes: Bool

    /// The string's UTF-8, without escapes.
    package var utf8: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(raw.count)
        append(to: &bytes)
        return bytes
    }

    /// The text, its escapes resolved.
    package var string: String { hasEscapes ? String(decoding: utf8, as: UTF8.self) : String(decoding: raw, as: UTF8.self) }

    /// Whether the string equals `text` byte for byte.
    ///
    /// Swift's own `==` would take canonically equivalent texts, such as K and the Kelvin sign, for one.
    package func equals(_ text: String) -> Bool {
        hasEscapes ? utf8.elementsEqual(text.utf8) : raw.elementsEqual(text.utf8)
    }

    /// Appends the string's UTF-8.
    package func append(to bytes: inout [UInt8]) {
        guard hasEscapes else { return bytes.append(contentsOf: raw) }
        var i = 0
        while i < raw.count {
            guard raw[i] == UInt8(ascii: "\\") else {
                bytes.append(raw[i])
                i += 1
                continue
            }
            switch raw[i + 1] {
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "u"):
                i = appendUnicodeEscape(at: i, to: &bytes)
                continue
            default: bytes.append(raw[i + 1])
            }
            i += 2
        }
    }

    /// Appends the character that the escape at `i` stands for; a surrogate pair is one character.
    /// - Returns: where the text goes on
    private func appendUnicodeEscape(at i: Int, to bytes: inout [UInt8]) -> Int {
        let unit = hexadecimalUnit(raw, at: i + 2)!
        guard (0xD800...0xDBFF).contains(unit) else {
            bytes.append(contentsOf: UTF8.encode(UnicodeScalar(unit)!)!)
            return i + 6
        }
        let low = hexadecimalUnit(raw, at: i + 8)!
        bytes.append(contentsOf: UTF8.encode(UnicodeScalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))!)!)
        return i + 12
    }
}

/// The value of the four hexadecimal digits at `start`, or nil when there are not four.
private func hexadecimalUnit(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> UInt32? {
    guard start + 4 <= bytes.count else { return nil }
    var unit: UInt32 = 0
    for byte in bytes[start..<start + 4] {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
        default: return nil
        }
    }
    return unit
}

extension JSONScanner {
    /// Reads a string without copying it.
    /// - Throws: `UserError` when the next value is no string, or breaks a rule of JSON or UTF-8
    package mutating func readText() throws(UserError) -> JSONText {
        try expect(.string)
        return try scanText()
    }

    /// Reads a text. Throws `UserError` when another value stands here.
    package mutating func readString() throws(UserError) -> String { try readText().string }

    /// Scans from the opening quote, at `offset`, past the closing one.
    mutating func scanText() throws(UserError) -> JSONText {
        tokenStart = offset
        let start = offset &+ 1
        var i = start
        var hasEscapes = false
        while true {
            i = endOfPlainText(from: i)
            guard i < bytes.count else { throw fault("a string begins here and never ends; the file is cut short or a quote is missing") }
            switch bytes[i] {
            case UInt8(ascii: "\""):
                offset = i &+ 1
                return JSONText(raw: UnsafeBufferPointer(rebasing: bytes[start..<i]), hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                i = try endOfEscape(at: i)
            case 0..<0x20:
                throw fault("a control character, \(found(at: i)), stands in a string; write it as an escape such as \\n", at: i)
            default:
                let length = UTF8Check.lengthOfScalar(bytes, at: i)
                guard length > 0 else { throw fault("\(found(at: i)) is not valid UTF-8; save the file as UTF-8", at: i) }
                i &+= length
            }
        }
    }

    /// The first byte from `start` that is a quote, a backslash, a control character or not ASCII. Eight bytes at a time: a
    /// byte's top bit is set in `stops` when it is one of these (bits above the lowest such byte mean nothing).
    private func endOfPlainText(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops = ones << 7
        let address = UnsafeRawPointer(bytes.baseAddress!)
        var i = start
        while i &+ 8 <= bytes.count {
            let word = UInt64(littleEndian: address.loadUnaligned(fromByteOffset: i, as: UInt64.self))
            let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            let controls = (word &- ones &* 0x20) & ~word
            let stops = (((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes) | controls | word) & tops
            if stops != 0 { return i &+ stops.trailingZeroBitCount / 8 }
            i &+= 8
        }
        while i < bytes.count {
            let byte = bytes[i]
            guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { return i }
            i &+= 1
        }
        return i
    }

    /// Checks the escape whose backslash is at `i`; a surrogate pair counts as one.
    private func endOfEscape(at i: Int) throws(UserError) -> Int {
        guard i + 1 < bytes.count else { throw fault("the text ends inside a string; the file is cut short", at: i) }
        switch bytes[i + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            return i + 2
        case UInt8(ascii: "u"):
            guard let unit = hexadecimalUnit(bytes, at: i + 2) else {
                throw fault("\\u must be followed by four hexadecimal digits", at: i)
            }
            guard (0xD800...0xDFFF).contains(unit) else { return i + 6 }
            guard unit < 0xDC00, i + 7 < bytes.count, bytes[i + 6] == UInt8(ascii: "\\"), bytes[i + 7] == UInt8(ascii: "u"),
                let low = hexadecimalUnit(bytes, at: i + 8), (0xDC00...0xDFFF).contains(low)
            else { throw fault("half of a surrogate pair stands alone and means no character; write both halves", at: i) }
            return i + 12
        default:
            throw fault("found the escape \\ followed by \(found(at: i + 1)), which JSON does not know; write \\\\ for a backslash", at: i)
        }
    }
}
