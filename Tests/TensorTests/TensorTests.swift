// Tensors, and the memory behind them: aligned, never shared between two that live.

import Support
import Tensor
import Testing

@Suite struct TensorTests {
    @Test func rowsAreCopied() {
        let tensor = Tensor((0..<12).map { Float($0) }, rows: 4, columns: 3)
        let rows = tensor.rows(1..<3)
        #expect(rows.shape == [2, 3] && rows.values == [3, 4, 5, 6, 7, 8])
        rows[0, 0] = -1
        #expect(tensor.floats[3] == 3)
        tensor.setRows(from: 2, to: rows)
        #expect(tensor.values == [0, 1, 2, 3, 4, 5, -1, 4, 5, 6, 7, 8])
    }

    @Test func emptyTensors() {
        #expect(Tensor(0, 16).values.isEmpty && Tensor.zeros(3, 0).count == 0)
    }
}

@Suite struct TensorMemoryTests {
    @Test(arguments: [1, 1024, 1025, 5000, 100_000, 1_000_000])
    func livingTensorsDoNotOverlap(count: Int) {
        let tensors = (0..<9).map { _ in Tensor(1, count) }
        for (index, tensor) in tensors.enumerated() { tensor.fill(Float(index)) }
        for (index, tensor) in tensors.enumerated() {
            #expect(tensor.bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } % 64 == 0)
            #expect(tensor.values.allSatisfy { $0 == Float(index) })
        }
    }

    @Test func zerosAreZerosInUsedMemory() {
        do {
            let used = Tensor(333, 77)
            used.fill(.nan)
        }
        #expect(Tensor.zeros(333, 77).values.allSatisfy { $0 == 0 })
    }

    @Test func manyThreadsTakeAndGive() {
        withThreads(3) {
            Threads.run(300) { task in
                let tensors = (0..<10).map { Tensor(1, 1000 + $0 * 700) }
                for tensor in tensors { tensor.fill(Float(task)) }
                for tensor in tensors { #expect(tensor.values.allSatisfy { $0 == Float(task) }) }
            }
        }
    }

    /// Freed neighbours grow together, so blocks of ever other sizes take no new memory.
    @Test func freedMemoryServesBlocksOfAnySize() {
        let size = 40 << 20
        withExtendedLifetime(Tensor(1, size / 4)) {}
        let before = TensorMemory.peakBytes
        #expect(before >= size)
        for parts in 2...9 {
            let tensors = (0..<parts).map { Tensor(1, size / 4 / (parts + $0 % 2)) }
            for index in [Array(stride(from: 0, to: parts, by: 2)), Array(stride(from: 1, to: parts, by: 2))].joined() {
                tensors[index].fill(Float(index))
            }
            for (index, tensor) in tensors.enumerated() { #expect(tensor.floats[tensor.count - 1] == Float(index)) }
        }
        #expect(TensorMemory.peakBytes < before + size)
    }
}

extension Tensor {
    fileprivate func fill(_ value: Float) { withMutableFloats { for i in $0.indices { $0[i] = value } } }
}
