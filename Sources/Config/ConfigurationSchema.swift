// Every key that there is, in the order of the documentation: the sections as their components declare them.

import Files

/// The keys of one section, as its component declares them.
package struct SettingSection: Sendable {
    /// In the order of the documentation.
    package let settings: [any AnySetting]
    let keysWithoutMeaning: [(key: String, notice: String)]
    let alternatives: [SettingAlternative]

    /// Collects a section.
    ///
    /// - Parameters:
    ///   - settings: in the order of the documentation
    ///   - withoutMeaning: keys of the Python project that are accepted, whatever their value, with the notice that says why
    ///   - alternatives: of the section's own settings
    package init(
        _ settings: [any AnySetting], withoutMeaning: [(key: String, notice: String)] = [], alternatives: [SettingAlternative] = []
    ) {
        precondition(Set(settings.map(\.section)).count == 1, "section: settings of several sections")
        self.settings = settings
        self.keysWithoutMeaning = withoutMeaning
        self.alternatives = alternatives
    }

    var name: String { settings[0].section }
}

/// Two settings of which a file gives one at most, or says the same with both; `--set` of one removes the other.
package struct SettingAlternative: Sendable {
    let one: String
    let other: String

    /// Pairs two settings.
    package init(_ one: any AnySetting, _ other: any AnySetting) {
        (self.one, self.other) = (one.key, other.key)
    }
}

/// The settings that there are.
package struct ConfigurationSchema: Sendable {
    /// Every setting, in the order of the documentation.
    package let settings: [any AnySetting]
    /// Names of the sections in their order.
    package let sections: [String]
    /// Keys that are accepted and passed over, with the notice that says why.
    package let keysWithoutMeaning: [(key: String, notice: String)]
    private let alternatives: [SettingAlternative]

    /// Joins sections.
    ///
    /// - Parameters:
    ///   - top: settings that stand in no section
    ///   - alternatives: settings of two sections
    package init(top: [any AnySetting], sections: [SettingSection], alternatives: [SettingAlternative]) {
        settings = top + sections.flatMap(\.settings)
        self.sections = sections.map(\.name)
        keysWithoutMeaning = sections.flatMap(\.keysWithoutMeaning)
        self.alternatives = sections.flatMap(\.alternatives) + alternatives
        precondition(Set(settings.flatMap(\.spellings)).count == settings.flatMap(\.spellings).count, "schema: a key is declared twice")
    }

    /// The setting of a spelling.
    func setting(spelled spelling: String) -> (any AnySetting)? {
        settings.first { $0.spellings.contains(spelling) }
    }

    /// Keys that a `--set` of `key` removes from the file.
    func alternatives(of key: String) -> [String] {
        alternatives.compactMap { $0.one == key ? $0.other : $0.other == key ? $0.one : nil }
    }
}
