// The tensors of one or several safetensors files by name, on their way into a model: each is taken once, with its shape and
// type checked; what is left at the end is a fault. Under the backbone's and the adapters' readers.

import Files
import Tensor

struct TensorTable {
    private struct Place {
        let file: SafetensorsFile
        let entry: SafetensorsFile.Entry
    }

    /// Named when a tensor is missing: the file, or the index of several.
    let path: String
    private var places: [ExactString: Place] = [:]
    private(set) var takenParameters = 0

    /// - Parameter canonicalName: what a name on disk means here
    /// - Throws: `UserError` `.content` when two tensors have one name
    init(_ files: [SafetensorsFile], path: String, canonicalName: (String) -> String = { $0 }) throws(UserError) {
        self.path = path
        for file in files {
            for entry in file.entries {
                let name = ExactString(canonicalName(entry.name))
                if let other = places.updateValue(Place(file: file, entry: entry), forKey: name) {
                    throw UserError(
                        .content, file.path,
                        "tensor \(quoted(entry.name)) stands there already as \(quoted(other.entry.name)) in \(other.file.path); remove one"
                    )
                }
            }
        }
    }

    var names: [String] { places.keys.sorted().map(\.string) }

    func has(_ name: String) -> Bool { places[ExactString(name)] != nil }

    /// Takes a matrix, which stays where it is in the mapped file.
    mutating func matrix(_ name: String, rows: Int, columns: Int) throws(UserError) -> WeightMatrix {
        try take(name, [rows, columns], rows: rows, columns: columns)
    }

    /// Takes a tensor as a matrix whose rows are those of its first dimension.
    mutating func matrix(_ name: String, shape: [Int]) throws(UserError) -> WeightMatrix {
        try take(name, shape, rows: shape[0], columns: shape.dropFirst().reduce(1, *))
    }

    /// Takes a vector as floats.
    mutating func vector(_ name: String, count: Int) throws(UserError) -> [Float] {
        try take(name, [count], rows: 1, columns: count).widened()
    }

    /// Takes a tensor that nothing reads yet: checked as all others are, and left on disk.
    mutating func leave(_ name: String, shape: [Int]) throws(UserError) {
        _ = try take(name, shape, rows: 1, columns: shape.reduce(1, *))
    }

    /// - Throws: `UserError` `.content` when a tensor has not been taken
    func expectEmpty() throws(UserError) {
        guard let name = places.keys.min(), let place = places[name] else { return }
        let others = places.count > 1 ? " (and \(places.count - 1) others)" : ""
        throw UserError(
            .content, place.file.path,
            "tensor \(quoted(place.entry.name))\(others) has no place in this model; check that config.json belongs to these weights")
    }

    private mutating func take(_ name: String, _ shape: [Int], rows: Int, columns: Int) throws(UserError) -> WeightMatrix {
        guard let place = places.removeValue(forKey: ExactString(name)) else {
            throw UserError(.content, path, "holds no tensor \(quoted(name)); expected one of shape \(shape)")
        }
        let (file, entry) = (place.file, place.entry)
        guard entry.shape == shape else {
            throw UserError(
                .content, file.path, "tensor \(quoted(entry.name)) has the shape \(entry.shape); its configuration asks for \(shape)")
        }
        let element: WeightMatrix.Element
        switch entry.dtype {
        case .f32: element = .float32
        case .bf16: element = .bfloat16
        case .f16: element = .float16
        default:
            throw UserError(
                .content, file.path,
                "tensor \(quoted(entry.name)) is of type \(entry.dtype.rawValue); expected BF16, F16 or F32: convert the weights first")
        }
        takenParameters += rows * columns
        return WeightMatrix(file.file, at: entry.bytes.lowerBound, rows: rows, columns: columns, element: element)
    }
}
