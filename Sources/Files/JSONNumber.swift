// Numbers of a JSON text, part of JSONScanner. Whole numbers that fit Int64 stay exact; all others are correctly rounded.

/// A number of a JSON text: exact when it is written without point and exponent and fits 64 bits.
package enum JSONNumber: Equatable, Sendable {
    /// A whole number, exact.
    case integer(Int64)
    /// Any other number, correctly rounded.
    case number(Double)
}

extension JSONScanner {
    /// Reads a number.
    /// - Throws: `UserError` when the value is no number, or beyond Double's range
    package mutating func readNumber() throws(UserError) -> JSONNumber {
        try expect(.number)
        let (text, integer) = try scanNumber()
        if let integer { return .integer(integer) }
        let digits = String(decoding: bytes[text], as: UTF8.self)
        guard let value = Double(digits), value.isFinite else {
            throw fault("the number \(digits.prefix(40)) is out of range; the largest is about 1.8e308")
        }
        return .number(value)
    }

    /// Reads a whole number.
    /// - Throws: `UserError` when the value is no number, has a point or exponent, or does not fit 64 bits
    package mutating func readInteger() throws(UserError) -> Int64 {
        try expect(.number)
        let (text, integer) = try scanNumber()
        guard let integer else {
            throw fault(
                "found \(String(decoding: bytes[text].prefix(40), as: UTF8.self)) where a whole number between -2^63 and 2^63 - 1 is expected"
            )
        }
        return integer
    }

    /// Scans the number at `offset`.
    /// - Returns: its bytes, and its value when it is whole and fits
    mutating func scanNumber() throws(UserError) -> (text: Range<Int>, integer: Int64?) {
        tokenStart = offset
        let start = offset
        let isNegative = bytes[offset] == UInt8(ascii: "-")
        if isNegative { offset &+= 1 }

        let wholeStart = offset
        try skipDigits()
        if bytes[wholeStart] == UInt8(ascii: "0"), offset > wholeStart + 1 {
            throw fault("a number begins with a superfluous zero; remove it")
        }
        let whole = wholeStart..<offset
        var isWhole = true
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            isWhole = false
            offset &+= 1
            try skipDigits()
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            offset &+= 1
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") { offset &+= 1 }
            try skipDigits()
        }
        return (start..<offset, isWhole ? integer(whole, isNegative: isNegative) : nil)
    }

    private mutating func skipDigits() throws(UserError) {
        let start = offset
        while offset < bytes.count, bytes[offset] &- UInt8(ascii: "0") < 10 { offset &+= 1 }
        guard offset > start else { throw fault("found \(found(at: offset)) where a digit of a number is expected", at: offset) }
    }

    private func integer(_ digits: Range<Int>, isNegative: Bool) -> Int64? {
        guard digits.count <= 19 else { return nil }
        var magnitude: UInt64 = 0  // 19 digits stay below 2⁶⁴
        for i in digits { magnitude = magnitude &* 10 &+ UInt64(bytes[i] &- UInt8(ascii: "0")) }
        if magnitude <= UInt64(Int64.max) { return isNegative ? -Int64(magnitude) : Int64(magnitude) }
        return isNegative && magnitude == UInt64(Int64.max) + 1 ? Int64.min : nil
    }
}
