// The end of a Parquet file (parquet.thrift, FileMetaData): its schema, and where the columns of each row group lie.
// A file is PAR1, pages, the footer, its length in four bytes, PAR1.

import Files

/// What the footer says, each count and place checked against the file.
struct ParquetFooter: Sendable {
    private(set) var rowCount = 0
    private(set) var nodes: [ParquetNode] = []
    private(set) var groups: [ParquetRowGroup] = []
    let columns: [TableColumn]
    private var leafCount = 0

    /// - Throws: `UserError` `.content`
    init(_ file: MappedFile) throws(UserError) {
        let place = ParquetPlace(file.path)
        let bytes = file.bytes
        guard bytes.count >= 12, bytes[(bytes.count - 4)...].elementsEqual("PAR1".utf8) else {
            if bytes.suffix(4).elementsEqual("PARE".utf8) {
                throw place.refused("is an encrypted Parquet file; write it again without encryption")
            }
            throw place.damaged("it does not end with PAR1, so it is cut short")
        }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt32.self)))
        guard length <= min(bytes.count - 12, ParquetLimits.footer) else {
            throw place.damaged(
                "its footer has \(length) bytes where \(bytes.count - 12) are there and \(ParquetLimits.footer) are possible")
        }
        let end = bytes.count - 8 - length
        var reader = ThriftReader(UnsafeRawBufferPointer(rebasing: bytes[end..<bytes.count - 8]), place)

        var elements: [ParquetSchemaElement] = []
        var rows: Int?
        var found: [ParquetNode]?
        var field = 0
        while let kind = try reader.nextField(&field) {
            switch field {
            case 2:
                let count = try reader.list(kind, of: .structure)
                guard count <= ParquetLimits.schemaElements else {
                    throw place.refused("has \(count) columns and groups, more than are read")
                }
                for _ in 0..<count { elements.append(try ParquetSchemaElement(&reader, place)) }
                let tree = try ParquetTree(elements, place)
                (found, leafCount) = (tree.columns, tree.leafCount)
            case 3: rows = try reader.integer(kind)
            case 4:
                guard found != nil else { throw place.damaged("its row groups stand before its schema") }
                for _ in 0..<(try reader.list(kind, of: .structure)) {
                    groups.append(try ParquetRowGroup(&reader, leafCount, data: 4..<end, place))
                }
            case 8: throw place.refused("is an encrypted Parquet file; write it again without encryption")
            default: try reader.skip(kind)
            }
        }
        guard let found, let rows, rows >= 0 else { throw place.damaged("its footer lacks the schema or the number of rows") }
        var sum = 0
        for group in groups {
            let (next, overflow) = sum.addingReportingOverflow(group.rowCount)
            guard !overflow else { throw place.damaged("its row groups have too many rows") }
            sum = next
        }
        guard sum == rows else { throw place.damaged("its footer says \(rows) rows and its row groups have \(sum)") }
        (nodes, rowCount) = (found, rows)
        var names: Set<ExactString> = []
        for node in nodes where !names.insert(ExactString(node.name)).inserted {
            throw place.refused("has two columns \(quoted(node.name)); rename one")
        }
        columns = nodes.map { TableColumn(name: $0.name, type: $0.type, refusal: $0.refusal) }
    }
}

/// Rows whose columns lie together.
struct ParquetRowGroup: Sendable {
    private(set) var rowCount = 0
    /// One for each leaf of the schema.
    private(set) var chunks: [ParquetChunk] = []

    fileprivate init(_ reader: inout ThriftReader, _ leafCount: Int, data: Range<Int>, _ place: ParquetPlace) throws(UserError) {
        var field = 0
        while let kind = try reader.nextField(&field) {
            switch field {
            case 1:
                let count = try reader.list(kind, of: .structure)
                guard count == leafCount else { throw place.damaged("a row group has \(count) columns where the schema has \(leafCount)") }
                for _ in 0..<count { chunks.append(try ParquetChunk(&reader, data: data, place)) }
            case 3: rowCount = try reader.integer(kind)
            default: try reader.skip(kind)
            }
        }
        guard rowCount >= 0, chunks.count == leafCount else { throw place.damaged("a row group lacks its columns or its number of rows") }
    }
}

/// A column of a row group: where its pages lie and how they are packed.
struct ParquetChunk: Sendable {
    private(set) var physical = -1
    private(set) var codec = -1
    /// Values and nulls, in lists each element.
    private(set) var entryCount = -1
    private(set) var range = 0..<0
    private(set) var isInOtherFile = false
    private(set) var isEncrypted = false

    fileprivate init(_ reader: inout ThriftReader, data: Range<Int>, _ place: ParquetPlace) throws(UserError) {
        var (size, dataStart, dictionaryStart) = (-1, -1, 0)
        var field = 0
        while let kind = try reader.nextField(&field) {
            switch field {
            case 1: isInOtherFile = try !reader.text(kind).isEmpty
            case 3:
                try reader.structure(kind)
                var member = 0
                while let kind = try reader.nextField(&member) {
                    switch member {
                    case 1: physical = try reader.integer(kind)
                    case 4: codec = try reader.integer(kind)
                    case 5: entryCount = try reader.integer(kind)
                    case 7: size = try reader.integer(kind)
                    case 9: dataStart = try reader.integer(kind)
                    case 11: dictionaryStart = try reader.integer(kind)
                    default: try reader.skip(kind)
                    }
                }
            case 8:
                isEncrypted = true
                try reader.skip(kind)
            default: try reader.skip(kind)
            }
        }
        guard !isInOtherFile, !isEncrypted else { return }
        // Some writers give 0 where there is no dictionary.
        let start = dictionaryStart > 0 ? min(dictionaryStart, dataStart) : dataStart
        guard entryCount >= 0, size >= 0, codec >= 0, entryCount == 0 || data.contains(start), size <= data.upperBound else {
            throw place.damaged("a column of a row group has no size, no place, or one beyond the file")
        }
        guard entryCount > 0 else { return }
        guard size <= data.upperBound - start else {
            throw place.damaged("a column of a row group ends at byte \(start + size) where the footer begins at byte \(data.upperBound)")
        }
        range = start..<start + size
    }
}
