// Retrieval metrics by Matryoshka width, and by token vectors, as a table: of one evaluation, or of two with their differences.
// Shown by `shoal evaluate`, at the end of a run, and in the model card.

import Data
import Evaluation
import Files

/// Tables of evaluation results, one for each dataset and task: single vectors by width, then token vectors.
///
///     print(EvaluationTable(before: bare, after: tuned).text, terminator: "")
package struct EvaluationTable: Sendable {
    private let groups: [Group]
    private let metrics: [RetrievalMetric]

    /// The results of a dataset for a task, by evaluation.
    private struct Group {
        let title: String
        let before: [Row: EvaluationResult]
        let after: [Row: EvaluationResult]
        var rows: [Row] { Set(before.keys).union(after.keys).sorted { $0.place < $1.place } }
    }

    private struct Row: Hashable {
        let mode: EvaluationResult.Mode
        let dimension: Int

        init(_ result: EvaluationResult) { (mode, dimension) = (result.mode, result.dimension) }

        var place: (Int, Int) { (mode == .dense ? 0 : 1, dimension) }
        var label: String { mode == .dense ? "\(dimension)" : "late" }
    }

    package init(_ results: [EvaluationResult]) {
        self.init(before: [], after: results)
    }

    /// Results belong together by dataset, task, mode and width; one without a partner is shown alone.
    ///
    /// - Parameter metrics: the columns
    package init(before: [EvaluationResult], after: [EvaluationResult], metrics: [RetrievalMetric] = RetrievalMetric.usual) {
        self.metrics = metrics
        var titles: [String] = []
        for result in before + after where !titles.contains(result.title) { titles.append(result.title) }
        groups = titles.map { title in
            Group(title: title, before: Self.byRow(before, title), after: Self.byRow(after, title))
        }
    }

    /// Plain text, aligned.
    package var text: String {
        groups.map { "\($0.title)\n" + table(of: $0).text }.joined(separator: "\n")
    }

    package var markdown: String {
        groups.map { "\($0.title)\n\n" + table(of: $0).markdown }.joined(separator: "\n")
    }

    private static func byRow(_ results: [EvaluationResult], _ title: String) -> [Row: EvaluationResult] {
        Dictionary(results.filter { $0.title == title }.map { (Row($0), $0) }, uniquingKeysWith: { $1 })
    }

    private func table(of group: Group) -> TextTable {
        let comparesTwo = !group.before.isEmpty && !group.after.isEmpty
        let numbers = metrics.map { _ in TextTable.Alignment.right }
        var table = TextTable([.right] + (comparesTwo ? [.left] : []) + numbers)
        table.add(["width"] + (comparesTwo ? [""] : []) + metrics.map(\.title))
        for row in group.rows {
            var label = row.label
            func add(_ name: String, _ cells: [String]) {
                table.add([label] + (comparesTwo ? [name] : []) + cells)
                label = ""
            }
            let (before, after) = (group.before[row]?.metrics, group.after[row]?.metrics)
            if let before { add("before", metrics.map { Self.cell(before[$0]) }) }
            if let after { add("after", metrics.map { Self.cell(after[$0]) }) }
            if let before, let after { add("difference", metrics.map { Self.difference(before[$0], after[$0]) }) }
        }
        return table
    }

    private static func cell(_ value: Double?) -> String {
        value.map { Figures.fixed($0, 4) } ?? "-"
    }

    private static func difference(_ before: Double?, _ after: Double?) -> String {
        guard let before, let after else { return "-" }
        return Figures.signed(after - before, 4)
    }
}

extension EvaluationResult {
    fileprivate var title: String { "\(dataset) · \(task) · \(Figures.count(queries, "query", "queries"))" }
}
