// Folders of data sets as tests write them: files by their names.

import Evaluation
import Files
import Foundation
import Support

/// A small set in BEIR's layout, of which a test changes some files.
struct DatasetFolder {
    /// Contents by path in the folder.
    var files: [String: String]

    /// Three documents, and three queries of which two are judged.
    static let usual = DatasetFolder(files: [
        "corpus.jsonl": """
        {"_id": "d1", "title": "One", "text": "first "}
        {"_id": "d2", "title": "", "text": " second"}
        {"_id": "d3", "text": "third"}
        """,
        "queries.jsonl": """
        {"_id": "q0", "text": "not judged"}
        {"_id": "q2", "text": "two", "metadata": {}}
        {"_id": "q1", "text": " one "}
        """,
        "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td2\t1\n",
    ])

    /// The same with other files, or without those that are nil.
    func with(_ changes: [String: String?]) -> DatasetFolder {
        var files = files
        for (name, content) in changes { files[name] = content }
        return DatasetFolder(files: files)
    }

    func write() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for (name, content) in files {
            let path = URL(fileURLWithPath: folder.path(name)).deletingLastPathComponent().path
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try folder.write(name, content)
        }
        return folder
    }

    func read(split: String? = nil, own: BeirDataset.OwnDocument = .automatic) throws -> BeirDataset {
        let folder = try write()
        return try withExtendedLifetime(folder) { try BeirDataset(folder: folder.path, split: split, own: own) }
    }
}

extension BeirDataset {
    /// Grades by ids, of documents of the corpus.
    var gradesByID: [String: [String: Int]] {
        Dictionary(
            uniqueKeysWithValues: queries.map { query in
                (query.id, Dictionary(uniqueKeysWithValues: query.judgements.grades.map { (documents[$0].id, $1) }))
            })
    }
}
