// Ids against the reference: the committed strings with jina-tiny's tokenizer, the data folder's with the published one.

import Files
import Foundation
import Model
import Support
import Testing

private func expectIDs(_ tokenizer: Tokenizer, _ cases: [TokenizerCase], atLeast count: Int) {
    #expect(cases.count >= count)
    for (row, expected) in cases.enumerated() {
        let ids = tokenizer.encode(expected.text)
        #expect(ids == expected.ids, "row \(row + 1), \(expected.text.debugDescription)")
    }
}

@Suite struct TokenizerTests {
    @Test func trickyStringsGetTheReferencesIDs() throws {
        try expectIDs(Tokenizer(path: TokenizerFiles.jinaTiny), TokenizerFiles.cases(TokenizerFiles.golden("strings.jsonl")), atLeast: 500)
    }

    @Test func addedTokensObeyTheirFlags() throws {
        let folder = try TemporaryFolder()
        let flags = TokenizerFiles.golden("flags-tokenizer.json")
        let added = try #require(try JSONValue.parse(file: flags)["added_tokens"])
        let path = try folder.write("tokenizer.json", TokenizerFiles.edited { $0["added_tokens"] = added })
        try expectIDs(try Tokenizer(path: path), TokenizerFiles.cases(TokenizerFiles.golden("flags.jsonl")), atLeast: 300)
    }

    @Test(.enabled(if: TestData.available, "set SHOAL_TEST_DATA"))
    func publishedVocabularyGivesTheReferencesIDs() throws {
        let tokenizer = try TokenizerFiles.published()
        #expect(tokenizer.vocabularySize == 151_665)
        try expectIDs(tokenizer, TokenizerFiles.cases(TestData.url("qwen2.5-tokenizer/cases-hf-conformance.jsonl").path), atLeast: 57)
        try expectIDs(tokenizer, TokenizerFiles.cases(TestData.url("multilingual/lines.jsonl.gz").path), atLeast: 574)
        // Published check vector of the image prompt.
        let prompt = "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Describe the image.<|im_end|>\n"
        #expect(tokenizer.encode(prompt) == [151644, 872, 198, 151652, 151655, 151653, 74785, 279, 2168, 13, 151645, 198])
    }

    @Test func namesAddedTokens() throws {
        let tokenizer = try Tokenizer(path: TokenizerFiles.jinaTiny)
        #expect(tokenizer.vocabularySize == 8214)
        #expect(tokenizer.id(of: "<|im_end|>") == 8194)
        #expect(tokenizer.id(of: "the") == nil)
    }

    @Test func idsDoNotDependOnThreadsOrHistory() throws {
        let tokenizer = try Tokenizer(path: TokenizerFiles.jinaTiny)
        let strings = try TokenizerFiles.cases(TokenizerFiles.golden("strings.jsonl"))
        // Any order, many at once, three times over: words in the cache push others out.
        let wrong = Counter()
        DispatchQueue.concurrentPerform(iterations: 3 * strings.count) { index in
            let expected = strings[(index * 7919) % strings.count]
            if tokenizer.encode(expected.text) != expected.ids { wrong.add() }
        }
        #expect(wrong.value == 0)
    }

    @Test func longWordsMergeAsShortOnesDo() throws {
        // All letters, so one word; no merge joins a Latin letter to a Chinese one, so its halves merge by themselves.
        let tokenizer = try Tokenizer(path: TokenizerFiles.jinaTiny)
        for half in ["understandingthequickbrownfoxesjumping", "interoperabilitybecausewhereverthereis", String(repeating: "a", count: 39)]
        {
            let expected = tokenizer.encode(half) + tokenizer.encode("中" + half)
            #expect(tokenizer.encode(half + "中" + half) == expected)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aMegabyteWithoutASpaceIsNotQuadratic() throws {
        let tokenizer = try Tokenizer(path: TokenizerFiles.jinaTiny)
        let ids = tokenizer.encode(String(repeating: "ab", count: 500_000))
        #expect(ids.count > 10_000)
        #expect(tokenizer.encode(String(repeating: " ", count: 1_000_000) + "x").count > 1_000)
        #expect(tokenizer.encode(String(repeating: "\u{301}", count: 300_000)).count > 1_000)
    }

    @Test func bytesThatAreNotUTF8NeverTrap() throws {
        let tokenizer = try Tokenizer(path: TokenizerFiles.jinaTiny)
        var state: UInt64 = 1
        for length in 0..<2_000 {
            let bytes = (0..<length % 40).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return [0xCC, 0x81, 0xED, 0xA0, 0xF4, 0xE1, 0x84, 0x80, 0x61, 0x20, 0xC0, 0x3C, 0xFF][Int(state >> 33) % 13] as UInt8
            }
            let ids = bytes.withUnsafeBufferPointer { tokenizer.encode($0) }
            #expect(ids.isEmpty == bytes.isEmpty)
        }
    }
}

/// Counts from many threads.
private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private(set) var value = 0

    func add() {
        lock.lock()
        value += 1
        lock.unlock()
    }
}
