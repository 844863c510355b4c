// docs/configuration.md says what the schema says: a table of each section's settings, of the aliases, of what is passed over
// and of what is refused. A failure prints the rows that belong there.

import Config
import Project
import Support
import Testing

@Suite("docs/configuration.md")
struct ConfigurationDocumentationTests {
    /// A pattern's bars would end a table's cell.
    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|")
    }

    private static func row(_ setting: any AnySetting) -> String {
        let initial = if setting.defaultIsAValue { "`\(setting.defaultInWords)`" } else { setting.defaultInWords }
        return "| `\(setting.key)` | \(setting.formInWords) | \(cell(initial)) | \(cell(setting.meaning)) |"
    }

    private static var tables: [String: [String]] {
        var tables = Dictionary(grouping: ProjectSettings.schema.settings) { $0.section }.mapValues { $0.map(row) }
        tables["aliases"] = ProjectSettings.schema.settings.flatMap { setting in
            setting.spellings.dropFirst().map { "| `\($0)` | `\(setting.key)` |" }
        }
        tables["passed over"] = ProjectSettings.schema.keysWithoutMeaning.map { "| `\($0.key)` | \($0.notice) |" }
        let free = ProjectSettings.schema.settings.filter { $0.mayDifferOnResume }.map { "`\($0.key)`" }
        tables["resume"] = ["May differ: " + free.joined(separator: ", ") + "."]
        return tables
    }

    @Test(
        "holds the schema's tables, row for row",
        arguments: ["", "data", "training", "lora", "loss", "system", "aliases", "passed over", "resume"])
    func table(_ name: String) throws {
        let rows = Self.tables[name]!.joined(separator: "\n")
        let lines = try packageFile("docs/configuration.md")
        #expect(lines.contains(rows + "\n"), "the table \(name) must be:\n\(rows)")
    }

    @Test("has no row for a key that the schema does not know")
    func noStrangers() throws {
        let known = Set(Self.tables.values.flatMap { $0 })
        for line in try packageFile("docs/configuration.md").split(separator: "\n") where line.hasPrefix("| `") {
            #expect(known.contains(String(line)), "\(line)")
        }
    }
}
