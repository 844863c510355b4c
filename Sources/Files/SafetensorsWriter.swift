// Writing safetensors, byte for byte as the reference library (0.8.0) writes the same tensors, so that files can be compared.
// Adapters and checkpoints leave by here.

/// Writes safetensors files.
///
/// Order: types by falling alignment, names by their bytes. Header: compact JSON, `__metadata__` first, filled with blanks to a
/// multiple of 8 bytes. Several metadata keys go by their bytes; the reference takes them in random order.
package enum SafetensorsWriter {
    /// A tensor to write; `bytes` are little-endian, row-major, and as many as shape and type take.
    package typealias Tensor = (name: String, dtype: SafetensorsDType, shape: [Int], bytes: UnsafeRawBufferPointer)
    /// The name, type and shape of a tensor, for the header.
    package typealias Entry = (name: String, dtype: SafetensorsDType, shape: [Int])

    /// Writes a file, atomically, in the place of an older one if there is one.
    /// - Parameter metadata: texts of the header by key; nil: none
    /// - Returns: SHA-256 of the file, in hexadecimal
    /// - Throws: `UserError` `.output`; an older file is then untouched
    @discardableResult
    package static func write(
        _ tensors: [Tensor], metadata: [String: String]?, to path: String, operations: FileOperations = .system
    ) throws(UserError) -> String {
        try AtomicWrite.replace(path, expectedSize: fileSize(tensors, metadata: metadata), operations: operations) {
            (file) throws(UserError) in
            try write(tensors, metadata: metadata, into: &file)
        }.sha256
    }

    /// Writes into a file that someone else finishes, such as one of a pending folder.
    /// - Parameter metadata: texts of the header by key; nil: none
    /// - Throws: `UserError` `.output`
    package static func write(_ tensors: [Tensor], metadata: [String: String]?, into file: inout OutputFile) throws(UserError) {
        let entries = tensors.map { ($0.name, $0.dtype, $0.shape) }
        try file.write(header(of: entries, metadata: metadata))
        for index in fileOrder(of: entries) {
            let tensor = tensors[index]
            precondition(
                tensor.dtype.byteCount(of: tensor.shape) == tensor.bytes.count,
                "safetensors: \(tensor.name) \(tensor.shape) of \(tensor.dtype.rawValue) given as \(tensor.bytes.count) bytes")
            try file.write(tensor.bytes)
        }
    }

    /// Number of bytes that a file of these tensors will take.
    package static func fileSize(_ tensors: [Tensor], metadata: [String: String]?) -> Int {
        header(of: tensors.map { ($0.name, $0.dtype, $0.shape) }, metadata: metadata).count + tensors.reduce(0) { $0 + $1.bytes.count }
    }

    /// Indices of the tensors in the order in which their bytes follow the header: for those who make them one after the other.
    package static func fileOrder(of tensors: [Entry]) -> [Int] {
        let places = Dictionary(uniqueKeysWithValues: SafetensorsDType.allCases.enumerated().map { ($1, $0) })
        let names = tensors.map { ExactString($0.name) }
        return tensors.indices.sorted { (places[tensors[$0].dtype]!, names[$0]) < (places[tensors[$1].dtype]!, names[$1]) }
    }

    /// The bytes that a file begins with: length of the header, JSON and padding.
    package static func header(of tensors: [Entry], metadata: [String: String]?) -> [UInt8] {
        var names: Set<ExactString> = []
        var header = JSONObject()
        if let metadata {
            var texts = JSONObject()
            for key in metadata.keys.sorted(by: { ExactString($0) < ExactString($1) }) { texts[key] = .string(metadata[key]!) }
            header["__metadata__"] = .object(texts)
            names.insert(ExactString("__metadata__"))
        }
        var end = 0
        for index in fileOrder(of: tensors) {
            let tensor = tensors[index]
            let isNew = names.insert(ExactString(tensor.name)).inserted
            precondition(isNew, "safetensors: two tensors named \(tensor.name)")
            let offsets = [end, end + tensor.dtype.byteCount(of: tensor.shape)!]
            end = offsets[1]
            header[tensor.name] = [
                "dtype": .string(tensor.dtype.rawValue), "shape": .array(tensor.shape.map { .integer(Int64($0)) }),
                "data_offsets": .array(offsets.map { .integer(Int64($0)) }),
            ]
        }
        var text = JSONValue.object(header).serialized()
        text += repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
    }
}

/// Lends `body` the memory of several arrays, for a writer that takes tensors as bytes.
///
/// Opens one array after the other, since each lends its memory only to a closure.
package func withBytes<Element, Result>(
    of arrays: ArraySlice<[Element]>, opened: [UnsafeRawBufferPointer] = [],
    _ body: ([UnsafeRawBufferPointer]) throws(UserError) -> Result
) throws(UserError) -> Result {
    guard let array = arrays.first else { return try body(opened) }
    return try array.withUnsafeBufferPointer { (array) throws(UserError) in
        try withBytes(of: arrays.dropFirst(), opened: opened + [UnsafeRawBufferPointer(array)], body)
    }
}
