// Every rule of the format broken once, each with its own sentence. Rules: huggingface/safetensors README, and its
// Rust library 0.8.0, which refuses the same files (and is laxer where a comment says so).

import Files
import Foundation
import Support
import Testing

/// A file of this header and data.
private func file(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
    let text = Array(header.utf8)
    return withUnsafeBytes(of: (length ?? UInt64(text.count)).littleEndian) { Array($0) } + text + [UInt8](repeating: 7, count: data)
}

/// The header of one U8 tensor "a" with these members after `dtype`.
private func one(_ members: String, dtype: String = "U8") -> String { #"{"a":{"dtype":"\#(dtype)",\#(members)}}"# }

private let good = #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"BF16","shape":[1,2],"data_offsets":[2,6]}}"#

private struct Broken: CustomTestStringConvertible {
    let bytes: [UInt8]
    let sentence: String
    init(_ bytes: [UInt8], _ sentence: String) {
        self.bytes = bytes
        self.sentence = sentence
    }
    var testDescription: String { sentence }
}

private let broken: [Broken] = [
    // The file as a whole.
    Broken([], "holds 0 bytes, too few"),
    Broken([UInt8](repeating: 0, count: 7), "holds 7 bytes, too few"),
    Broken([UInt8](repeating: 0, count: 8), "does not begin with '{'"),
    Broken(file("{}", length: 3), "announces a header of 3 bytes but holds only 10"),
    Broken(file("{}", length: 100_000_001), "above the limit of 100000000"),
    Broken(file("{}", length: 1 << 63), "above the limit"),
    Broken(file("{}", length: .max), "above the limit"),
    Broken(file("{}", length: 1), "the text ends inside an object"),
    Broken(Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".utf8), "Git LFS pointer of 63 bytes"),
    Broken(Array("PK\u{3}\u{4}archive/data.pkl".utf8), "pickle or zip"),
    Broken([0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9], "pickle or zip"),
    Broken(Array("<!DOCTYPE html><html>".utf8), "web page"),
    Broken(Array(#"{"weight_map": {}}"#.utf8), "JSON text"),
    Broken(Array("GGUF\u{3}\u{0}\u{0}\u{0}\u{1}".utf8), "GGUF"),
    // The header as JSON.
    Broken(file(" {}"), "does not begin with '{'"),  // the library lets blanks stand before the header
    Broken(file("[]"), "does not begin with '{'"),
    Broken(file("{} x"), "header, line 1, column 4"),
    Broken(file(#"{"a":}"#), "header, line 1, column 6"),
    Broken(file(#"{"a":[]}"#), "found an array where an object is expected"),
    Broken(file("{\"a\u{1}\":{}}"), "control character"),
    Broken(
        withUnsafeBytes(of: UInt64(8).littleEndian) { Array($0) } + [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x7B, 0x7D, 0x7D], "not valid UTF-8"),
    Broken(file(String(repeating: #"{"a":"#, count: 50_000)), "nested deeper"),
    Broken(file(#"{"a":{"x":"# + String(repeating: "[", count: 50_000)), "nested deeper"),
    // Names. The library keeps the last of two equal ones.
    Broken(
        file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, data: 1),
        "twice"),
    Broken(
        file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, data: 2),
        "twice"),
    Broken(file(#"{"__metadata__":{},"__metadata__":{}}"#), "twice"),
    Broken(file(#"{"__metadata__":{"x":"1","\u0078":"1"}}"#), "twice"),
    Broken(file(#"{"__metadata__":{"x":1}}"#), "where a string is expected"),
    Broken(file(#"{"__metadata__":"x"}"#), "where an object is expected"),
    Broken(file(#"{"__metadata__":null}"#), "where an object is expected"),  // null is none for the library
    // One tensor.
    Broken(file(#"{"a":{"shape":[1],"data_offsets":[0,1]}}"#, data: 1), #"tensor "a" has no dtype"#),
    Broken(file(one(#""data_offsets":[0,1]"#), data: 1), #"tensor "a" has no shape"#),
    Broken(file(one(#""shape":[1]"#), data: 1), #"tensor "a" has no data_offsets"#),
    Broken(file(one(#""dtype":"U8","shape":[1],"data_offsets":[0,1]"#), data: 1), "dtype twice"),
    Broken(file(one(#""shape":[1],"shape":[1],"data_offsets":[0,1]"#), data: 1), "shape twice"),
    Broken(file(one(#""shape":[1],"data_offsets":[0,1],"data_offsets":[0,1]"#), data: 1), "data_offsets twice"),
    Broken(file(one(#""shape":[1],"data_offsets":[5,1]"#, dtype: "F7"), data: 1), #"the dtype "F7", which is not supported"#),
    Broken(file(one(#""shape":[2],"data_offsets":[0,1]"#, dtype: "F4"), data: 1), #"the dtype "F4", which is not supported"#),
    Broken(file(one(#""shape":[1],"data_offsets":[0,1]"#, dtype: "u8"), data: 1), #"the dtype "u8", which is not supported"#),
    Broken(file(one(#""shape":[-1],"data_offsets":[0,1]"#), data: 1), "has -1 in its shape"),
    Broken(file(one(#""shape":[1.0],"data_offsets":[0,1]"#), data: 1), "found 1.0 where a whole number"),
    Broken(file(one(#""shape":[1e0],"data_offsets":[0,1]"#), data: 1), "found 1e0 where a whole number"),
    Broken(file(one(#""shape":["1"],"data_offsets":[0,1]"#), data: 1), "found a string where a number"),
    Broken(file(one(#""shape":1,"data_offsets":[0,1]"#), data: 1), "found a number where an array"),
    Broken(file(one(#""shape":[18446744073709551616],"data_offsets":[0,1]"#), data: 1), "where a whole number"),
    Broken(file(one(#""shape":[4611686018427387904,4],"data_offsets":[0,0]"#)), "does not fit 64 bits"),
    Broken(file(one(#""shape":[4611686018427387904,4,0],"data_offsets":[0,0]"#)), "does not fit 64 bits"),
    Broken(file(one(#""shape":[4611686018427387904],"data_offsets":[0,0]"#, dtype: "F64")), "does not fit 64 bits"),
    Broken(file(one(#""shape":[1],"data_offsets":[0]"#), data: 1), "has 1 data_offsets"),
    Broken(file(one(#""shape":[1],"data_offsets":[0,1,2]"#), data: 1), "has 3 data_offsets"),
    Broken(file(one(#""shape":[1],"data_offsets":[-1,0]"#), data: 1), "has -1 in its data_offsets"),
    Broken(file(one(#""shape":[1],"data_offsets":[1,0]"#), data: 1), "end before they begin: 1, 0"),
    Broken(file(one(#""shape":[1],"data_offsets":[0,9223372036854775807]"#), data: 1), "has 9223372036854775807 bytes where"),
    Broken(file(one(#""shape":[3],"data_offsets":[0,2]"#), data: 2), "has 2 bytes where the shape [3] of U8 takes 3"),
    Broken(file(one(#""shape":[3],"data_offsets":[0,4]"#), data: 4), "has 4 bytes where the shape [3] of U8 takes 3"),
    Broken(file(one(#""shape":[3],"data_offsets":[0,3]"#, dtype: "BF16"), data: 3), "takes 6"),
    Broken(file(one(#""shape":[],"data_offsets":[0,0]"#)), "has 0 bytes where the shape [] of U8 takes 1"),
    // The tensors together.
    Broken(file(one(#""shape":[1],"data_offsets":[1,2]"#), data: 2), "begins at byte 1 of the data where 0 is expected"),
    Broken(file(good.replacingOccurrences(of: "[2,6]", with: "[3,7]"), data: 7), #"leaves a gap after the tensor "a""#),
    Broken(file(good.replacingOccurrences(of: "[2,6]", with: "[1,5]"), data: 5), #"overlaps the tensor "a""#),
    Broken(file(good.replacingOccurrences(of: "[2,6]", with: "[0,4]"), data: 4), "overlaps the tensor"),
    Broken(file(good, data: 5), #"tensor "b" ends at byte 6 of the data but the file holds 5"#),
    Broken(file(good, data: 7), "1 bytes too many"),
    Broken(file("{}", data: 1), "1 bytes too many"),
]

@Suite struct SafetensorsFileTests {
    @Test(arguments: broken) fileprivate func refuses(_ broken: Broken) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("m.safetensors", broken.bytes)
        do throws(UserError) {
            _ = try SafetensorsFile(path: path)
            Issue.record("accepted")
        } catch {
            #expect(error.code == .content && error.path == path && error.message.contains(broken.sentence), "\(error)")
        }
    }

    @Test(arguments: [
        (file(good, data: 6), 2),
        (file(good + "   \n\t", data: 6), 2),
        (file(#"{"b":{"data_offsets":[1,3],"shape":[2],"dtype":"U8"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, data: 3), 2),
        (file(one(#""shape":[1],"data_offsets":[0,1],"extra":{"x":[1]}"#), data: 1), 1),
        (file(one(#""shape":[],"data_offsets":[0,1]"#), data: 1), 1),
        (file(one(#""shape":[0,4611686018427387904],"data_offsets":[0,0]"#)), 1),
        (file(one(#""shape":[\#(Array(repeating: "1", count: 1000).joined(separator: ","))],"data_offsets":[0,1]"#), data: 1), 1),
        (file(#"{"":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0000":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#), 2),
        (file("{}"), 0),
    ])
    func accepts(_ bytes: [UInt8], _ count: Int) throws {
        let folder = try TemporaryFolder()
        let file = try SafetensorsFile(path: try folder.write("m", bytes))
        #expect(file.entries.count == count)
        #expect(file.entries.map(\.bytes.lowerBound) == file.entries.map(\.bytes.lowerBound).sorted())
        for entry in file.entries { #expect(file.bytes(of: entry).count == entry.bytes.count) }
    }

    @Test func placesDataBehindTheHeader() throws {
        let folder = try TemporaryFolder()
        let file = try SafetensorsFile(path: try folder.write("m", Array(file(good)) + [1, 2, 3, 4, 5, 6]))
        #expect(Array(file.bytes(of: try #require(file["a"]))) == [1, 2])
        #expect(Array(file.bytes(of: try #require(file["b"]))) == [3, 4, 5, 6])
    }

    @Test func longNamesAreShortenedInMessages() throws {
        let folder = try TemporaryFolder()
        let name = String(repeating: "x", count: 1_000_000)
        let path = try folder.write("m", file("{\"\(name)\":{\"dtype\":\"U8\",\"shape\":[1]}}"))
        #expect { try SafetensorsFile(path: path) } throws: { "\($0)".utf8.count < 500 }
    }

    /// Cut anywhere, a file is refused; with any byte changed it is read or refused: never a trap.
    @Test func survivesTruncationAndChanges() throws {
        let folder = try TemporaryFolder()
        let whole = file(good, data: 6)
        for count in 0..<whole.count {
            let path = try folder.write("m", whole[..<count])
            #expect(throws: UserError.self, "cut at \(count)") { try SafetensorsFile(path: path) }
        }
        for i in 0..<whole.count - 6 {
            for byte: UInt8 in [0, 0x22, 0x2D, 0x39, 0xFF] {
                var changed = whole
                changed[i] = byte
                let path = try folder.write("m", changed)
                if let file = try? SafetensorsFile(path: path) {
                    for entry in file.entries { #expect(file.bytes(of: entry).count == entry.bytes.count) }
                }
            }
        }
    }

    @Test func missingFilesAndFolders() throws {
        let folder = try TemporaryFolder()
        for path in [folder.path("none"), folder.path] {
            #expect { try SafetensorsFile(path: path) } throws: { ($0 as? UserError)?.code == .missing }
        }
    }
}
