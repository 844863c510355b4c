// Passages by their ids: rows of Tevatron name the documents that they mean, and the texts stand in one file.

import Files
import Tensor

/// The passages of a file of rows such as `{"docid": "7", "title": "...", "text": "..."}`.
package struct PassageFile: Sendable {
    private let file: RowFile
    private let rowsByID: [ExactString: Int32]

    /// The file's path as it was given.
    package var path: String { file.path }

    /// Opens the file and notes the ids of its rows.
    ///
    /// - Throws: `UserError` `.missing`, `.inputOutput`, or `.content` for a row without an id, or an id that stands twice
    package init(path: String) throws(UserError) {
        let file = try RowFile(path: path)
        let ids = Threads.map(file.count, grain: 64) { index in
            Result { () throws(UserError) in try Self.id(of: file.row(index)) }
        }
        var rows: [ExactString: Int32] = [:]
        for (index, id) in ids.enumerated() {
            let id = try id.get()
            guard rows.updateValue(Int32(index), forKey: ExactString(id)) == nil else {
                throw UserError(
                    .content, path, line: file.lineNumber(ofRow: index), "the id \"\(id.cut())\" stands twice in this file; remove one row")
            }
        }
        self.file = file
        rowsByID = rows
    }

    /// The title, a blank and the text of a passage, without white space at both ends; nil when the file lacks the id.
    ///
    /// - Throws: `UserError` `.content` when its title or text is no text
    package func text(of id: String) throws(UserError) -> String? {
        guard let index = rowsByID[ExactString(id)] else { return nil }
        let row = try file.row(Int(index))
        var text: String?
        for key in ["text", "document_text", "contents"] where text == nil { text = try row.text(key) }
        return "\(try row.text("title") ?? "") \(text ?? "")".stripped
    }

    private static func id(of row: RowObject) throws(UserError) -> String {
        for key in ["docid", "_id", "id", "doc_id"] {
            guard let value = row[key] else { continue }
            if let id = value.stringValue ?? value.numberValue.flatMap({ Int(exactly: $0) }).map(String.init) { return id }
            throw row.fault(at: key, "\"\(key)\" is \(value.kind.rawValue); it must be a text or a whole number")
        }
        throw row.fault("the passage has no id; it stands under \"docid\", \"_id\" or \"id\"")
    }
}
