// Numbers as people read them, for everything that Shoal prints: counts with separators, bytes and times in fitting units.
// Independent of the locale, so that a run's output can be compared and parsed.

import Foundation

/// How numbers look on the terminal and in the model card.
package enum Figures {
    /// A whole number with commas between thousands: `1,234,567`.
    package static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var text = value < 0 ? "-" : ""
        for (place, digit) in digits.enumerated() {
            if place > 0 && (digits.count - place) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// A whole number with its noun: `1 row`, `1,200 rows`.
    /// - Parameter plural: the noun for other numbers than 1; nil: the singular with an s
    package static func count(_ value: Int, _ singular: String, _ plural: String? = nil) -> String {
        "\(count(value)) \(value == 1 ? singular : plural ?? singular + "s")"
    }

    /// A number of bytes in decimal units, as disks and networks are sold: `512 bytes`, `3.9 MB`, `480 MB`, `5.6 GB`.
    package static func bytes(_ value: Int) -> String {
        guard value >= 1000 else { return "\(value) \(value == 1 ? "byte" : "bytes")" }
        var (amount, unit) = (Double(value), 0)
        while amount >= 999.5 {
            amount /= 1000
            unit += 1
        }
        return fixed(amount, amount < 9.95 ? 1 : 0) + " " + ["", "kB", "MB", "GB", "TB", "PB", "EB"][unit]
    }

    /// A number of seconds in one or two units of time: `42 s`, `3 min 20 s`, `2 h 05 min`, `3 d 04 h`.
    package static func duration(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 1e9).rounded())
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return "\(whole / 60) min \(padded(whole % 60)) s"
        case ..<86400: return "\(whole / 3600) h \(padded(whole % 3600 / 60)) min"
        default: return "\(whole / 86400) d \(padded(whole % 86400 / 3600)) h"
        }
    }

    /// A number with so many decimals: `0.3060`.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }

    /// A number with its sign and so many decimals: `+0.1040`.
    package static func signed(_ value: Double, _ digits: Int) -> String {
        String(format: "%+.\(digits)f", value)
    }

    /// A number with an exponent and two decimals: `6.67e-04`.
    package static func scientific(_ value: Double) -> String {
        String(format: "%.2e", value)
    }

    /// A number in its shortest form, without a needless point: `32`, `0.1`.
    package static func short(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
    }

    /// Ascending numbers with neighbours joined: `0–3, 8`.
    package static func ranges(_ numbers: [Int]) -> String {
        var runs: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = runs.last, last.upperBound + 1 == number {
                runs[runs.count - 1] = last.lowerBound...number
            } else {
                runs.append(number...number)
            }
        }
        return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }.joined(separator: ", ")
    }

    /// A value as messages show it: whole, or its first 80 characters and an ellipsis.
    package static func excerpt(_ text: String) -> String {
        text.utf8.count > 80 && text.count > 80 ? "\(text.prefix(80))…" : text
    }

    private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
