// Raw files to checked rows, in a world of one; other worlds are run by CLITests/PreprocessTests.

import Comm
import Files
import Foundation
import Support
import Testing

@testable import Preprocessing

@Suite struct PreprocessorTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Writes rows, preprocesses them, and gives report and lines.
    private func run(
        _ lines: [String], name: String = "raw.jsonl", _ change: (inout PreprocessingOptions) -> Void = { _ in }
    ) throws -> (report: PreprocessingReport, rows: [String], heldOut: [String]) {
        let path = try folder.write(name, lines.map { $0 + "\n" }.joined())
        var options = PreprocessingOptions(inputs: [path], output: folder.path("out.jsonl"))
        change(&options)
        let report = try Preprocessor(options).run(.alone())
        return (report, try self.lines(options.output), try options.heldOutOutput.map { try self.lines($0) } ?? [])
    }

    private func lines(_ path: String) throws -> [String] {
        let file = try TextFile(path: path)
        return try file.lines.indices.map { try file.string($0) }
    }

    private func row(_ query: String, _ positive: String = "an answer", _ rest: String = "") -> String {
        #"{"query":"\#(query)","positive":"\#(positive)"\#(rest)}"#
    }

    // MARK: Duplicates

    @Test func theFirstOfEqualRowsStays() throws {
        let rows = [
            row("How do whales sleep?"), row("another"), row("How do whales sleep?"), row("how do  whales sleep"),
            row("ＨＯＷ do whales sleep!"),
        ]
        let (report, kept, _) = try run(rows)
        #expect(kept == [rows[0], rows[1]])
        #expect(report.sameDuplicates == 1 && report.alikeDuplicates == 2 && report.written == 2 && report.rowsRead == 5)
        #expect(try run(rows) { $0.duplicates = .exact }.rows == [rows[0], rows[1], rows[3], rows[4]])
        let all = try run(rows) { $0.duplicates = .keep }
        #expect(all.rows == rows && all.report.sameDuplicates == 1 && all.report.alikeDuplicates == 2)
    }

    /// Each pair differs in something that a row means.
    @Test func rowsThatDifferAreNoDuplicates() throws {
        let pairs = [
            (row("What is C?"), row("What is C#?")), (row("q", "a b"), row("q a", "b")),
            (row("q"), row("q", "an answer", #","task":"code""#)),
            (row("q", "x", #","negatives":["n"]"#), row("q", "x")), (row("q", "?!"), row("q", "!!")),
            (row("q", "p", #","score":1.0"#), row("q", "p", #","score":2.0"#)),
            (row("ls -a", "list", #","task":"code""#), row("ls -A", "list", #","task":"code""#)),
            (row("q", "x", #","negatives":["n","m"]"#), row("q", "x", #","negatives":["n m"]"#)),
        ]
        for (a, b) in pairs { #expect(try run([a, b]).rows.count == 2, "\(a) \(b)") }
    }

    @Test func anchorsAndPairsCanBeUnique() throws {
        let rows = [row("q", "a"), row("Q", "b"), row("q", "a", #","negatives":["n"]"#), row("other", "a")]
        #expect(try run(rows).rows == rows)
        #expect(try run(rows) { $0.unit = .pair }.rows == [rows[0], rows[1], rows[3]])
        #expect(try run(rows) { $0.unit = .anchor }.rows == [rows[0], rows[3]])
    }

    // MARK: Split

    @Test func anAnchorIsOnOneSideAlone() throws {
        let rows = (0..<400).flatMap { [row("question \($0)", "a"), row("Question \($0)!", "b")] }
        func split(_ rows: [String]) throws -> (train: [String], dev: [String]) {
            let (report, train, dev) = try run(rows) {
                $0.heldOutShare = 0.2
                $0.heldOutOutput = folder.path("dev.jsonl")
            }
            #expect(report.written == train.count && report.heldOut == dev.count && train.count + dev.count == rows.count)
            return (train, dev)
        }
        let (train, dev) = try split(rows)
        #expect((100...220).contains(dev.count), "\(dev.count)")
        func anchors(_ rows: [String]) -> Set<String> {
            Set(rows.map { String($0.lowercased().prefix { $0 != "," && $0 != "!" }.filter { $0 != "\"" }) })
        }
        #expect(anchors(train).isDisjoint(with: anchors(dev)))
        // Rows before and after, another order and another share change no row's side.
        #expect(Set(try split(Array((rows + [row("new")]).reversed())).dev).subtracting([row("new")]) == Set(dev))
        let smaller = try run(rows) {
            $0.heldOutShare = 0.1
            $0.heldOutOutput = folder.path("dev.jsonl")
        }
        #expect(Set(smaller.heldOut).isSubset(of: dev) && smaller.heldOut.count < dev.count)
    }

    /// The first 53 bits of SHA-256 of the words over 2⁵³, by Python's hashlib: 0.0992 of "question 1", 0.4003 of 4, 0.5969 of 5.
    @Test(arguments: [(0.09, 0), (0.1, 1), (0.4, 1), (0.401, 2), (0.59, 2), (0.6, 3)]) func theHashIsTheDocumentedOne(
        share: Double, heldOut: Int
    ) throws {
        let (_, _, dev) = try run([row("Question 1?"), row("question 4"), row("question  5")]) {
            $0.heldOutShare = share
            $0.heldOutOutput = folder.path("dev.jsonl")
        }
        #expect(dev.count == heldOut)
    }

    // MARK: Leaks

    private let passage = "One half of the brain rests at a time while the other half stays awake and watches for danger in the sea"

    private func evaluationSet(_ queries: [String], _ documents: [String]) throws -> String {
        let path = folder.path("test")
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try folder.write("test/queries.jsonl", queries.enumerated().map { #"{"_id": "q\#($0)", "text": "\#($1)"}"# + "\n" }.joined())
        try folder.write(
            "test/corpus.jsonl", documents.enumerated().map { #"{"_id": "d\#($0)", "title": "", "text": "\#($1)"}"# + "\n" }.joined())
        return path
    }

    @Test func plantedLeaksAreFound() throws {
        let set = try evaluationSet(["how do whales sleep"], [passage])
        let words = passage.split(separator: " ")
        let half = words.prefix(17).joined(separator: " ")
        let rows = [
            row("How do whales sleep?", "a"), row("b", passage),
            row("c", half + " and something else that nobody has ever said or written"),
            row("d", words.prefix(12).joined(separator: " ")), row("e", "nothing in common with it"),
            row("f", "x", #","negatives":["\#(passage)"]"#),
        ]
        let (report, kept, _) = try run(rows) { $0.evaluationSets = [set] }
        // Of row c the set has 5 of 16 runs.
        #expect(kept == Array(rows[2...]))
        #expect(report.leaked == 2 && report.evaluationSets[0].texts == 2 && report.evaluationSets[0].rowsWithWholeText == 2)
        #expect(report.evaluationSets[0].rowsByShare.map(\.rows) == [2, 2, 1, 1, 1])
        #expect(report.firstLeaked.count == 2 && report.firstLeaked[0].contains("raw.jsonl:1: a text of it is one of \(set)"))
        func rowsKept(_ change: (inout PreprocessingOptions) -> Void) throws -> [String] {
            try run(rows) {
                $0.evaluationSets = [set]
                change(&$0)
            }.rows
        }
        #expect(try rowsKept { $0.leakShare = 0 } == Array(rows[3...]))
        #expect(try rowsKept { $0.leakShare = 0.3 } == Array(rows[3...]))
        #expect(try rowsKept { $0.evaluationSide = .queries } == Array(rows[1...]))
        #expect(try rowsKept { $0.leaks = .keep } == rows)
    }

    @Test func evaluationSetsHaveAnyForm() throws {
        let pairs = try folder.write("pairs.csv", "query,positive\nhow do whales sleep,\"\(passage)\"\n")
        let texts = try folder.write("texts.jsonl", #"{"text": "how do whales sleep"}"# + "\n")
        let rows = [row("How do whales sleep?", "a"), row("b", passage), row("c", "d")]
        for (set, left) in [(pairs, 1), (texts, 2)] { #expect(try run(rows) { $0.evaluationSets = [set] }.rows.count == left, "\(set)") }
        let empty = try folder.write("empty.jsonl", "")
        expectUserError(.content, "empty.jsonl") { _ = try run(rows) { $0.evaluationSets = [empty] } }
        expectUserError(.missing, "nowhere") { _ = try run(rows) { $0.evaluationSets = [folder.path("nowhere")] } }
    }

    // MARK: Bad rows

    private let badRows = [
        #"{"query": "a"}"#, "not json", #"{"query": "a", "query": "b", "positive": "c"}"#, #"{"query": "", "positive": "b"}"#,
        #"{"query": 7, "positive": "b"}"#, #"{"query": "a", "positive": "b", "score": "high"}"#, "[1]",
        #"{"query": "a", "positive": "b"} x"#,
    ]

    @Test func badRowsEndTheRunOrAreCounted() throws {
        for bad in badRows {
            let rows = [row("a"), "", bad, row("b")]
            expectUserError(.content, "raw.jsonl:3", "--on-bad-row skip") { _ = try run(rows) }
            #expect(try folder.names.filter { $0.hasPrefix("out") }.isEmpty, "\(bad)")
            let (report, kept, _) = try run(rows) { $0.badRows = .skip }
            #expect(kept == [row("a"), row("b")] && report.bad == 1 && report.rowsRead == 3, "\(bad)")
            #expect(report.firstBad.first?.contains("raw.jsonl:3") == true, "\(report.firstBad)")
            try FileManager.default.removeItem(atPath: folder.path("out.jsonl"))
        }
        let many = try run([row("a")] + Array(repeating: "{}", count: 30)) { $0.badRows = .skip }.report
        #expect(many.bad == 30 && many.firstBad.count == 10 && many.firstBad[9].contains("raw.jsonl:11"))
        expectUserError(.content, "no row is left of 2") { _ = try run(["{}", "{}"]) { $0.badRows = .skip } }
        expectUserError(.content, "holds no row") { _ = try run([]) }
    }

    @Test func badRowsOfTablesAreSkipped() throws {
        let csv = try run(["query,positive", "a,b", "only one", "c,d,e", "f,g"], name: "raw.csv") { $0.badRows = .skip }
        #expect(csv.rows == [row("a", "b"), row("f", "g")] && csv.report.bad == 2)
        let array = try run(
            [#"[{"query": "a", "positive": "b"}, {"query": "a"}, {"query": 01}, {"query": "c", "positive": "d"}]"#], name: "raw.json"
        ) {
            $0.badRows = .skip
        }
        #expect(array.rows == [row("a", "b"), row("c", "d")] && array.report.bad == 2)
    }

    /// What cannot be read on ends the run whatever the rule for rows.
    @Test func damagedFilesEndTheRun() throws {
        let packed = GzipMember.packed(Array((0..<5000).map { row("question \($0)") + "\n" }.joined().utf8))
        let cases: [(String, [UInt8], String)] = [
            ("cut.jsonl.gz", packed.dropLast(20), "cut short"),
            (
                "damaged.jsonl.gz", packed.prefix(packed.count / 2) + [0xFF, 0xFF, 0xFF, 0xFF] + packed.dropFirst(packed.count / 2 + 4),
                "damaged"
            ),
            ("open.csv", Array("query,positive\n\"a,b\n".utf8), "never ends"),
            ("open.json", Array(#"[{"query": "a", "positive": "b"}"#.utf8), "found the end"),
            ("table.parquet", Array("PAR1xxxxPAR1".utf8), "table.parquet"), ("rows.zip", Array("PK\u{3}\u{4}".utf8), "zip"),
        ]
        for (name, bytes, part) in cases {
            var options = PreprocessingOptions(inputs: [try folder.write(name, bytes)], output: folder.path("out.jsonl.gz"))
            options.badRows = .skip
            expectUserError(.content, name, part) { _ = try Preprocessor(options).run(.alone()) }
            #expect(try folder.names.filter { $0.hasPrefix("out") }.isEmpty, "\(name)")
        }
    }

    // MARK: Input and output

    @Test func textsAreTheBytesOfTheInput() throws {
        let texts = ["e\u{301} \u{FB01}", " \u{FEFF}blank ", #"\"quoted\" \\ \t\n\r"#, "日本\u{2028}", "🎉", "\\u0001"]
        let rows = texts.map { row($0, $0) }
        #expect(try run(rows).rows == rows)
        let cleaned = try run([row(#"  a\r\nb\u0007\u0000 c\ufeff "#, "p")]) { $0.cleans = true }.rows
        #expect(cleaned == [row(#"a\nb c"#, "p")])
        expectUserError(.content, "raw.jsonl:1", "no characters left") { _ = try run([row(#"\u0007"#)]) { $0.cleans = true } }
    }

    @Test func everyKeyIsWrittenInOneForm() throws {
        let rows = [
            #"{"anchor": "a", "pos": ["b"], "neg": ["c", "d"], "task": "code", "id": 7}"#,
            #"{"sentence1": "e", "sentence2": "f", "score": 3.8}"#,
        ]
        let form = [
            #"{"query":"a","positive":"b","negatives":["c","d"],"task":"code"}"#, #"{"query":"e","positive":"f","score":3.8}"#,
        ]
        #expect(try run(rows).rows == form)
        #expect(try run(form).rows == form)
        #expect(try run(rows) { $0.task = "text-matching" }.rows[1].contains(#""task":"text-matching""#))
    }

    @Test func filesOfAnyFormatAreOneInput() throws {
        let jsonl = try folder.write("b.jsonl", row("b") + "\n")
        let tsv = try folder.write("a.tsv", "query\tpositive\na\tan answer\n")
        let packed = try folder.write("c.jsonl.gz", GzipMember.packed(Array((row("c") + "\n").utf8)))
        let array = try folder.write("d.json", "[\(row("d")), \(row("A!"))]")
        var options = PreprocessingOptions(inputs: [jsonl, tsv, packed, array], output: folder.path("out.jsonl"))
        let report = try Preprocessor(options).run(.alone())
        #expect(try lines(options.output) == ["b", "a", "c", "d"].map { row($0) })
        #expect(report.inputs.map(\.rows) == [1, 1, 1, 2] && report.alikeDuplicates == 1)
        options.output = folder.path("out.jsonl.gz")
        _ = try Preprocessor(options).run(.alone())
        #expect(try lines(options.output) == ["b", "a", "c", "d"].map { row($0) })
        #expect(try Preprocessor.files([folder.path("?.jsonl*"), jsonl]) == [jsonl, packed])
        #expect(try Preprocessor.files(inRawFolder: folder.path).prefix(4) == [tsv, jsonl, packed, array])
    }

    @Test func imagesAreNamedFromTheOutput() throws {
        for name in ["raw", "made", "raw/pages"] {
            try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
        }
        try folder.write("raw/pages/7.png", [1, 2, 3])
        try folder.write("raw/pages/8.png", [1, 2, 3])
        let rows = [
            #"{"query": "q", "positive_image": "pages/7.png"}"#, #"{"query": "Q", "positive_image": "pages/8.png"}"#,
            #"{"query": "r", "positive_image": "pages/9.png"}"#,
        ]
        let (report, kept, _) = try run(rows, name: "raw/rows.jsonl") {
            $0.output = folder.path("made/train.jsonl")
            $0.badRows = .skip
        }
        #expect(kept == [#"{"query":"q","positive_image":"../raw/pages/7.png"}"#])
        #expect(report.bad == 1 && report.firstBad[0].contains("rows.jsonl:3") && report.sameDuplicates + report.alikeDuplicates == 1)
    }

    @Test func outputsAreNeverInputs() throws {
        expectUserError(.usage, "both input and output") { _ = try run([row("a")]) { $0.output = folder.path("raw.jsonl") } }
        expectUserError(.usage, "for two outputs") { _ = try run([row("a")]) { $0.report = $0.output } }
        expectUserError(.usage, "no name of an output") { _ = try run([row("a")]) { $0.output = folder.path("out.parquet") } }
        expectUserError(.output, "out.jsonl") { _ = try run([row("a")]) { $0.output = folder.path("nowhere/out.jsonl") } }
        #expect(try lines(folder.path("raw.jsonl")) == [row("a")])
    }

    @Test func theReportSaysWhatIsInTheFiles() throws {
        let rows = [row("a b c", "d"), row("привет, мир", "два слова тут"), row("A b c", "d")]
        let (report, _, _) = try run(rows) { $0.report = folder.path("report.json") }
        let json = try JSONValue.parse(file: folder.path("report.json"))
        #expect(json["rows"]?["read"]?.integerValue == 3 && json["rows"]?["written"]?.integerValue == 2)
        #expect(json["rows"]?["duplicates_in_normal_form"]?.integerValue == 1)
        #expect(report.unit == "words" && report.lengths[0].units.mean == 2.5 && report.lengths[1].units.quantile(1) == 3)
        #expect(report.scripts.map { "\($0.name) \($0.letters) \($0.rows)" } == ["Cyrillic 20 1", "Latin 4 1"])
        let output = json["outputs"]?.arrayValue?.first
        #expect(output?["sha256"]?.stringValue == SHA256.hex(SHA256.hash(of: try folder.bytes("out.jsonl"))))
        let measured = try run(rows) { $0.modelFolder = PackagePath.example("jina-tiny") }.report
        #expect(measured.unit == "tokens" && measured.lengths[0].units.quantile(0) == 6, "two tokens of Query, a colon, three letters")
        expectUserError(.content, "raw.jsonl:1", "retrieval, text-matching, code") {
            _ = try run([row("a", "b", #","task":"cooking""#)]) { $0.modelFolder = PackagePath.example("jina-tiny") }
        }
    }
}
