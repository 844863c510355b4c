// Rows that show what a step must cope with: texts of uneven length, hard negatives, duplicates, two tasks.

import Foundation

enum TrainingRows {
    /// 24 rows, 16 of the file's task and 8 of `retrieval`.
    ///
    /// At 64 tokens a text one is cut; at 48 tokens a chunk one is a chunk of its own. A negative equals its own positive, another
    /// one the positive of another row; two rows share their positive, two their anchor.
    static let usual: [String] = {
        var rows = (0..<24).map { i in
            Row(
                query: words(3 + i % 7, i), positive: words(4 + i * 5 % 19, i + 100),
                negatives: i % 3 == 0 ? (0...i % 2).map { words(3 + 4 * $0 + i % 5, i + 200 + $0) } : [],
                task: i % 3 == 2 ? "retrieval" : nil)
        }
        rows[3].positive = words(45, 3)
        rows[7].positive = words(200, 7)
        rows[6].negatives = [rows[9].positive]
        rows[10].positive = rows[12].positive
        rows[13].query = rows[15].query
        rows[18].negatives = [rows[18].positive, words(6, 300)]
        return rows.map(\.line)
    }()

    /// Rows with the given anchors and no task of their own.
    static func plain(anchors: [String]) -> [String] {
        anchors.indices.map { Row(query: anchors[$0], positive: words(5 + $0 % 4, $0 + 400), negatives: [], task: nil).line }
    }

    private struct Row {
        var query: String
        var positive: String
        var negatives: [String]
        var task: String?

        var line: String {
            let negatives = negatives.map { "\"\($0)\"" }.joined(separator: ", ")
            let task = task.map { ", \"task\": \"\($0)\"" } ?? ""
            return "{\"query\": \"\(query)\", \"positive\": \"\(positive)\", \"negatives\": [\(negatives)]\(task)}"
        }
    }

    private static let vocabulary = """
        read write file line name value key list open close parse string number count index path folder row table column sort find \
        first last size time date error check test
        """.split(separator: " ")

    /// Some words, others for every seed.
    private static func words(_ count: Int, _ seed: Int) -> String {
        (0..<count).map { vocabulary[(seed * 7 + $0 * (seed % 5 + 1) + $0 * $0) % vocabulary.count] }.joined(separator: " ")
    }
}
