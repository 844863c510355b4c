// Damaged Parquet files: a sentence for each, and never a trap.

import Files
import Foundation
import Support
import Tables
import Testing

/// Golden files with other bytes.
private func golden(_ name: String) throws -> [UInt8] { try MappedFile(path: "\(goldenTables)/\(name).parquet").copied() }

/// The error of reading these bytes whole, or nil; rows beyond `limit` are left.
private func fault(_ bytes: [UInt8], limit: Int = 100_000) throws -> UserError? {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.parquet", bytes)
    do throws(UserError) {
        let reader = try TableFile(path: path).reader()
        var count = 0
        while try reader.next() != nil, count < limit { count += 1 }
        return nil
    } catch { return error }
}

/// A footer of these fields in Thrift's compact protocol, with the bytes before it.
private func file(_ footer: [UInt8], data: [UInt8] = []) -> [UInt8] {
    let length = UInt32(footer.count)
    return Array("PAR1".utf8) + data + footer + (0..<4).map { UInt8(length >> (8 * $0) & 0xFF) } + Array("PAR1".utf8)
}

@Suite struct ParquetDamageTests {
    /// What a file of these bytes is told.
    @Test(
        arguments: [
            ([], "cut short"),
            (Array("PAR1".utf8), "cut short"),
            (Array("PAR1PAR1".utf8), "cut short"),
            (file([]), "bytes end"),
            (file([0x00]), "lacks the schema"),
            (file([0x15]), "bytes end"),
            (file([0x1F, 0x00]), "unknown type"),
            (file([0x15, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x00]), "64 bits"),
            (file([0x05, 0x01, 0x00]), "field has the number"),
            (file([0x29, 0x0C, 0x00]), "no columns"),
            (file([0x29, 0xFC, 0xFF, 0xFF, 0xFF, 0x0F]), "length of a list"),
            (file([0x28, 0x01, 0x61, 0x00]), "no list"),
            (file([0x29, 0x15, 0x02, 0x00]), "wrong type"),
            (file([0x49, 0x1C, 0x00, 0x00]), "before its schema"),
            // A schema of a root with two fields, of which none follows.
            (file([0x29, 0x1C, 0x48, 0x01, 0x72, 0x15, 0x04, 0x00, 0x00]), "schema ends early"),
            // A root and a field with the repetition 3.
            (file([0x29, 0x2C, 0x48, 0x01, 0x72, 0x15, 0x02, 0x00, 0x15, 0x02, 0x25, 0x06, 0x18, 0x01, 0x61, 0x00, 0x00]), "repetition 3"),
            // Lists in lists in a field that is unknown.
            (file([0xF9] + Array(repeating: 0x19, count: 40)), "deeper than"),
            (file([0x81, 0x00]), "encrypted"),
            // One column, 5 rows, no row group.
            (
                file([0x29, 0x2C, 0x48, 0x01, 0x72, 0x15, 0x02, 0x00, 0x15, 0x02, 0x25, 0x00, 0x18, 0x01, 0x61, 0x00, 0x16, 0x0A, 0x00]),
                "says 5 rows"
            ),
            // A row group without its columns.
            (
                file([
                    0x29, 0x2C, 0x48, 0x01, 0x72, 0x15, 0x02, 0x00, 0x15, 0x02, 0x25, 0x00, 0x18, 0x01, 0x61, 0x00, 0x16, 0x0A, 0x19, 0x1C,
                    0x00, 0x00,
                ]),
                "lacks its columns"
            ),
        ] as [([UInt8], String)])
    func saysWhatIsWrong(_ bytes: [UInt8], _ words: String) throws {
        let error = try #require(try fault(bytes))
        #expect(error.code == .content && error.message.contains(bytes.isEmpty ? "begin with PAR1" : words), "\(error)")
    }

    @Test func everyCutIsRefused() throws {
        for name in ["pyarrow-snappy-v1", "polars-zstd-nulls", "duckdb-uncompressed-v1"] {
            let bytes = try golden(name)
            for count in stride(from: 0, to: bytes.count, by: 97) {
                #expect(try fault(Array(bytes[..<count]))?.code == .content, "\(name) cut at \(count)")
            }
        }
    }

    @Test func aChecksumFindsEveryChange() throws {
        let bytes = try golden("pyarrow-checksums")
        #expect(try fault(bytes) == nil)
        var found = 0
        for place in stride(from: 60, to: bytes.count / 2, by: 13) {
            var changed = bytes
            changed[place] ^= 0x10
            if try fault(changed) != nil { found += 1 }
        }
        // What is left are fields of headers that nothing depends on, such as statistics.
        #expect(found * 10 > (bytes.count / 2 - 60) / 13 * 7, "\(found)")
    }

    /// Changed, cut and doubled bytes, in places that differ from run to run of the loop and not from run to run of the test.
    /// `SHOAL_FUZZ_SECONDS` lets it go on.
    @Test func noChangeTraps() throws {
        let seconds = ProcessInfo.processInfo.environment["SHOAL_FUZZ_SECONDS"].flatMap(Double.init) ?? 0
        let names = try FileManager.default.contentsOfDirectory(atPath: goldenTables).filter { $0.hasSuffix(".parquet") }.sorted()
        let files = try names.map { try golden(String($0.dropLast(8))) }
        let folder = try TemporaryFolder()
        let start = Date()
        var random = Random(state: UInt64(ProcessInfo.processInfo.environment["SHOAL_FUZZ_SEED"] ?? "1")!)
        var (tried, refused) = (0, 0)
        while tried < 3000 || Date().timeIntervalSince(start) < seconds {
            tried += 1
            var bytes = files[random.next(below: files.count)]
            for _ in 0...random.next(below: 6) {
                // Half of the changes fall into the last tenth, where the footer lies.
                let from = random.next(below: 2) == 0 ? 0 : bytes.count * 9 / 10
                let place = from + random.next(below: bytes.count - from)
                switch random.next(below: 8) {
                case 0...2: bytes[place] ^= 1 << UInt8(random.next(below: 8))
                case 3: bytes[place] = UInt8(random.next(below: 256))
                case 4: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, 0xFE][random.next(below: 6)]
                case 5: bytes.remove(at: place)
                case 6: bytes.insert(bytes[random.next(below: bytes.count)], at: place)
                default:
                    let count = min(random.next(below: 12), bytes.count - place)
                    let other = random.next(below: bytes.count - count + 1)
                    bytes.replaceSubrange(place..<place + count, with: Array(bytes[other..<other + count]))
                }
                if bytes.count < 16 { break }
            }
            let path = try folder.write("a.parquet", bytes)
            do throws(UserError) {
                let table = try TableFile(path: path)
                let readable = table.columns.filter { $0.refusal == nil }.map(\.name)
                let reader = try table.reader(.columns(readable))
                var count = 0
                while try reader.next() != nil, count < 2000 { count += 1 }
            } catch { refused += 1 }
        }
        #expect(refused > tried / 10)
        if seconds > 0 { print("\(tried) changed files, \(refused) refused, \(Date().timeIntervalSince(start)) s") }
    }
}
