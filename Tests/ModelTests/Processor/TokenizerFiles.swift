// Tokenizers and golden strings for the tests of this folder.

import Foundation
import Model
import Support
import Tensor

let packageFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
let jinaTinyPath = packageFolder.appendingPathComponent("examples/jina-tiny/tokenizer.json").path

/// A text and the ids that the reference gives for it.
struct TokenizerCase {
    let text: String
    let ids: [Int32]
}

/// Rows of Tests/Golden/tokenizer.
func goldenRows(_ name: String) throws -> [JSONValue] {
    try rows(packageFolder.appendingPathComponent("Tests/Golden/tokenizer/\(name)").path)
}

func rows(_ path: String) throws -> [JSONValue] {
    let file = try TextFile(path: path)
    return try file.lines.indices.map { try JSONValue.parse(file.line($0), path: path, firstLine: $0 + 1) }
}

func cases(_ rows: [JSONValue]) -> [TokenizerCase] {
    rows.compactMap { row in
        guard let text = row["text"]?.stringValue, let ids = row["ids"]?.arrayValue else { return nil }
        return TokenizerCase(text: text, ids: ids.compactMap { $0.integerValue.map(Int32.init) })
    }
}

/// The published Qwen2.5 tokenizer, which the data folder keeps compressed.
func qwenTokenizer() throws -> Tokenizer {
    let folder = try TemporaryFolder()
    let file = try TextFile(path: TestData.url("qwen2.5-tokenizer/tokenizer.json.gz").path)
    return try Tokenizer(path: folder.write("tokenizer.json", file.bytes))
}

/// jina-tiny's tokenizer file as text, edited.
func editedTokenizer(_ edit: (inout JSONObject) throws -> Void) throws -> [UInt8] {
    guard case .object(var object) = try JSONValue.parse(file: jinaTinyPath) else { preconditionFailure("\(jinaTinyPath) is no object") }
    try edit(&object)
    return JSONValue.object(object).serialized(pretty: true)
}
