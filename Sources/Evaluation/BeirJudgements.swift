// Which document answers which query, and how well: a query, a document and a grade a line. In the three columns of BEIR or the four
// of TREC, by tabs or blanks, with or without a header; or in a table with a header of these names.

import Data
import Files

/// The grades of a split, by ids.
struct BeirJudgements {
    /// Query → document → grade.
    private(set) var grades: [ExactString: [ExactString: Int]] = [:]
    /// Queries in the order in which they are judged first.
    private(set) var queries: [ExactString] = []
    /// Number of pairs that are judged with several grades; the highest is kept.
    private(set) var contradictions = 0

    /// Reads files.
    ///
    /// - Throws: `UserError` `.content`, with file and line, for a line of other columns or a grade that is no whole number; when nothing
    ///   is judged
    init(_ paths: [String]) throws(UserError) {
        for path in paths {
            if RowFile.isNamed(path), !path.lowercased().contains(/\.tsv(\.gz)?$/) {
                try readRows(path)
            } else {
                try readLines(path)
            }
        }
        guard !grades.isEmpty else { throw UserError(.content, paths[0], "the file judges no query; there is nothing to evaluate") }
    }

    private mutating func add(_ query: String, _ document: String, _ grade: Int) {
        let (query, document) = (ExactString(query), ExactString(document))
        if grades[query] == nil { queries.append(query) }
        let earlier = grades[query]?[document]
        grades[query, default: [:]][document] = max(earlier ?? grade, grade)
        if let earlier, earlier != grade { contradictions += 1 }
    }

    private mutating func readRows(_ path: String) throws(UserError) {
        let file = try RowFile(path: path)
        for number in 0..<file.count {
            let row = try file.row(number)
            func id(_ keys: [String]) throws(UserError) -> String {
                for key in keys { if let id = try row.identifier(key) { return id } }
                throw row.fault(
                    "the row has no \"\(keys[0])\"; a table of judgements has the columns query-id, corpus-id and score, named in its header"
                )
            }
            let (query, document) = (try id(Column.query.names), try id(Column.document.names))
            guard let key = Column.grade.names.first(where: { row[$0] != nil }), let score = try row.number(key) else {
                throw row.fault("the row has no \"score\"; it is the grade, a whole number")
            }
            guard let grade = whole(score) else { throw row.fault(at: key, "\"\(key)\" is \(score); \(gradeRule)") }
            add(query, document, grade)
        }
    }

    private mutating func readLines(_ path: String) throws(UserError) {
        try RowFile.refuseForeign(path)
        let file = try TextFile(path: path)
        var columns: Columns?
        for index in file.lines.indices {
            let line = try file.string(index)
            guard !line.isBlank else { continue }
            if columns == nil {
                columns = Columns(line)
                if columns!.isHeader { continue }
            }
            do {
                let (query, document, grade) = try columns!.values(of: line)
                add(query, document, grade)
            } catch { throw UserError(.content, path, line: index + 1, error.reason) }
        }
    }
}

/// What a column of judgements holds, and the names that it goes by.
private enum Column {
    case query, document, grade

    var names: [String] {
        switch self {
        case .query: ["query-id", "query_id", "qid", "query"]
        case .document: ["corpus-id", "corpus_id", "docid", "doc_id", "document"]
        case .grade: ["score", "relevance", "rel", "grade"]
        }
    }
}

private let gradeRule = "a grade must be a whole number, as trec_eval takes them"

/// - Returns: nil for a number with a fraction, or too large for a grade
private func whole(_ grade: Double) -> Int? { grade.rounded() == grade && grade.magnitude < 0x1p31 ? Int(grade) : nil }

/// Which columns the lines of a file have, as its first line tells.
private struct Columns {
    struct Fault: Error { let reason: String }

    let isHeader: Bool
    /// Number of columns, and which of them are query, document and grade.
    private let count: Int
    private let places: [Int]

    /// The form of a file by its first line: a header, when what should be a grade is no number.
    init(_ first: String) {
        let forms = Self.forms(of: first)
        let isHeader = !forms.contains { ($0.count == 3 || $0.count == 4) && Double($0.last!.stripped) != nil }
        if isHeader {
            for names in forms.map({ $0.map { $0.stripped.lowercased() } }) {
                let found = [Column.query, .document, .grade].compactMap { column in names.firstIndex { column.names.contains($0) } }
                guard found.count == 3 else { continue }
                (self.isHeader, count, places) = (true, names.count, found)
                return
            }
        }
        // A header of other names stands above as many columns as it has names.
        let fields = forms.first { ($0.count == 3 || $0.count == 4) && (isHeader || Double($0.last!.stripped) != nil) }
        self.isHeader = isHeader
        count = fields?.count ?? 3
        places = count == 4 ? [0, 2, 3] : [0, 1, 2]
    }

    /// Query, document and grade of a line.
    func values(of line: String) throws(Fault) -> (query: String, document: String, grade: Int) {
        let forms = Self.forms(of: line)
        let fitting = forms.filter { $0.count == count }
        guard let fields = fitting.first(where: { Double($0[places[2]].stripped) != nil }) ?? fitting.first else {
            throw Fault(
                reason:
                    "the line has \(Figures.count(forms[0].count, "column")) where the first has \(count); each has a query, a document and a "
                    + "grade, or TREC's four columns, with tabs or blanks between")
        }
        let written = fields[places[2]].stripped
        guard let grade = Double(written).flatMap(whole) else {
            throw Fault(reason: "the grade is \"\(written)\"; \(gradeRule)")
        }
        return (fields[places[0]], fields[places[1]], grade)
    }

    /// The fields of a line by its tabs, which ids with blanks need, and by all its white space.
    private static func forms(of line: String) -> [[String]] {
        let blanks = line.unicodeScalars.split(whereSeparator: \.isBlank).map(String.init)
        guard line.unicodeScalars.contains("\t") else { return [blanks] }
        var tabs = line.unicodeScalars.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
        while tabs.last?.isBlank == true { tabs.removeLast() }
        return [tabs, blanks]
    }
}
