// What this binary needs of the processor, and what the processor has.

import CProcessor

/// This machine's processor.
package enum Processor {
    /// True where bfloat16 products run in hardware (AVX512-BF16, which every processor with AMX has too).
    package static var hasBFloat16: Bool { Int(processor_present()) & processor_avx512_bf16 != 0 }

    private static let names: [(bit: Int, name: String)] = [
        (processor_fma, "FMA"), (processor_avx2, "AVX2"), (processor_f16c, "F16C"), (processor_avx512, "AVX-512"),
        (processor_avx512_bf16, "AVX512-BF16"),
    ]

    /// Names of what the numeric code was compiled to use and this processor lacks; empty when it can run here.
    package static var missing: [String] {
        let lacking = Int(processor_required() & ~processor_present())
        return names.filter { lacking & $0.bit != 0 }.map(\.name)
    }
}
