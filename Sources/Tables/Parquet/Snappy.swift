// Snappy's raw format ("Snappy compressed format description"): the length, then literals and copies of what was written before.

import Foundation

/// Unpacks blocks of Snappy.
enum Snappy {
    /// Unpacks a whole block.
    /// - Returns: whether the block is right and fills `output` to its end
    static func unpack(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Bool {
        var (i, shift, length) = (0, 0, 0)
        while true {
            guard i < input.count, shift < 35 else { return false }
            length |= Int(input[i] & 0x7F) << shift
            shift += 7
            i += 1
            if input[i - 1] & 0x80 == 0 { break }
        }
        guard length == output.count else { return false }
        guard length > 0 else { return i == input.count }
        let (source, target) = (input.baseAddress!, output.baseAddress!)
        var written = 0
        while i < input.count {
            let tag = input[i]
            i &+= 1
            if tag & 3 == 0 {
                var count = Int(tag >> 2)
                if count >= 60 {
                    let bytes = count &- 59
                    guard bytes <= input.count &- i else { return false }
                    count = 0
                    for k in 0..<bytes { count |= Int(input[i &+ k]) &<< (8 &* k) }
                    i &+= bytes
                }
                count &+= 1
                guard count <= input.count &- i, count <= length &- written else { return false }
                memcpy(target + written, source + i, count)
                i &+= count
                written &+= count
                continue
            }
            let extra = tag & 3 == 1 ? 1 : tag & 3 == 2 ? 2 : 4
            guard extra <= input.count &- i else { return false }
            var (count, distance) = (Int(tag >> 2) &+ 1, 0)
            for k in 0..<extra { distance |= Int(input[i &+ k]) &<< (8 &* k) }
            if extra == 1 {
                count = Int(tag >> 2 & 7) &+ 4
                distance |= Int(tag >> 5) &<< 8
            }
            i &+= extra
            guard distance > 0, distance <= written, count <= length &- written else { return false }
            if distance >= count {
                memcpy(target + written, target + (written &- distance), count)
            } else {
                // The copy reads what it writes: a short piece repeated.
                for k in 0..<count { output[written &+ k] = output[written &+ k &- distance] }
            }
            written &+= count
        }
        return written == length
    }
}
