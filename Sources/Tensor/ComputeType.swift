// The arithmetic that a user asks for, and the engine that it means on this processor.

import Files

/// Type of the numbers that products multiply.
package enum ComputeType: String, CaseIterable, Sendable {
    case automatic = "auto"
    case bfloat16
    case float32
}

extension MatrixEngine {
    /// The engine for a configured type; automatic takes bfloat16 where the processor multiplies it.
    package init(configured type: ComputeType) throws(UserError) {
        switch type {
        case .float32: self.init(.float32)
        case .automatic: self.init(Processor.hasBFloat16 ? .bfloat16 : .float32)
        case .bfloat16:
            guard Processor.hasBFloat16 else {
                throw UserError(
                    .configuration, "this processor has no bfloat16 products (AVX512-BF16 or AMX); use float32 or auto as compute_dtype")
            }
            self.init(.bfloat16)
        }
    }
}
