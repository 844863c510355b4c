// What this binary needs of the processor, and what the processor has.

import CProcessor

/// This machine's processor.
package enum Processor {
    /// What the processor has, as bits of CProcessor, in a name that can be compared.
    package static var features: String { "features \(processor_present())" }

    /// Features that the numeric code was compiled to use, as bits of CProcessor: a constant, safe to ask on any processor.
    package static var required: UInt32 { processor_required() }
}
