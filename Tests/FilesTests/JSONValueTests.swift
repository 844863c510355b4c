// Trees and their text. Expected texts are Python's json.dumps (ensure_ascii=False; separators (",", ":") or indent=2).

import Files
import Support
import Testing

private func compact(_ text: String) throws -> String {
    String(decoding: try JSONValue.parse(Array(text.utf8), path: nil).serialized(), as: UTF8.self)
}

@Suite struct JSONValueTests {
    @Test func readsEveryKind() throws {
        let value = try JSONValue.parse(Array(#"{"a":1,"b":2.0,"c":"x","d":[true,null],"e":{"f":-1}}"#.utf8), path: nil)
        #expect(value["a"]?.integerValue == 1 && value["a"]?.numberValue == 1)
        #expect(value["b"]?.integerValue == nil && value["b"]?.numberValue == 2)
        #expect(value["c"]?.stringValue == "x")
        #expect(value["d"]?.arrayValue?.first?.boolValue == true && value["d"]?.arrayValue?.last?.isNull == true)
        #expect(value["e"]?["f"]?.integerValue == -1)
        #expect(value["g"] == nil && value["c"]?["f"] == nil)
        #expect(value.objectValue?.entries.map(\.key) == ["a", "b", "c", "d", "e"])
    }

    @Test(arguments: [#"{"a":1,"a":1}"#, #"{"a":1,"\u0061":2}"#, #"{"x":{"":1,"":2}}"#])
    func refusesDuplicates(_ text: String) {
        #expect { try JSONValue.parse(Array(text.utf8), path: "f") } throws: { ($0 as? UserError)?.message.contains("twice") == true }
    }

    @Test func equivalentNamesAreNotDuplicates() throws {
        let value = try JSONValue.parse(Array("{\"\u{E9}\":1,\"e\u{301}\":2}".utf8), path: nil)
        #expect(value["\u{E9}"]?.integerValue == 1 && value["e\u{301}"]?.integerValue == 2)
    }

    @Test func refusesTrailingBytesWithTheRowsLine() {
        #expect { try JSONValue.parse(Array("{} {}".utf8), path: "rows.jsonl", code: .configuration, firstLine: 12) } throws: {
            $0 as? UserError == UserError(.configuration, "rows.jsonl", line: 12, column: 4, "found '{' after the end of the JSON value")
        }
    }

    @Test func writesCompactText() throws {
        let text = #"{"b":[1,-2,2.5,1e-07,true,null,[],{}],"a":"é\"\\/\b\f\n\r\t\u0001\u001f"}"#
        #expect(try compact(text) == text)
    }

    @Test func writesIndentedSortedText() {
        let value: JSONValue = ["b": [1, ["c": nil]], "a": "x", "é": [], "Z": [:]]
        let expected = """
            {
              "Z": {},
              "a": "x",
              "b": [
                1,
                {
                  "c": null
                }
              ],
              "é": []
            }
            """
        #expect(String(decoding: value.serialized(pretty: true, sortedKeys: true), as: UTF8.self) == expected)
    }

    @Test func doublesRoundTrip() throws {
        for value in [
            0.1, -0.0, 1e16, 1e22, 123456789.0, .pi, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
            Double(bitPattern: 0x000F_FFFF_FFFF_FFFF),
        ] {
            let bytes = JSONValue.number(value).serialized()
            #expect(
                try JSONValue.parse(bytes, path: nil).numberValue?.bitPattern == value.bitPattern,
                "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test func membersKeepTheirPlaces() {
        var object = JSONObject()
        object["a"] = 1
        object["b"] = 2
        object["c"] = 3
        object["b"] = 4
        object["a"] = nil
        #expect(
            object.entries.map(\.key) == ["b", "c"] && object["b"]?.integerValue == 4 && object["c"]?.integerValue == 3
                && object["a"] == nil)
    }

    @Test func readsFiles() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("a.json", "{\n\"x\": }")
        #expect { try JSONValue.parse(file: path) } throws: {
            let error = $0 as? UserError
            return error?.path == path && error?.line == 2 && error?.column == 6
        }
        #expect { try JSONValue.parse(file: folder.path("none.json")) } throws: { ($0 as? UserError)?.code == .missing }
    }
}
