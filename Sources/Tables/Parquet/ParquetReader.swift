// Rows of a Parquet file: the entries of the wanted leaves put together, as Google's Dremel describes it (Melnik and others, 2010).

import Files

/// One pass over the rows of a Parquet file. Not safe to share between threads.
final class ParquetReader: TableRowSource {
    private let file: MappedFile
    private let footer: ParquetFooter
    private let nodes: [ParquetNode]
    private let wantedNames: [String]
    /// By the leaf's number; nil where it is not wanted.
    private var columns: [ParquetColumn?]
    /// The single leaf of a node that is one, nil for others.
    private var flat: [ParquetColumn?] = []
    private var group = -1
    private var leftOfGroup = 0
    private var row = 0
    private var elements = 0

    /// - Parameter places: of the wanted columns, all of which are of types that are read
    init(_ file: MappedFile, _ footer: ParquetFooter, _ places: [Int]) throws(UserError) {
        self.file = file
        self.footer = footer
        nodes = places.map { footer.nodes[$0] }
        wantedNames = nodes.map(\.name)
        columns = Array(repeating: nil, count: footer.nodes.last?.leaves.upperBound ?? 0)
        for node in nodes { try open(node) }
        flat = nodes.map { node in if case .leaf(let leaf) = node.content { columns[leaf.index] } else { nil } }
    }

    var names: [String] { footer.columns.map(\.name) }

    func next() throws(UserError) -> TableRow? {
        while leftOfGroup == 0 {
            guard try nextGroup() else { return nil }
        }
        leftOfGroup &-= 1
        row &+= 1
        elements = 0
        var values: [TableValue] = []
        values.reserveCapacity(nodes.count)
        do throws(UserError) {
            for i in nodes.indices {
                if let column = flat[i] {
                    values.append(try column.take())
                } else {
                    try checkRowStart(nodes[i])
                    values.append(try value(nodes[i]))
                }
            }
        } catch {
            // The message begins with the column.
            throw UserError(error.code, error.path, "row \(row), \(error.message)")
        }
        return TableRow(place: TablePlace(path: file.path, row: row, line: nil), record: TableRecord(names: wantedNames, values: values))
    }

    private func open(_ node: ParquetNode) throws(UserError) {
        switch node.content {
        case .leaf(let leaf):
            if columns[leaf.index] == nil { columns[leaf.index] = try ParquetColumn(leaf, file) }
        case .structure(let fields): for field in fields { try open(field) }
        case .list(let element, _, _): try open(element)
        case .refused(let reason): throw UserError(.content, file.path, "column \(quoted(node.name)) \(reason)")
        }
    }

    private func nextGroup() throws(UserError) -> Bool {
        for case let column? in columns where !column.isAtEnd {
            throw column.place.damaged("it has more values than its row group has rows")
        }
        guard group + 1 < footer.groups.count else { return false }
        group += 1
        leftOfGroup = footer.groups[group].rowCount
        for case let column? in columns { try column.start(footer.groups[group].chunks[column.leaf.index]) }
        return true
    }

    // MARK: Rows

    /// The first entry of a row repeats nothing.
    private func checkRowStart(_ node: ParquetNode) throws(UserError) {
        for index in node.leaves {
            let column = columns[index]!
            guard try column.look() else { throw column.endOfChunk() }
            guard column.repetition == 0 else { throw column.place.damaged("a row begins inside a list") }
        }
    }

    private func value(_ node: ParquetNode) throws(UserError) -> TableValue {
        if case .leaf(let leaf) = node.content { return try columns[leaf.index]!.take() }
        let first = columns[node.leaves.lowerBound]!
        guard try first.look() else { throw first.endOfChunk() }
        guard first.definition >= node.definition else { return try skipEntry(node, .null) }
        switch node.content {
        case .structure(let fields):
            var values: [TableValue] = []
            values.reserveCapacity(fields.count)
            for field in fields { values.append(try value(field)) }
            return .record(TableRecord(names: node.fieldNames, values: values))
        case .list(let element, let present, let repetition):
            guard first.definition >= present else { return try skipEntry(node, .list([])) }
            var values: [TableValue] = []
            repeat {
                elements += 1
                guard elements <= ParquetLimits.elementsOfRow else {
                    throw first.place.refused("a row has more than \(ParquetLimits.elementsOfRow) elements in its lists")
                }
                values.append(try value(element))
                // A further element repeats at this level; a deeper one was taken by the list inside.
            } while try first.look() && first.repetition >= repetition
            return .list(values)
        case .leaf, .refused: return .null
        }
    }

    /// Passes over the entry that each leaf of a node has where the node is null or empty.
    private func skipEntry(_ node: ParquetNode, _ value: TableValue) throws(UserError) -> TableValue {
        for index in node.leaves {
            let column = columns[index]!
            guard try column.look() else { throw column.endOfChunk() }
            guard column.definition < column.leaf.maximumDefinition else {
                throw column.place.damaged("a value stands in a list or struct that is not there")
            }
            _ = try column.take()
        }
        return value
    }
}
