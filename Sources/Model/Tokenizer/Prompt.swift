// What stands before a text. The published model was trained with these words; others give other embeddings.

/// `query`, `passage` and `none` are names; anything else stands for itself.
package enum Prompt: Sendable, Equatable {
    case query
    case passage
    case none
    case literal(String)

    package init(_ text: String) {
        switch text {
        case "query": self = .query
        case "passage": self = .passage
        case "none": self = .none
        default: self = .literal(text)
        }
    }

    /// The prompt for a text of `task`: in text matching both sides are alike, and a passage takes the query's.
    package func resolved(task: String) -> Prompt { task == "text-matching" && self == .passage ? .query : self }

    package var prefix: String {
        switch self {
        case .query: "Query: "
        case .passage: "Passage: "
        case .none: ""
        case .literal(let text): text
        }
    }
}
