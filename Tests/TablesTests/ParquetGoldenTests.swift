// Parquet files of three writers against the cells that pyarrow reads in them (Golden/tables).

import Files
import Foundation
import Support
import Tables
import Testing

let goldenTables = PackagePath.golden("tables/files")

@Suite struct ParquetGoldenTests {
    @Test func everyCellIsThatOfPyarrow() throws {
        let golden = try #require(try JSONValue.parse(file: PackagePath.golden("tables/files.json")).arrayValue)
        var files = 0
        for entry in golden {
            let pair = try #require(entry.arrayValue)
            let columns = try #require(pair[1]["columns"]?.arrayValue).compactMap(\.stringValue)
            let expected = try #require(pair[1]["rows"]?.arrayValue)
            for name in try #require(pair[0].arrayValue).compactMap(\.stringValue) {
                files += 1
                let table = try TableFile(path: "\(goldenTables)/\(name)")
                #expect(table.format == .parquet && table.columns.map(\.name) == columns && table.rowCount == expected.count, "\(name)")
                let read = try rows(table.path)
                try #require(read.count == expected.count, "\(name)")
                for (i, row) in read.enumerated() {
                    let cells = try #require(expected[i].arrayValue)
                    try #require(row.record.names == columns && row.place.row == i + 1 && row.place.line == nil)
                    for (k, cell) in cells.enumerated() {
                        #expect(
                            isSame(row.record.values[k], cell), "\(name), row \(i + 1), \(columns[k]): \(row.record.values[k]), not \(cell)"
                        )
                    }
                }
                // Each column by itself, which passes over the others.
                for (k, column) in columns.enumerated() {
                    let alone = try rows(table.path, .columns([column]))
                    #expect(alone.map { shown($0.record.values[0]) } == read.map { shown($0.record.values[k]) }, "\(name), \(column) alone")
                }
            }
        }
        #expect(files >= 40)
    }

    @Test func namesTypes() throws {
        let columns = try TableFile(path: "\(goldenTables)/pyarrow-none-v1.parquet").columns
        #expect(
            columns.map { "\($0.name): \($0.type)" } == [
                "id: integer", "text: text", "kind: text", "small: integer", "large: integer", "score: number", "single: number",
                "flag: bool",
                "blob: bytes", "texts: list of text", "numbers: list of integer", "image: struct of bytes, path",
                "passages: list of struct of title, score", "answers: struct of text, start",
            ])
        #expect(columns.allSatisfy { $0.refusal == nil })
    }

    @Test func readsColumnsInTheOrderAsked() throws {
        let path = "\(goldenTables)/pyarrow-none-v1.parquet"
        #expect(try rows(path, .columns(["text", "id"]))[0].record.names == ["text", "id"])
        #expect(try rows(path, .columns(["id", "id"]))[0].record.values.map(shown) == ["-3"])
        expectUserError(.content, path, "has no column \"txt\"", "\"text\"") { _ = try rows(path, .columns(["txt"])) }
    }

    /// Types that are not read are listed with their names; the columns beside them are read.
    @Test func refusesTypesByName() throws {
        let path = "\(goldenTables)/refused-types.parquet"
        let table = try TableFile(path: path)
        let expected = [
            "day": "DATE", "time": "TIMESTAMP", "clock": "TIME", "price": "DECIMAL", "half": "FLOAT16", "fixed": "FIXED_LEN_BYTE_ARRAY",
            "map": "MAP", "when": "TIMESTAMP",
        ]
        for (name, word) in expected {
            let column = try #require(table.columns.first { $0.name == name })
            #expect(column.refusal?.contains(word) == true, "\(column)")
            expectUserError(.content, path, "column \"\(name)\"", word, "leave it out") { _ = try table.reader(.columns([name])) }
        }
        expectUserError(.content, path) { _ = try table.reader() }
        #expect(try shown(rows(path, .columns(["id"]))) == ["id=1", "id=2"])
    }

    @Test func refusesOldTimestamps() throws {
        let path = "\(goldenTables)/refused-int96.parquet"
        expectUserError(.content, "column \"old\" is INT96") { _ = try rows(path) }
        #expect(try shown(rows(path, .columns(["id"]))) == ["id=1", "id=2"])
    }

    @Test(arguments: ["brotli", "lz4"]) func refusesCodecsByName(_ codec: String) throws {
        let path = "\(goldenTables)/refused-\(codec).parquet"
        expectUserError(.content, path, codec.uppercased(), "compression=\"zstd\"") { _ = try rows(path) }
    }
}
