// YAML tree and `--set` values → the checked values of the settings that were given, by canonical key, each with its place.
// Every name is looked up in ConfigurationSchema: a setting, a key without meaning, or unknown.

import Files

struct ConfigurationReader {
    struct Given {
        let value: JSONValue
        let place: YAMLPlace
        let isOverride: Bool
        /// Of the entries of a mapping.
        let entries: [String: YAMLPlace]

        init(_ value: JSONValue, _ node: YAMLNode, at place: YAMLPlace, isOverride: Bool) {
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

    private let path: String
    private(set) var given: [String: Given] = [:]
    private(set) var notices: [String] = []
    private(set) var overrides: [ProjectConfig.Override] = []
    private var sectionPlaces: [String: YAMLPlace] = [:]

    /// - Parameters:
    ///   - root: the file's value, nil when it is empty
    ///   - overrides: `key=value`, in their order; the last of a key wins
    init(root: YAMLNode?, path: String, overrides: [String]) throws(UserError) {
        self.path = path
        if let root { try read(root) }
        for text in overrides { try apply(override: text) }
    }

    /// Where a setting was written; else where its section begins; else the file's begin.
    func place(of key: String) -> YAMLPlace {
        given[key]?.place ?? sectionPlaces[String(key.prefix { $0 != "." })] ?? YAMLPlace(path: path, line: 1, column: 1)
    }

    /// The place of every setting, and of `setting.entry` where one is a mapping.
    var places: [String: YAMLPlace] {
        var places = Dictionary(uniqueKeysWithValues: ConfigurationSchema.settings.map { ($0.key, place(of: $0.key)) })
        for (key, given) in given {
            for (entry, place) in given.entries { places["\(key).\(entry)"] = place }
        }
        return places
    }

    // MARK: The file

    private mutating func read(_ root: YAMLNode) throws(UserError) {
        guard case .mapping(let entries) = root.content else {
            throw root.place.error("a configuration is a mapping of sections, but this is \(root.inWords)")
        }
        for entry in entries {
            guard ConfigurationSchema.sections.contains(entry.key) else {
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
        let value = try setting.form.decode(entry.value, key: spelling)
        given[setting.key] = Given(value, entry.value, at: entry.value.place, isOverride: false)
    }

    /// The setting of a spelling; nil, with a notice, for a key without meaning.
    private mutating func setting(_ spelling: String, place: YAMLPlace) throws(UserError) -> Setting? {
        if let setting = ConfigurationSchema.settings.first(where: { $0.spellings.contains(spelling) }) { return setting }
        if let (_, notice) = ConfigurationSchema.keysWithoutMeaning.first(where: { $0.key == spelling }) {
            notices.append("\(place): \(spelling) has no meaning here and is passed over: \(notice)")
            return nil
        }
        throw place.error(Self.unknown(spelling: spelling))
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
        if ConfigurationSchema.sections.contains(spelling) {
            let example = ConfigurationSchema.settings.first { $0.section == spelling }!.key
            throw place.error("\(spelling) is a section; name one of its keys, such as \(example)")
        }
        let node = try YAMLDocument.parseOverride(valueText, of: spelling)
        guard let setting = try setting(spelling, place: place) else { return }
        let value = try setting.form.decode(node, key: spelling)
        for (one, other) in ConfigurationSchema.alternatives {
            if setting.key == one { removeFromFile(other) }
            if setting.key == other { removeFromFile(one) }
        }
        given[setting.key] = Given(value, node, at: place, isOverride: true)
        overrides.removeAll { $0.key == setting.key }
        overrides.append(ProjectConfig.Override(key: setting.key, text: valueText))
    }

    private mutating func removeFromFile(_ key: String) {
        if given[key]?.isOverride == false { given[key] = nil }
    }

    // MARK: Unknown keys

    private static func unknown(spelling: String) -> String {
        let parts = spelling.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let (section, name) = parts.count == 2 ? (parts[0], parts[1]) : ("", spelling)
        let place = section.isEmpty ? "at the top" : "in \(section)"
        let all = ConfigurationSchema.settings.flatMap(\.spellings) + ConfigurationSchema.keysWithoutMeaning.map(\.key)
        if let same = all.first(where: { $0.hasSuffix(".\(name)") || $0 == name }) {
            return "unknown key \(YAMLScalar.quoted(name)) \(place); did you mean \(same)?"
        }
        if !section.isEmpty {
            guard ConfigurationSchema.sections.contains(section) else {
                return unknown(section, "at the top", known: ConfigurationSchema.sections)
            }
            return unknown(name, place, known: all.filter { $0.hasPrefix("\(section).") }.map { String($0.dropFirst(section.count + 1)) })
        }
        let top = all.filter { !$0.contains(".") } + ConfigurationSchema.sections
        let below = all.filter { $0.contains(".") }
        if NearestName.of(name, among: top) == nil,
            let nearest = NearestName.of(name, among: below.map { String($0.drop { $0 != "." }.dropFirst()) })
        {
            return "unknown key \(YAMLScalar.quoted(name)) \(place); did you mean \(below.first { $0.hasSuffix(".\(nearest)") }!)?"
        }
        return unknown(name, place, known: top)
    }

    /// The sentence for a name that none of `known` equals; `place` as in "in loss".
    static func unknown(_ name: String, _ place: String, known: [String]) -> String {
        let hint = NearestName.of(name, among: known).map { "did you mean \"\($0)\"?" } ?? "known are " + known.joined(separator: ", ")
        return "unknown key \(YAMLScalar.quoted(name)) \(place); \(hint)"
    }
}
