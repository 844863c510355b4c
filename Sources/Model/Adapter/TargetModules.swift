// lora.target_modules: which linear layers of the model carry an adapter. PEFT's three spellings, with PEFT's meaning: names that
// end a module's path, a regular expression for the whole of it, or all linears. Paths are those of the model in memory, for example
// model.language_model.layers.0.self_attn.q_proj. The vision tower is never adapted.

import Config
import Files
import Foundation

/// Which linears carry an adapter.
package struct TargetModules: Sendable {
    /// PEFT's three spellings.
    package enum Selection: Sendable {
        /// A module is meant when its path is the name, or ends in "." and the name.
        case names([String])
        /// A module is meant when the whole path matches.
        case pattern(String)
        /// Every linear but the output head: those of the decoder, and the projector.
        case allLinear
    }

    /// PEFT's word for all linears; it is read in any mixture of small and capital letters.
    package static let allLinearWord = "all-linear"

    /// The names or the pattern.
    package let selection: Selection
    private let expression: NSRegularExpression?

    /// The published adapters' own: all seven linears of every decoder layer, and the projector.
    package static let publishedPattern = TargetPattern.published
    /// What the published pattern selects.
    package static let published = TargetModules(.string(publishedPattern))!

    /// Selects by what a configuration or adapter_config.json says.
    ///
    /// - Parameter json: a list of names or a pattern; nil when it is neither
    package init?(_ json: JSONValue) {
        if let pattern = json.stringValue {
            if pattern.lowercased() == Self.allLinearWord {
                (selection, expression) = (.allLinear, nil)
                return
            }
            guard let expression = Self.expression(pattern) else { return nil }
            self.selection = .pattern(pattern)
            self.expression = expression
        } else {
            guard let elements = json.arrayValue else { return nil }
            let names = elements.compactMap(\.stringValue)
            guard names.count == elements.count, !names.isEmpty else { return nil }
            self.selection = .names(names)
            self.expression = nil
        }
    }

    /// Whether the module at `modulePath` carries an adapter.
    package func matches(_ modulePath: String) -> Bool {
        if modulePath.contains("visual") { return false }
        switch selection {
        case .names(let names): return names.contains { Self.names($0, modulePath) }
        case .allLinear:
            return modulePath == DecoderModule.projectorPath
                || DecoderModule.layer(ofPath: modulePath) != nil
                    && DecoderModule.allCases.contains { Self.names($0.rawValue, modulePath) }
        case .pattern:
            let whole = NSRange(modulePath.startIndex..., in: modulePath)
            return expression?.firstMatch(in: modulePath, range: whole) != nil
        }
    }

    /// The names in the list that mean none of the modules: mistyped, or of another model.
    package func unmatchedNames(in modulePaths: [String]) -> [String] {
        guard case .names(let names) = selection else { return [] }
        return names.filter { name in !modulePaths.contains { !$0.contains("visual") && Self.names(name, $0) } }
    }

    /// What to write where the selection meant no linear of the decoder, as the end of a sentence.
    package var adviceWhenNothingMatches: String {
        let path = DecoderModule.q.path(layer: 0)
        guard case .pattern(let pattern) = selection else { return "nothing would be trained" }
        let words = pattern.split { $0 == "," || $0 == " " }.map(String.init)
        let linears = DecoderModule.allCases.map(\.linear)
        let mend =
            ["all", "all_linear", "all-linears", "linear", "*"].contains(pattern.lowercased())
            ? "for all linears write \(Self.allLinearWord)"
            : !words.isEmpty && words.allSatisfy(linears.contains)
                ? "for names write a list: [\(words.joined(separator: ", "))]"
                : "for names write a list, such as [q_proj, v_proj], for all linears \(Self.allLinearWord)"
        return "\(quoted(pattern)), a text, is a regular expression for the whole path of a linear, as in PEFT, such as \(path); "
            + mend
    }

    /// The selection as a configuration says it.
    package var json: JSONValue {
        switch selection {
        case .names(let names): .array(names.map { .string($0) })
        case .pattern(let pattern): .string(pattern)
        case .allLinear: .string(Self.allLinearWord)
        }
    }

    private static func names(_ name: String, _ modulePath: String) -> Bool {
        modulePath == name || modulePath.hasSuffix(".\(name)")
    }

    /// Anchored at both ends, as Python's `re.fullmatch`.
    private static func expression(_ pattern: String) -> NSRegularExpression? {
        try? NSRegularExpression(pattern: "\\A(?:\(pattern))\\z")
    }
}

extension SettingForm where Value == TargetModules {
    /// A list of module names, a regular expression, or `all-linear`.
    package static var targetModules: Self {
        Self("a list of module names, a regular expression, or `all-linear`", encode: \.json) {
            (node, key) throws(UserError) -> TargetModules? in
            switch node.content {
            case .sequence(let elements):
                return TargetModules(.array(try YAMLNode.names(elements, of: node, key: key).map { .string($0) }))
            case .scalar(.text(let pattern)):
                guard !pattern.isEmpty, let modules = TargetModules(.string(pattern)) else {
                    throw node.place.error(
                        "\(key) is not a valid regular expression: \"\(pattern)\"; for names write a list: [q_proj, v_proj]")
                }
                return modules
            default: return nil
            }
        }
    }
}
