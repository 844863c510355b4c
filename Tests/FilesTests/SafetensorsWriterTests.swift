// Our files against those of the Python library, byte for byte. Golden files: Tests/Golden/safetensors, by make.py there.

import Files
import Foundation
import Support
import Testing

/// The content of a golden tensor, by the rule that stands in make.py.
private struct Sample {
    let name: String
    let dtype: SafetensorsDType
    let shape: [Int]

    var bytes: [UInt8] {
        let length = name.utf8.count
        return (0..<shape.reduce(dtype.byteWidth, *)).map { UInt8((7 * $0 + length) % (dtype == .bool ? 2 : 256)) }
    }
}

private let everyDType: [Sample] = [
    Sample(name: "b.f32", dtype: .f32, shape: [2, 3]), Sample(name: "b.u8", dtype: .u8, shape: [2, 3]),
    Sample(name: "b.i8", dtype: .i8, shape: [2, 3]), Sample(name: "b.f8e5m2", dtype: .f8e5m2, shape: [2, 3]),
    Sample(name: "b.f8e4m3", dtype: .f8e4m3, shape: [2, 3]), Sample(name: "b.f8e8m0", dtype: .f8e8m0, shape: [2, 3]),
    Sample(name: "b.f8e4m3fnuz", dtype: .f8e4m3FNUZ, shape: [2, 3]), Sample(name: "b.f8e5m2fnuz", dtype: .f8e5m2FNUZ, shape: [2, 3]),
    Sample(name: "b.i16", dtype: .i16, shape: [2, 3]), Sample(name: "b.u16", dtype: .u16, shape: [2, 3]),
    Sample(name: "b.f16", dtype: .f16, shape: [2, 3]), Sample(name: "b.bf16", dtype: .bf16, shape: [2, 3]),
    Sample(name: "b.i32", dtype: .i32, shape: [2, 3]), Sample(name: "b.u32", dtype: .u32, shape: [2, 3]),
    Sample(name: "b.c64", dtype: .c64, shape: [2, 3]), Sample(name: "b.f64", dtype: .f64, shape: [2, 3]),
    Sample(name: "b.i64", dtype: .i64, shape: [2, 3]), Sample(name: "b.u64", dtype: .u64, shape: [2, 3]),
    Sample(name: "b.bool", dtype: .bool, shape: [3]),
]

private let names: [Sample] = [
    Sample(name: "layers.2.weight", dtype: .f32, shape: [1]), Sample(name: "layers.10.weight", dtype: .f32, shape: [2]),
    Sample(name: "layers.1.weight", dtype: .f32, shape: []), Sample(name: "lora_A.text-matching", dtype: .bf16, shape: [1, 2, 3]),
    Sample(name: "lora_A.code", dtype: .bf16, shape: [3]), Sample(name: "é and 日本 and 😀", dtype: .f32, shape: [1]),
    Sample(name: "quote \" backslash \\ slash / newline \n bell \u{7} delete \u{7F}", dtype: .f32, shape: [1]),
    Sample(name: "e\u{301}", dtype: .f32, shape: [1]), Sample(name: "\u{E9}", dtype: .f32, shape: [1]),
    Sample(name: "empty", dtype: .f32, shape: [0, 4]), Sample(name: "a.empty", dtype: .bf16, shape: [4, 0]),
    Sample(name: "", dtype: .u8, shape: [5]),
]

private let goldenFolder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Golden/safetensors").path

/// Writes samples and gives the file's path and hash.
private func write(_ samples: [Sample], _ metadata: [String: String]?, to path: String) throws -> String {
    let tensors = samples.map { (name: $0.name, dtype: $0.dtype, shape: $0.shape, content: TensorContent(Array($0.bytes))) }
    return try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
}

@Suite struct SafetensorsWriterTests {
    @Test(arguments: ["every-dtype", "names", "no-metadata", "no-tensors"])
    func writesTheLibrarysBytes(_ file: String) throws {
        let (samples, metadata): ([Sample], [String: String]?) =
            switch file {
            case "every-dtype": (everyDType, ["format": "pt"])
            case "names": (names, ["note": "é \"quoted\"\n"])
            case "no-metadata": ([everyDType.last!], nil)
            default: ([], nil)
            }
        let folder = try TemporaryFolder()
        let hash = try write(samples.shuffled(), metadata, to: folder.path("a"))
        let golden = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(goldenFolder)/\(file).safetensors")))
        let written = try folder.bytes("a")
        expectSameBytes(written, golden, String(decoding: written.prefix(2000), as: UTF8.self))
        #expect(hash == SHA256.hex(SHA256.hash(of: golden)))
        #expect(try folder.names == ["a"])
    }

    @Test(arguments: ["every-dtype", "names"])
    func readsTheLibrarysFiles(_ name: String) throws {
        let file = try SafetensorsFile(path: "\(goldenFolder)/\(name).safetensors")
        let samples = name == "names" ? names : everyDType
        #expect(file.entries.count == samples.count)
        for sample in samples {
            let entry = try #require(file[sample.name])
            #expect(entry.name.utf8.elementsEqual(sample.name.utf8))
            #expect(entry.dtype == sample.dtype && entry.shape == sample.shape)
            expectSameBytes(file.bytes(of: entry), sample.bytes, sample.name)
        }
        #expect(file.metadata == (name == "names" ? ["note": "é \"quoted\"\n"] : ["format": "pt"]))
        #expect(file["absent"] == nil)
    }

    @Test func severalMetadataKeysAreSorted() throws {
        let folder = try TemporaryFolder()
        _ = try write([], ["b": "2", "a": "1", "B": "3"], to: folder.path("a"))
        #expect(
            String(decoding: try folder.bytes("a").dropFirst(8), as: UTF8.self).hasPrefix(#"{"__metadata__":{"B":"3","a":"1","b":"2"}}"#))
    }

    @Test func aFailedWriteLeavesTheOldFile() throws {
        let folder = try TemporaryFolder()
        try folder.write("a", "old")
        var failing = FileOperations.system
        failing.write = { _, _, _ in
            errno = ENOSPC
            return -1
        }
        #expect {
            try SafetensorsWriter.write([], metadata: nil, to: folder.path("a"), operations: failing)
        } throws: {
            let error = $0 as? UserError
            return error?.code == .output && error?.message.contains("16 bytes more are needed") == true
        }
        #expect(try folder.names == ["a"])
        #expect(try folder.bytes("a") == Array("old".utf8))
    }
}
