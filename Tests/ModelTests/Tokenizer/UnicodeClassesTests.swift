// Letters, numbers and spaces, every scalar against the reference's regular expressions.

import Foundation
import Model
import Support
import Testing

@Suite struct UnicodeClassesTests {
    @Test func everyScalarIsWhatTheReferenceTakesItFor() throws {
        var expected = [ScalarClass](repeating: .other, count: 0x110000)
        let names: [String: ScalarClass] = ["letter": .letter, "number": .number, "space": .space]
        for row in try TokenizerFiles.rows(TokenizerFiles.golden("classes.jsonl")) {
            let name = try #require(row["class"]?.stringValue.flatMap { names[$0] })
            for run in try #require(row["runs"]?.arrayValue) {
                let ends = try #require(run.arrayValue?.compactMap { $0.integerValue.map(Int.init) })
                for scalar in ends[0]...ends[1] { expected[scalar] = name }
            }
        }
        for scalar in [0x0A, 0x0D] { expected[scalar] = .newline }
        let wrong = expected.indices.filter { UnicodeClasses.shared.scalarClass(UInt32($0)) != expected[$0] }
        #expect(wrong.isEmpty, "first of \(wrong.count): U+\(String(wrong.first ?? 0, radix: 16))")
        #expect(expected.count { $0 == .letter } == 141_028)
    }
}
