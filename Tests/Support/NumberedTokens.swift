// A tokenizer whose tokens spell their own ids: "<7>" is token 7. Tests that know token ids only write them as texts, and so go
// through the same files and the same tokenizer as a run.

import Files
import Foundation
import Tensor

/// Use: `let path = try NumberedTokens.writeTokenizer(count: 40, to: folder)`, `NumberedTokens.text([7, 3])` for "<7><3>".
package enum NumberedTokens {
    /// A text that is tokenized as `ids`.
    package static func text(_ ids: some Sequence<Int32>) -> String { ids.map { "<\($0)>" }.joined() }

    /// Writes `tokenizer.json` and gives its path.
    ///
    /// - Parameter count: ids 0 to this - 1 can be spelled. The 256 bytes that every tokenizer has come behind them, beyond the
    ///   embedding table of a model with `count` rows: do not use them.
    package static func writeTokenizer(count: Int, to folder: String) throws -> String {
        var vocabulary = JSONObject()
        for id in 0..<count { vocabulary[text([Int32(id)])] = .integer(Int64(id)) }
        for (place, byte) in byteAlphabet.enumerated() { vocabulary[String(byte)] = .integer(Int64(count + place)) }
        let added = (0..<count).map { id -> JSONValue in
            [
                "id": .integer(Int64(id)), "content": .string(text([Int32(id)])), "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": false,
            ]
        }
        let tokenizer: JSONValue = [
            "version": "1.0", "added_tokens": .array(added), "normalizer": nil, "pre_tokenizer": splitByWords,
            "model": ["type": "BPE", "vocab": .object(vocabulary), "merges": []],
        ]
        let path = folder + "/tokenizer.json"
        try Data(tokenizer.serialized()).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Bytes as byte-level vocabularies spell them: visible characters of Latin-1, and U+0100 on for the others.
    private static var byteAlphabet: [Unicode.Scalar] {
        let visible = (UInt32(0)..<256).filter { (0x21...0x7E).contains($0) || $0 >= 0xA1 && $0 != 0xAD }
        return (visible + (0x100..<0x100 + UInt32(256 - visible.count))).map { Unicode.Scalar($0)! }
    }

    private static let splitByWords: JSONValue = [
        "type": "Sequence",
        "pretokenizers": [
            [
                "type": "Split",
                "pattern": [
                    "Regex":
                        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
                ], "behavior": "Isolated", "invert": false,
            ],
            ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false],
        ],
    ]
}
