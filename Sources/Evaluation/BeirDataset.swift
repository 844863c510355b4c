// A retrieval dataset in the folder layout of BEIR (Thakur et al. 2021, arXiv:2104.08663):
// corpus.jsonl and queries.jsonl (either may be .gz) and qrels/<split>.tsv, which says which document answers which query.
// What the evaluator embeds and the metrics compare with. A document is `title + " " + text`, stripped, or the image that its row
// names.

import Data
import Files
import Foundation

/// Documents, and the queries of one split with their judged documents.
package struct BeirDataset: Sendable {
    /// An entry of the corpus.
    package struct Document: Equatable, Sendable {
        /// Identity in the data set's files.
        package let id: String
        /// The document's text in UTF-8, without prompt. May be empty: published corpora have such documents.
        package let text: [UInt8]
        /// Path of the image that takes the text's place; nil: none.
        package var image: String?
    }

    /// A query and its judgements.
    package struct Query: Equatable, Sendable {
        /// Identity in the data set's files.
        package let id: String
        /// The query's text in UTF-8, without prompt; blank only where there is an image.
        package let text: [UInt8]
        /// Path of the image that takes the text's place; nil: none.
        package var image: String?
        /// Index of the document with the query's own id, which no ranking may show; nil: there is none.
        package let ownDocument: Int?
        /// Grades by the document's index in the corpus. At least one entry; grades of 0 or less mean not relevant.
        package let grades: [Int: Int]
    }

    /// Name of the dataset in results.
    package let name: String
    /// All documents in corpus order, which decides between equal scores.
    package let documents: [Document]
    /// The queries that have judgements, in the order of the queries file.
    package let queries: [Query]

    /// Reads a dataset from a folder in BEIR's layout.
    /// - Parameters:
    ///   - split: which queries: those that `qrels/<split>.tsv` judges
    ///   - name: what results call the dataset; nil: the folder's name
    /// - Throws: `UserError` `.missing` for an absent file; `.content`, with file and line, for a row, an id or a grade that is wrong
    package init(folder: String, split: String = "test", name: String? = nil) throws(UserError) {
        self.name = name ?? URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
        let corpus = try BeirTexts(in: folder, named: "corpus", areDocuments: true)
        let questions = try BeirTexts(in: folder, named: "queries", areDocuments: false)
        let judgements = try BeirJudgements(path: "\(folder)/qrels/\(split).tsv", queries: questions, documents: corpus)

        documents = corpus.ids.indices.map { Document(id: corpus.ids[$0], text: corpus.texts[$0], image: corpus.images[$0]) }
        queries = questions.ids.indices.compactMap { index in
            judgements.grades[index].map { grades in
                Query(
                    id: questions.ids[index], text: questions.texts[index], image: questions.images[index],
                    ownDocument: corpus.index[ExactString(questions.ids[index])],
                    grades: grades)
            }
        }
        for index in questions.ids.indices
        where judgements.grades[index] != nil && questions.images[index] == nil
            && String(decoding: questions.texts[index], as: UTF8.self).isBlank
        {
            throw UserError(
                .content, questions.path, line: questions.lineNumbers[index], "\"text\" is empty; a judged query needs its text")
        }
    }
}

extension BeirDataset {
    /// Whether any query or document is an image.
    package var hasImages: Bool { queries.contains { $0.image != nil } || documents.contains { $0.image != nil } }

    /// SHA-256 of all texts and judgements, and of the images' paths and sizes.
    package var fingerprint: [UInt8] {
        var hash = SHA256()
        for document in documents {
            hash.update(Array("\(document.id)\n\(document.text.count)\n".utf8))
            hash.update(document.text)
            Self.add(document.image, to: &hash)
        }
        for query in queries {
            let grades = query.grades.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ",")
            hash.update(Array("\(query.id)\n\(grades)\n\(query.text.count)\n".utf8))
            hash.update(query.text)
            Self.add(query.image, to: &hash)
        }
        return hash.finalize()
    }

    private static func add(_ image: String?, to hash: inout SHA256) {
        guard let image else { return }
        hash.update(Array("\((try? FileIdentity(path: image).size) ?? -1) \(image)\n".utf8))
    }
}

/// The rows of corpus or queries: `{"_id": "...", "title": "...", "text": "...", "image": "pages/7.png"}`; other keys are notes.
private struct BeirTexts {
    let path: String
    private(set) var ids: [String] = []
    private(set) var texts: [[UInt8]] = []
    private(set) var images: [String?] = []
    private(set) var lineNumbers: [Int] = []
    private(set) var index: [ExactString: Int] = [:]

