// What libyaml accepts and Shoal does not, each with its exact place; and the scalars of the core schema.

import Config
import Support
import Testing

@Suite("YAML document")
struct YAMLDocumentTests {
    private func error(_ yaml: String) -> String {
        error(Array(yaml.utf8))
    }

    private func error(_ yaml: [UInt8]) -> String {
        let error = userError { _ = try YAMLDocument.parse(yaml, path: "f.yaml") }
        #expect(error?.code == .configuration)
        return error?.description ?? ""
    }

    @Test("nodes remember line and column in characters")
    func places() throws {
        let root = try #require(try YAMLDocument.parse(Array("# é\ndata:\r\n  train: [a, {path: \"é\", task: b}]\n".utf8), path: "f.yaml"))
        guard case .mapping(let sections) = root.content, case .mapping(let data) = sections[0].value.content,
            case .sequence(let files) = data[0].value.content, case .mapping(let file) = files[1].content
        else {
            Issue.record("wrong tree: \(root)")
            return
        }
        #expect(sections[0].place.description == "f.yaml:2:1")
        #expect(data[0].place.description == "f.yaml:3:3")
        #expect(files[0].place.description == "f.yaml:3:11")
        #expect(file[1].key == "task")
        #expect(file[1].place.description == "f.yaml:3:26")
        #expect(file[1].value.place.description == "f.yaml:3:32")
    }

    @Test("no value: nil", arguments: ["", "# only a comment\n", "\u{FEFF}"])
    func empty(_ yaml: String) throws {
        #expect(try YAMLDocument.parse(Array(yaml.utf8), path: "f.yaml") == nil)
    }

    @Test("a byte order mark does not shift columns")
    func byteOrderMark() throws {
        #expect(error("\u{FEFF}a: *b").hasPrefix("f.yaml:1:4: here is an alias"))
    }

    @Test(
        "refused, with its place",
        arguments: [
            ("a: &x 1\nb: *x\n", "f.yaml:1:4: here is an anchor"),
            ("a: 1\nb: *x\n", "f.yaml:2:4: here is an alias"),
            ("a: 1\n&k b: 2\n", "f.yaml:2:1: here is an anchor"),
            ("*k : 2\n", "f.yaml:1:1: here is an alias"),
            ("a: &x [1]\n", "f.yaml:1:4: here is an anchor"),
            ("a: &x {b: *x}\n", "f.yaml:1:4: here is an anchor"),
            ("a: !!str 1\n", "f.yaml:1:4: here is a tag"),
            ("a:\n  - !!python/object:os.system x\n", "f.yaml:2:5: here is a tag"),
            ("a: ! x\n", "f.yaml:1:4: here is a tag"),
            ("a: !m {b: 1}\n", "f.yaml:1:4: here is a tag"),
            ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key \"a\" stands here for the second time (first on line 1)"),
            ("s:\n  {a: 1, 'a': 2}\n", "f.yaml:2:10: the key \"a\" stands here for the second time"),
            ("? [a]\n: 1\n", "f.yaml:1:3: a key must be a name"),
            ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document"),
            ("a: 1\n...\n---\nb: 2\n", "f.yaml:3:1: a second document"),
            ("a: 1\nb:\n\tc: 2\n", "f.yaml:3:1: this is not valid YAML: found character that cannot start any token"),
            ("a: [1, 2\nb: 3\n", "f.yaml:2:"),
            ("a: 'x\n", "f.yaml:2:1: this is not valid YAML: found unexpected end of stream"),
            ("a: b: c\n", "f.yaml:1:5: this is not valid YAML: mapping values are not allowed"),
            ("a: \u{7}\n", "f.yaml:1:4: here is the control character U+7"),
            ("a: 1\r\nb: \u{0}\n", "f.yaml:2:4: here is the control character U+0"),
        ])
    func refused(_ yaml: String, _ begin: String) {
        #expect(error(yaml).hasPrefix(begin))
    }

    @Test("tabs: the mend is named")
    func tabs() {
        #expect(error("a:\n\tb: 2\n").hasSuffix("; indent with spaces, not with tabs"))
    }

    @Test("keys are compared by bytes: é in one and in two code points are two keys")
    func canonicallyEqualKeys() throws {
        let root = try #require(try YAMLDocument.parse(Array("\u{E9}: 1\ne\u{301}: 2\n".utf8), path: "f.yaml"))
        guard case .mapping(let entries) = root.content else { return }
        #expect(entries.count == 2)
    }

    @Test("bytes that are not UTF-8: place of the first", arguments: [0xFF, 0xC3, 0xE9] as [UInt8])
    func notUTF8(_ byte: UInt8) {
        #expect(error(Array("a: 1\nbé: ".utf8) + [byte, 0x0A]).hasPrefix("f.yaml:2:5: here is a byte that is not UTF-8"))
    }

    @Test("UTF-16 is not guessed")
    func utf16() {
        #expect(error([0xFF, 0xFE, 0x61, 0x00]).hasPrefix("f.yaml:1:1: here is a byte that is not UTF-8"))
    }

    @Test("deep nesting stops at its 17th level, also when there are 100,000", arguments: [17, 100_000])
    func depth(_ levels: Int) {
        #expect(error(String(repeating: "[", count: levels)).hasPrefix("f.yaml:1:17: lists and mappings lie more than 16 deep"))
        #expect(error(String(repeating: "{a: ", count: levels)).hasPrefix("f.yaml:1:65: lists and mappings lie more than 16 deep"))
    }

    @Test("a file beyond a megabyte is refused unread")
    func size() {
        #expect(error(Array(repeating: UInt8(ascii: "#"), count: 1 << 21)).contains("has 2097152 bytes"))
    }

    @Test("truncated and mutated files end in a tree or an error")
    func mutants() {
        let good = Array("base_model_path: m\ndata: {train: [{path: \"a\", task: b}]}\nloss:\n  temperature: 1e-2 # é\n".utf8)
        var state: UInt64 = 1
        for _ in 0..<5000 {
            var bytes = good
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let place = Int(state >> 33) % bytes.count
                switch state >> 62 {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = UInt8(truncatingIfNeeded: state >> 40)
                case 2: bytes.insert(UInt8(truncatingIfNeeded: state >> 48), at: place)
                default: bytes.removeSubrange(place...)
                }
                if bytes.isEmpty { break }
            }
            do {
                _ = try YAMLDocument.parse(bytes, path: "f.yaml")
            } catch {
                #expect(error.code == .configuration)
                #expect(error.line != nil && error.column != nil)
            }
        }
    }
}

