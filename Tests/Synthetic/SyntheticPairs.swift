// A file of training pairs whose lengths in tokens are known beforehand: texts of words that are one token each.

import Files
import Foundation
import Model
import Tensor

/// Use: `try SyntheticPairs.write(rows: 64, .equal(128), tokenizer: folder + "/tokenizer.json", to: path)`.
package enum SyntheticPairs {
    /// Tokens of a text, prompt included.
    package enum Lengths: Sendable, Equatable {
        /// As questions and their answers: log-normal with the medians 14 and 120, at most 500. Milder than real ones (the
        /// logarithms deviate by 0.3; those of MedQuAD's answers by 0.75), so that padding costs less than it would there.
        case logNormal
        /// Every text has this many.
        case equal(Int)

        fileprivate func tokens(_ stream: RandomStream, row: Int, isQuery: Bool) -> Int {
            switch self {
            case .equal(let tokens): return tokens
            case .logNormal:
                let length = (isQuery ? Self.medians.query : Self.medians.passage) * exp(Self.deviation * stream.gaussian(at: row))
                return min(max(Int(length.rounded()), 6), 500)
            }
        }

        private static let medians = (query: 14.0, passage: 120.0)
        private static let deviation = 0.3

        /// Of a log-normal pair, both texts.
        package static var meanTokensOfPair: Double { (medians.query + medians.passage) * exp(deviation * deviation / 2) }
    }

    /// No two texts are equal.
    ///
    /// - Throws: `UserError` `.usage` when the texts would be too short to differ; `.output`
    package static func write(rows: Int, _ lengths: Lengths, tokenizer path: String, to file: String) throws(UserError) {
        let words = try OneTokenWords(tokenizer: path)
        let stream = RandomStream(2)
        var texts = DistinctTexts(words)
        var lines: [UInt8] = []
        for row in 0..<rows {
            func text(_ prompt: Prompt, isQuery: Bool) throws(UserError) -> JSONValue {
                let stream = stream.stream(isQuery ? "query" : "passage")
                let tokens = lengths.tokens(stream, row: row, isQuery: isQuery)
                return .string(try texts.next(tokens: tokens, after: prompt, stream.stream(UInt64(row))))
            }
            let pair: JSONValue = ["query": try text(.query, isQuery: true), "positive": try text(.passage, isQuery: false)]
            lines += pair.serialized() + [UInt8(ascii: "\n")]
        }
        try AtomicWrite.write(lines, to: file)
    }
}

/// Words that a tokenizer gives one token, each with the blank before it.
private struct OneTokenWords {
    let words: [String]
    private let tokenizer: Tokenizer

    init(tokenizer path: String) throws(UserError) {
        let tokenizer = try Tokenizer(path: path)
        let vocabulary = try JSONValue.parse(file: path)["model"]?["vocab"]?.objectValue?.entries ?? []
        // A byte-level vocabulary spells the blank as Ġ.
        let spelled = vocabulary.map(\.key).filter { $0.unicodeScalars.first == "Ġ" }.map { String($0.unicodeScalars.dropFirst()) }
        words = spelled.filter { word in
            word.utf8.count > 1 && word.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
                && tokenizer.encode(" " + word).count == 1
        }
        self.tokenizer = tokenizer
    }

    /// Tokens of a prompt before its first word, whose blank is the prompt's last character.
    func tokens(of prompt: Prompt) -> Int { tokenizer.encode(prompt.prefix + words[0]).count - 1 }
}

private struct DistinctTexts {
    private let words: OneTokenWords
    private var seen: Set<String> = []

    init(_ words: OneTokenWords) { self.words = words }

    mutating func next(tokens: Int, after prompt: Prompt, _ stream: RandomStream) throws(UserError) -> String {
        let count = tokens - words.tokens(of: prompt)
        for attempt in 0..<100 where count > 0 {
            let stream = stream.stream(UInt64(attempt))
            let text = (0..<count).map { words.words[stream.integer(below: words.words.count, at: $0)] }.joined(separator: " ")
            if seen.insert(text).inserted { return text }
        }
        throw UserError(.usage, "texts of \(tokens) tokens are too short to differ from one another, prompt included; ask for longer ones")
    }
}
