// Rows are tokenized once: what is kept, when it is trusted, and when it is made anew.

import Files
import Foundation
import Model
import Support
import Testing

@testable import Data

/// Rows of numbered tokens in a folder, with a folder for indexes beside them.
private struct IndexedRows {
    let folder = try! TemporaryFolder()
    var (maxTokens, anchorPrompt, task, dropsEqualNegatives, holdsOut) = (5, "<1>", "code", true, false)
    var tasks = ["retrieval", "code"]
    var tokenCount = 40
    var cacheFolder = "cache"
    var scoreRange: ClosedRange<Double>?

    init(rows: Int = 50) throws {
        try write((0..<rows).map(Self.row).joined())
    }

    static func row(_ row: Int) -> String {
        let negatives = (0..<row % 3).map { "\"<\((row + $0) % 40)><3>\"" }.joined(separator: ", ")
        return "{\"query\": \"<\(row % 40)>\", \"positive\": \"<\(row % 40)><3>\", \"negatives\": [\(negatives)]}\n"
    }

    var path: String { folder.path("rows.jsonl") }

    /// With a time of change long past.
    func write(_ text: String, changed: Int = 1_000_000_000) throws {
        try folder.write("rows.jsonl", text)
        try touch(changed)
    }

    func touch(_ seconds: Int) throws {
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: Double(seconds))], ofItemAtPath: path)
    }

    struct Opened {
        let index: RowIndex
        let isTokenized: Bool
        let notices: [String]
    }

    func source() throws -> TrainingSource {
        let model = folder.path("model-\(tokenCount)")
        try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: true)
        let tokenizer = try Tokenizer(path: NumberedTokens.writeTokenizer(count: tokenCount, to: model))
        return TrainingSource(
            files: [(path, task)], taskNames: tasks, processor: TextProcessor(tokenizer, maxTokens: maxTokens), version: "test",
            dropsEqualNegatives: dropsEqualNegatives, holdsOut: holdsOut, scoreRanges: scoreRange.map { [0: $0] } ?? [:]
        ) { _, _ in (anchorPrompt, "<2>") }
    }

    func open() throws -> Opened {
        var (notices, rounds): ([String], Int) = ([], 0)
        let data = try TrainingData.find(source(), .alone(), TokenCache(folder: folder.path(cacheFolder)))
        let index = try data.index(notices: &notices) { _, _, _ in rounds += 1 }
        #expect(data.fingerprints == [path: SHA256.hex(try SHA256.hash(of: folder.bytes("rows.jsonl")))])
        return Opened(index: index, isTokenized: rounds > 0, notices: notices)
    }

    var cached: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path(cacheFolder)).sorted() } }

    /// The only index.
    var cachedPath: String { get throws { folder.path(cacheFolder) + "/" + (try #require(cached.first)) } }
}

@Suite struct TokenIndexTests {
    @Test func aSecondStartDoesNotReadTheRows() throws {
        let rows = try IndexedRows()
        let first = try rows.open()
        #expect(first.isTokenized && first.index.count == 50 && first.notices.isEmpty)
        #expect(try rows.cached.count == 1)
        // Other bytes of the same size and time: whoever looked would notice.
        let size = try rows.folder.bytes("rows.jsonl").count
        try rows.write(String(repeating: "x", count: size))
        let data = try TrainingData.find(rows.source(), .alone(), TokenCache(folder: rows.folder.path("cache")))
        var notices: [String] = []
        let second = try data.index(notices: &notices) { _, _, _ in Issue.record("tokenized again") }
        #expect(Array(second) == Array(first.index) && second.kinds == first.index.kinds)
        #expect((second.truncated, second.droppedNegatives) == (first.index.truncated, first.index.droppedNegatives))
        for row in 0..<50 {
            #expect(try second.tokens(ofRow: row, .anchor) == first.index.tokens(ofRow: row, .anchor))
            #expect(try second.tokens(ofRow: row, .positive) == first.index.tokens(ofRow: row, .positive))
        }
    }

    /// Its hashes hold, but no such file was written by Shoal.
    @Test func anIndexWithTeacherScoresThatAreNoneIsNotOpened() throws {
        let rows = try IndexedRows()
        try rows.write(#"{"query": "<1>", "positive": "<2>", "negatives": ["<3>"], "scores": [1, 0.5]}"#)
        #expect(try rows.open().index[0].teacherScores == [1, 0.5])
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: rows.cachedPath)))
        typealias Layout = MemoryLayout<TokenIndex.Input>
        func opened(_ input: Int, _ member: PartialKeyPath<TokenIndex.Input>, _ word: UInt32) throws -> TokenIndex? {
            var bytes = whole
            var header = TokenIndexHeader(whole.span.bytes)!
            let place = header.inputsOffset + input * Layout.stride + Layout.offset(of: member)!
            bytes.replaceSubrange(place..<place + 4, with: withUnsafeBytes(of: word) { Array($0) })
            header.tablesHash = TokenIndexHeader.hash(ofTables: bytes.span.bytes.extracting(droppingFirst: header.rowsOffset))
            bytes.replaceSubrange(..<TokenIndexHeader.byteCount, with: header.encoded)
            return TokenIndex(path: try rows.folder.write("changed.tokens", bytes), key: header.key, folder: ".")
        }
        #expect(try opened(2, \.teacherScore, Float(7).bitPattern)?.summary(ofRow: 0, file: 0).teacherScores == [1, 7])
        for word in [Float.nan, .infinity, -.infinity].map(\.bitPattern) { #expect(try opened(2, \.teacherScore, word) == nil) }
        for (input, word) in [(1, UInt32(0)), (2, 0), (1, 2), (2, 2)] { #expect(try opened(input, \.hasTeacherScore, word) == nil) }
    }

    @Test func aTouchedFileOfTheSameContentKeepsItsIndex() throws {
        let rows = try IndexedRows()
        #expect(try rows.open().isTokenized)
        try rows.touch(1_100_000_000)
        #expect(try !rows.open().isTokenized)
        // The new time is known now, and trusted.
        try rows.folder.write("rows.jsonl", [UInt8](repeating: 0, count: rows.folder.bytes("rows.jsonl").count))
        try rows.touch(1_100_000_000)
        let data = try TrainingData.find(rows.source(), .alone(), TokenCache(folder: rows.folder.path("cache")))
        var notices: [String] = []
        _ = try data.index(notices: &notices) { _, _, _ in Issue.record("tokenized again") }
    }

    @Test(arguments: [true, false]) func changedContentIsTokenizedAnew(sameSize: Bool) throws {
        let rows = try IndexedRows()
        #expect(try rows.open().index[4].anchor.content == ContentHash(of: Array("<4>".utf8)))
        let text = String(decoding: try rows.folder.bytes("rows.jsonl"), as: UTF8.self)
        let anchor = sameSize ? "<5>" : "<14>"
        try rows.write(text.replacing("\"query\": \"<4>\"", with: "\"query\": \"\(anchor)\""), changed: 1_000_000_001)
        let opened = try rows.open()
        #expect(opened.isTokenized)
        #expect(opened.index[4].anchor.content == ContentHash(of: Array(anchor.utf8)))
        #expect(try rows.cached.count == 1)
        #expect(try !rows.open().isTokenized)
    }

    @Test func whateverElseTheTokensDependOnIsPartOfTheKey() throws {
        let usual = try IndexedRows()
        #expect(try usual.open().isTokenized)
        let changes: [(inout IndexedRows) -> Void] = [
            { $0.maxTokens = 4 }, { $0.anchorPrompt = "<7>" }, { $0.task = "retrieval" }, { $0.tasks = ["code", "retrieval"] },
            { $0.dropsEqualNegatives = false }, { $0.holdsOut = true }, { $0.tokenCount = 41 },
            { $0.scoreRange = 0...5 },
        ]
        for change in changes {
            var other = usual
            change(&other)
            let opened = try other.open()
            #expect(opened.isTokenized)
            #expect(try Array(opened.index) == Array(other.source().index()))
            #expect(try !other.open().isTokenized)
        }
    }

    @Test func onlyTheNewestIndexesOfAFileAreKept() throws {
        var rows = try IndexedRows()
        let other = try IndexedRows(rows: 3)
        let cache = TokenCache(folder: rows.folder.path("cache"))
        var paths: [String] = []
        for limit in 2...7 {
            rows.maxTokens = limit
            _ = try rows.open()
            paths.append(cache.path(of: rows.path, key: try rows.source().key(ofFile: 0)))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 4_000_000_000 + Double(limit))], ofItemAtPath: paths.last!)
            if limit == 2 { try Data().write(to: URL(fileURLWithPath: paths[0] + ".tmp-1")) }
        }
        #expect(try rows.cached.contains { $0.hasSuffix(".tmp-1") })
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: paths[0] + ".tmp-1")
        let foreign = cache.path(of: other.path, key: try other.source().key(ofFile: 0))
        try Data().write(to: URL(fileURLWithPath: foreign))
        rows.maxTokens = 8
        _ = try rows.open()
        paths.append(cache.path(of: rows.path, key: try rows.source().key(ofFile: 0)))
        #expect(try Set(rows.cached.map { cache.folder + "/" + $0 }) == Set(paths.suffix(TokenCache.limit) + [foreign]))
    }

    /// Of header, rows and inputs; the file cut short, longer, empty.
    @Test(arguments: ["header", "rows", "inputs", "short", "long", "empty"]) func aDamagedIndexIsMadeAnew(where place: String) throws {
        let rows = try IndexedRows()
        let header = try rows.open().index.files[0].header
        let path = try rows.cachedPath
        let whole = try rows.folder.bytes("cache/" + rows.cached[0])
        var bytes = whole
        switch place {
        case "header": bytes[50] ^= 1
        case "rows": bytes[header.rowsOffset + 45] ^= 1
        case "inputs": bytes[header.inputsOffset + 17] ^= 1
        case "short": bytes.removeLast()
        case "long": bytes.append(0)
        default: bytes = []
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let opened = try rows.open()
        #expect(opened.isTokenized && opened.index.count == 50)
        try expectSameBytes(rows.folder.bytes("cache/" + rows.cached[0]), whole, "index")
        #expect(try rows.cached.count == 1)
    }

    @Test func damagedTokensAreNeverGiven() throws {
        let rows = try IndexedRows()
        _ = try rows.open()
        let path = try rows.cachedPath
        var bytes = try rows.folder.bytes("cache/" + rows.cached[0])
        let intact = try rows.open().index
        let place = try (0..<7).reduce(0) { sum, row in
            let texts = [RowText.anchor, .positive] + intact[row].negativePlaces.map { .negative($0) }
            return try texts.reduce(sum) { try $0 + intact.tokens(ofRow: row, $1).count }
        }
        bytes[4096 + 4 * place] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let opened = try rows.open()
        #expect(!opened.isTokenized)
        #expect(try opened.index.tokens(ofRow: 6, .anchor) == intact.tokens(ofRow: 6, .anchor))
        expectUserError(.inputOutput, path, "row 8") { _ = try opened.index.tokens(ofRow: 7, .positive) }
        #expect(try rows.open().isTokenized)
    }

    @Test func withoutAFolderTheTokensAreKeptInMemory() throws {
        var rows = try IndexedRows()
        rows.cacheFolder = "rows.jsonl/cache"
        for _ in 0..<2 {
            let opened = try rows.open()
            #expect(opened.isTokenized && opened.notices.count == 1)
            #expect(opened.notices.allSatisfy { $0.contains("rows.jsonl/cache") && $0.contains("set data.cache_dir") })
            #expect(try Array(opened.index) == Array(rows.source().index()))
            #expect(try opened.index.tokens(ofRow: 3, .positive) == [2, 3, 3])
        }
    }

    @Test func roundsMakeTheSameFile() throws {
        let rows = try IndexedRows()
        let origin = try rows.open().index.files[0].header.origin
        for roundBytes in [1, 200, 1000] {
            let output = try PlacedFile(creating: rows.folder.path("rounds-\(roundBytes)"))
            var rounds = 0
            let writer = TokenIndexWriter(group: .alone(), source: try rows.source(), number: 0, roundBytes: roundBytes) { _, _ in
                rounds += 1
            }
            _ = try writer.write(to: output, origin)
            #expect(rounds > 3)
            try expectSameBytes(
                rows.folder.bytes("rounds-\(roundBytes)"), rows.folder.bytes("cache/" + rows.cached[0]), "\(roundBytes) bytes a round")
        }
    }

    @Test func aFileThatChangesMeanwhileIsRefused() throws {
        let rows = try IndexedRows()
        let data = try TrainingData.find(rows.source(), .alone(), TokenCache(folder: rows.folder.path("cache")))
        var notices: [String] = []
        expectUserError(.inputOutput, "rows.jsonl", "while this run used it") {
            _ = try data.index(notices: &notices) { _, _, _ in try! rows.touch(1_200_000_000) }
        }
        #expect(try rows.cached.isEmpty)
    }

    @Test func theFolderIsTheUsersUnlessSaid() {
        func folder(_ setting: String?, _ environment: [String: String]) -> String? {
            TokenCache(setting: setting, environment: environment)?.folder
        }
        #expect(folder(nil, ["HOME": "/home/a"]) == "/home/a/.cache/shoal")
        #expect(folder(nil, ["HOME": "/home/a", "XDG_CACHE_HOME": "/var/a"]) == "/var/a/shoal")
        // The specification has relative paths ignored.
        #expect(folder(nil, ["HOME": "/home/a", "XDG_CACHE_HOME": "a"]) == "/home/a/.cache/shoal")
        #expect(folder(nil, [:]) == nil && folder("none", ["HOME": "/home/a"]) == nil)
        #expect(folder("here", ["HOME": "/home/a"]) == "here")
    }
}
