// The same rows in every format that is read, and what is said of formats that are not.

import Files
import Foundation
import Support
import Testing

@testable import Data

@Suite struct RowFileTests {
    /// Twelve rows, some of them without negatives.
    private static let rows: [(query: String, positive: String, negatives: [String])] = (0..<12).map { i in
        (
            "how many words has line \(i)", "line \(i) has five words, \"quoted\", and\na break",
            i % 3 == 0 ? ["no answer \(i)", "another \(i)"] : []
        )
    }

    private static func quoted(_ text: String) -> String {
        String(decoding: JSONValue.string(text).serialized(pretty: false), as: UTF8.self)
    }

    private static func object(_ row: (query: String, positive: String, negatives: [String])) -> String {
        let negatives = row.negatives.isEmpty ? "" : ", \"negatives\": [\(row.negatives.map(quoted).joined(separator: ", "))]"
        return "{\"query\": \(quoted(row.query)), \"positive\": \(quoted(row.positive))\(negatives)}"
    }

    /// Cells of CSV, of which one row has one negative at most.
    private static func separated(by separator: String) -> String {
        func cell(_ text: String) -> String { "\"\(text.replacing("\"", with: "\"\""))\"" }
        let lines = rows.map { [cell($0.query), cell($0.positive), $0.negatives.first.map(cell) ?? ""].joined(separator: separator) }
        return ([["query", "positive", "negative"].joined(separator: separator)] + lines).map { $0 + "\r\n" }.joined()
    }

    /// A row as its texts: anchor, positive, negatives.
    private func read(_ path: String) throws -> [[String]] {
        let file = try PairFile(path: path, task: "code", knownTasks: ["code"])
        return try (0..<file.count).map { try file.row($0) }.map { row in
            ([row.anchor, row.positive] + row.negatives).map { input in
                guard case .text(let bytes) = input else { return "an image" }
                return String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    private func expected(negatives: Int) -> [[String]] {
        Self.rows.map { [$0.query, $0.positive] + $0.negatives.prefix(negatives) }
    }

    @Test func linesArraysAndParquetAreTheSameRows() throws {
        let folder = try TemporaryFolder()
        try folder.write("rows.jsonl", Self.rows.map { Self.object($0) + "\n" }.joined())
        try folder.write("rows.json", "[\n" + Self.rows.map(Self.object).joined(separator: ",\n") + "\n]\n")
        let expected = expected(negatives: 2)
        for path in [folder.path("rows.jsonl"), folder.path("rows.json"), PackagePath.golden("tables/rows/rows.parquet")] {
            #expect(try read(path) == expected, "\(path)")
        }
    }

    @Test(arguments: [("rows.csv", ","), ("rows.tsv", "\t")]) func separatedCellsAreTheSameRows(name: String, separator: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(name, Self.separated(by: separator))
        #expect(try read(folder.path(name)) == expected(negatives: 1))
    }

    @Test func aScoreInSeparatedCellsIsANumber() throws {
        let folder = try TemporaryFolder()
        try folder.write("rows.csv", "sentence1,sentence2,score\na,b,0.5\nc,d,high\n")
        let file = try PairFile(path: folder.path("rows.csv"), task: "code", knownTasks: ["code"])
        #expect(try file.row(0).score == 0.5)
        let error = #expect(throws: UserError.self) { try file.row(1) }
        #expect(error?.line == 3 && error?.message.contains("\"score\" is no number") == true)
    }

    /// What a file is and what mends it is said, whatever its name.
    @Test(arguments: [
        ("rows.jsonl", "PAR1....PAR1", "Parquet"), ("rows.jsonl", "version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        ("rows.jsonl", "<!DOCTYPE html><html>", "HTML"), ("rows.arrow", "ARROW1..", "Arrow"), ("rows", "PK\u{3}\u{4}....", "zip"),
        ("rows.parquet", "{\"query\": \"a\"}", "PAR1"),
    ])
    func aForeignFormatIsNamed(name: String, content: String, word: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(name, content)
        let error = #expect(throws: UserError.self) { try RowFile(path: folder.path(name)) }
        #expect(error?.message.contains(word) == true, "\(error.map { "\($0)" } ?? "")")
    }

    @Test func aRowWithoutASideIsNamed() throws {
        let folder = try TemporaryFolder()
        try folder.write("rows.csv", "query,positive\na,b\nc,\n")
        let error = #expect(throws: UserError.self) { try read(folder.path("rows.csv")) }
        #expect(error?.line == 3 && error?.message.contains("positive") == true, "\(error.map { "\($0)" } ?? "")")
    }
}
