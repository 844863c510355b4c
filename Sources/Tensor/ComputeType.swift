// The arithmetic that a user asks for.

/// What `system.compute_dtype` says of the numbers that products multiply.
package enum ComputeType: String, CaseIterable, Sendable {
    /// bfloat16 where the processor multiplies it faster, else float32.
    case automatic = "auto"
    case bfloat16
    case float32
}
