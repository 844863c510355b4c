// Element types of safetensors files, by their names there.

/// The element types of safetensors files, in the order in which a file holds them: by falling alignment, and within one alignment as
/// the reference library has it (safetensors 0.8.0). The packed types F4 and F6, of less than a byte, are not read.
package enum SafetensorsDType: String, CaseIterable, Sendable {
    case u64 = "U64"
    case i64 = "I64"
    case f64 = "F64"
    case c64 = "C64"
    case f32 = "F32"
    case u32 = "U32"
    case i32 = "I32"
    case bf16 = "BF16"
    case f16 = "F16"
    case u16 = "U16"
    case i16 = "I16"
    case f8e5m2FNUZ = "F8_E5M2FNUZ"
    case f8e4m3FNUZ = "F8_E4M3FNUZ"
    case f8e8m0 = "F8_E8M0"
    case f8e4m3 = "F8_E4M3"
    case f8e5m2 = "F8_E5M2"
    case i8 = "I8"
    case u8 = "U8"
    case bool = "BOOL"

    /// Number of bytes of one element.
    package var byteWidth: Int {
        switch self {
        case .u64, .i64, .f64, .c64: 8
        case .f32, .u32, .i32: 4
        case .bf16, .f16, .u16, .i16: 2
        case .f8e5m2FNUZ, .f8e4m3FNUZ, .f8e8m0, .f8e4m3, .f8e5m2, .i8, .u8, .bool: 1
        }
    }

    /// Number of bytes of a tensor, or nil when the product does not fit.
    func byteCount(of shape: [Int]) -> Int? {
        var product = 1
        for extent in shape {
            let (next, overflow) = product.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            product = next
        }
        let (bytes, overflow) = product.multipliedReportingOverflow(by: byteWidth)
        return overflow ? nil : bytes
    }
}
