// The tests themselves run, so this processor has what they were compiled for.

import Foundation
import Tensor
import Testing

@Suite struct ProcessorTests {
    @Test func whatIsRequiredIsKnown() { #expect(Processor.required == 0 || Processor.required & 1 == 1) }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/cpuinfo")))
    func agreesWithTheKernel() throws {
        let flags = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        #expect(Processor.hasBFloat16 == flags.contains("avx512_bf16"))
    }
}
