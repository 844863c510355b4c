// Which script a letter belongs to: what can be said of a text's language without knowing any.

/// The scripts of letters, such as Latin and Han, by number.
enum Scripts {
    /// The names, in alphabetic order; a script's number is its place here.
    static let names: [String] = Set(runs.map(\.name)).sorted()

    /// The number of the script of a scalar, or nil when it is no letter.
    static func number(of scalar: Unicode.Scalar) -> Int? {
        if scalar.value < 0x80 {
            let isLetter = (0x41...0x5A).contains(scalar.value & ~0x20)
            return isLetter ? latin : nil
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: break
        default: return nil
        }
        // The last run that begins at the scalar or before it.
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= scalar.value { low = middle } else { high = middle }
        }
        return numbers[low]
    }

    /// The letters of a text by the number of their script, and the script that most of them belong to; nil without a letter.
    ///
    /// - Parameter text: UTF-8
    static func count(in text: [UInt8]) -> (letters: [Int: Int], main: Int?) {
        var letters: [Int: Int] = [:]
        var latinLetters = 0
        if text.allSatisfy({ $0 < 0x80 }) {
            latinLetters = text.count { (0x41...0x5A).contains($0 & ~0x20) }
        } else {
            for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
                guard let number = number(of: scalar) else { continue }
                if number == latin { latinLetters += 1 } else { letters[number, default: 0] += 1 }
            }
        }
        if latinLetters > 0 { letters[latin] = latinLetters }
        // Of equal ones the first by name, so that the answer does not depend on the order of a dictionary.
        let main = letters.max { $0.value != $1.value ? $0.value < $1.value : $0.key > $1.key }?.key
        return (letters, main)
    }

    private static let runs: [(start: UInt32, name: String)] = scriptRuns.split(separator: ";").compactMap { entry in
        let words = entry.drop(while: \.isWhitespace).split(separator: " ", maxSplits: 1)
        return words.count == 2 ? (UInt32(words[0], radix: 16)!, String(words[1])) : nil
    }
    private static let starts = runs.map(\.start)
    private static let numbers = runs.map { names.firstIndex(of: $0.name)! }
    private static let latin = names.firstIndex(of: "Latin")!
}
