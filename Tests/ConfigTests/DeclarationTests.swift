// A key stands once in the source: where it is declared. Everything else names the declaration.

import Config
import Foundation
import Project
import Support
import Testing

@Suite("Declarations of settings")
struct DeclarationTests {
    /// Without comments.
    private static func sources() throws -> [(path: String, text: String)] {
        let folder = PackagePath.root.appending(path: "Sources")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        return try files.filter { $0.pathExtension == "swift" }.map { file in
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            return (file.path, lines.filter { !$0.drop { $0 == " " }.hasPrefix("//") }.joined(separator: "\n"))
        }
    }

    @Test("every key is a literal at one place")
    func oneLiteral() throws {
        let sources = try Self.sources()
        #expect(sources.count > 100)
        for setting in ProjectSettings.schema.settings {
            let files = sources.flatMap { Array(repeating: $0.path, count: $0.text.ranges(of: "\"\(setting.key)\"").count) }
            #expect(files.count == 1, "\(setting.key) stands in \(files)")
        }
    }

    @Test("every declared setting belongs to the schema, in the section's file")
    func allInSchema() throws {
        let declaration = /static let \w+ = Setting<.+>\(\s*"([a-z0-9_.]+)"/
        var declared: [String] = []
        for (path, text) in try Self.sources() {
            let keys = text.matches(of: declaration).map { String($0.1) }
            #expect(keys.isEmpty || path.hasSuffix("Settings.swift") || path.contains("/Loss/"), "\(path) declares \(keys)")
            declared += keys
        }
        #expect(declared.sorted() == ProjectSettings.schema.settings.map(\.key).sorted())
    }

    @Test("a section is read from the resolved configuration by its declarations")
    func resolved() throws {
        let resolved = try decode(requiredSettings, set: "training.seed=7").resolved()
        #expect(TrainingSettings.seed.json(in: resolved).integerValue == 7)
        #expect(TrainingSettings.epochs.json(in: ["training": ["seed": 7]]).integerValue == 3)
        #expect(SystemSettings.computeType.assignment(.float32) == "system.compute_dtype=float32")
    }
}

@Suite("Values by task")
struct TaskValuesTests {
    @Test("keep their order, tell names apart by bytes, and are equal in any order")
    func values() {
        var values: TaskValues = ["b": 1, "a": 2]
        values["b"] = 3
        #expect(values.tasks == ["b", "a"] && values["b"] == 3 && values["c"] == nil && values == ["a": 2, "b": 3])
        values["\u{E9}"] = 4
        values["e\u{301}"] = 5
        #expect(values.tasks.count == 4 && values["\u{E9}"] == 4 && values["e\u{301}"] == 5)
        #expect(String(decoding: values.json { .integer(Int64($0)) }.serialized(pretty: false), as: UTF8.self).hasPrefix(#"{"b":3,"a":2,"#))
    }
}
