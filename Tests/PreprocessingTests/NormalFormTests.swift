// Words, shares of common runs of words, and scripts against Python's (Tests/Golden/preprocessing).

import Data
import Files
import Foundation
import Support
import Testing

@testable import Preprocessing

@Suite struct NormalFormTests {
    private func golden(_ name: String) throws -> JSONValue {
        try JSONValue.parse(file: PackagePath.root.appendingPathComponent("Tests/Golden/preprocessing/\(name)").path)
    }

    @Test func wordsAreThoseOfPython() throws {
        let cases = try #require(try golden("overlap.json")["words"]?.arrayValue)
        #expect(cases.count > 20)
        for item in cases {
            let text = try #require(item["text"]?.stringValue)
            let words = try #require(item["words"]?.arrayValue).compactMap(\.stringValue)
            let form = NormalForm(Array(text.utf8))
            #expect(form.bytes == Array(words.joined(separator: " ").utf8), "\(text): \(String(decoding: form.bytes, as: UTF8.self))")
            #expect(form.wordCount == words.count && form.wordHashes.count == words.count, "\(text)")
        }
    }

    @Test(arguments: [3, 13]) func sharesOfRunsAreThoseOfPython(length: Int) throws {
        let golden = try golden("overlap.json")
        var set = LeakSet(path: "set", gramLength: length)
        set.add(try #require(golden["against"]?.arrayValue).compactMap { $0.stringValue.map { Array($0.utf8) } })
        var shares: Set<Double> = []
        for item in try #require(golden["cases"]?.arrayValue) {
            let text = Array(try #require(item["text"]?.stringValue).utf8)
            let form = NormalForm(text)
            let share = set.leak(of: form, text, grams: form.gramHashes(length)).share
            #expect(share == item["shares"]?["\(length)"]?.numberValue)
            shares.insert(share)
        }
        #expect(shares.count > 5)
    }

    @Test func programsKeepCaseAndPunctuation() {
        func words(_ text: String) -> String { String(decoding: NormalForm(wordsAsTheyStand: Array(text.utf8)).bytes, as: UTF8.self) }
        #expect(words("  ls -A\n\t/usr ") == "ls -A /usr")
        #expect(words("x = a[i]") != words("x = a(i)"))
    }

    @Test func lettersHaveTheScriptsOfUnicode() throws {
        var count = 0
        for (script, codes) in try #require(try golden("scripts.json").objectValue).entries {
            for code in try #require(codes.stringValue).split(separator: " ") {
                let scalar = try #require(Unicode.Scalar(UInt32(code, radix: 16)!))
                count += 1
                // Letters that this toolchain's Unicode does not have yet are none to it.
                guard let number = Scripts.number(of: scalar) else { continue }
                #expect(Scripts.names[number] == script, "U+\(code)")
            }
        }
        #expect(count > 600)
        #expect(Scripts.number(of: "1") == nil && Scripts.number(of: "@") == nil && Scripts.number(of: "[") == nil)
        let mixed = Scripts.count(in: Array("日本語 abc, д. 12".utf8))
        #expect(mixed.letters.map { "\(Scripts.names[$0.key]) \($0.value)" }.sorted() == ["Cyrillic 1", "Han 3", "Latin 3"])
        #expect(mixed.main.map { Scripts.names[$0] } == "Han")
    }

    @Test func lengthsGiveTheirQuantiles() {
        var lengths = LengthCounts()
        for length in 1...100 { lengths.add(length) }
        #expect(lengths.quantile(0) == 1 && lengths.quantile(0.5) == 50 && lengths.quantile(0.95) == 95 && lengths.quantile(1) == 100)
        #expect(lengths.mean == 50.5 && lengths.count == 100)
        #expect(lengths.byPowersOfTwo.map(\.count) == [1, 1, 2, 4, 8, 16, 32, 36])
        #expect(LengthCounts(flattened: lengths.flattened) == lengths)
        #expect(LengthCounts().quantile(0.5) == 0 && LengthCounts().byPowersOfTwo.isEmpty)
    }
}
