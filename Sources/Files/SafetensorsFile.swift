// Reading safetensors: 8-byte little-endian header length, JSON header, data. Weights, adapters and checkpoints come in by here.
// Every rule of the format is checked before a pointer to data is given out; SafetensorsHeader holds those of the JSON.
// Convention: an entry's range counts from the start of the file. Data may lie at odd addresses: load unaligned, or copy.

/// A safetensors file, mapped, with every tensor proved to lie inside it.
///
///     let file = try SafetensorsFile(path: "model.safetensors")
///     if let entry = file["norm.weight"] { use(file.bytes(of: entry)) }
///
/// Source: huggingface/safetensors, README and `tensor.rs`, 0.8.0.
package struct SafetensorsFile: Sendable {
    /// A tensor of the file: its name, type, shape and place.
    package struct Entry: Sendable {
        /// Name of the tensor.
        package let name: String
        /// Type of its elements.
        package let dtype: SafetensorsDType
        /// Lengths of its dimensions, the outermost first.
        package let shape: [Int]
        /// Where the data lie, in bytes from the start of the file.
        package let bytes: Range<Int>
    }

    /// The format's own limit on the header, in bytes.
    package static let maximumHeaderLength = 100_000_000

    /// The mapped file.
    package let file: MappedFile
    /// All tensors, in the order of their data.
    package let entries: [Entry]
    /// Texts of the header's `__metadata__`.
    package let metadata: [String: String]
    private let positions: [ExactString: Int]

    /// The path as it was given.
    package var path: String { file.path }

    /// Maps a file and checks every rule of the format.
    /// - Throws: `UserError` `.missing` or `.inputOutput` when the file cannot be read, `.content` when it breaks a rule
    package init(path: String) throws(UserError) {
        file = try MappedFile(path: path)
        let headerRange = try Self.headerRange(file.bytes, path)
        let header = try SafetensorsHeader(UnsafeRawBufferPointer(rebasing: file.bytes[headerRange]), path: path)
        metadata = header.metadata
        entries = try Self.laidOut(header.tensors, dataStart: headerRange.upperBound, fileSize: file.bytes.count, path)
        positions = Dictionary(uniqueKeysWithValues: entries.enumerated().map { (ExactString($1.name), $0) })
    }

    /// The tensor of a name, compared byte for byte; nil when there is none.
    package subscript(_ name: String) -> Entry? { positions[ExactString(name)].map { entries[$0] } }

    /// The data of one of this file's entries, little-endian, row-major; valid as long as the file is mapped.
    package func bytes(of entry: Entry) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.bytes[entry.bytes]) }

    /// The data of one of this file's entries as numbers of its type, copied.
    package func numbers<Number: BitwiseCopyable>(of entry: Entry, as _: Number.Type = Number.self) -> [Number] {
        let (count, rest) = entry.bytes.count.quotientAndRemainder(dividingBy: MemoryLayout<Number>.stride)
        precondition(rest == 0, "safetensors: \(entry.name) read as \(Number.self)")
        return withExtendedLifetime(file) {
            [Number](unsafeUninitializedCapacity: count) { numbers, initialized in
                UnsafeMutableRawBufferPointer(numbers).copyMemory(from: bytes(of: entry))
                initialized = count
            }
        }
    }

    /// The header's place in the file, from the length that stands before it.
    private static func headerRange(_ bytes: UnsafeRawBufferPointer, _ path: String) throws(UserError) -> Range<Int> {
        guard bytes.count >= 8 else {
            throw UserError(.content, path, "holds \(bytes.count) bytes, too few for a safetensors file; copy or download it again")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        if length > UInt64(maximumHeaderLength) || length > UInt64(bytes.count - 8) {
            if let other = ForeignFormat.sentence(for: bytes) { throw UserError(.content, path, other) }
            if length > UInt64(maximumHeaderLength) {
                throw UserError(
                    .content, path,
                    "announces a header of \(length) bytes, above the limit of \(maximumHeaderLength); it is damaged or no safetensors file"
                )
            }
            throw UserError(
                .content, path,
                "announces a header of \(length) bytes but holds only \(bytes.count) in all; it is cut short: copy or download it again")
        }
        return 8..<8 + Int(length)
    }

    /// Puts the tensors in the order of their data and proves that they fill it without gap or overlap.
    private static func laidOut(
        _ tensors: [SafetensorsHeader.Tensor], dataStart: Int, fileSize: Int, _ path: String
    ) throws(UserError) -> [Entry] {
        let ordered = tensors.sorted { ($0.offsets.lowerBound, $0.offsets.upperBound) < ($1.offsets.lowerBound, $1.offsets.upperBound) }
        let dataSize = fileSize - dataStart
        var end = 0
        for (i, tensor) in ordered.enumerated() {
            guard tensor.offsets.lowerBound == end else {
                let before = i == 0 ? "the start of the data" : "the tensor \(quoted(ordered[i - 1].name))"
                let fault = tensor.offsets.lowerBound > end ? "leaves a gap after" : "overlaps"
                throw UserError(
                    .content, path,
                    "tensor \(quoted(tensor.name)) begins at byte \(tensor.offsets.lowerBound) of the data where \(end) is expected: it \(fault) "
                        + "\(before); write the file again")
            }
            end = tensor.offsets.upperBound
            guard end <= dataSize else {
                throw UserError(
                    .content, path,
                    "tensor \(quoted(tensor.name)) ends at byte \(end) of the data but the file holds \(dataSize); it is cut short: "
                        + "copy or download it again")
            }
        }
        guard end == dataSize else {
            throw UserError(
                .content, path,
                "holds \(dataSize) bytes of data where its tensors take \(end); \(dataSize - end) bytes too many: copy or download it again"
            )
        }
        return ordered.map {
            Entry(
                name: $0.name, dtype: $0.dtype, shape: $0.shape,
                bytes: dataStart + $0.offsets.lowerBound..<dataStart + $0.offsets.upperBound)
        }
    }
}

/// Files that people take for safetensors.
private enum ForeignFormat {
    /// What the file is and what to do, or nil when it is nothing known.
    static func sentence(for bytes: UnsafeRawBufferPointer) -> String? {
        func begins(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
        if begins("version https://git-lfs") {
            return "is a Git LFS pointer of \(bytes.count) bytes, not the weights; run `git lfs pull` where it was cloned"
        }
        if begins("PK\u{3}\u{4}") || bytes[0] == 0x80 && (2...5).contains(bytes[1]) {
            return "is a pickle or zip archive as PyTorch writes, which may run code when it is read; convert it to safetensors first"
        }
        if begins("GGUF") { return "is a GGUF file; use the model's safetensors files" }
        if begins("\u{7F}ELF") || begins("\u{1F}\u{8B}") { return "is no safetensors file" }
        if begins("<") { return "is a web page, perhaps an error page saved by a download; download the file again" }
        if begins("{") { return "is JSON text, not safetensors; name the .safetensors file itself" }
        return nil
    }
}
