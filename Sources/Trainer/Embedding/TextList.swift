// The texts that `embed` embeds, in the order of its output: those of the command line first, then those of a file.

import Model
import Tensor

/// Which side of a search a text stands on; it decides the words before it.
package enum TextRole: String, CaseIterable, Sendable {
    case query
    case passage

    /// What stands before a text of `task`.
    func prefix(task: String) -> String {
        let prompt: Prompt = self == .query ? .query : .passage
        return prompt.resolved(task: task).prefix
    }
}

/// Texts with their tasks and roles.
///
///     let list = try TextList(texts: ["a question"], file: "more.jsonl", task: "retrieval", role: .query, knownTasks: config.taskNames)
package struct TextList: Sendable {
    package struct Entry: Sendable {
        /// UTF-8, without prompt; never blank.
        package let text: [UInt8]
        package let task: String
        package let role: TextRole
        /// For messages: `questions.txt:3`, or `--texts: text 1`.
        package let place: String
    }

    package private(set) var entries: [Entry] = []

    /// - Parameters:
    ///   - texts: from the command line
    ///   - file: JSON lines with `text` and optional `task` and `prompt` when its name ends in .jsonl or .jsonl.gz, else one text a
    ///     line; nil: none
    ///   - task: of texts that name none
    ///   - role: of texts that name none
    ///   - knownTasks: the model's
    /// - Throws: `UserError` `.usage` for an empty text of the command line; `.missing`, or `.content` naming file and line
    package init(texts: [String], file: String?, task: String, role: TextRole, knownTasks: [String]) throws(UserError) {
        for (index, text) in texts.enumerated() {
            guard !text.isBlank else { throw UserError(.usage, "--texts", "text \(index + 1) is empty; write its words or leave it out") }
            entries.append(Entry(text: Array(text.utf8), task: task, role: role, place: "--texts: text \(index + 1)"))
        }
        guard let file else { return }
        let count = entries.count
        if file.hasSuffix(".jsonl") || file.hasSuffix(".jsonl.gz") {
            let rows = try JSONLinesFile(path: file)
            for row in 0..<rows.count {
                entries.append(try Entry(rows.row(row), "\(file):\(rows.lineNumber(ofRow: row))", task, role, knownTasks))
            }
        } else {
            let lines = try TextFile(path: file)
            for line in lines.lines.indices {
                let text = try lines.string(line)
                guard !text.isBlank else {
                    throw UserError(.content, file, line: line + 1, "the line is empty; each line is one text: write it or remove the line")
                }
                entries.append(Entry(text: Array(text.utf8), task: task, role: role, place: "\(file):\(line + 1)"))
            }
        }
        guard entries.count > count else { throw UserError(.content, file, "the file holds no texts; there is nothing to embed") }
    }

    /// SHA-256 of all texts, with what they are embedded for.
    var fingerprint: [UInt8] {
        var hash = SHA256()
        for entry in entries {
            hash.update(Array("\(entry.task) \(entry.role.rawValue) \(entry.text.count)\n".utf8))
            hash.update(entry.text)
        }
        return hash.finalize()
    }
}

extension TextList.Entry {
    fileprivate init(
        _ line: JSONLine, _ place: String, _ task: String, _ role: TextRole, _ knownTasks: [String]
    ) throws(UserError) {
        guard let text = try line.text("text") else { throw line.fault("the row has no \"text\"") }
        guard !text.isBlank else { throw line.fault(at: "text", "\"text\" is empty; write its words or remove the row") }
        self.text = Array(text.utf8)
        self.place = place
        self.task = try line.text("task") ?? task
        guard knownTasks.contains(self.task) else {
            throw line.fault(at: "task", "\"task\" is \"\(self.task)\"; this model has the tasks \(knownTasks.joined(separator: ", "))")
        }
        guard let name = try line.text("prompt") else {
            self.role = role
            return
        }
        guard let named = TextRole(rawValue: name) else {
            throw line.fault(at: "prompt", "\"prompt\" is \"\(name)\"; it must be query or passage")
        }
        self.role = named
    }
}
