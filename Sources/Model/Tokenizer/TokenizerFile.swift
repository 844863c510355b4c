// tokenizer.json as a type: the one place that knows the file's keys. What the tokenizer does not implement exactly is refused
// by name, never approximated; keys that cannot change an id (decoder, truncation, padding) are passed over.

import Files

/// The content of a `tokenizer.json`.
///
/// Source: tokenizers 0.23, `tokenizer/serialization.rs`, `models/bpe/serialization.rs`.
struct TokenizerFile {
    /// Whether text is brought to form C first.
    private(set) var normalizes = false
    private(set) var addedTokens: [AddedToken] = []
    let bytePairs: BytePairEncoding
    /// SHA-256 of the file.                                        [32]
    let fingerprint: [UInt8]
    /// Tokens of `model.vocab`; their ids are 0 to this - 1.
    let vocabularyCount: Int

    init(path: String) throws(UserError) {
        let file = try MappedFile(path: path)
        defer { withExtendedLifetime(file) {} }  // The scanner reads its memory.
        if let other = StandIn.insteadOfJSON(file.bytes) { throw UserError(.content, path, other) }
        fingerprint = file.sha256()
        var scanner = JSONScanner(file.bytes, path: path)
        var keys = RequiredKeys(["model", "pre_tokenizer", "normalizer", "added_tokens"], of: "a tokenizer file")
        var model: TokenizerModel?
        try scanner.beginObject()
        while let key = try scanner.nextKey()?.string {
            try keys.meet(key, scanner)
            switch key {
            case "version": try scanner.requireVersion()
            case "normalizer": normalizes = try scanner.readNormalizer()
            case "pre_tokenizer": try scanner.requirePreTokenizer()
            case "post_processor": try scanner.requirePostProcessor()
            case "added_tokens": addedTokens = try scanner.readAddedTokens()
            case "model": model = try TokenizerModel(&scanner)
            default: try scanner.skipValue()
            }
        }
        try keys.requireAll(scanner)
        try scanner.expectEnd()
        guard let model else { preconditionFailure("TokenizerFile: no model after its key was met") }
        vocabularyCount = model.vocabulary.count
        bytePairs = BytePairEncoding(byteTokens: try model.byteTokens(path: path), merges: model.merges)
        try requireIDsInOrder(model.vocabulary, path: path)
    }

    /// The reference gives ids to added tokens itself: the vocabulary's where the text is in it, else the next free one.
    /// A file that says otherwise would get other ids there.
    private func requireIDsInOrder(_ vocabulary: Vocabulary, path: String) throws(UserError) {
        var next = Int32(vocabulary.count)
        var seen: Set<[UInt8]> = []
        for token in addedTokens {
            let bytes = Array(token.content.utf8)
            guard seen.insert(bytes).inserted else {
                throw UserError(.content, path, "added_tokens: \"\(token.content)\" is listed twice; remove one entry")
            }
            let expected = vocabulary.id(of: bytes) ?? next
            guard token.id == expected else {
                throw UserError(
                    .content, path,
                    "added_tokens: \"\(token.content)\" has id \(token.id) where \(expected) is the next free one; ids must follow the "
                        + "vocabulary without a hole, so use the tokenizer.json published with the model")
            }
            if expected == next { next += 1 }
        }
    }
}

/// Keys of one object: none twice, and some that must be there.
struct RequiredKeys {
    private let required: [String]
    private let owner: String
    private var met: Set<ExactString> = []

    init(_ required: [String], of owner: String) {
        self.required = required
        self.owner = owner
    }

    mutating func meet(_ key: String, _ scanner: JSONScanner) throws(UserError) {
        guard met.insert(ExactString(key)).inserted else { throw scanner.fault("\"\(key)\" stands twice in \(owner); remove one") }
    }

    func requireAll(_ scanner: JSONScanner) throws(UserError) {
        for key in required where !met.contains(ExactString(key)) {
            throw scanner.fault("\"\(key)\" is missing in \(owner); use the tokenizer.json published with the model")
        }
    }
}

extension JSONScanner {
    /// The next value, small enough for a tree, and where it begins.
    mutating func readSetting() throws(UserError) -> (value: JSONValue, place: Int) {
        _ = try peek()
        let place = tokenStart
        return (try readValue(), place)
    }

    func unsupported(_ key: String, _ found: String, _ expected: String, at place: Int) -> UserError {
        fault("\(key): found \(found), and only \(expected) is implemented; use the tokenizer.json published with the model", at: place)
    }

    fileprivate mutating func requireVersion() throws(UserError) {
        let (value, place) = try readSetting()
        guard value.stringValue == "1.0" else { throw unsupported("version", JSONValue?(value).inWords, "\"1.0\"", at: place) }
    }

