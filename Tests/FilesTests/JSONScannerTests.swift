// The pull scanner: what it gives, what it refuses and where it says the fault is.

import Files
import Foundation
import Support
import Testing

/// Runs `body` with a scanner over `text`.
private func scan<T>(_ text: some Sequence<UInt8>, _ body: (inout JSONScanner) throws -> T) rethrows -> T {
    try Array(text).withUnsafeBufferPointer { bytes in
        var scanner = JSONScanner(bytes, path: "f.json")
        return try body(&scanner)
    }
}

/// The error of scanning `text` as one value.
private func fault(_ text: some Sequence<UInt8>) -> UserError? {
    scan(text) { scanner in
        do throws(UserError) {
            try scanner.skipValue()
            try scanner.expectEnd()
            return nil
        } catch { return error }
    }
}

@Suite struct JSONScannerTests {
    @Test func pullsAnObject() throws {
        try scan(#" {"a":[1, -2],"b\u0062": {"c": "x\ny"}, "d":true , "e":null,"f":1.5e1 } "#.utf8) { scanner in
            try scanner.beginObject()
            #expect(try scanner.nextKey()?.string == "a")
            try scanner.beginArray()
            #expect(try scanner.nextElement())
            #expect(try scanner.readInteger() == 1)
            #expect(try scanner.nextElement())
            #expect(try scanner.readInteger() == -2)
            #expect(try !scanner.nextElement())
            let key = try #require(try scanner.nextKey())
            #expect(key.hasEscapes && key.equals("bb") && Array(key.raw) == Array(#"b\u0062"#.utf8))
            try scanner.beginObject()
            #expect(try scanner.nextKey()?.equals("c") == true)
            #expect(try scanner.readString() == "x\ny")
            #expect(try scanner.nextKey() == nil)
            #expect(try scanner.nextKey()?.string == "d")
            #expect(try scanner.readBool())
            #expect(try scanner.nextKey()?.string == "e")
            try scanner.readNull()
            #expect(try scanner.nextKey()?.string == "f")
            #expect(try scanner.readNumber() == .number(15))
            #expect(try scanner.nextKey() == nil)
            try scanner.expectEnd()
        }
    }

