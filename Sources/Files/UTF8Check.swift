// Well-formed UTF-8 (Unicode 15, table 3-7): no overlong form, no surrogate, nothing above U+10FFFF.

/// Checks of text that came from a file.
package enum UTF8Check {
    /// Number of bytes of the well-formed scalar at `i`, or 0 when there is none.
    package static func lengthOfScalar(_ bytes: UnsafeBufferPointer<UInt8>, at i: Int) -> Int {
        let first = bytes[i]
        if first < 0x80 { return 1 }
        let left = bytes.count &- i
        if first < 0xE0 { return first >= 0xC2 && left >= 2 && isContinuation(bytes[i &+ 1]) ? 2 : 0 }
        guard left >= 3, isContinuation(bytes[i &+ 2]) else { return 0 }
        let second = bytes[i &+ 1]
        if first < 0xF0 {
            let lowest: UInt8 = first == 0xE0 ? 0xA0 : 0x80
            let highest: UInt8 = first == 0xED ? 0x9F : 0xBF
            return second >= lowest && second <= highest ? 3 : 0
        }
        let lowest: UInt8 = first == 0xF0 ? 0x90 : 0x80
        let highest: UInt8 = first == 0xF4 ? 0x8F : 0xBF
        return first <= 0xF4 && left >= 4 && second >= lowest && second <= highest && isContinuation(bytes[i &+ 3]) ? 4 : 0
    }

    /// Index of the first byte that is not part of well-formed UTF-8, or nil when all are.
    package static func firstFault(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        var i = 0
        while i < bytes.count {
            let length = lengthOfScalar(bytes, at: i)
            guard length > 0 else { return i }
            i &+= length
        }
        return nil
    }

    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}
