// Aligned columns of plain text, and the same cells as a table of Markdown.

/// Cells in columns that are as wide as their widest cell.
///
///     var table = TextTable([.left, .right])
///     table.add(["width", "nDCG@10"])
///     table.add(["256", "0.3060"])
///     print(table.text)
package struct TextTable: Sendable {
    package enum Alignment: Sendable { case left, right }

    private let alignments: [Alignment]
    private var rows: [[String]] = []

    package init(_ alignments: [Alignment]) {
        self.alignments = alignments
    }

    package mutating func add(_ cells: [String]) {
        precondition(cells.count == alignments.count, "TextTable: \(cells.count) cells in \(alignments.count) columns")
        rows.append(cells)
    }

    /// One line a row, two blanks between columns, none at the end of a line.
    package var lines: [String] {
        let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.indices.map { Self.padded(row[$0], to: widths[$0], alignments[$0]) }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// The lines, each with its newline.
    package var text: String { lines.map { $0 + "\n" }.joined() }

    /// As Markdown; the first row is the heading.
    package var markdown: String {
        let marks = alignments.map { $0 == .left ? "---" : "---:" }
        let lines = rows.prefix(1) + [marks] + rows.dropFirst()
        return lines.map { "| " + $0.map(Self.escaped).joined(separator: " | ") + " |\n" }.joined()
    }

    private static func padded(_ cell: String, to width: Int, _ alignment: Alignment) -> String {
        let blanks = String(repeating: " ", count: width - cell.count)
        return alignment == .left ? cell + blanks : blanks + cell
    }

    /// A bar would end the cell.
    private static func escaped(_ cell: String) -> String {
        cell.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
