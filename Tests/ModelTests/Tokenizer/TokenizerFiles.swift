// Tokenizers and golden strings for the tests of this folder.

import Files
import Foundation
import Model
import Support

/// A text and the ids that the reference gives for it.
struct TokenizerCase {
    let text: String
    let ids: [Int32]
}

enum TokenizerFiles {
    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let jinaTiny = package.appendingPathComponent("examples/jina-tiny/tokenizer.json").path

    /// A file of Tests/Golden/tokenizer.
    static func golden(_ name: String) -> String { package.appendingPathComponent("Tests/Golden/tokenizer/\(name)").path }

    static func rows(_ path: String) throws -> [JSONValue] {
        let file = try TextFile(path: path)
        return try file.lines.indices.map { try JSONValue.parse(file.line($0), path: path, firstLine: $0 + 1) }
    }

    static func cases(_ path: String) throws -> [TokenizerCase] {
        try rows(path).compactMap { row in
            guard let text = row["text"]?.stringValue, let ids = row["ids"]?.arrayValue else { return nil }
            return TokenizerCase(text: text, ids: ids.compactMap { $0.integerValue.map(Int32.init) })
        }
    }

    /// The published Qwen2.5 tokenizer, which the data folder keeps compressed.
    static func published() throws -> Tokenizer {
        let folder = try TemporaryFolder()
        let file = try TextFile(path: TestData.url("qwen2.5-tokenizer/tokenizer.json.gz").path)
        return try Tokenizer(path: folder.write("tokenizer.json", file.bytes))
    }

    /// jina-tiny's tokenizer file, edited.
    static func edited(_ edit: (inout JSONObject) throws -> Void) throws -> [UInt8] {
        guard case .object(var object) = try JSONValue.parse(file: jinaTiny) else { preconditionFailure("\(jinaTiny) is no object") }
        try edit(&object)
        return JSONValue.object(object).serialized(pretty: true)
    }
}
