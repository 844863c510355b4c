// The split rule, each alternative by itself. Expected pieces: Split(pattern, "isolated") of Python's tokenizers 0.23.3.

import Model
import Support
import Testing

private func words(_ text: String) -> [String] {
    var text = text
    return text.withUTF8 { bytes in
        var words = PreTokenizer(bytes)
        var result: [String] = []
        while let word = words.next() { result.append(String(decoding: bytes[word], as: UTF8.self)) }
        return result
    }
}

private func isSame(_ a: [String], _ b: [String]) -> Bool {
    a.elementsEqual(b) { $0.utf8.elementsEqual($1.utf8) }
}

@Suite struct PreTokenizerTests {
    @Test(arguments: [
        ("", []),
        ("Don't you'RE it'll", ["Don", "'t", " you", "'RE", " it", "'ll"]),
        ("'\u{17F}x 'lx 'r", ["'\u{17F}", "x", " '", "lx", " '", "r"]),
        ("abc123 4", ["abc", "1", "2", "3", " ", "4"]),
        ("x=(a+b)", ["x", "=(", "a", "+b", ")"]),
        (" (a) !?\n\nb", [" (", "a", ")", " !?\n\n", "b"]),
        ("a  b", ["a", " ", " b"]),
        ("a   ", ["a", "   "]),
        ("a \r\n\r\n  b", ["a", " \r\n\r\n", " ", " b"]),
        ("\u{3000}\u{3000}1", ["\u{3000}", "\u{3000}", "1"]),
        ("\tx\u{85}y", ["\tx", "\u{85}y"]),
        ("e\u{301}e", ["e", "\u{301}e"]),
        ("中文，字", ["中文", "，字"]),
        ("\u{200B}\u{200B}a", ["\u{200B}\u{200B}", "a"]),
    ]) func splitsAsTheReference(_ text: String, _ expected: [String]) {
        #expect(isSame(words(text), expected), "\(words(text)) ≠ \(expected)")
    }

    @Test func everyByteFallsIntoOneWord() {
        // Not UTF-8: stray continuation, cut sequence, overlong form, surrogate, above the last scalar.
        let bytes: [UInt8] = [
            0x61, 0x80, 0xE4, 0xB8, 0x20, 0xC0, 0xAF, 0xED, 0xA0, 0x80, 0xF5, 0x90, 0xCC, 0x81, 0x80, 0xCC, 0x81, 0xF0, 0x9F,
        ]
        for length in 0...bytes.count {
            bytes[..<length].withUnsafeBufferPointer { bytes in
                var words = PreTokenizer(bytes)
                var end = 0
                while let word = words.next() {
                    #expect(word.lowerBound == end && word.upperBound > end)
                    end = word.upperBound
                }
                #expect(end == length)
            }
        }
    }
}
