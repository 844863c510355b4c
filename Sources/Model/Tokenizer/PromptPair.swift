// The two prompts that an adapter was trained with, a side of a search each.

import Files

/// What stands before a query and before a passage.
package struct PromptPair: Sendable, Equatable {
    /// The words before a query; empty for none.
    package let query: String
    /// The words before a passage; empty for none.
    package let passage: String

    /// Creates a pair of prompts.
    package init(query: String, passage: String) {
        self.query = query
        self.passage = passage
    }

    /// The prompts that the published model was trained with, for texts of `task`.
    package static func usual(task: String) -> PromptPair {
        PromptPair(query: Prompt.query.resolved(task: task).prefix, passage: Prompt.passage.resolved(task: task).prefix)
    }

    /// What stands before a text that names a prompt.
    package func prefix(_ prompt: Prompt) -> String {
        switch prompt {
        case .query: query
        case .passage: passage
        case .none, .literal: prompt.prefix
        }
    }

    /// Both in words: `"Frage: " before a query and nothing before a passage`.
    package var inWords: String {
        func words(_ prompt: String) -> String { prompt.isEmpty ? "nothing" : quoted(prompt) }
        return "\(words(query)) before a query and \(words(passage)) before a passage"
    }
}

extension Prompt {
    /// A prompt as the command line and files of texts name it: `query`, `passage`, `none` or a text.
    ///
    /// Nil for a word of letters alone, such as `pasage`: it would stand directly before the words of a text, so it is no prompt but a
    /// misspelt name.
    package init?(named text: String) {
        let prompt: Prompt = text.isEmpty ? .none : Prompt(text)
        if case .literal = prompt, text.unicodeScalars.allSatisfy({ $0.isASCII && $0.properties.isAlphabetic }) { return nil }
        self = prompt
    }

    /// What a value must be that `init(named:)` takes, as the end of a sentence.
    package static let nameRule = "query, passage, none, or a text to put in front, which ends in a blank or a sign such as \"Question: \""

    /// The name that stands for it, or the text itself.
    package var name: String {
        switch self {
        case .query: "query"
        case .passage: "passage"
        case .none: "none"
        case .literal(let text): text
        }
    }
}
