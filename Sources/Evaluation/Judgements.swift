// What people said of the documents of one query: what a ranking is measured against.

/// The judged documents of a query.
package struct Judgements: Equatable, Sendable {
    /// Grades by the document's index in the corpus. Grades of 0 or less mean not relevant.
    package let grades: [Int: Int]
    /// Grades of judged documents that the corpus lacks. No ranking can show them, and an ideal one would: so trec_eval counts.
    package let absent: [Int]
    /// Number of relevant documents, in the corpus or not.
    package let relevant: Int
    /// The grades above 0 in falling order: the gains of an ideal ranking.
    package let ideal: [Int]

    /// Takes the grades of documents by their index, and of those that the corpus lacks.
    package init(_ grades: [Int: Int], absent: [Int] = []) {
        self.grades = grades
        self.absent = absent.sorted()
        ideal = (grades.values + absent).filter { $0 > 0 }.sorted(by: >)
        relevant = ideal.count
    }

    /// Number of judged documents.
    package var count: Int { grades.count + absent.count }

    /// What finding a document is worth: its grade, 0 when it is not relevant or not judged.
    package func gain(of document: Int) -> Int { max(grades[document] ?? 0, 0) }
}
