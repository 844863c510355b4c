// The split rule of Qwen2: text into words, before bytes are merged. Hand-written, because a regular expression engine takes
// most of a tokenizer's time; the alternatives below are tried in the pattern's order, and every byte falls into one word.

/// Walks through the words of a text.
///
///     var words = PreTokenizer(text)
///     while let word = words.next() { ... text[word] ... }
///
/// Source: transformers, models/qwen2/tokenization_qwen2.py, and the `pre_tokenizer` key of the published tokenizer.json.
package struct PreTokenizer: IteratorProtocol {
    /// The regular expression that this type stands for.
    package static let pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    private let text: UnsafeBufferPointer<UInt8>
    private let classes = UnicodeClasses.shared
    private var position: Int
    private let end: Int

    package init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
        position = 0
        end = text.count
    }

    /// The next word, as a range of the text's bytes.
    @inline(__always)
    package mutating func next() -> Range<Int>? {
        guard position < end else { return nil }
        let start = position
        position = endOfWord(from: start)
        return start..<position
    }

    private func endOfWord(from start: Int) -> Int {
        let (scalar, length) = text.scalar(at: start)
        let second = start + length
        let kind = classes.scalarClass(scalar)
        if scalar == 0x27, let end = endOfContraction(after: second) { return end }
        switch kind {
        case .letter: return endOfRun(of: .letter, from: second)
        case .number: return second
        case .newline: return endOfSpaces(from: start)
        case .other:
            if classAt(second) == .letter { return endOfRun(of: .letter, from: second) }
            return endOfNewlines(from: endOfRun(of: .other, from: second))
        case .space:
            let next = classAt(second)
            if next == .letter { return endOfRun(of: .letter, from: second) }
            if next == .other, scalar == 0x20 { return endOfNewlines(from: endOfRun(of: .other, from: second)) }
            return endOfSpaces(from: start)
        }
    }

    /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)` behind the apostrophe. U+017F is an s of another case.
    private func endOfContraction(after apostrophe: Int) -> Int? {
        guard apostrophe < end else { return nil }
        let second = apostrophe + 1 < end ? text[apostrophe + 1] : 0
        switch text[apostrophe] | 0x20 {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return apostrophe + 1
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return second | 0x20 == UInt8(ascii: "e") ? apostrophe + 2 : nil
        case UInt8(ascii: "l"): return second | 0x20 == UInt8(ascii: "l") ? apostrophe + 2 : nil
        default: return text[apostrophe] == 0xC5 && second == 0xBF ? apostrophe + 2 : nil
        }
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line end of the run; without one, all of a run that ends the text, else
    /// all but its last scalar, which is left to the word behind it unless it is alone.
    private func endOfSpaces(from start: Int) -> Int {
        var index = start
        var lastScalar = start
        var afterNewline: Int?
        while index < end {
            let (scalar, length) = text.scalar(at: index)
            let kind = classes.scalarClass(scalar)
            guard kind == .space || kind == .newline else { break }
            lastScalar = index
            index += length
            if kind == .newline { afterNewline = index }
        }
        if let afterNewline { return afterNewline }
        return index == end || lastScalar == start ? index : lastScalar
    }

    private func endOfRun(of kind: ScalarClass, from start: Int) -> Int {
        var index = start
        while index < end {
            let (scalar, length) = text.scalar(at: index)
            guard classes.scalarClass(scalar) == kind else { break }
            index += length
        }
        return index
    }

    private func endOfNewlines(from start: Int) -> Int {
        var index = start
        while index < end, text[index] == 0x0A || text[index] == 0x0D { index += 1 }
        return index
    }

    /// Nil at the end of the text.
    private func classAt(_ index: Int) -> ScalarClass? {
        index < end ? classes.scalarClass(text.scalar(at: index).value) : nil
    }
}
