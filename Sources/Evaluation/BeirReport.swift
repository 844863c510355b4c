// What a data set's files say that a reader may not expect: counted while they are joined, and told in sentences. Published sets
// are like that, so nothing of it ends an evaluation unless queries, documents and judgements have nothing to do with one another.

import Files

/// Counts over the queries of a data set.
struct BeirReport {
    private let contradictions: Int
    /// Judged queries that have no row, the first as an example.
    private let absentQueries: [ExactString]
    /// Judgements of documents that the corpus lacks.
    private var (absent, queriesWithAbsent): (Int, Int) = (0, 0)
    private var absentExample: String?
    private var judgements = 0
    /// Documents with the id of their query that are left out, and that stay.
    private var (leftOut, kept): (Int, Int) = (0, 0)
    /// Judged queries without a text.
    var emptyQueries = 0
    /// Documents without a text.
    var emptyDocuments = 0

    init(_ judged: BeirJudgements, _ questions: BeirTexts) {
        contradictions = judged.contradictions
        absentQueries = judged.queries.filter { questions.index[$0] == nil }
    }

    /// Counts the judgements of a query, of which some are of absent documents.
    mutating func add(_ grades: [ExactString: Int], absent: Int, _ corpus: BeirTexts) {
        judgements += grades.count
        guard absent > 0 else { return }
        self.absent += absent
        queriesWithAbsent += 1
        let example = grades.keys.filter { corpus.index[$0] == nil }.min()!.string
        absentExample = absentExample.map { ExactString($0) < ExactString(example) ? $0 : example } ?? example
    }

    /// Counts a document that has the id of its query and is not judged for it.
    mutating func addOwn(isLeftOut: Bool) {
        if isLeftOut { leftOut += 1 } else { kept += 1 }
    }

    /// Refuses parts that do not belong together.
    ///
    /// - Throws: `UserError` `.content` when no judged query has a row, or no judged document
    func check(_ files: BeirFolder, _ questions: BeirTexts, _ corpus: BeirTexts) throws(UserError) {
        guard judgements > 0 else {
            throw UserError(
                .content, files.judgements[0],
                "none of the judged queries, such as \(quoted(absentQueries[0].string)), is in \(files.queries[0]), which has ids such as "
                    + "\(quoted(questions.ids[0])); check that the files belong together")
        }
        guard absent < judgements else {
            throw UserError(
                .content, files.judgements[0],
                "none of the judged documents, such as \(quoted(absentExample!)), is in \(files.corpus[0]), which has ids such as "
                    + "\(quoted(corpus.ids[0])); check that the files belong together")
        }
    }

    /// What is to be said, a sentence each.
    func sentences(_ own: BeirDataset.OwnDocument) -> [String] {
        var sentences: [String] = []
        func add(_ count: Int, _ one: String, _ many: String) {
            if count > 0 { sentences.append("\(Figures.count(count)) \(count == 1 ? one : many)") }
        }
        if let example = absentQueries.first.map({ quoted($0.string) }) {
            add(
                absentQueries.count, "judged query, \(example), is not among the queries, and is not evaluated",
                "judged queries, such as \(example), are not among the queries, and are not evaluated")
        }
        if let example = absentExample.map(quoted) {
            let place = Figures.count(queriesWithAbsent, "query", "queries")
            add(
                absent,
                "judgement (of \(place)) is of a document that the corpus lacks, \(example); it counts in the ideal ranking, as in trec_eval",
                "judgements (of \(place)) are of documents that the corpus lacks, such as \(example); they count in the ideal ranking, as in "
                    + "trec_eval")
        }
        add(
            contradictions, "pair of query and document is judged with two grades; the higher one counts",
            "judgements give a pair of query and document another grade; the highest counts")
        add(
            emptyQueries, "judged query has no text, and is ranked as what its prompt gives",
            "judged queries have no text, and are ranked as what their prompt gives")
        add(
            emptyDocuments, "document has neither title nor text, and is ranked as what its prompt gives",
            "documents have neither title nor text, and are ranked as what their prompt gives")
        add(
            leftOut, "document with the id of a query is left out of its ranking; shoal evaluate --keep-own-id keeps it",
            "documents with the id of a query are left out of its ranking; shoal evaluate --keep-own-id keeps them")
        if own == .automatic {
            add(
                kept,
                "query has the id of a document with another text, which stays in its ranking; shoal evaluate --drop-own-id leaves it out",
                "queries have the id of a document with another text, which stays in their ranking; shoal evaluate --drop-own-id leaves it out"
            )
        }
        return sentences
    }
}

private func quoted(_ text: String) -> String { "\"\(text)\"" }
