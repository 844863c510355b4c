// What can be mended in a text without knowing what it says. Done on request alone: otherwise a row is written as it was read.

import Data
import Files

/// Mends texts.
enum Cleaning {
    /// The text with LF for CR LF and CR, without control characters but for tabs and line ends, without byte-order marks, and without
    /// white space at both ends.
    static func clean(_ text: [UInt8]) -> [UInt8] {
        var scalars = String.UnicodeScalarView()
        var wasReturn = false
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            defer { wasReturn = scalar == "\r" }
            switch scalar {
            case "\r": scalars.append("\n")
            case "\n": if !wasReturn { scalars.append("\n") }
            case "\u{FEFF}": continue
            case "\t": scalars.append("\t")
            default: if scalar.properties.generalCategory != .control { scalars.append(scalar) }
            }
        }
        return Array(String(scalars).stripped.utf8)
    }

    /// The row with its texts mended; nil where one of them has nothing left.
    static func clean(_ row: TrainingRow) -> TrainingRow? {
        func clean(_ input: RowInput) -> RowInput {
            if case .text(let text) = input { .text(Self.clean(text)) } else { input }
        }
        let mended = row.replacingInputs(clean)
        let isBlank = ([mended.anchor, mended.positive] + mended.negatives).contains { $0.text?.isEmpty == true }
        return isBlank ? nil : mended
    }
}
