// The section `system` of project_config.yaml: arithmetic, threads and memory.

import Config
import Files
import Tensor

/// The keys of `system`. What each means is said in its declaration, where the documentation takes it from.
package enum SystemSettings {
    package static let bf16 = Setting<Bool>(
        "system.bf16", .boolean, .value(true),
        "Short for `system.compute_dtype`: `true` is `auto`, `false` is `float32`.")
    package static let computeType = Setting<ComputeType>(
        "system.compute_dtype", .choice([.automatic, .bfloat16, .float32]), .value(.automatic),
        "Arithmetic of products; `auto` is bfloat16 where the processor has it.")
    package static let matrixLibrary = Setting<MatrixEngine.Library?>(
        "system.matrix_library", .choice(orWord: "auto", [.own, .openBLAS, .oneDNN]), .value(nil),
        "Whose code multiplies: `own` kernels, OpenBLAS (float32) or oneDNN (bfloat16). `auto`: own kernels, whose bits are "
            + "guaranteed; with `exact: false` whichever is faster at the start.")
    package static let packedWeights = Setting<PackedWeights>(
        "system.packed_weights", .choice([.automatic, .on, .off]), .value(.automatic), mayDifferOnResume: true,
        "Whether the backbone is copied once a host into the order in which the kernels read it: the same bits, and twice the bytes of "
            + "its matrices in the type of the products. `auto`: where a `memory_limit` is set, half of it is enough, and a measurement at the start shows a gain "
            + "of a tenth.")
    package static let isExact = Setting<Bool>(
        "system.exact", .boolean, .value(true),
        "Whether an engine must pass the check that a row's bits depend on neither other rows nor threads. `false`: bits are not "
            + "promised.")
    package static let threads = Setting<Int?>(
        "system.threads", .either(.count(from: 1), orWord: "auto"), .value(nil), mayDifferOnResume: true,
        "Threads of each rank; `auto`: the bound cores, shared among the ranks of the host.")
    package static let maximumTokens = Setting<Int>(
        "system.max_seq_length", .count(from: 1), .value(512), aliases: ["max_length"],
        "Tokens of a text at most, prompt included; the rest is cut off.")
    package static let chunkTokens = Setting<Int>(
        "system.chunk_tokens", .count(from: 1), .value(128),
        "Tokens of a gradient chunk, the unit in which work is shared out among ranks.")
    package static let microbatchTokens = Setting<Int?>(
        "system.microbatch_tokens", .either(.count(from: 1), orWord: "auto"), .value(nil), mayDifferOnResume: true,
        "Tokens that go through the layers together.")
    package static let activationMemory = Setting<ActivationMemory?>(
        "system.activation_memory", .choice(orWord: "auto", [.keep, .recompute, .cache]), .value(nil), mayDifferOnResume: true,
        "What is held between the forward and the backward pass: all (`keep`), the layers' inputs (`recompute`, a second forward "
            + "pass), or embeddings alone (`cache`). `auto`: the first that fits.")
    package static let memoryLimit = Setting<Int?>(
        "system.memory_limit", .either(.bytes, orWord: "auto"), .value(nil), mayDifferOnResume: true,
        "Memory that all ranks of a host may take together, by which activations and converted weights are held or not; `auto`: "
            + "nine tenths of what is free at the start.")

    /// The section as the schema takes it.
    package static let section = SettingSection(
        [
            bf16, computeType, matrixLibrary, packedWeights, isExact, threads, maximumTokens, chunkTokens, microbatchTokens,
            activationMemory, memoryLimit,
        ],
        withoutMeaning: [("system.cuda_visible_devices", "Shoal computes on the processor")],
        alternatives: [SettingAlternative(bf16, computeType)])

    /// Joins `bf16` and `compute_dtype`, which say one thing in two ways.
    ///
    /// - Throws: where both are given and contradict each other
    package static func join(_ values: inout SettingValues) throws(UserError) {
        let short = values.given(bf16)
        guard let type = values.given(computeType) else {
            if short == false { values[computeType] = .float32 }
            return
        }
        let isNarrow = type != .float32
        guard short == nil || short == isNarrow else {
            throw values.error(
                at: computeType, "\(bf16) at \(values.place(of: bf16)) and \(computeType) contradict each other; keep one of the two")
        }
        values[bf16] = isNarrow
    }
}
