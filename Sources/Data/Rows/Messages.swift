// Chat messages as rows of ms-swift hold them: one turn of the user for each text, and perhaps a system message before the anchor.

import Files

/// The texts of `messages`, `positive_messages` or `negative_messages`.
///
///     "messages": [{"role": "system", "content": "Find the answer: "}, {"role": "user", "content": "..."}]
///     "negative_messages": [[{"role": "user", "content": "..."}], [{"role": "user", "content": "<image>"}]]
struct Messages {
    /// One a conversation.
    private(set) var texts: [String] = []
    /// The system message; nil without one.
    private(set) var system: String?

    /// - Throws: `UserError` `.content` for anything but lists of messages with one turn of the user
    init(_ row: RowObject, _ key: String) throws(UserError) {
        guard case .array(let entries)? = row[key], !entries.isEmpty else {
            throw row.fault(at: key, "\"\(key)\" must be a list of messages, each with \"role\" and \"content\"")
        }
        if case .array = entries[0] {
            for entry in entries {
                guard case .array(let messages) = entry else { throw row.fault(at: key, "\"\(key)\" mixes messages and lists of messages") }
                try add(messages, row, key)
            }
        } else {
            try add(entries, row, key)
        }
    }

    private mutating func add(_ messages: [JSONValue], _ row: RowObject, _ key: String) throws(UserError) {
        var own: String?
        for message in messages {
            guard case .object(let object) = message, let role = object["role"]?.stringValue, let content = object["content"]?.stringValue
            else { throw row.fault(at: key, "a message of \"\(key)\" has no \"role\" and \"content\" that are strings") }
            switch role {
            case "system" where key == "messages" && system == nil && own == nil: system = content
            case "user" where own == nil: own = content
            default:
                throw row.fault(
                    at: key, "\"\(key)\" has a message of the role \"\(role.cut())\" where one turn of the user is read; leave it out")
            }
        }
        guard let own else { throw row.fault(at: key, "\"\(key)\" has no message of the role \"user\"") }
        guard isImage(own) || !own.contains(Self.image) else {
            throw row.fault(at: key, "\"\(key)\" has an image and words in one message; an input is a text or an image: write one of them")
        }
        texts.append(own)
    }

    /// Whether a text stands for the next image.
    func isImage(_ text: String) -> Bool { text.stripped == Self.image }

    private static let image = "<image>"
}
