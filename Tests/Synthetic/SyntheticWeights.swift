// A safetensors file of random weights, written from several threads in pieces, so that no tensor is ever whole in memory.
// Neither hashed nor synced: it can be made again.

import Files
import Foundation
import Synchronization
import Tensor

struct SyntheticWeights {
    private let tensors: [SyntheticTensor]
    private let seed: UInt64
    /// Where each tensor begins, behind the header.
    private let offsets: [Int]

    init(_ tensors: [SyntheticTensor], _ seed: UInt64) {
        self.tensors = tensors.sorted { ExactString($0.name) < ExactString($1.name) }
        self.seed = seed
        var end = 0
        offsets = self.tensors.map { tensor in
            defer { end += tensor.bytes }
            return end
        }
    }

    /// Values that a thread makes at a time: 2 MB.
    private static let pieceValues = 1 << 20

    /// - Throws: `UserError` `.output`
    func write(to path: String) throws(UserError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw outputFailed(path, "cannot be created", errno) }
        defer { close(descriptor) }
        let header = header
        let failure = Atomic<Int32>(header.withUnsafeBytes { write($0, to: descriptor, at: 0) })
        let pieces = tensors.indices.flatMap { tensor in
            stride(from: 0, to: tensors[tensor].count, by: Self.pieceValues).map { first in
                (tensor, first..<min(first + Self.pieceValues, tensors[tensor].count))
            }
        }
        Threads.run(pieces.count) { piece in
            guard failure.load(ordering: .relaxed) == 0 else { return }
            let (tensor, range) = pieces[piece]
            withUnsafeTemporaryAllocation(of: UInt16.self, capacity: range.count) { values in
                fill(tensors[tensor], range, values.baseAddress!)
                let code = write(UnsafeRawBufferPointer(values), to: descriptor, at: header.count + offsets[tensor] + 2 * range.lowerBound)
                if code != 0 { failure.store(code, ordering: .relaxed) }
            }
        }
        let code = failure.load(ordering: .relaxed)
        guard code == 0 else { throw outputFailed(path, "cannot be written", code) }
    }

    private func fill(_ tensor: SyntheticTensor, _ range: Range<Int>, _ target: UnsafeMutablePointer<UInt16>) {
        if tensor.isNorm {
            target.update(repeating: BFloat16(rounding: 1).bits, count: range.count)
        } else {
            RandomWeights(seed: seed, name: tensor.name).fill(range, into: target)
        }
    }

    /// - Returns: 0, or the system's error number
    private func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int) -> Int32 {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            guard count > 0 || (count < 0 && errno == EINTR) else { return count < 0 ? errno : EIO }
            done += max(count, 0)
        }
        return 0
    }

    /// Length, JSON, and blanks up to a multiple of 8 bytes.
    private var header: [UInt8] {
        var object = JSONObject()
        object["__metadata__"] = ["format": "pt"]
        for (tensor, offset) in zip(tensors, offsets) {
            object[tensor.name] = [
                "dtype": "BF16", "shape": .array(tensor.shape.map { .integer(Int64($0)) }),
                "data_offsets": [.integer(Int64(offset)), .integer(Int64(offset + tensor.bytes))],
            ]
        }
        var text = JSONValue.object(object).serialized()
        text += repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
    }
}