@Suite("YAML 1.2 core schema")
struct YAMLScalarTests {
    @Test(
        "plain scalars",
        arguments: [
            ("", .null), ("~", .null), ("null", .null), ("NULL", .null), ("nUll", .text("nUll")), ("None", .text("None")),
            ("true", .boolean(true)), ("False", .boolean(false)), ("yes", .text("yes")), ("on", .text("on")), ("tRue", .text("tRue")),
            ("0", .integer(0)), ("-7", .integer(-7)), ("+7", .integer(7)), ("010", .integer(10)), ("0x1F", .integer(31)),
            ("0o17", .integer(15)), ("0x-1", .text("0x-1")), ("0x", .text("0x")), ("1_000", .text("1_000")), ("1:30", .text("1:30")),
            ("1e-4", .number(1e-4)), ("1E+3", .number(1000)), ("1.", .number(1)), (".5", .number(0.5)), ("-.5e1", .number(-5)),
            (".", .text(".")), ("1e", .text("1e")), ("e3", .text("e3")), ("1.2.3", .text("1.2.3")), ("+", .text("+")),
            ("0x1p3", .text("0x1p3")), ("inf", .text("inf")), ("nan", .text("nan")), (".inf", .number(.infinity)),
            ("-.INF", .number(-.infinity)), ("9223372036854775807", .integer(.max)),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1e-4 ", .text("1e-4 ")), ("١", .text("١")),
        ] as [(String, YAMLScalar)])
    func plain(_ text: String, _ expected: YAMLScalar) {
        #expect(YAMLScalar(plain: text) == expected)
    }

    @Test("quoted scalars are texts", arguments: ["'1e-4'", "\"true\"", "'null'"])
    func quoted(_ yaml: String) throws {
        let root = try #require(try YAMLDocument.parse(Array("a: \(yaml)".utf8), path: "f.yaml"))
        guard case .mapping(let entries) = root.content, case .scalar(let scalar) = entries[0].value.content else { return }
        #expect(scalar == .text(String(yaml.dropFirst().dropLast())))
    }

    @Test(".nan")
    func notANumber() {
        guard case .number(let value) = YAMLScalar(plain: ".NaN") else {
            Issue.record("not a number")
            return
        }
        #expect(value.isNaN)
    }
}
