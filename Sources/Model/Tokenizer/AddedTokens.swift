// Tokens that stand beside the vocabulary, such as <|im_end|>: found in a text as they are, before it is split into words.
// Of those that begin at the leftmost place the longest is taken, as in the reference.

import Tensor

/// An entry of `added_tokens`.
struct AddedToken: Sendable, Equatable {
    var id: Int32
    var content: String
    /// Found in normalised text; else in the text as it came.
    var isNormalized: Bool
    /// Not part of a word: neither neighbour is a word's character.
    var isSingleWord: Bool
    /// Takes the spaces before it with it.
    var stripsLeft: Bool
    /// Takes the spaces behind it with it.
    var stripsRight: Bool
}

/// Finds added tokens in text.
struct AddedTokenMatcher: Sendable {
    private struct Pattern {
        let bytes: [UInt8]
        let token: AddedToken
    }

    /// Longest first.
    private let patterns: [Pattern]
    /// For each byte, whether a pattern begins with it.
    private let begins: [Bool]

    init(_ tokens: [AddedToken]) {
        patterns = tokens.map { Pattern(bytes: Array($0.content.utf8), token: $0) }.sorted { $0.bytes.count > $1.bytes.count }
        var begins = [Bool](repeating: false, count: 256)
        for pattern in patterns { begins[Int(pattern.bytes[0])] = true }
        self.begins = begins
    }

    /// What a text falls into.
    enum Piece {
        case plain(Range<Int>)
        case token(Int32)
    }

    /// Cuts a text into plain pieces, none empty, and tokens, in order.
    func forEachPiece(of text: UnsafeBufferPointer<UInt8>, _ body: (Piece) -> Void) {
        var done = 0
        var index = 0
        while let (found, range) = nextMatch(in: text, from: index) {
            index = range.upperBound
            if found.isSingleWord, touchesWord(text, range) { continue }
            let start = found.stripsLeft ? max(startOfSpaces(text, before: range.lowerBound), done) : range.lowerBound
            if done < start { body(.plain(done..<start)) }
            body(.token(found.id))
            done = found.stripsRight ? endOfSpaces(text, from: range.upperBound) : range.upperBound
        }
        if done < text.count { body(.plain(done..<text.count)) }
    }

    private func nextMatch(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> (token: AddedToken, range: Range<Int>)? {
        guard !patterns.isEmpty else { return nil }
        var index = start
        while index < text.count {
            if begins[Int(text[index])] {
                for pattern in patterns where matches(pattern.bytes, text, at: index) {
                    return (pattern.token, index..<index + pattern.bytes.count)
                }
            }
            index += 1
        }
        return nil
    }

    private func matches(_ bytes: [UInt8], _ text: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
        guard bytes.count <= text.count - index else { return false }
        for place in 0..<bytes.count where text[index + place] != bytes[place] { return false }
        return true
    }

    private func touchesWord(_ text: UnsafeBufferPointer<UInt8>, _ match: Range<Int>) -> Bool {
        if match.lowerBound > 0, isWord(text.scalar(at: text.startOfScalar(before: match.lowerBound)).value) { return true }
        return match.upperBound < text.count && isWord(text.scalar(at: match.upperBound).value)
    }

    /// `\w` of Unicode's regular expressions: alphabetic, mark, decimal digit, connector, join control.
    private func isWord(_ value: UInt32) -> Bool {
        guard let scalar = Unicode.Scalar(value), let age = scalar.properties.age, age.major <= 16 else { return false }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return scalar.properties.isAlphabetic || scalar.properties.isJoinControl
        }
    }

    private func startOfSpaces(_ text: UnsafeBufferPointer<UInt8>, before end: Int) -> Int {
        var start = end
        while start > 0 {
            let before = text.startOfScalar(before: start)
            guard isSpace(text, at: before) else { break }
            start = before
        }
        return start
    }

    private func endOfSpaces(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var end = start
        while end < text.count, isSpace(text, at: end) { end += text.scalar(at: end).length }
        return end
    }

    private func isSpace(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
        let kind = UnicodeClasses.shared.scalarClass(text.scalar(at: index).value)
        return kind == .space || kind == .newline
    }
}
