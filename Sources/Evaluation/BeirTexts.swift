// The rows of a corpus or of queries: an id, and a text or an image. Keys are those of BEIR, MTEB and ViDoRe.

import Data
import Files

/// Ids and contents, by row.
struct BeirTexts {
    /// What rows are.
    enum Kind {
        case queries
        /// A title goes before the text, and both ends lose white space. `queries`: those whose ids documents may share.
        case documents(queries: BeirTexts)
    }

    /// The files; the first stands for all in messages.
    let paths: [String]
    private(set) var ids: [String] = []
    /// In UTF-8, without prompt.
    private(set) var texts: [[UInt8]] = []
    /// Paths of the images that take the texts' places.
    private(set) var images: [String?] = []
    /// Row of an id.
    private(set) var index: [ExactString: Int] = [:]
    /// Of documents: the rows with the id of a query, and whether they are the same thing: the query's text as title or text.
    private(set) var sameAsQuery: [Int: Bool] = [:]

    /// Reads files, of which each may be in any format of rows.
    ///
    /// - Parameter store: where images that stand in the rows themselves are written; nil: nowhere
    /// - Throws: `UserError` `.content`, with file and line, for a row without an id, an id that stands twice, or a value of a wrong type;
    ///   when there is no row, or none with anything to embed
    init(_ paths: [String], _ kind: Kind, _ store: ImageStore?) throws(UserError) {
        self.paths = paths
        var (places, hasContent): ([(path: String, line: Int)], Bool) = ([], false)
        for path in paths {
            let file = try RowFile(path: path, store: store)
            let folder = try ImageFolder(dataFile: path, base: nil, store: store)
            for row in 0..<file.count {
                let line = try file.row(row)
                let id = try kind.id(of: line)
                if let earlier = index.updateValue(ids.count, forKey: ExactString(id)) {
                    let (place, number) = places[earlier]
                    let words = place == path ? "line \(number)" : "\(place):\(number)"
                    throw line.fault(at: kind.idKeys[0], "the id \"\(id)\" is also that of \(words); ids must differ")
                }
                let image = try Self.image(line, folder)
                hasContent = try add(line, id, image, kind) || hasContent
                places.append((path, file.lineNumber(ofRow: row)))
            }
        }
        guard !ids.isEmpty else {
            throw UserError(.content, paths[0], "the file holds no rows; each is one: {\"_id\": \"...\", \"text\": \"...\"}")
        }
        guard hasContent else {
            let keys = kind.textKeys.map { "\"\($0)\"" }.joined(separator: ", ")
            throw UserError(
                .content, paths[0], line: places[0].line, "no row has a text or an image; they stand under \(keys) and \"image\"")
        }
    }

    /// - Returns: whether there is anything to embed beside a prompt
    private mutating func add(_ line: RowObject, _ id: String, _ image: String?, _ kind: Kind) throws(UserError) -> Bool {
        var text = ""
        for key in kind.textKeys where key != "title" {
            guard let found = try line.text(key) else { continue }
            text = found
            break
        }
        ids.append(id)
        images.append(image)
        switch kind {
        case .queries: texts.append(Array(text.utf8))
        case .documents(let queries):
            let title = try line.text("title") ?? ""
            if let query = queries.index[ExactString(id)] {
                let contents = [title, text, "\(title) \(text)"].map(words)
                let wanted = words(String(decoding: queries.texts[query], as: UTF8.self))
                let isText = image == nil && queries.images[query] == nil && !wanted.isEmpty && contents.contains(wanted)
                sameAsQuery[ids.count - 1] = isText || image != nil && image == queries.images[query]
            }
            texts.append(Array("\(title) \(text)".stripped.utf8))
        }
        return image != nil || !String(decoding: texts[texts.count - 1], as: UTF8.self).isBlank
    }

    /// Whether a row is neither an image nor a text with any word.
    func isEmpty(_ row: Int) -> Bool { images[row] == nil && String(decoding: texts[row], as: UTF8.self).isBlank }

    private static func image(_ line: RowObject, _ folder: ImageFolder) throws(UserError) -> String? {
        guard let written = line["image"] else { return nil }
        do { return folder.path(of: try folder.name(of: written)) } catch {
            throw error.failure ?? line.fault(at: "image", "\"image\": \(ImageFolder.shown(written)) \(error.reason)")
        }
    }
}

extension BeirTexts.Kind {
    /// Keys of the id, the usual one first.
    var idKeys: [String] {
        switch self {
        case .queries: ["_id", "id", "query-id", "query_id", "qid"]
        case .documents: ["_id", "id", "corpus-id", "corpus_id", "docid"]
        }
    }

    /// Keys of the text; a document has a title, too.
    var textKeys: [String] {
        switch self {
        case .queries: ["text", "query"]
        case .documents: ["text", "title"]
        }
    }

    fileprivate func id(of line: RowObject) throws(UserError) -> String {
        for key in idKeys {
            guard let id = try line.identifier(key) else { continue }
            guard !id.isEmpty else { throw line.fault(at: key, "\"\(key)\" is empty; each row needs an id of its own") }
            return id
        }
        throw line.fault("the row has no \"_id\"; each needs one of its own")
    }
}

extension RowObject {
    /// An id under a key, nil when it is absent or null. A whole number is its digits, as JSON and tables often hold ids.
    ///
    /// - Throws: `UserError` `.content` for anything else than a text or a whole number
    func identifier(_ key: String) throws(UserError) -> String? {
        switch self[key] {
        case nil: return nil
        case .string(let text): return text
        case .integer(let number): return String(number)
        case .number(let number) where number.rounded() == number && number.magnitude < 0x1p53: return String(Int64(number))
        case let value?: throw fault(at: key, "\"\(key)\" is \(value.kind.rawValue); an id must be a text or a whole number below 2^53")
        }
    }
}

/// A text with single blanks between its words.
private func words(_ text: String) -> [UInt8] {
    Array(text.unicodeScalars.split(whereSeparator: \.isBlank).map(String.init).joined(separator: " ").utf8)
}
