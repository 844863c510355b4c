// The texts of an evaluation set, whatever form it has: a folder with corpus and queries as BEIR publishes them, or files of rows.

import Data
import Files
import Foundation

/// Which texts of an evaluation set are looked for in rows.
package enum EvaluationSide: String, CaseIterable, Sendable {
    /// Queries and documents.
    case all
    /// Queries alone: where training and evaluation share one corpus.
    case queries
}

/// Finds the texts of evaluation sets.
enum EvaluationTexts {
    /// Gives every text of a set to `take`, in UTF-8.
    ///
    /// A folder with a file `queries` or `corpus`, in any format of tables, is one of BEIR's layout; a document is its title, a blank and
    /// its text. Any other folder, pattern or file holds rows, whose anchors are queries and whose positives are documents; a row with
    /// a `text` alone is a query.
    /// - Throws: `UserError` when there is nothing, or a row that cannot be read
    static func read(_ path: String, _ side: EvaluationSide, _ take: ([UInt8]) -> Void) throws(UserError) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted() ?? []
        func parts(_ name: String) -> [String] {
            names.filter { $0.hasPrefix(name + ".") && RowFile.isNamed($0) }.map { "\(path)/\($0)" }
        }
        let (queries, corpus) = (parts("queries"), parts("corpus"))
        guard queries.isEmpty, corpus.isEmpty else {
            guard !queries.isEmpty || side == .all else {
                throw UserError(.missing, path, "there is no queries.jsonl or another table of queries; add it, or compare with all texts")
            }
            for file in queries { try readTexts(file, take) }
            if side == .all { for file in corpus { try readTexts(file, take) } }
            return
        }
        for file in try RowStream.files(path) { try readRows(file, side, take) }
    }

    private static func readTexts(_ path: String, _ take: ([UInt8]) -> Void) throws(UserError) {
        let stream = try RowStream(path: path)
        while let row = try stream.next()?.get() {
            let text = "\(try row.text("title") ?? "") \(try row.text("text") ?? "")".stripped
            if !text.isEmpty { take(Array(text.utf8)) }
        }
    }

    private static func readRows(_ path: String, _ side: EvaluationSide, _ take: ([UInt8]) -> Void) throws(UserError) {
        let (stream, images, rule) = (try RowStream(path: path), try ImageFolder(dataFile: path, base: "/"), RowRule())
        var number = 0
        while let object = try stream.next()?.get() {
            number += 1
            let hasPositive = ["positive", "pos", "sentence2", "positive_image"].contains { object[$0] != nil }
            if !hasPositive, let text = try object.text("text") {
                take(Array(text.utf8))
                continue
            }
            for raw in try rule.examples(of: object, images: images, number: RowNumber(block: 0, place: number)) {
                if let anchor = raw.row.anchor.text { take(anchor) }
                if side == .all, let positive = raw.row.positive.text { take(positive) }
            }
        }
    }
}
