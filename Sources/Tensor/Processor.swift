// What this binary needs of the processor, and what the processor has.

import CProcessor
import Foundation

/// This machine's processor.
package enum Processor {
    /// As the processor names itself: `AMD EPYC 9R14`; "unknown" when it does not.
    package static let model: String = {
        let text = FileManager.default.contents(atPath: "/proc/cpuinfo").map { String(decoding: $0, as: UTF8.self) } ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line.flatMap { $0.split(separator: ":", maxSplits: 1).dropFirst().first }.map { $0.trimmingCharacters(in: .whitespaces) }
            ?? "unknown"
    }()

    /// What the processor has, as bits of CProcessor, in a name that can be compared.
    package static var features: String { "features \(processor_present())" }

    /// Features that the numeric code was compiled to use, as bits of CProcessor: a constant, safe to ask on any processor.
    package static var required: UInt32 { processor_required() }
}
