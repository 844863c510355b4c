// The section `system` as a type.

import Config
import Tensor

/// `system`: arithmetic, threads and memory.
package struct SystemConfig: Sendable {
    /// Arithmetic of products.
    package let computeType: ComputeType
    /// Whose code multiplies; nil: what serves best.
    package let matrixLibrary: MatrixEngine.Library?
    /// Whether products must keep the bits of a row apart from the other rows.
    package let isExact: Bool
    /// Whether the backbone is copied into the order in which kernels read it.
    package let packedWeights: PackedWeights
    /// Threads of each rank; nil: the cores that the rank is bound to, shared among the ranks of the host.
    package let threads: Int?
    /// Tokens of a text at most, prompt included; the rest is cut off.
    package let maximumTokens: Int
    /// Tokens of a gradient chunk.
    package let chunkTokens: Int
    /// Tokens that go through the layers together; nil: chosen by the engine.
    package let microbatchTokens: Int?
    /// What is held between the passes; nil: the first that fits.
    package let activationMemory: ActivationMemory?
    /// Bytes of all ranks of a host; nil: by what is free at the start.
    package let memoryLimit: Int?

    /// What is asked of packed weights: under `auto` nothing where no memory limit is set.
    package var packing: PackedWeights { packedWeights == .automatic && memoryLimit == nil ? .off : packedWeights }

    /// Takes the values of the section.
    package init(_ values: SettingValues) {
        computeType = values[SystemSettings.computeType]
        matrixLibrary = values[SystemSettings.matrixLibrary]
        packedWeights = values[SystemSettings.packedWeights]
        isExact = values[SystemSettings.isExact]
        threads = values[SystemSettings.threads]
        maximumTokens = values[SystemSettings.maximumTokens]
        chunkTokens = values[SystemSettings.chunkTokens]
        microbatchTokens = values[SystemSettings.microbatchTokens]
        memoryLimit = values[SystemSettings.memoryLimit]
        activationMemory = values[SystemSettings.activationMemory]
    }
}
