// The prompts that adapters were trained with, beside them: `prompts.json` by task, and `config_sentence_transformers.json`, which
// sentence-transformers reads and writes, beside an adapter of one task.

import Files
import Foundation

/// What the files beside an adapter say of its prompts.
package struct RecordedPrompts: Sendable {
    /// The file that says it.
    package let path: String
    private let byTask: [String: PromptPair]
    /// Of a file that names no task.
    private let common: PromptPair?

    /// The prompts of a task's adapter; nil where nothing is said of it.
    package func pair(task: String) -> PromptPair? { byTask[task] ?? common }

    /// Reads what lies beside an adapter.
    ///
    /// - Returns: nil when no file there says anything of prompts
    /// - Throws: `UserError` `.content` when a prompt is no text
    package static func read(folder: String) throws(UserError) -> RecordedPrompts? {
        let own = folder + "/" + PromptFile.name
        if FileManager.default.fileExists(atPath: own) {
            var byTask: [String: PromptPair] = [:]
            guard case .object(let tasks) = try JSONValue.parse(file: own) else { throw fault(own, "holds no JSON object") }
            for (task, prompts) in tasks.entries {
                guard let query = prompts["query"]?.stringValue, let passage = prompts["passage"]?.stringValue else {
                    throw fault(own, "does not say query and passage of \(quoted(task)) as texts")
                }
                byTask[task] = PromptPair(query: query, passage: passage)
            }
            return RecordedPrompts(path: own, byTask: byTask, common: nil)
        }
        let other = folder + "/" + PromptFile.sentenceTransformersName
        guard FileManager.default.fileExists(atPath: other), case .object(let prompts)? = try JSONValue.parse(file: other)["prompts"]
        else { return nil }
        // The names by which sentence-transformers looks for the side of a document, in its order.
        let (query, passage) = (prompts["query"], ["document", "passage", "corpus"].compactMap { prompts[$0] }.first)
        for value in [query, passage].compactMap(\.self) where value.stringValue == nil {
            throw fault(other, "has a prompt that is \(value.kind.rawValue)")
        }
        guard query != nil || passage != nil else { return nil }
        let pair = PromptPair(query: query?.stringValue ?? "", passage: passage?.stringValue ?? "")
        return RecordedPrompts(path: other, byTask: [:], common: pair)
    }

    private static func fault(_ path: String, _ what: String) -> UserError {
        UserError(.content, path, "\(what); expected the words before a query and before a passage, or move the file away")
    }
}

/// Writes the prompts of adapters.
enum PromptFile {
    static let name = "prompts.json"
    static let sentenceTransformersName = "config_sentence_transformers.json"

    /// - Parameter prompts: by task
    static func bytes(_ prompts: [String: PromptPair]) -> [UInt8] {
        json(prompts).serialized(pretty: true, sortedKeys: true) + [UInt8(ascii: "\n")]
    }

    /// `{"code": {"query": "Query: ", "passage": "Passage: "}}`
    static func json(_ prompts: [String: PromptPair]) -> JSONValue {
        var tasks = JSONObject()
        for (task, pair) in prompts.sorted(by: { $0.key < $1.key }) {
            tasks[task] = ["query": .string(pair.query), "passage": .string(pair.passage)]
        }
        return .object(tasks)
    }
}

extension PromptPair {
    /// Prompts of several tasks as records have them: `{"code": {"query": "Query: ", "passage": "Passage: "}}`.
    package static func json(_ prompts: [String: PromptPair]) -> JSONValue { PromptFile.json(prompts) }
}
