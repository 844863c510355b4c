// Where unsafe code may stand, by name and with the reason. Everywhere else memory is reached by arrays and spans, which the compiler
// checks; so a pointer that outlives what it points into can only be in one of these files.

import Foundation
import Support
import Testing

/// Under Sources: folders whose work is memory, and what that is.
private let unsafeFolders: [String: String] = [
    "Tensor/": "the memory of tensors, packed weights, calls of libraries",
    "Tensor/Kernels/": "inner loops over the memory of tensors",
    "Comm/": "the buffers that MPI reads and writes",
    "Tables/": "mapped files",
    "Tables/Parquet/": "decoders over the bytes of a mapped file",
    "Tables/Text/": "scanners over the bytes of a stream, calls of zlib and libzstd",
    "Files/": "mapped files, scanners over them, hashes, system calls",
]

/// Other files under Sources, and why they hold unsafe code.
private let unsafeFiles: [String: String] = [
    "Config/YAMLDocument.swift": "calls libyaml",
    "Images/ImageHeader.swift": "reads the first bytes of a mapped image",
    "Images/JPEGDecoder.swift": "calls libjpeg",
    "Images/PNGDecoder.swift": "calls libpng",
    "Images/RGBImage.swift": "the memory of a picture, which decoders write",
    "Images/Transparency.swift": "inner loops over the memory of a picture",
    "Images/WebPDecoder.swift": "calls libwebp",
    "Images/ResizeMixer.swift": "inner loop of resizing, vectors at any pixel",
    "Images/RowBlock.swift": "inner loop of resizing, words at any pixel",
    "Model/Tokenizer/AddedTokens.swift": "inner loop over the bytes of a text",
    "Model/Tokenizer/BytePairEncoding.swift": "inner loop over the bytes of a word, with work memory on the stack",
    "Model/Tokenizer/CanonicalMapping.swift": "inner loop over the bytes of a text",
    "Model/Tokenizer/Normalizer.swift": "inner loop over the bytes of a text, eight at a time",
    "Model/Tokenizer/PreTokenizer.swift": "inner loop over the bytes of a text",
    "Model/Tokenizer/TextProcessor.swift": "lends a text to the tokenizer",
    "Model/Tokenizer/Tokenizer.swift": "cuts a text into pieces without copies",
    "Model/Tokenizer/TokenizerFile.swift": "scans a mapped file",
    "Model/Tokenizer/TokenizerModel.swift": "lends a word to the tokenizer",
    "Model/Tokenizer/UnicodeClasses.swift": "reads scalars out of the bytes of a text",
    "Model/Tokenizer/Vocabulary.swift": "inner loop of hashing, eight bytes at a time",
    "Model/Tokenizer/WordCache.swift": "inner loop of hashing, eight bytes at a time",
    "Data/Plan/Visibility.swift": "writes into a line of scores that the loss lends",
    "Data/TokenIndex/TrainingData.swift": "a file in memory lives until all ranks have mapped it",
    "Loss/ContrastiveScores.swift": "hands lines of scores to kernels",
    "Loss/ContrastiveScores+Gradient.swift": "inner loops of the gradient of scores",
    "Loss/PoolStatistics.swift": "reads lines of scores",
    "Loss/ScoreTile.swift": "lends lines of its scores",
    "Loss/UseGradient.swift": "tasks add to different rows of one object",
    "Embedding/HostWeights.swift": "a file in memory lives until all ranks have mapped it",
    "Embedding/ImageDecoding.swift": "an object that threads share under a lock",
    "Trainer/Checkpoints/RunLock.swift": "an object that holds a file's lock",
    "Trainer/Console/Console.swift": "a system call writes a line",
    "Trainer/Pool/PanelExchange.swift": "lends a tensor to MPI until a gather has ended",
    "Trainer/Records/MetricsFile.swift": "reads lines of a mapped file",
]

@Suite struct UnsafeCodeTests {
    @Test func standsOnlyWhereItIsNamed() throws {
        for (name, words) in try unsafeWords() {
            let folder = String(name[...(name.lastIndex(of: "/") ?? name.startIndex)])
            #expect(
                unsafeFolders[folder] != nil || unsafeFiles[name] != nil,
                "\(name) holds \(words.sorted().joined(separator: ", ")): use a span or a kernel, or name the file here with the reason")
        }
    }

    /// Nothing that is safe by now, so that the list says what is.
    @Test func everyNameIsNeeded() throws {
        let found = try unsafeWords()
        for name in unsafeFiles.keys.sorted() { #expect(found[name] != nil, "\(name) needs no permission any more") }
        for folder in unsafeFolders.keys.sorted() { #expect(found.keys.contains { $0.hasPrefix(folder) }, "\(folder)") }
    }

    @Test func findsWhatIsUnsafe() {
        #expect(unsafeWords(in: "values.withUnsafeBufferPointer { nonisolated(unsafe) let values = $0 }").count == 2)
        #expect(unsafeWords(in: "struct Line: @unchecked Sendable {}\nwithExtendedLifetime(file) {}").count == 2)
        #expect(unsafeWords(in: "// UnsafePointer\n    let x = 1  // withExtendedLifetime").isEmpty)
        #expect(unsafeWords(in: "let unsafeties = row.withMutableFloats { $0[0] = 1 }").isEmpty)
    }
}

/// Words by which code says that the compiler does not check it.
private let words = [
    "Unsafe", "unsafeBitCast", "unsafeUninitializedCapacity", "unsafeLoad", "_unsafe", "nonisolated(unsafe)", "withExtendedLifetime",
    "assumingMemoryBound", "Unmanaged", "OpaquePointer", "@unchecked",
]

private func unsafeWords(in text: String) -> Set<String> {
    var found: Set<String> = []
    for line in text.split(separator: "\n") {
        let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
        for word in words where code.contains(word) { found.insert(word) }
    }
    return found
}

/// The files under Sources that hold unsafe code, and its words.
private func unsafeWords() throws -> [String: Set<String>] {
    let sources = PackagePath.root.appendingPathComponent("Sources")
    guard let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil) else { return [:] }
    var found: [String: Set<String>] = [:]
    for case let file as URL in files where file.pathExtension == "swift" {
        let words = unsafeWords(in: try String(contentsOf: file, encoding: .utf8))
        if !words.isEmpty { found[String(file.path.dropFirst(sources.path.count + 1))] = words }
    }
    return found
}
