// The `model` object of tokenizer.json: vocabulary and merges, read straight from the file's bytes without a tree, since they
// are nearly all of its megabytes.

import Files
import Tensor

/// Vocabulary and merges of a byte-pair model.
struct TokenizerModel {
    private(set) var vocabulary = Vocabulary()
    private(set) var merges = MergeTable()

    /// - Parameter scanner: before the value of `model`; behind it afterwards
    init(_ scanner: inout JSONScanner) throws(UserError) {
        var keys = RequiredKeys(["type", "vocab", "merges"], of: "model")
        var mergesAt: JSONScanner?
        try scanner.beginObject()
        while let key = try scanner.nextKey()?.string {
            try keys.meet(key, scanner)
            switch key {
            case "vocab": try readVocabulary(&scanner)
            case "merges":
                // Read below, when the vocabulary is known, wherever it stands.
                mergesAt = scanner
                try scanner.skipValue()
            default: try Self.requireSetting(key, &scanner)
            }
        }
        try keys.requireAll(scanner)
        if var mergesAt { try readMerges(&mergesAt) }
    }

    /// Settings of the model, which must have no effect. With every byte in the vocabulary nothing is unknown, so
    /// `unk_token` and `fuse_unk` have none.
    private static func requireSetting(_ key: String, _ scanner: inout JSONScanner) throws(UserError) {
        let accepted: (words: String, accepts: (JSONValue) -> Bool)
        switch key {
        case "type": accepted = ("\"BPE\"", { $0.stringValue == "BPE" })
        case "dropout": accepted = ("null or 0", { $0.isNull || $0.numberValue == 0 })
        case "continuing_subword_prefix", "end_of_word_suffix": accepted = ("null or \"\"", { $0.isNull || $0.stringValue == "" })
        case "byte_fallback", "ignore_merges": accepted = ("null or false", { $0.isNull || $0.boolValue == false })
        default: return try scanner.skipValue()
        }
        let (value, place) = try scanner.readSetting()
        guard accepted.accepts(value) else {
            throw scanner.unsupported("model.\(key)", JSONValue?(value).inWords, accepted.words, at: place)
        }
    }

    private mutating func readVocabulary(_ scanner: inout JSONScanner) throws(UserError) {
        var buffer: [UInt8] = []
        try scanner.beginObject()
        let place = scanner.tokenStart
        while let text = try scanner.nextKey() {
            let keyPlace = scanner.tokenStart
            let id = try scanner.readTokenID()
            let isNew = text.withUTF8(&buffer) { vocabulary.insert($0, id: id) }
            guard isNew else { throw scanner.fault("model.vocab: \"\(text.string)\" stands twice; remove one", at: keyPlace) }
        }
        guard let fault = vocabulary.faultOfIDs() else { return }
        let doubled = fault.doubled.map { ", and id \($0) belongs to two" } ?? ""
        throw scanner.fault(
            "model.vocab: no token has id \(fault.missing)\(doubled); \(vocabulary.count) tokens must have the ids 0 to \(vocabulary.count - 1)",
            at: place)
    }

    /// `["a b", ...]` or `[["a", "b"], ...]`, the earliest first.
    private mutating func readMerges(_ scanner: inout JSONScanner) throws(UserError) {
        var left: [UInt8] = []
        var right: [UInt8] = []
        var both: [UInt8] = []
        merges = MergeTable(expected: vocabulary.count)
        var rank: UInt32 = 0
        try scanner.beginArray()
        while try scanner.nextElement() {
            let place = try scanner.readMerge(&left, &right)
            both.removeAll(keepingCapacity: true)
            both += left
            both += right
            // Merged tokens usually follow the 256 bytes in the order of the merges.
            guard let leftID = vocabulary.id(of: left), let rightID = vocabulary.id(of: right),
                let merged = vocabulary.id(of: both, guess: 256 + Int(rank))
            else { throw unknownToken(left, right, scanner, at: place) }
            guard merges.insert(left: leftID, right: rightID, MergeTable.Merge(rank: rank, token: merged)) else {
                throw scanner.fault("model.merges: \(Self.inWords(left, right)) stands twice; remove one", at: place)
            }
            rank += 1
        }
    }

    private func unknownToken(_ left: [UInt8], _ right: [UInt8], _ scanner: JSONScanner, at place: Int) -> UserError {
        let unknown = [left, right, left + right].first { vocabulary.id(of: $0) == nil } ?? []
        return scanner.fault(
            "model.merges: \(Self.inWords(left, right)) needs the token \"\(String(decoding: unknown, as: UTF8.self))\", which model.vocab "
                + "lacks; use the tokenizer.json published with the model", at: place)
    }

    private static func inWords(_ left: [UInt8], _ right: [UInt8]) -> String {
        "\"\(String(decoding: left, as: UTF8.self)) \(String(decoding: right, as: UTF8.self))\""
    }

    /// The token of each byte, [256].
    ///
    /// Vocabularies spell bytes as printable characters: those of Latin-1 that are visible stand for themselves, the
    /// others for U+0100 and on. Source: `bytes_to_unicode` of GPT-2.
    func byteTokens(path: String) throws(UserError) -> [Int32] {
        var tokens: [Int32] = []
        var moved: UInt32 = 0
        for byte in UInt32(0)..<256 {
            let isVisible = (0x21...0x7E).contains(byte) || (0xA1...0xFF).contains(byte) && byte != 0xAD
            let scalar = Unicode.Scalar(isVisible ? byte : 0x100 + moved).unsafelyUnwrapped
            if !isVisible { moved += 1 }
            guard let token = vocabulary.id(of: Array(String(scalar).utf8)) else {
                throw UserError(
                    .content, path,
                    "model.vocab: no token \"\(scalar)\" for byte \(byte); a byte-level vocabulary has all 256, so use the "
                        + "tokenizer.json published with the model")
            }
            tokens.append(token)
        }
        return tokens
    }
}

extension JSONScanner {
    /// Reads one merge into `left` and `right`, and says where it stands.
    fileprivate mutating func readMerge(_ left: inout [UInt8], _ right: inout [UInt8]) throws(UserError) -> Int {
        left.removeAll(keepingCapacity: true)
        right.removeAll(keepingCapacity: true)
        let kind = try peek()
        let place = tokenStart
        if kind == .array {
            try readMergeParts(&left, &right, at: place)
        } else {
            try readText().append(to: &left)
            guard let space = left.firstIndex(of: 0x20), space == left.lastIndex(of: 0x20) else {
                throw fault(
                    "model.merges: \"\(String(decoding: left, as: UTF8.self))\" is not two tokens with one space between them", at: place)
            }
            right.append(contentsOf: left[(space + 1)...])
            left.removeSubrange(space...)
        }
        return place
    }

    private mutating func readMergeParts(_ left: inout [UInt8], _ right: inout [UInt8], at place: Int) throws(UserError) {
        try beginArray()
        var count = 0
        while try nextElement() {
            let text = try readText()
            if count == 0 { text.append(to: &left) } else { text.append(to: &right) }
            count += 1
        }
        guard count == 2 else { throw fault("model.merges: found \(count) strings where a pair is expected", at: place) }
    }
}

extension JSONText {
    /// Gives the string's UTF-8 to `body`, from the file where it stands as it is, else from `buffer`.
    fileprivate func withUTF8<R>(_ buffer: inout [UInt8], _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        guard hasEscapes else { return body(raw) }
        buffer.removeAll(keepingCapacity: true)
        append(to: &buffer)
        return buffer.withUnsafeBufferPointer(body)
    }
}
