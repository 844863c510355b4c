// CSV, TSV, JSON arrays and JSON lines, plain and packed: what is read, and where a fault is said to be.

import Files
import Foundation
import Support
import Tables
import Testing

/// The error of reading these bytes, or nil.
private func fault(_ name: String, _ bytes: some Sequence<UInt8>) throws -> UserError? {
    do { _ = try rows(name, bytes) } catch { return try #require(error as? UserError) }
    return nil
}

@Suite struct TextTableTests {
    @Test(
        arguments: [
            ("a,b\n1,2\n", ["a='1' b='2'"]),
            ("a,b\r\n1,2\r\n3,4", ["a='1' b='2'", "a='3' b='4'"]),
            ("\u{FEFF}a,b\n1,2", ["a='1' b='2'"]),
            ("a,b\n", []), ("a", []), ("a\n\n\nx\n\n", ["a='x'"]),
            ("a,b\n,\"\"\n", ["a=null b=''"]),
            ("a,b\n\"x, y\",\"he said \"\"no\"\"\"\n", ["a='x, y' b='he said \"no\"'"]),
            ("a,b\n\"two\nlines\",\"two\r\nmore\"\nc,d", ["a='two\nlines' b='two\r\nmore'", "a='c' b='d'"]),
            ("a,b\n5\" disk,x\"y\n", ["a='5\" disk' b='x\"y'"]),
            ("\"a,1\",\"b\"\"\"\n1,2", ["a,1='1' b\"='2'"]),
            (",q\n0,x\n", ["='0' q='x'"]),
            ("a,b\n \"x\",y \n", ["a=' \"x\"' b='y '"]),
            ("日本,é\n鱼,🐟", ["日本='鱼' é='🐟'"]),
            ("a\n\"\"\n\"\"\"\"\n", ["a=''", "a='\"'"]),
        ] as [(String, [String])])
    func readsCSV(_ text: String, _ expected: [String]) throws {
        #expect(try shown(rows("a.csv", text.utf8)) == expected)
        guard !text.contains("x, y"), !text.contains("a,1") else { return }
        #expect(try shown(rows("a.tsv", text.replacingOccurrences(of: ",", with: "\t").utf8)) == expected)
    }

    @Test func countsLinesOfCSV() throws {
        let read = try rows("a.csv", "a,b\n\"1\n2\",x\n\n3,4\n".utf8)
        #expect(read.map(\.place.line) == [2, 5] && read.map(\.place.row) == [1, 2])
        let error = read[1].place.fault("is wrong", column: "b")
        #expect(error.line == 5 && error.message == "column \"b\": is wrong")
    }

    @Test func takesColumnsOfCSV() throws {
        #expect(try shown(rows("a.csv", "a,b,c\n1,2,3\n".utf8, .columns(["c", "a"]))) == ["c='3' a='1'"])
        expectUserError(.content, "no column \"d\"", "\"a\", \"b\", \"c\"") {
            _ = try rows("a.csv", "a,b,c\n1,2,3\n".utf8, .columns(["d"]))
        }
    }

    @Test(
        arguments: [
            ("", 1, nil, "is empty"), ("a,b\n1\n", 2, nil, "1 cell where the header has 2"), ("a,b\n1,2,3\n", 2, nil, "3 cells where"),
            ("a,b\n1,\"x\n", 2, 3, "never ends"), ("a,b\n1,\"x\" y\n", 2, 6, "after the closing quote"),
            ("a,b\n\"l\nm\",\"x\"y\n", 3, 7, "found 'y'"), ("a,b\n1\r2,3\n", 2, 2, "carriage return"),
            ("a,a\n1,2\n", 1, nil, "twice"), ("a;b\n1;2\n", 1, nil, "semicolons"), ("a\tb\n1\t2\n", 1, nil, "tabs"),
        ] as [(String, Int, Int?, String)])
    func refusesCSV(_ text: String, _ line: Int, _ column: Int?, _ words: String) throws {
        let error = try #require(try fault("a.csv", text.utf8))
        #expect(error.code == .content && error.message.contains(words) && (text.isEmpty || error.line == line), "\(error)")
        #expect(column == nil || error.column == column, "\(error)")
    }

    @Test func refusesBadUTF8InCSV() throws {
        let error = try fault("a.csv", Array("a,b\n1,é".utf8) + [0xFF, 0x0A])
        #expect(error?.line == 2 && error?.column == 4 && error?.message.contains("UTF-8") == true, "\(String(describing: error))")
    }

    /// Rows that are longer than the window, cut by it at every place.
    @Test func readsBeyondTheWindow() throws {
        var text = "a,b\n"
        var lines: [String] = []
        for i in 0..<60 {
            let cell = String(repeating: i % 2 == 0 ? "é\"\"\r\n" : "x,y", count: 5000 + i * 37)
            text += "\"\(cell)\",\(i)\n"
            lines.append("a='\(cell.replacingOccurrences(of: "\"\"", with: "\""))' b='\(i)'")
        }
        #expect(try shown(rows("a.csv", text.utf8)) == lines)
        let array =
            "["
            + (0..<60).map { #"{"a": "\#(String(repeating: "\\\"]}é", count: 7000 + $0 * 13))", "b": \#($0)}"# }.joined(separator: ",\n")
            + "]"
        let read = try rows("a.json", array.utf8)
        #expect(read.count == 60 && read[59]["a"]?.textValue?.utf8.count == 5 * (7000 + 59 * 13) && read[59].place.line == 60)
    }

    @Test func readsJSONArrays() throws {
        let text = "\u{FEFF} [ {\"a\": 1, \"b\": [1.5, null, {\"c\": true}]},\n  {\"b\": \"é\\n\"} ,\n\n {} ]\n"
        let read = try rows("a.json", text.utf8)
        #expect(shown(read) == ["a=1 b=[1.5, null, {c=true}]", "b='é\n'", ""])
        #expect(read.map(\.place.line) == [1, 2, 4] && read.map(\.place.row) == [1, 2, 3])
        #expect(try rows("a.json", "[]".utf8).isEmpty)
        #expect(try shown(rows("a.json", text.utf8, .columns(["b"]))) == ["b=[1.5, null, {c=true}]", "b='é\n'", ""])
    }

    @Test func notesKeysOfJSON() throws {
        let folder = try TemporaryFolder()
        let reader = try TableFile(path: try folder.write("a.json", "[{\"a\":1,\"x\":2},{\"y\":3,\"a\":4}]")).reader(.columns(["a"]))
        while try reader.next() != nil {}
        #expect(reader.names == ["a", "x", "y"])
    }

    @Test(
        arguments: [
            ("[{\"a\":1}", 1, 9, "end of the file"), ("[{\"a\":1},]", 1, 10, "row 2"), ("[{\"a\":1} {}]", 1, 10, "comma"),
            ("[1]", 1, 2, "row 1: found '1'"), ("[{\"a\":1}]x", 1, 10, "after the end"), ("[{\"a\":tru}]", 1, 10, "true"),
            ("[\n {\"a\":1},\n  {\"a\":1,\"a\":2}]", 3, 10, "twice"), ("[\n {\"a\":1},\n  {\"a\":\n \"x]", 4, 2, "never ends"),
            ("12", 1, 1, "array of objects"),
            ("[{]}", 1, 3, "key"), ("[{\"a\\", 1, 5, "ends inside a string"),
        ] as [(String, Int, Int, String)])
    func refusesJSONArrays(_ text: String, _ line: Int, _ column: Int, _ words: String) throws {
        let error = try #require(try fault("a.json", text.utf8))
        #expect(error.code == .content && error.line == line && error.column == column && error.message.contains(words), "\(error)")
    }

    @Test func readsJSONLines() throws {
        let text = "{\"a\":1}\r\n\n  \n{\"a\":2,\"b\":{}}"
        let read = try rows("a.jsonl", text.utf8)
        #expect(shown(read) == ["a=1", "a=2 b={}"] && read.map(\.place.line) == [1, 4])
        #expect(try shown(rows("a.json", text.utf8)) == shown(read), "lines under the name of an array")
        #expect(try fault("a.jsonl", "{\"a\":1}\n[2]\n".utf8)?.line == 2)
        #expect(try fault("a.json", "{\n\"a\": 1\n}".utf8)?.message.contains("an array of objects or one whole object a line") == true)
    }

    @Test(arguments: ["csv", "tsv", "json", "jsonl"]) func unpacks(_ ending: String) throws {
        for packing in ["", ".gz", ".zst"] {
            let read = try rows("\(goldenTables)/rows.\(ending)\(packing)")
            #expect(shown(read) == ["id='1' text='a, \"b\"'", "id='2' text='two\nlines'", "id='3' text='é'"], "\(packing)")
        }
    }

    @Test(arguments: ["gz", "zst"]) func refusesDamagedPacking(_ packing: String) throws {
        let bytes = try MappedFile(path: "\(goldenTables)/rows.csv.\(packing)").copied()
        var cuts = 0
        for count in 0..<bytes.count where try fault("a.csv.\(packing)", bytes[..<count])?.code == .content { cuts += 1 }
        // One cut falls between the two members: what is left is whole.
        #expect(cuts >= bytes.count - 1)
        #expect(try fault("a.csv.\(packing)", bytes + Array("junk".utf8))?.code == .content)
        for i in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[i] ^= 1 << UInt8(bit)
                _ = try fault("a.csv.\(packing)", changed)
            }
        }
        #expect(try fault("a.csv", bytes)?.message.contains("rename it") == true)
        #expect(try fault("a.csv.\(packing)", "a,b\n".utf8)?.message.contains("but is not") == true)
    }

    /// Every short text of these bytes is read or refused.
    @Test func noTextTraps() throws {
        let folder = try TemporaryFolder()
        var random = Random(state: 9)
        let alphabet = Array("\"\"\",,\t\n\r{}[]:\\a1é ".utf8) + [0xFF]
        for _ in 0..<1000 {
            let text = (0..<random.next(below: 24)).map { _ in alphabet[random.next(below: alphabet.count)] }
            for name in ["a.csv", "a.tsv", "a.json", "a.jsonl"] {
                let path = try folder.write(name, (name == "a.json" ? [0x5B, 0x7B] : []) + text)
                do { _ = try rows(path) } catch { #expect(error is UserError) }
            }
        }
    }
}
