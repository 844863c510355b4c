// Where the parts of a published data set lie in its folder: files side by side as BEIR has them, or folders of shards as the tables
// of MTEB and ViDoRe are. Which split is judged follows from what is there, unless it is named.

import Data
import Files
import Foundation

/// The files of a data set.
struct BeirFolder {
    /// Files of the corpus: one, or shards in their order.
    let corpus: [String]
    /// Files of the queries.
    let queries: [String]
    /// Files of the judgements.
    let judgements: [String]
    /// Sentences for the user on what was chosen among several.
    private(set) var notices: [String] = []

    /// Looks for the files of a folder.
    ///
    /// - Parameter split: of the judgements; nil: test, or the only one
    /// - Throws: `UserError` `.missing` when a part is not there, or a split must be chosen
    init(_ folder: String, split: String?) throws(UserError) {
        guard isFolder(folder) else {
            guard FileManager.default.fileExists(atPath: folder) else {
                throw UserError(.missing, folder, "no such folder; check the path")
            }
            throw UserError(.content, folder, "is neither a data set's folder nor a file of pairs, whose names end in \(RowFile.endings)")
        }
        var notices: [String] = []
        let splits = Self.judgementFolders.lazy.map { tables(in: "\(folder)/\($0)", isJudgements) }.first { !$0.isEmpty }
        let plain = tables(in: folder, isJudgements).filter { $0.name == "qrels" }
        var chosen = "test"
        if let splits {
            chosen = try Self.split(among: splits, wanted: split, folder, &notices)
            judgements = Self.preferred(splits.filter { $0.name == chosen }, Self.judgementEndings, &notices)
        } else if !plain.isEmpty {
            judgements = Self.preferred(plain, Self.judgementEndings, &notices)
            if split != nil {
                throw UserError(.missing, judgements[0], "is the only file of judgements, and has no splits; leave --split out")
            }
        } else {
            throw UserError(
                .missing, folder, "there are no judgements, \(split.map { "qrels/\($0).tsv" } ?? "qrels/test.tsv"); \(Self.layout)")
        }
        corpus = try Self.part("corpus", chosen, in: folder, &notices)
        queries = try Self.part("queries", chosen, in: folder, &notices)
        self.notices = notices
    }

    /// Whether a folder looks like a data set: it has a corpus.
    static func isOne(_ folder: String) -> Bool {
        tables(in: folder, RowFile.isNamed).contains { $0.name == "corpus" } || !tables(in: "\(folder)/corpus", RowFile.isNamed).isEmpty
    }

    /// Folders that judgements lie in, by who publishes them: BEIR and ViDoRe, MTEB, older tables of MTEB.
    private static let judgementFolders = ["qrels", "default", "data"]
    private static let rowEndings = [".jsonl", ".jsonl.gz", ".jsonl.zst"]
    private static let judgementEndings = [".tsv", ".tsv.gz"]
    private static let layout = "a data set's folder holds corpus.jsonl, queries.jsonl (or other tables of these names) and qrels/test.tsv"

    private static func split(
        among tables: [Table], wanted: String?, _ folder: String, _ notices: inout [String]
    ) throws(UserError) -> String {
        var names: [String] = []
        for table in tables where !names.contains(table.name) { names.append(table.name) }
        if let wanted {
            guard names.contains(wanted) else {
                throw UserError(
                    .missing, tables[0].folder, "has no judgements for the split \"\(wanted)\"; there are those for \(listed(names))")
            }
            return wanted
        }
        if names.contains("test") { return "test" }
        guard names.count == 1 else {
            throw UserError(
                .missing, tables[0].folder,
                "has judgements for \(listed(names)), and none for test; choose by --split, or by split in data.evaluation")
        }
        notices.append(
            "there are judgements for \(names[0]) alone, \(tables[0].paths[0]), and they are used; --split \(names[0]) asks for them by name"
        )
        return names[0]
    }

    /// The files of the corpus or the queries.
    private static func part(
        _ name: String, _ split: String, in folder: String, _ notices: inout [String]
    ) throws(UserError) -> [String] {
        let beside = tables(in: folder, RowFile.isNamed).filter { $0.name == name }
        if !beside.isEmpty { return preferred(beside, rowEndings, &notices) }
        let inside = tables(in: "\(folder)/\(name)", RowFile.isNamed)
        for wanted in [split, name] {
            let named = inside.filter { $0.name == wanted }
            if !named.isEmpty { return preferred(named, rowEndings, &notices) }
        }
        guard let ending = inside.first?.ending else {
            throw UserError(
                .missing, folder, "there is no \(name).jsonl, nor another table or folder of the name \(name); \(layout)")
        }
        guard inside.allSatisfy({ $0.ending == ending }) else {
            throw UserError(
                .content, "\(folder)/\(name)",
                "holds tables of several formats, such as \(ending) and \(inside.first { $0.ending != ending }!.ending); keep those of one")
        }
        return inside.flatMap(\.paths)
    }

    /// Of tables with one name the one whose ending comes first, the usual ones before all others.
    private static func preferred(_ tables: [Table], _ usual: [String], _ notices: inout [String]) -> [String] {
        func place(_ table: Table) -> (Int, String) { (usual.firstIndex(of: table.ending) ?? .max, table.ending) }
        let best = tables.min { place($0) < place($1) }!
        if let other = tables.first(where: { $0.ending != best.ending }) {
            notices.append("\(best.paths[0]) is read, and \(other.paths[0]) is not")
        }
        return best.paths
    }
}

/// Files that are one table: a single one, or the shards that its publisher cut it into, `test-00000-of-00002.parquet`.
private struct Table {
    let folder: String
    /// Without endings and the number of the shard.
    let name: String
    /// With that of its packing: `.jsonl.gz`.
    let ending: String
    var paths: [String]
}

/// The tables of a folder by the bytes of their names; none when there is no such folder. Hidden files are passed over.
private func tables(in folder: String, _ isTaken: (String) -> Bool) -> [Table] {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).map(ExactString.init).sorted().map(\.string)
    var tables: [Table] = []
    for file in names where !file.hasPrefix(".") && isTaken(file) && !isFolder("\(folder)/\(file)") {
        let packing = [".gz", ".zst"].first { file.lowercased().hasSuffix($0) } ?? ""
        let unpacked = file.dropLast(packing.count)
        let stem = unpacked.lastIndex(of: ".").map { unpacked[..<$0] } ?? unpacked
        let ending = file.dropFirst(stem.count).lowercased()
        let name = String(stem).replacing(/-[0-9]+-of-[0-9]+$/, with: "")
        if let place = tables.firstIndex(where: { $0.name == name && $0.ending == ending }) {
            tables[place].paths.append("\(folder)/\(file)")
        } else {
            tables.append(Table(folder: folder, name: name, ending: ending, paths: ["\(folder)/\(file)"]))
        }
    }
    return tables
}

private func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}

/// Whether a name is that of a file of judgements: a table, or columns of text as TREC has them.
private func isJudgements(_ name: String) -> Bool {
    RowFile.isNamed(name) || [".txt", ".qrels", ".trec"].contains { name.hasSuffix($0) || name.hasSuffix("\($0).gz") }
}

private func listed(_ names: [String]) -> String {
    names.count == 1 ? names[0] : names.dropLast().joined(separator: ", ") + " and " + names.last!
}
