// Forms of a single value: truth, whole numbers, numbers, bytes, texts.

import Files

extension SettingForm where Value == Bool {
    /// The words true and false.
    package static var boolean: Self {
        Self(
            "`true` or `false`", encode: { .bool($0) },
            read: { node, _ in
                if case .scalar(.boolean(let value)) = node.content { value } else { nil }
            })
    }
}

extension SettingForm where Value == Int {
    /// A whole number in the range.
    package static func integer(_ range: ClosedRange<Int>) -> Self {
        Self(
            "a whole number, \(range.lowerBound) or more", encode: { .integer(Int64($0)) },
            read: { (node, key) throws(UserError) -> Int? in
                switch node.content {
                case .scalar(.integer(let value)) where range.contains(value): return value
                case .scalar(.integer): break
                case .scalar(.number(let value)) where abs(value) > Double(Int32.max): break
                default: return nil
                }
                throw node.place.error("\(key) must be from \(range.lowerBound) to \(range.upperBound), but is \(node.inWords)")
            })
    }

    /// A whole number of at least `least` and at most 2³¹ − 1.
    package static func count(from least: Int) -> Self {
        integer(least...Int(Int32.max))
    }

    /// A number of bytes above 0, whole or with a decimal unit: `24GB`, `1.5 GB`.
    package static var bytes: Self {
        Self(
            "bytes such as `24GB` or `512MB`", encode: { .integer(Int64($0)) },
            read: { node, _ in
                switch node.content {
                case .scalar(.integer(let value)) where value > 0: value
                case .scalar(.text(let text)): bytes(in: text)
                default: nil
                }
            })
    }

    private static func bytes(in text: String) -> Int? {
        for (unit, factor) in [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where text.hasSuffix(unit) {
            let number = Double(String(text.dropLast(unit.count).filter { $0 != " " }))
            return number.flatMap { $0 > 0 && $0 * factor < 1e18 ? Int($0 * factor) : nil }
        }
        return nil
    }
}

extension SettingForm where Value == Double {
    /// A finite number in the range, whole or not.
    package static func number(_ range: NumberRange) -> Self {
        Self(
            "a number \(range.inWords)", encode: { .number($0) },
            read: { (node, key) throws(UserError) -> Double? in
                let value: Double
                switch node.content {
                case .scalar(.integer(let whole)): value = Double(whole)
                case .scalar(.number(let number)): value = number
                default: return nil
                }
                guard range.contains(value) else {
                    throw node.place.error("\(key) must be a number \(range.inWords), but is \(node.inWords)")
                }
                return value
            })
    }
}

extension SettingForm where Value == String {
    /// Any text but the empty one; the words say what it names.
    package static func text(_ words: String) -> Self {
        Self(
            words, hint: quotesMissing, encode: { .string($0) },
            read: { node, _ in
                if case .scalar(.text(let text)) = node.content, !text.isEmpty { text } else { nil }
            })
    }
}

extension SettingForm {
    /// The hint for a form of texts where something stands that quotes would make a text.
    package static var quotesMissing: @Sendable (YAMLNode) -> String {
        { node in
            switch node.content {
            case .scalar(.boolean), .scalar(.integer), .scalar(.number): "; put it in quotes"
            default: ""
            }
        }
    }
}

/// A range of finite numbers whose ends may lie outside.
package enum NumberRange: Sendable {
    /// Numbers above the one given.
    case above(Double)
    /// Numbers not below the one given.
    case atLeast(Double)
    /// Numbers between the two, both included.
    case closed(Double, Double)
    /// Numbers between the two, the lower included.
    case halfOpen(Double, Double)
    /// Numbers between the two, the upper included.
    case leftOpen(Double, Double)

    func contains(_ value: Double) -> Bool {
        switch self {
        case .above(let least): value > least && value.isFinite
        case .atLeast(let least): value >= least && value.isFinite
        case .closed(let least, let most): value >= least && value <= most
        case .halfOpen(let least, let end): value >= least && value < end
        case .leftOpen(let start, let most): value > start && value <= most
        }
    }

    var inWords: String {
        switch self {
        case .above(let least): "above \(Self.short(least))"
        case .atLeast(let least): "of \(Self.short(least)) or more"
        case .closed(let least, let most): "from \(Self.short(least)) to \(Self.short(most))"
        case .halfOpen(let least, let end): "from \(Self.short(least)) to below \(Self.short(end))"
        case .leftOpen(let start, let most): "above \(Self.short(start)), \(Self.short(most)) at most"
        }
    }

    private static func short(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : "\(value)"
    }
}
