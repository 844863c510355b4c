// What Pillow, torch and transformers made of the golden pictures and of those in the folder of test data.

import Files
import Foundation
import Images
import Support
import Testing

/// One picture and what the references make of it (Tests/Golden/images/make.py).
struct GoldenImage: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// Nil where Pillow refuses the file.
    let reference: Reference?
    /// Lengths to which the file is cut, and the pixels' hash where Pillow decodes what is left.
    let cuts: [(length: Int, rgb: String?)]

    struct Reference: Sendable {
        let width: Int
        let height: Int
        let rgb: String
        /// Patches from top to bottom and from left to right.
        let grid: [Int]
        private let hashes: JSONValue

        /// SHA-256 of the scaled picture and of its patches.
        func processed(_ backend: ImageProcessorConfig.Backend) -> (resized: String, patches: String) {
            let entry = hashes[backend == .torchvision ? "torchvision" : "pillow"]
            return (entry?["resized"]?.stringValue ?? "", entry?["patches"]?.stringValue ?? "")
        }

        init?(_ entry: JSONValue) {
            guard let width = entry["width"]?.integerValue, let height = entry["height"]?.integerValue, let rgb = entry["rgb"]?.stringValue
            else { return nil }
            (self.width, self.height, self.rgb, hashes) = (Int(width), Int(height), rgb, entry)
            grid = entry["grid"]?.arrayValue?.compactMap(\.integerValue).map { Int($0) } ?? []
        }
    }

    var testDescription: String { name }

    private init(_ entry: JSONValue, folder: URL) throws {
        name = entry["file"]?.stringValue ?? ""
        bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
        reference = Reference(entry)
        let survived = entry["survived"]
        cuts = (entry["cuts"]?.arrayValue ?? []).compactMap(\.integerValue).map { (Int($0), survived?["\($0)"]?.stringValue) }
    }

    /// The committed pictures.
    static func small() throws -> [GoldenImage] {
        try read("small.json", folder: URL(fileURLWithPath: PackagePath.golden("images/files")))
    }

    /// The pictures in the folder of test data.
    static func real() throws -> [GoldenImage] { try read("real.json", folder: TestData.url("images")) }

    private static func read(_ list: String, folder: URL) throws -> [GoldenImage] {
        let entries = try JSONValue.parse(file: PackagePath.golden("images/\(list)")).arrayValue ?? []
        return try entries.map { try GoldenImage($0, folder: folder) }
    }

    /// Decodes the first bytes of the file, all by default.
    func decode(first count: Int? = nil, _ view: PictureView = .stored) throws -> RGBImage {
        try bytes.prefix(count ?? bytes.count).withUnsafeBytes { try RGBImage.decode($0, path: name, view) }
    }
}

extension RGBImage {
    var sha256: String { SHA256.hex(SHA256.hash(of: bytes)) }

    /// Of the same bytes in an array.
    convenience init(_ bytes: some Collection<UInt8>, width: Int, height: Int) {
        self.init(width: width, height: height)
        precondition(bytes.count == count)
        for (place, byte) in bytes.enumerated() { pixels[place] = byte }
    }
}

extension ImagePatches {
    var sha256: String { SHA256.hex(SHA256.hash(of: values.bytes)) }
}

extension ImageProcessorConfig {
    /// The published settings with either backend.
    static func published(_ backend: Backend) throws -> ImageProcessorConfig {
        let folder = try TemporaryFolder()
        try folder.write("preprocessor_config.json", "{\"use_fast\": \(backend == .torchvision)}")
        return try read(folder: folder.path)
    }
}