    /// Reads the rows of a file.
    /// - Parameter areDocuments: their title goes before their text, and both ends lose white space; queries stay as they are
    init(in folder: String, named name: String, areDocuments: Bool) throws(UserError) {
        path = try existingPath(in: folder, named: name)
        let file = try RowFile(path: path, store: .ofUser)
        guard file.count > 0 else {
            throw UserError(.content, path, "the file holds no rows; each line is one: {\"_id\": \"...\", \"text\": \"...\"}")
        }
        let folder = try ImageFolder(dataFile: path, base: nil, store: .ofUser)
        for row in 0..<file.count {
            let line = try file.row(row)
            guard let id = try line.text("_id"), !id.isEmpty else {
                throw line.fault(at: "_id", "the row has no \"_id\"; each needs one of its own")
            }
            let image = try Self.image(line, folder)
            guard let text = try line.text("text") ?? (image == nil ? nil : "") else {
                throw line.fault("the row has no \"text\" and no \"image\"")
            }
            let title = try line.text("title") ?? ""
            if let earlier = index.updateValue(row, forKey: ExactString(id)) {
                throw line.fault(at: "_id", "the id \"\(id)\" is also that of line \(lineNumbers[earlier]); ids must differ")
            }
            ids.append(id)
            texts.append(Array((areDocuments ? "\(title) \(text)".stripped : text).utf8))
            images.append(image)
            lineNumbers.append(file.lineNumber(ofRow: row))
        }
    }

    private static func image(_ line: RowObject, _ folder: ImageFolder) throws(UserError) -> String? {
        guard let written = line["image"] else { return nil }
        do { return folder.path(of: try folder.name(of: written)) } catch {
            throw error.failure ?? line.fault(at: "image", "\"image\": \(ImageFolder.shown(written)) \(error.reason)")
        }
    }
}

/// Path of `<name>.jsonl` or, where there is none, `<name>.jsonl.gz`.
private func existingPath(in folder: String, named name: String) throws(UserError) -> String {
    let plain = "\(folder)/\(name).jsonl"
    guard let path = [plain, "\(plain).gz"].first(where: { FileManager.default.fileExists(atPath: $0) }) else {
        throw UserError(
            .missing, folder, "there is no \(name).jsonl or \(name).jsonl.gz; a dataset folder holds corpus, queries and qrels/test.tsv")
    }
    return path
}

/// The grades of `qrels/<split>.tsv`: a header line, then `query-id TAB corpus-id TAB grade`.
private struct BeirJudgements {
    /// Query → document → grade, all by index.
    private(set) var grades: [Int: [Int: Int]] = [:]

    init(path: String, queries: BeirTexts, documents: BeirTexts) throws(UserError) {
        let file = try TextFile(path: path)
        guard let header = file.lines.indices.first else { throw headerMissing(path, "the file is empty") }
        if let third = try fields(of: file, line: header, path: path).last, Int(third.stripped) != nil {
            throw headerMissing(path, "the first line is a judgement")
        }
        for line in file.lines.indices.dropFirst() {
            try add(fields(of: file, line: line, path: path), path, line + 1, queries, documents)
        }
        guard !grades.isEmpty else { throw UserError(.content, path, "the file judges no query; there is nothing to evaluate") }
    }

    private mutating func add(
        _ fields: [String], _ path: String, _ line: Int, _ queries: BeirTexts, _ documents: BeirTexts
    ) throws(UserError) {
        guard !fields.isEmpty else { return }
        guard let query = queries.index[ExactString(fields[0])] else {
            throw UserError(.content, path, line: line, "the query \"\(fields[0])\" is not in \(queries.path)")
        }
        guard let document = documents.index[ExactString(fields[1])] else {
            throw UserError(.content, path, line: line, "the document \"\(fields[1])\" is not in \(documents.path)")
        }
        guard let grade = Int(fields[2].stripped) else {
            throw UserError(.content, path, line: line, "the grade is \"\(fields[2])\"; it must be a whole number")
        }
        if let earlier = grades[query, default: [:]].updateValue(grade, forKey: document), earlier != grade {
            throw UserError(
                .content, path, line: line,
                "query \"\(fields[0])\" and document \"\(fields[1])\" have grade \(earlier) above and \(grade) here; keep one")
        }
    }
}

private func headerMissing(_ path: String, _ what: String) -> UserError {
    UserError(.content, path, line: 1, "\(what); the first line must be the header: query-id, corpus-id, score, with tabs between")
}

/// The three fields of a line, none for a blank line.
private func fields(of file: TextFile, line: Int, path: String) throws(UserError) -> [String] {
    let text = try file.string(line)
    guard !text.isBlank else { return [] }
    let fields = text.unicodeScalars.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
    guard fields.count == 3 else {
        throw UserError(
            .content, path, line: line + 1,
            "the line has \(fields.count) fields; it must have three, with tabs between: query-id, corpus-id, score")
    }
    return fields
}
