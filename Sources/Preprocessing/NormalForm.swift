// What of a text counts when two texts are compared: its words, without case, punctuation and the kind and amount of white space.
//
// The rule: Unicode's form NFKC; then each scalar's small letter. Letters, marks, numbers and symbols belong to words, and so do
// # % & @ * / \ _, since they tell "C#" from "C". Characters of the category Cf (zero-width signs, soft hyphens) vanish. All others end
// a word. A letter of a script that is written without blanks is a word by itself, with the marks that follow it.

import Files
import Foundation

/// The words of a text.
struct NormalForm: Equatable {
    /// The words in UTF-8, a blank between two.
    private(set) var bytes: [UInt8] = []
    /// Number of words.
    private(set) var wordCount = 0

    /// Takes a text apart.
    ///
    /// - Parameter text: UTF-8
    init(_ text: [UInt8]) {
        bytes.reserveCapacity(text.count)
        var state = WordState()
        if text.allSatisfy({ $0 < 0x80 }) {
            for byte in text { add(ascii: byte, &state) }
        } else {
            for scalar in String(decoding: text, as: UTF8.self).precomposedStringWithCompatibilityMapping.unicodeScalars {
                if scalar.value < 0x80 { add(ascii: UInt8(scalar.value), &state) } else { add(scalar, &state) }
            }
        }
    }

    /// The words of a text that means something else in other letters or with other punctuation, such as a program: its runs of other
    /// characters than white space, as they stand.
    init(wordsAsTheyStand text: [UInt8]) {
        bytes.reserveCapacity(text.count)
        var isOpen = false
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            guard !scalar.properties.isWhitespace else {
                isOpen = false
                continue
            }
            if !isOpen { beginWord() }
            isOpen = true
            bytes.append(contentsOf: UTF8.encode(scalar)!)
        }
    }

    /// Whether a word is open, and whether its letter stands alone as in scripts without blanks.
    private struct WordState {
        var isOpen = false
        var isAlone = false
    }

    private mutating func beginWord() {
        if wordCount > 0 { bytes.append(0x20) }
        wordCount += 1
    }

    private mutating func add(ascii byte: UInt8, _ state: inout WordState) {
        let small = Self.asciiForms[Int(byte)]
        guard small != 0 else {
            state = WordState()
            return
        }
        if !state.isOpen || state.isAlone { beginWord() }
        state = WordState(isOpen: true)
        bytes.append(small)
    }

    private mutating func add(_ scalar: Unicode.Scalar, _ state: inout WordState) {
        switch scalar.properties.generalCategory {
        case .format: return
        case .nonspacingMark, .spacingMark, .enclosingMark:
            if !state.isOpen {
                beginWord()
                state = WordState(isOpen: true)
            }
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            let isAlone = Self.isUnspaced(scalar)
            if !state.isOpen || state.isAlone || isAlone { beginWord() }
            state = WordState(isOpen: true, isAlone: isAlone)
        case .decimalNumber, .letterNumber, .otherNumber, .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol:
            if !state.isOpen || state.isAlone { beginWord() }
            state = WordState(isOpen: true)
        default:
            state = WordState()
            return
        }
        bytes.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
    }

    /// Of each ASCII character the byte in a word, or 0 where it ends one.
    private static let asciiForms: [UInt8] = (0..<128).map { value in
        let scalar = Unicode.Scalar(UInt8(value))
        if (0x41...0x5A).contains(value) { return UInt8(value + 0x20) }
        let isKept = scalar.properties.isAlphabetic || (0x30...0x39).contains(value) || "$+<=>^`|~#%&@*/\\_".unicodeScalars.contains(scalar)
        return isKept ? UInt8(value) : 0
    }

    /// Thai, Lao, Myanmar, Khmer, kana, Chinese characters.
    private static func isUnspaced(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3005...0x3007, 0x3040...0x30FF, 0x31F0...0x31FF, 0x3400...0x4DBF,
            0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3FFFF:
            true
        default: false
        }
    }
}

extension NormalForm {
    /// A hash of each word, in order.                                        [wordCount]
    var wordHashes: [UInt64] {
        var hashes: [UInt64] = []
        hashes.reserveCapacity(wordCount)
        var hash = Self.hashStart
        for byte in bytes {
            if byte == 0x20 {
                hashes.append(Self.mixed(hash))
                hash = Self.hashStart
            } else {
                hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
            }
        }
        if wordCount > 0 { hashes.append(Self.mixed(hash)) }
        return hashes
    }

    /// FNV-1a's.
    private static let hashStart: UInt64 = 0xcbf2_9ce4_8422_2325

    /// SplitMix64's last step: every bit of the hash depends on every bit of the word.
    private static func mixed(_ hash: UInt64) -> UInt64 {
        var hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        return hash ^ (hash >> 31)
    }

    /// A hash of each run of `length` words, in order; none when there are fewer.
    func gramHashes(_ length: Int) -> [UInt64] {
        let words = wordHashes
        guard words.count >= length else { return [] }
        // Word by word: the sum of word · base^(words after it), which drops its first term as it goes on.
        let base: UInt64 = 0x9e37_79b9_7f4a_7c15
        let first = (0..<length).reduce(UInt64(1)) { power, _ in power &* base }
        var (sum, hashes): (UInt64, [UInt64]) = (0, [])
        hashes.reserveCapacity(words.count - length + 1)
        for (index, word) in words.enumerated() {
            sum = sum &* base &+ word
            if index >= length { sum &-= words[index - length] &* first }
            if index >= length - 1 { hashes.append(Self.mixed(sum)) }
        }
        return hashes
    }
}
