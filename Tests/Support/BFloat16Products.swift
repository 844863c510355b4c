// Whether this machine can multiply in bfloat16: the one place where tests ask.

import Tensor
import Testing

/// What the tests know of the bfloat16 engine on this machine. Use: `@Test(.needsBFloat16Products)`.
package enum BFloat16Products {
    /// Whether the engine runs here.
    package static var areAvailable: Bool { Processor.hasBFloat16 }
}

extension Trait where Self == ConditionTrait {
    /// Skips a test where the bfloat16 engine does not run, and says so in the runner's output.
    package static var needsBFloat16Products: Self {
        .enabled(if: BFloat16Products.areAvailable, "needs bfloat16 products: AVX512-BF16")
    }
}
