// A retrieval dataset in the folder layout of BEIR (Thakur et al. 2021, arXiv:2104.08663) or of tables after it: corpus, queries, and
// judgements, which say which document answers which query. What the evaluator embeds and the metrics compare with.

import Data
import Files
import Foundation

/// Documents, and the queries of one split with their judged documents.
package struct BeirDataset: Sendable {
    /// An entry of the corpus.
    package struct Document: Equatable, Sendable {
        /// Identity in the data set's files.
        package let id: String
        /// The document's text in UTF-8, without prompt: title and text with a blank between. May be empty: published corpora have such
        /// documents.
        package let text: [UInt8]
        /// Path of the image that takes the text's place; nil: none.
        package var image: String?
    }

    /// A query and its judgements.
    package struct Query: Equatable, Sendable {
        /// Identity in the data set's files.
        package let id: String
        /// The query's text in UTF-8, without prompt. May be empty.
        package let text: [UInt8]
        /// Path of the image that takes the text's place; nil: none.
        package var image: String?
        /// What stands before the text in place of the task's prompt; nil: that prompt.
        package var prompt: String?
        /// Index of the document with the query's own id, where no ranking may show it; nil: there is none.
        package let ownDocument: Int?
        /// The judged documents, at least one.
        package let judgements: Judgements
    }

    /// What becomes of a document with the id of the query, which is not judged for it. A judged one is never left out.
    package enum OwnDocument: Sendable {
        /// It is left out of the query's ranking where it is the query itself, by its title or its text.
        case automatic
        /// It is ranked like any other.
        case keep
        /// It is left out whatever it says.
        case drop
    }

    /// Name of the dataset in results.
    package let name: String
    /// All documents, in the falling order of their ids' bytes: of equal scores the first ranks first, as in trec_eval.
    package let documents: [Document]
    /// The queries that have judgements, in the order of the queries file.
    package let queries: [Query]
    /// Sentences for the user on what was chosen, counted or left out.
    package let notices: [String]

    init(name: String, documents: [Document], queries: [Query], notices: [String]) {
        (self.name, self.documents, self.queries, self.notices) = (name, documents, queries, notices)
    }

    /// Reads a dataset from a folder.
    /// - Parameters:
    ///   - split: which judgements; nil: those of the split test, or of the only one
    ///   - name: what results call the dataset; nil: the folder's name
    ///   - own: what becomes of documents with the id of a query
    ///   - store: where images that stand in the rows themselves are written; nil: nowhere, and such a row is refused
    /// - Throws: `UserError` `.missing` for an absent file; `.content`, with file and line, for a row, an id or a grade that is wrong
    package init(
        folder: String, split: String? = nil, name: String? = nil, own: OwnDocument = .automatic, store: ImageStore? = .ofUser
    ) throws(UserError) {
        let files = try BeirFolder(folder, split: split)
        let questions = try BeirTexts(files.queries, .queries, store)
        let corpus = try BeirTexts(files.corpus, .documents(queries: questions), store)
        let judged = try BeirJudgements(files.judgements)

        let falling = corpus.ids.map(ExactString.init).enumerated().sorted { $1.element < $0.element }.map(\.offset)
        var place = [Int](repeating: 0, count: falling.count)
        for (index, row) in falling.enumerated() { place[row] = index }

        var (queries, report): ([Query], BeirReport) = ([], BeirReport(judged, questions))
        for (row, id) in questions.ids.enumerated() {
            guard let grades = judged.grades[ExactString(id)] else { continue }
            var (found, absent): ([Int: Int], [Int]) = ([:], [])
            for (document, grade) in grades {
                if let row = corpus.index[document] { found[place[row]] = grade } else { absent.append(grade) }
            }
            report.add(grades, absent: absent.count, corpus)
            let ownRow = corpus.index[ExactString(id)].flatMap { found[place[$0]] == nil ? $0 : nil }
            let isLeftOut = ownRow.map { own == .drop || own == .automatic && corpus.sameAsQuery[$0] == true } ?? false
            if ownRow != nil { report.addOwn(isLeftOut: isLeftOut) }
            if questions.isEmpty(row) { report.emptyQueries += 1 }
            queries.append(
                Query(
                    id: id, text: questions.texts[row], image: questions.images[row],
                    ownDocument: isLeftOut ? ownRow.map { place[$0] } : nil, judgements: Judgements(found, absent: absent)))
        }
        try report.check(files, questions, corpus)
        report.emptyDocuments = corpus.ids.indices.count(where: corpus.isEmpty)
        self.init(
            name: name ?? URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent,
            documents: falling.map { Document(id: corpus.ids[$0], text: corpus.texts[$0], image: corpus.images[$0]) },
            queries: queries, notices: files.notices + report.sentences(own))
    }

    /// Whether a folder looks like a dataset: it holds a corpus.
    package static func isFolder(_ path: String) -> Bool { BeirFolder.isOne(path) }
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
            let grades = query.judgements.grades.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ",")
            let absent = query.judgements.absent.map(String.init).joined(separator: ",")
            hash.update(Array("\(query.id)\n\(grades)\n\(absent)\n\(query.prompt ?? "")\n\(query.text.count)\n".utf8))
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
