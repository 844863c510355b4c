// One setting of project_config.yaml as data: its key, what values it takes, its default, its meaning. ConfigurationSchema lists
// them; decoding, the resolved configuration, the comparison on resume and the table in docs/configuration.md all read that list.

import Files

/// A key and what may stand under it.
package struct Setting: Sendable {
    /// `section.name`, or the name alone at the top.
    package let key: String
    package let form: SettingForm
    package let initial: Default
    /// Spellings of Hugging Face and PEFT, in the same section, that mean exactly this.
    package let aliases: [String]
    /// Whether a resumed run may have another value than the run had.
    package let mayDifferOnResume: Bool
    /// One line for the documentation.
    package let meaning: String

    package enum Default: Sendable {
        case required
        case value(JSONValue)
        /// Not set; the words say what happens then.
        case absent(String)
    }

    init(
        _ key: String, _ form: SettingForm, _ initial: Default, aliases: [String] = [], mayDifferOnResume: Bool = false, _ meaning: String
    ) {
        self.key = key
        self.form = form
        self.initial = initial
        self.aliases = aliases
        self.mayDifferOnResume = mayDifferOnResume
        self.meaning = meaning
    }

    /// The section's name, empty for a key at the top.
    package var section: String {
        key.split(separator: ".").count == 2 ? String(key.prefix { $0 != "." }) : ""
    }

    /// Key and aliases, with their section.
    package var spellings: [String] {
        [key] + aliases.map { section.isEmpty ? $0 : "\(section).\($0)" }
    }

    /// The default as the documentation prints it.
    package var defaultInWords: String {
        switch initial {
        case .required: "required"
        case .absent(let words): words
        case .value(.string(let text)): text
        case .value(let value): String(decoding: value.serialized(pretty: false), as: UTF8.self)
        }
    }
}

/// The values that a setting takes.
package indirect enum SettingForm: Sendable {
    case boolean
    /// A whole number in the range, or one of the words.
    case integer(ClosedRange<Int>, orWord: String? = nil)
    case number(NumberRange)
    /// Bytes, as a whole number or with a unit, or the word `auto`.
    case bytes
    /// One of the names; `others` are further spellings of them.
    case choice([String], others: [String: String] = [:])
    /// Any text; the words say what it names.
    case text(String)
    /// A list of different texts, or a single one.
    case names
    /// A list of layer numbers, or a single one.
    case layers
    /// A list of ascending widths, or a single one.
    case widths
    /// A list of numbers of 0 or more, or a single one.
    case weights
    /// A list of module names, or a regular expression.
    case targetModules
    /// Two finite numbers, the lower first.
    case interval
    /// Numbers by task.
    case taskNumbers(NumberRange)
    /// See `LoRAConfig.StartFrom`.
    case adapterStart
    /// A data file: a path, or a mapping with the path, task and prompts.
    case dataFile
    /// The same of a training file, which has a weight and a range of scores, too.
    case trainingFile
    /// A list of training files, or a single one.
    case trainingFiles
    /// See `BestMetric`.
    case metric
    /// The form, or null (or, where Hugging Face has such a number, that) for "not set".
    case optional(SettingForm, orNumber: Int? = nil)

    static func count(from least: Int, orWord word: String? = nil) -> SettingForm {
        .integer(least...Int(Int32.max), orWord: word)
    }

    /// As in "must be ...", and in the documentation.
    package var inWords: String {
        switch self {
        case .boolean: "`true` or `false`"
        case .integer(let range, let word):
            "a whole number, \(range.lowerBound) or more" + (word.map { ", or `\($0)`" } ?? "")
        case .bytes: "bytes such as `24GB` or `512MB`, or `auto`"
        case .number(let range): "a number \(range.inWords)"
        case .choice(let names, _): names.map { "`\($0)`" }.joined(separator: " or ")
        case .text(let words): words
        case .names: "a list of names"
        case .layers: "a list of layer numbers"
        case .widths: "a list of ascending widths"
        case .weights: "a list of numbers of 0 or more"
        case .targetModules: "a list of module names, or a regular expression"
        case .interval: "two numbers, the lower first, such as `[0, 5]`"
        case .taskNumbers(let range): "a mapping from tasks to numbers \(range.inWords)"
        case .adapterStart: "`auto`, `fresh`, the path of a folder with adapters, or `{TASK: PATH}`"
        case .dataFile: "a path, or `{\(DataFile.keys.joined(separator: ", "))}`"
        case .trainingFile: "a path, or `{\(DataFile.trainingKeys.joined(separator: ", "))}`"
        case .trainingFiles: "a path, or a list of paths and `{\(DataFile.trainingKeys.joined(separator: ", "))}`"
        case .metric: "a metric such as `ndcg@10`, or `ndcg@10@256` for the width 256"
        case .optional(let form, let number): form.inWords + ", or `null`" + (number.map { " or `\($0)`" } ?? "")
        }
    }
}

/// A range of finite numbers whose ends may lie outside.
package enum NumberRange: Sendable {
    case above(Double)
    case atLeast(Double)
    case closed(Double, Double)
    case halfOpen(Double, Double)
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
