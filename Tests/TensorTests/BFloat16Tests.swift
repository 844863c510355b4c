// Rounding against the definition, for every upper half and around every tie.

import Support
import Tensor
import Testing

@Suite struct BFloat16Tests {
    @Test func everyValueSurvives() {
        for bits in UInt16.min...UInt16.max {
            let value = Float(bitPattern: UInt32(bits) << 16)
            let rounded = BFloat16(rounding: value)
            if value.isNaN {
                #expect(rounded.float.isNaN)
            } else if rounded.bits != bits {
                Issue.record("\(value): \(rounded.bits) ≠ \(bits)")
            }
        }
    }

    /// Of the two neighbours the nearer one, of two as near the even one.
    @Test func nearestNeighbour() {
        for high in stride(from: UInt32(0), to: 0x7f80, by: 1) {
            for low in [UInt32(1), 0x7fff, 0x8000, 0x8001, 0xffff] {
                let up = low > 0x8000 || (low == 0x8000 && high & 1 == 1)
                for sign in [UInt32(0), 0x8000] {
                    let rounded = BFloat16(rounding: Float(bitPattern: (sign | high) << 16 | low))
                    if UInt32(rounded.bits) != sign | (high + (up ? 1 : 0)) { Issue.record("\(high):\(low) became \(rounded.bits)") }
                }
            }
        }
        #expect(BFloat16(rounding: .greatestFiniteMagnitude).float == .infinity)
    }

    /// A NaN whose payload lies in the lower half would turn into infinity if it were cut off.
    @Test(arguments: [UInt32(0x7f80_0001), 0xff80_0001, 0x7fff_ffff, 0xffff_ffff, 0x7fbf_ffff])
    func notANumberStays(bits: UInt32) {
        #expect(BFloat16(rounding: Float(bitPattern: bits)).float.isNaN)
    }
}
