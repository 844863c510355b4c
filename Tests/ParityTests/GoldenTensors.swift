// Reads the tensors of a golden file as arrays.

import Files
import Support
import Testing

/// A golden safetensors file.
struct GoldenTensors {
    private let file: SafetensorsFile

    /// - Parameter name: below Tests/Golden, such as `loss/rows-5`; without its extension
    init(_ name: String) throws { file = try SafetensorsFile(path: PackagePath.golden(name + ".safetensors")) }

    func contains(_ name: String) -> Bool { file[name] != nil }

    func values<T: BitwiseCopyable>(_ name: String, as type: T.Type) throws -> [T] {
        let entry = try #require(file[name], "no tensor \(name)")
        return withExtendedLifetime(file) {
            let bytes = file.bytes(of: entry)
            let width = MemoryLayout<T>.stride
            precondition(width == entry.dtype.byteWidth, "\(name): \(entry.dtype) read as \(type)")
            return (0..<bytes.count / width).map { bytes.loadUnaligned(fromByteOffset: width * $0, as: type) }
        }
    }

    func floats(_ name: String) throws -> [Float] { try values(name, as: Float.self) }

    func integers(_ name: String) throws -> [Int] { try values(name, as: Int32.self).map(Int.init) }
}
