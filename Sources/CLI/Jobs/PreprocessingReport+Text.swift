// The report of `shoal preprocess` for people.

import Files
import Preprocessing
import Trainer

extension PreprocessingReport {
    /// Tables of what was read, left out and written, of lengths, scripts and evaluation sets; whole lines.
    var text: String {
        [
            rowsTable, lengthsTable, histogram, scriptsTable, evaluationTable, list(firstBad, "Bad rows", bad),
            list(firstLeaked, "Leaked rows", leaked),
        ]
        .filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private var rowsTable: String {
        var table = TextTable([.left, .right, .left])
        func add(_ name: String, _ count: Int, _ remark: String = "") { table.add([name, Figures.count(count), remark]) }
        add("rows read", rowsRead, "from \(Figures.count(inputs.count, "file"))")
        if bad > 0 { add("bad", bad, "left out") }
        if !evaluationSets.isEmpty { add("leaked", leaked, options.leaks == .remove ? "left out" : "kept") }
        let duplicates = options.duplicates == .keep ? "kept" : "left out"
        let unit = options.unit == .row ? "" : ", by \(options.unit == .pair ? "anchor and positive" : "anchor")"
        add("duplicates", sameDuplicates, "the same bytes, \(duplicates)\(unit)")
        if options.duplicates != .exact { add("", alikeDuplicates, "the same in normal form, \(duplicates)\(unit)") }
        for output in outputs { add("written", output.rows, "\(output.path), \(Figures.bytes(output.bytes))") }
        return table.text
    }

    private var lengthsTable: String {
        guard !lengths.isEmpty || images > 0 else { return "" }
        var table = TextTable([.left, .left, .right, .right, .right, .right, .right, .right])
        table.add(["", "", "count", "shortest", "median", "mean", "95 %", "longest"])
        for side in lengths {
            for (name, lengths) in [(unit, side.units), ("bytes", side.bytes)] {
                let quantiles = Self.quantiles.map { Figures.count(lengths.quantile($0.share)) }
                table.add(
                    [name == unit ? side.side : "", name, name == unit ? Figures.count(lengths.count) : ""] + quantiles.prefix(2)
                        + [Figures.fixed(lengths.mean, 1)] + quantiles.dropFirst(2))
            }
        }
        let title =
            unit == "tokens"
            ? "Lengths of texts that were written; tokens with the prompt" : "Lengths of texts that were written; --model counts tokens"
        return "\(title)\n\(table.text)" + (images > 0 ? "and \(Figures.count(images, "image"))\n" : "")
    }

    /// Texts of all sides by length, a bar for each power of two.
    private var histogram: String {
        guard !lengths.isEmpty else { return "" }
        var counts: [Int: Int] = [:]
        for side in lengths { for (limit, count) in side.units.byPowersOfTwo { counts[limit, default: 0] += count } }
        let most = counts.values.max() ?? 1
        var table = TextTable([.right, .right, .left])
        for limit in counts.keys.sorted() {
            let count = counts[limit]!
            let bar = String(repeating: "#", count: count == 0 ? 0 : max(1, 40 * count / most))
            table.add(["to \(Figures.count(limit))", Figures.count(count), bar])
        }
        return "Texts by \(unit)\n\(table.text)"
    }

    private var scriptsTable: String {
        guard !scripts.isEmpty else { return "" }
        let all = scripts.reduce(0) { $0 + $1.letters }
        var table = TextTable([.left, .right, .right, .right])
        table.add(["script", "letters", "%", "anchors mostly so"])
        for script in scripts.prefix(12) {
            let share = Figures.fixed(100 * Double(script.letters) / Double(all), 2)
            table.add([script.name, Figures.count(script.letters), share, Figures.count(script.rows)])
        }
        return "Letters by script\n\(table.text)" + (scripts.count > 12 ? "and \(scripts.count - 12) more\n" : "")
    }

    private var evaluationTable: String {
        guard !evaluationSets.isEmpty else { return "" }
        var table = TextTable([.left, .right, .right, .right, .right, .right, .right, .right])
        let shares = evaluationSets[0].rowsByShare.map { $0.share == 0 ? "any" : "\(Figures.fixed(100 * $0.share, 0)) %" }
        table.add(["evaluation set", "whole text"] + shares + ["leaked"])
        for set in evaluationSets {
            let numbers = [set.rowsWithWholeText] + set.rowsByShare.map(\.rows) + [set.leaked]
            table.add([set.path] + numbers.map { Figures.count($0) })
        }
        return "Rows with texts of evaluation sets: a whole text, and shares of runs of 13 words\n\(table.text)"
    }

    private func list(_ lines: [String], _ title: String, _ count: Int) -> String {
        guard !lines.isEmpty else { return "" }
        let more = count > lines.count ? "and \(Figures.count(count - lines.count)) more\n" : ""
        return "\(title)\n" + lines.map { "  \($0)\n" }.joined() + (more.isEmpty ? "" : "  " + more)
    }
}
