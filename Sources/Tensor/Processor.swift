// What this binary needs of the processor, and what the processor has.

import CProcessor

/// This machine's processor.
package enum Processor {
    /// True where bfloat16 products run in hardware (AVX512-BF16, which every processor with AMX has too).
    package static var hasBFloat16: Bool { Int(processor_present()) & processor_avx512_bf16 != 0 }

    /// Features that the numeric code was compiled to use, as bits of CProcessor: a constant, safe to ask on any processor.
    package static var required: UInt32 { processor_required() }
}