    /// `normalizer`: null, or NFC.
    fileprivate mutating func readNormalizer() throws(UserError) -> Bool {
        let (value, place) = try readSetting()
        if value.isNull { return false }
        guard value["type"]?.stringValue == "NFC" else {
            throw unsupported("normalizer.type", value["type"].inWords, "\"NFC\", or no normalizer,", at: place)
        }
        return true
    }

    /// `pre_tokenizer`: the split rule of Qwen2, then bytes.
    fileprivate mutating func requirePreTokenizer() throws(UserError) {
        let (value, place) = try readSetting()
        let key = "pre_tokenizer"
        guard value["type"]?.stringValue == "Sequence" else {
            throw unsupported("\(key).type", value["type"].inWords, "\"Sequence\"", at: place)
        }
        let steps = value["pretokenizers"]?.arrayValue ?? []
        guard steps.count == 2, steps[0]["type"]?.stringValue == "Split", steps[1]["type"]?.stringValue == "ByteLevel" else {
            let types = steps.map { $0["type"].inWords }.joined(separator: ", ")
            throw unsupported("\(key).pretokenizers", "[\(types)]", "[\"Split\", \"ByteLevel\"]", at: place)
        }
        let pattern = steps[0]["pattern"]?["Regex"]
        guard let text = pattern?.stringValue, text.utf8.elementsEqual(PreTokenizer.pattern.utf8) else {
            throw unsupported("\(key) Split.pattern.Regex", pattern.inWords, "the pattern of Qwen2, \(PreTokenizer.pattern),", at: place)
        }
        guard steps[0]["behavior"]?.stringValue == "Isolated" else {
            throw unsupported("\(key) Split.behavior", steps[0]["behavior"].inWords, "\"Isolated\"", at: place)
        }
        for (step, name) in [(0, "invert"), (1, "add_prefix_space"), (1, "use_regex")] where steps[step][name]?.boolValue != false {
            throw unsupported("\(key) \(steps[step]["type"]?.stringValue ?? "").\(name)", steps[step][name].inWords, "false", at: place)
        }
    }

    /// `post_processor`: absent, null, or steps that add no token to a text: ByteLevel, which moves offsets, and a template of the text
    /// alone, as transformers 5 saves it.
    fileprivate mutating func requirePostProcessor() throws(UserError) {
        let (value, place) = try readSetting()
        let steps = value["type"]?.stringValue == "Sequence" ? value["processors"]?.arrayValue ?? [] : [value]
        for step in steps where !step.isNull {
            switch step["type"]?.stringValue {
            case "ByteLevel": continue
            case "TemplateProcessing":
                let pieces = step["single"]?.arrayValue ?? []
                guard pieces.count == 1, pieces[0]["Sequence"]?["id"]?.stringValue == "A" else {
                    let tokens = pieces.compactMap { $0["SpecialToken"]?["id"]?.stringValue }.map(quoted).joined(separator: ", ")
                    throw unsupported(
                        "post_processor.single", tokens.isEmpty ? "another form" : "the tokens \(tokens) around a text",
                        "a text without tokens around it", at: place)
                }
            default: throw unsupported("post_processor.type", step["type"].inWords, "\"ByteLevel\", or no post-processor,", at: place)
            }
        }
    }

    fileprivate mutating func readAddedTokens() throws(UserError) -> [AddedToken] {
        var tokens: [AddedToken] = []
        try beginArray()
        while try nextElement() { tokens.append(try readAddedToken()) }
        return tokens
    }

    private mutating func readAddedToken() throws(UserError) -> AddedToken {
        var token = AddedToken(id: 0, content: "", isNormalized: false, isSingleWord: false, stripsLeft: false, stripsRight: false)
        var keys = RequiredKeys(
            ["id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"], of: "an entry of added_tokens")
        try beginObject()
        while let key = try nextKey()?.string {
            try keys.meet(key, self)
            switch key {
            case "id": token.id = try readTokenID()
            case "content":
                token.content = try readString()
                if token.content.isEmpty { throw fault("added_tokens: \"content\" is empty; remove the entry") }
            case "single_word": token.isSingleWord = try readBool()
            case "lstrip": token.stripsLeft = try readBool()
            case "rstrip": token.stripsRight = try readBool()
            case "normalized": token.isNormalized = try readBool()
            case "special": _ = try readBool()
            default: try skipValue()
            }
        }
        try keys.requireAll(self)
        return token
    }

    /// A token's id; the upper bound leaves room for counting behind the last.
    mutating func readTokenID() throws(UserError) -> Int32 {
        let value = try readInteger()
        guard (0..<1 << 30).contains(value) else { throw fault("found id \(value), and ids are 0 to \(1 << 30 - 1)") }
        return Int32(value)
    }
}

extension JSONValue? {
    /// A found value in an error.
    var inWords: String {
        switch self {
        case nil: "nothing"
        case .string(let text)?: "\"\(text)\""
        case .bool(let value)?: "\(value)"
        case .integer(let value)?: "\(value)"
        case let value?: value.kind.rawValue
        }
    }
}
