// YAML tree and `--set` values → the checked values of the settings that were given, by canonical key, each with its place.
// Every name is looked up in the schema: a setting, a key without meaning, or unknown.

import Files

/// A setting that stands in the file or in a `--set`.
struct GivenSetting: Sendable {
    let value: SettingValue
    let place: YAMLPlace
    let isOverride: Bool
    /// Places of the entries of a mapping.
    let entries: [String: YAMLPlace]

    init(_ value: SettingValue, _ node: YAMLNode, at place: YAMLPlace, isOverride: Bool) {
        self.value = value
        self.place = place
        self.isOverride = isOverride
        guard case .mapping(let entries) = node.content else {
            self.entries = [:]
            return
        }
        self.entries = Dictionary(entries.map { ($0.key, $0.place) }) { first, _ in first }
    }
}

struct ConfigurationReader {
    private let schema: ConfigurationSchema
    private(set) var given: [String: GivenSetting] = [:]
    private(set) var notices: [String] = []
    private(set) var overrides: [SettingValues.Override] = []
    private(set) var sectionPlaces: [String: YAMLPlace] = [:]

    /// - Parameters:
    ///   - root: the file's value, nil when it is empty
    ///   - overrides: `key=value`, in their order; the last of a key wins
    init(_ schema: ConfigurationSchema, root: YAMLNode?, overrides: [String]) throws(UserError) {
        self.schema = schema
        if let root { try read(root) }
        for text in overrides { try apply(override: text) }
    }

    // MARK: The file

    private mutating func read(_ root: YAMLNode) throws(UserError) {
        guard case .mapping(let entries) = root.content else {
            throw root.place.error("a configuration is a mapping of sections, but this is \(root.inWords)")
        }
        for entry in entries {
            guard schema.sections.contains(entry.key) else {
                if entry.key.contains(".") {
                    throw entry.place.error("the key \(YAMLScalar.quoted(entry.key)) has a dot; write the section, and in it the key")
                }
                try take(entry, spelling: entry.key)
                continue
            }
            sectionPlaces[entry.key] = entry.place
            switch entry.value.content {
            case .mapping(let settings):
                for setting in settings { try take(setting, spelling: "\(entry.key).\(setting.key)") }
            case .scalar(.null): break
            default: throw entry.value.place.error("\(entry.key) is a section of settings, but here is \(entry.value.inWords)")
            }
        }
    }

    private mutating func take(_ entry: YAMLNode.Entry, spelling: String) throws(UserError) {
        guard let setting = try setting(spelling, place: entry.place) else { return }
        if let other = given[setting.key] {
            throw entry.place.error("\(spelling) and the key at \(other.place) are two spellings of \(setting.key); keep one of the two")
        }
        let value = try setting.decode(entry.value, spelling: spelling)
        given[setting.key] = GivenSetting(value, entry.value, at: entry.value.place, isOverride: false)
    }

    /// The setting of a spelling; nil, with a notice, for a key without meaning.
    private mutating func setting(_ spelling: String, place: YAMLPlace) throws(UserError) -> (any AnySetting)? {
        if let setting = schema.setting(spelled: spelling) { return setting }
        if let (_, notice) = schema.keysWithoutMeaning.first(where: { $0.key == spelling }) {
            notices.append("\(place): \(spelling) has no meaning here and is passed over: \(notice)")
            return nil
        }
        throw place.error(unknown(spelling: spelling))
    }

    // MARK: --set

    private mutating func apply(override text: String) throws(UserError) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw YAMLPlace(path: "--set \(text)", line: nil, column: nil)
                .error("this must be key=value, as in --set training.learning_rate=1e-4")
        }
        let spelling = String(text[..<equals])
        let valueText = String(text[text.index(after: equals)...])
        let place = YAMLPlace(path: "--set \(spelling)", line: nil, column: nil)
        if schema.sections.contains(spelling) {
            let example = schema.settings.first { $0.section == spelling }!.key
            throw place.error("\(spelling) is a section; name one of its keys, such as \(example)")
        }
        let node = try YAMLDocument.parseOverride(valueText, of: spelling)
        guard let setting = try setting(spelling, place: place) else { return }
        let value = try setting.decode(node, spelling: spelling)
        for other in schema.alternatives(of: setting.key) where given[other]?.isOverride == false { given[other] = nil }
        given[setting.key] = GivenSetting(value, node, at: place, isOverride: true)
        overrides.removeAll { $0.key == setting.key }
        overrides.append(SettingValues.Override(key: setting.key, text: valueText))
    }

    // MARK: Unknown keys

    private func unknown(spelling: String) -> String {
        let parts = spelling.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let (section, name) = parts.count == 2 ? (parts[0], parts[1]) : ("", spelling)
        let place = section.isEmpty ? "at the top" : "in \(section)"
        let all = schema.settings.flatMap(\.spellings) + schema.keysWithoutMeaning.map(\.key)
        if let same = all.first(where: { $0.hasSuffix(".\(name)") || $0 == name }) {
            return "unknown key \(YAMLScalar.quoted(name)) \(place); did you mean \(same)?"
        }
        if !section.isEmpty {
            guard schema.sections.contains(section) else {
                return NearestName.unknownKey(section, "at the top", known: schema.sections)
            }
            return NearestName.unknownKey(
                name, place, known: all.filter { $0.hasPrefix("\(section).") }.map { String($0.dropFirst(section.count + 1)) })
        }
        let top = all.filter { !$0.contains(".") } + schema.sections
        let below = all.filter { $0.contains(".") }
        if NearestName.of(name, among: top) == nil,
            let nearest = NearestName.of(name, among: below.map { String($0.drop { $0 != "." }.dropFirst()) })
        {
            return "unknown key \(YAMLScalar.quoted(name)) \(place); did you mean \(below.first { $0.hasSuffix(".\(nearest)") }!)?"
        }
        return NearestName.unknownKey(name, place, known: top)
    }
}
