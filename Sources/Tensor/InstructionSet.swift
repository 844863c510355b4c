// Which instructions the kernels of products use: chosen when the program runs, not when it is compiled, so one build serves
// every processor and a machine can be told to compute as a lesser one does.

import CMatrixKernels
import CProcessor
import Files
import Glibc

/// A set of vector instructions that products are written for; each contains the ones before it.
package enum InstructionSet: String, CaseIterable, Comparable, Sendable {
    /// 256-bit vectors with fused multiply-add.
    case avx2
    /// 512-bit vectors.
    case avx512
    /// Products of bfloat16 pairs on 512-bit vectors (`vdpbf16ps`).
    case avx512BFloat16 = "avx512-bf16"
    /// Products of bfloat16 tiles (`tdpbf16ps`).
    case amx

    /// The environment variable that lowers `current`; its values are the raw values.
    package static let variable = "SHOAL_INSTRUCTION_SET"

    /// The sets that this processor and its operating system have.
    package static let available: [InstructionSet] = {
        let present = Int(processor_present())
        return allCases.filter { set in
            switch set {
            case .avx2: true
            case .avx512: present & processor_avx512 != 0
            case .avx512BFloat16: present & processor_avx512_bf16 != 0
            case .amx: present & processor_amx_bf16 != 0 && amx_request() == 0
            }
        }
    }()

    /// The set that products use unless they are asked for another: the best one available, or what the environment says.
    package static let current: InstructionSet = {
        let best = available.max() ?? .avx2
        guard let asked = getenv(variable).flatMap({ InstructionSet(rawValue: String(cString: $0)) }) else { return best }
        return min(asked, best)
    }()

    /// Throws when the environment asks for a set that does not exist or that this processor lacks.
    package static func requireRequested() throws(UserError) {
        guard let text = getenv(variable).map({ String(cString: $0) }) else { return }
        let names = available.map(\.rawValue).joined(separator: ", ")
        guard let asked = InstructionSet(rawValue: text), available.contains(asked) else {
            throw UserError(.configuration, "the environment has \(variable)=\(text); this processor can do \(names)")
        }
    }

    /// Whether the first lacks something that the second has.
    package static func < (one: InstructionSet, other: InstructionSet) -> Bool {
        allCases.firstIndex(of: one)! < allCases.firstIndex(of: other)!
    }

    /// Whether bfloat16 products run at more than float32's rate.
    package var multipliesBFloat16: Bool { self >= .avx512BFloat16 }
}
