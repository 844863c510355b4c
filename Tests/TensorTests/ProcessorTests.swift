// The tests themselves run, so this processor has what they were compiled for.

import Foundation
import Support
import Tensor
import Testing

@Suite struct ProcessorTests {
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/cpuinfo")))
    func agreesWithTheKernel() throws {
        let flags = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        #expect(InstructionSet.available.contains(.avx512) == flags.contains("avx512vl"))
        #expect(InstructionSet.available.contains(.avx512BFloat16) == flags.contains("avx512_bf16"))
        #expect(!InstructionSet.available.contains(.amx) || flags.contains("amx_bf16"))
    }

    /// On x86-64 every build uses fused multiply-add, and what it uses the kernel lists among this processor's features.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/cpuinfo")))
    func whatIsRequiredIsThere() throws {
        #if arch(x86_64)
            let flags = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8).split(whereSeparator: \.isWhitespace)
            let names: [UInt32: Substring] = [1: "fma", 2: "avx2", 4: "avx512f", 8: "avx512_bf16", 16: "f16c"]
            #expect(Processor.required & 1 == 1)
            for (bit, name) in names where Processor.required & bit != 0 { #expect(flags.contains(name), "\(name)") }
        #endif
    }
}
