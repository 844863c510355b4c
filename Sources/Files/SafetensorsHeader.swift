// The JSON header of a safetensors file: names, types, shapes and places of the tensors, each checked by itself.
// SafetensorsFile then checks how they lie together. The header of another file may come from anyone: nothing here may trap.

/// The content of a header.
struct SafetensorsHeader {
    /// A tensor as the header describes it. Its length is that of its shape and type.
    struct Tensor {
        let name: String
        let dtype: SafetensorsDType
        let shape: [Int]
        /// Where the data lie, in bytes from the start of all data.
        let offsets: Range<Int>
    }

    private(set) var tensors: [Tensor] = []
    private(set) var metadata: [String: String] = [:]
    private let path: String

    /// Reads and checks a header.
    /// - Throws: `UserError` `.content` naming the tensor, or the byte of the header where it is no JSON
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws(UserError) {
        self.path = path
        guard bytes.first == UInt8(ascii: "{") else {
            throw UserError(.content, path, "has a header that does not begin with '{'; it is damaged or no safetensors file")
        }
        var scanner = JSONScanner(bytes, path: path)
        do throws(UserError) { try read(&scanner) } catch {
            // The scanner counts lines and columns of the header; a reader of a binary file is told so.
            guard let line = error.line, let column = error.column else { throw error }
            throw UserError(.content, path, "header, line \(line), column \(column): \(error.message)")
        }
    }

    private mutating func read(_ scanner: inout JSONScanner) throws(UserError) {
        var names: Set<ExactString> = []
        try scanner.beginObject()
        while let name = try scanner.nextKey()?.string {
            guard names.insert(ExactString(name)).inserted else {
                throw scanner.fault("the name \(quoted(name)) stands twice; write the file again with distinct names")
            }
            if name.utf8.elementsEqual("__metadata__".utf8) {
                try readMetadata(&scanner)
            } else {
                tensors.append(try readTensor(name, &scanner))
            }
        }
        try scanner.expectEnd()
    }

    private mutating func readMetadata(_ scanner: inout JSONScanner) throws(UserError) {
        var keys: Set<ExactString> = []
        try scanner.beginObject()
        while let key = try scanner.nextKey()?.string {
            guard keys.insert(ExactString(key)).inserted else { throw scanner.fault("the key \(quoted(key)) of __metadata__ stands twice") }
            metadata[key] = try scanner.readString()
        }
    }

    private func readTensor(_ name: String, _ scanner: inout JSONScanner) throws(UserError) -> Tensor {
        var dtypeName: String?
        var shape: [Int]?
        var offsets: [Int]?
        func requireFirst(_ isFirst: Bool, _ key: String) throws(UserError) {
            guard isFirst else { throw fault(name, "has \(key) twice") }
        }
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            if key.equals("dtype") {
                try requireFirst(dtypeName == nil, "dtype")
                dtypeName = try scanner.readString()
            } else if key.equals("shape") {
                try requireFirst(shape == nil, "shape")
                shape = try readCounts("shape", of: name, &scanner)
            } else if key.equals("data_offsets") {
                try requireFirst(offsets == nil, "data_offsets")
                offsets = try readCounts("data_offsets", of: name, &scanner)
            } else {
                try scanner.skipValue()  // the reference passes over keys that it does not know
            }
        }
        guard let dtypeName else { throw fault(name, "has no dtype") }
        guard let shape else { throw fault(name, "has no shape") }
        guard let offsets else { throw fault(name, "has no data_offsets") }
        return try checked(name, dtypeName, shape, offsets)
    }

    /// A list of whole numbers that are not negative.
    private func readCounts(_ key: String, of name: String, _ scanner: inout JSONScanner) throws(UserError) -> [Int] {
        var counts: [Int] = []
        try scanner.beginArray()
        while try scanner.nextElement() {
            let count = try scanner.readInteger()
            guard count >= 0 else { throw fault(name, "has \(count) in its \(key), where nothing may be negative") }
            counts.append(Int(count))
        }
        return counts
    }

    /// Checks the length of the data against type and shape.
    private func checked(_ name: String, _ dtypeName: String, _ shape: [Int], _ offsets: [Int]) throws(UserError) -> Tensor {
        guard let dtype = SafetensorsDType(rawValue: dtypeName) else {
            let known = SafetensorsDType.allCases.map(\.rawValue).joined(separator: ", ")
            throw fault(name, "has the dtype \(quoted(dtypeName)), which is not supported (known: \(known)); convert it")
        }
        guard offsets.count == 2 else { throw fault(name, "has \(offsets.count) data_offsets where begin and end are expected") }
        guard offsets[0] <= offsets[1] else {
            throw fault(name, "has data_offsets that end before they begin: \(offsets[0]), \(offsets[1])")
        }
        guard let size = dtype.byteCount(of: shape) else {
            throw fault(name, "has the shape \(Self.text(shape)), whose size does not fit 64 bits")
        }
        guard offsets[1] - offsets[0] == size else {
            throw fault(name, "has \(offsets[1] - offsets[0]) bytes where the shape \(Self.text(shape)) of \(dtypeName) takes \(size)")
        }
        return Tensor(name: name, dtype: dtype, shape: shape, offsets: offsets[0]..<offsets[1])
    }

    private func fault(_ name: String, _ what: String) -> UserError {
        UserError(.content, path, "tensor \(quoted(name)) \(what); write or download the file again")
    }

    private static func text(_ shape: [Int]) -> String {
        shape.count <= 8 ? "\(shape)" : "[\(shape.prefix(8).map(String.init).joined(separator: ", ")), … \(shape.count) in all]"
    }
}