    /// Every rule of RFC 8259 that a text can break, with the column where it is broken.
    @Test(arguments: [
        ("", 1), ("  ", 3), ("{", 2), ("[", 2), ("[1", 3), ("[1,", 4), ("[1,]", 3), ("[,1]", 2), ("[1 2]", 4), ("[1}", 3), ("{]", 2),
        (#"{"a"}"#, 5), (#"{"a":}"#, 6), (#"{"a":1,}"#, 7), (#"{"a" 1}"#, 6), (#"{a:1}"#, 2), (#"{'a':1}"#, 2), (#"{1:1}"#, 2),
        (#"{"a":1 "b":2}"#, 8),
        ("1 2", 3), ("{} x", 4), ("nul", 4), ("nulL", 4), ("True", 1), ("tru", 4), ("falsy", 5), ("NaN", 1), ("Infinity", 1),
        ("-Infinity", 2),
        ("01", 1), ("-01", 1), ("1.", 3), (".5", 1), ("+1", 1), ("-", 2), ("1e", 3), ("1e+", 4), ("1.e1", 3), ("0x10", 2), ("--1", 2),
        ("\"", 1), ("\"a", 1), ("\"\\", 2), ("\"\\\"", 1), (#""\x""#, 2), (#""\u12""#, 2), (#""\u12G4""#, 2), (#""\uD800""#, 2),
        (#""\uDC00""#, 2),
        (#""\uD800\u0041""#, 2), (#""\uD800x""#, 2), (#""\uDC00\uDC00""#, 2), (#""ab\uD83D\uD83D""#, 4), ("\"a\u{0}b\"", 3),
        ("\"a\tb\"", 3),
        ("\"abcdefghijkl\u{1F}\"", 14), ("\"a\nb\"", 3),
        ("// x\n1", 1), ("[1/**/]", 3), ("\u{FEFF}{}", 1), ("\u{A0}1", 1), ("é", 1), ("[\"é\" é]", 6),
    ])
    func refuses(_ text: String, _ column: Int) {
        let error = fault(text.utf8)
        #expect(
            error?.code == .content && error?.path == "f.json" && error?.line == 1 && error?.column == column,
            "\(String(describing: error))")
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xE2, 0x82],
            [0xE2, 0x28, 0xA1], [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func refusesBadUTF8(_ bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        let error = fault([quote, 0x61] + bytes + [quote])
        #expect(error?.message.contains("not valid UTF-8") == true && error?.column == 3, "\(String(describing: error))")
        #expect(fault([quote, 0x61] + bytes) != nil)
    }

    @Test func acceptsEveryLengthOfUTF8() throws {
        for text in ["\u{7F}", "\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}", "aé日😀"] {
            #expect(try scan("\"\(text)\"".utf8) { try Array($0.readString().utf8) } == Array(text.utf8))
        }
    }

    @Test func unescapes() throws {
        let text = #""\"\\\/\b\f\n\r\t\u0041\u00e9\u65E5\ud83d\ude00\u0000é""#
        #expect(try scan(text.utf8) { try Array($0.readString().utf8) } == Array("\"\\/\u{8}\u{C}\n\r\tAé日😀\u{0}é".utf8))
    }

    @Test func namesLineAndColumnInCharacters() {
        let error = fault("{\n  \"é日\": 1,\n  \"ü\": tru }\n".utf8)
        #expect(error?.line == 3 && error?.column == 11, "\(String(describing: error))")
    }

    @Test func comparesKeysByBytes() throws {
        let kelvin = try scan("\"\u{212A}\"".utf8) { try $0.readText().equals("K") }
        #expect(!kelvin)
    }

    @Test func integersAreExact() throws {
        func integer(_ text: String) throws -> Int64 { try scan(text.utf8) { try $0.readInteger() } }
        #expect(try integer("9223372036854775807") == Int64.max)
        #expect(try integer("-9223372036854775808") == Int64.min)
        #expect(try integer("-0") == 0)
        for text in ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e3", "1.0", "123456789012345678901234567890"]
        {
            #expect(throws: UserError.self) { try integer(text) }
        }
    }

    @Test func othersAreCorrectlyRounded() throws {
        func number(_ text: String) throws -> JSONNumber { try scan(text.utf8) { try $0.readNumber() } }
        #expect(try number("9223372036854775808") == .number(0x1p63))
        #expect(try number("9007199254740993.0") == .number(9_007_199_254_740_992))
        #expect(try number("2.2250738585072011e-308") == .number(Double(bitPattern: 0x000F_FFFF_FFFF_FFFF)))
        #expect(try number("5e-324") == .number(.leastNonzeroMagnitude))
        #expect(try number("1e-400") == .number(0))
        #expect(try number("1.7976931348623157E+308") == .number(.greatestFiniteMagnitude))
        #expect(throws: UserError.self) { try number("1e400") }
        #expect(throws: UserError.self) { try number("-1e400") }
    }

    @Test func limitsDepth() {
        #expect(fault((String(repeating: "[", count: 64) + String(repeating: "]", count: 64)).utf8) == nil)
        #expect(fault(String(repeating: "[", count: 65).utf8)?.message.contains("deeper than 64") == true)
        #expect(fault(String(repeating: "{\"a\":", count: 100_000).utf8)?.column == 1 + 64 * 5)
    }

    @Test func namesBothKinds() {
        let error = scan("[\"x\"]".utf8) { scanner -> UserError? in
            #expect(throws: UserError.self) { try scanner.beginObject() }
            do throws(UserError) { _ = try scanner.readInteger() } catch { return error }
            return nil
        }
        #expect(error?.message == "found an array where a number is expected")
    }

    /// Each prefix of a valid text is refused, and each text with one byte changed is read or refused, never a trap.
    @Test func survivesTruncationAndChanges() throws {
        let text = Array(
            #"{"a":[1,-2.5e-3,true,false,null,"é\u00e9\ud83d\ude00\\"],"b":{"c":{}},"dddddddddddddddd":"long plain text"}"#.utf8)
        #expect(fault(text) == nil)
        for count in 0..<text.count { #expect(fault(text[..<count]) != nil, "prefix of \(count)") }
        for i in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[i] = byte
                _ = fault(changed)
            }
        }
    }
}
