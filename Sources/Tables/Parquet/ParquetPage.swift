// The pages of a column chunk (parquet.thrift, PageHeader): dictionary, data of version 1 and 2, one at a time, unpacked.

import CZlib
import Files
import Foundation

/// What a page's header says.
struct ParquetPageHeader {
    /// 0 data, 1 index, 2 dictionary, 3 data of version 2.
    private(set) var type = -1
    private(set) var unpackedSize = -1
    private(set) var size = -1
    private(set) var checksum: UInt32?
    /// Values and nulls.
    private(set) var entryCount = -1
    private(set) var encoding = -1
    private(set) var definitionEncoding = 3
    private(set) var repetitionEncoding = 3
    private(set) var definitionSize = 0
    private(set) var repetitionSize = 0
    private(set) var isPacked = true

    init(_ reader: inout ThriftReader, _ place: ParquetPlace) throws(UserError) {
        var field = 0
        while let kind = try reader.nextField(&field) {
            switch field {
            case 1: type = try reader.integer(kind)
            case 2: unpackedSize = try reader.integer(kind)
            case 3: size = try reader.integer(kind)
            case 4: checksum = UInt32(truncatingIfNeeded: try reader.integer(kind))
            case 5, 7: try readMembers(&reader, kind)
            case 8: try readSecondVersion(&reader, kind)
            default: try reader.skip(kind)
            }
        }
        guard (0...ParquetLimits.page).contains(size), (0...ParquetLimits.page).contains(unpackedSize) else {
            throw place.damaged("a page has \(size) bytes, unpacked \(unpackedSize), where \(ParquetLimits.page) are possible")
        }
    }

    private mutating func readMembers(_ reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(UserError) {
        try reader.structure(kind)
        var field = 0
        while let kind = try reader.nextField(&field) {
            switch field {
            case 1: entryCount = try reader.integer(kind)
            case 2: encoding = try reader.integer(kind)
            // A dictionary page says in field 3 whether it is sorted.
            case 3 where kind != .yes && kind != .no: definitionEncoding = try reader.integer(kind)
            case 4: repetitionEncoding = try reader.integer(kind)
            default: try reader.skip(kind)
            }
        }
    }

    private mutating func readSecondVersion(_ reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(UserError) {
        try reader.structure(kind)
        var field = 0
        while let kind = try reader.nextField(&field) {
            switch field {
            case 1: entryCount = try reader.integer(kind)
            case 4: encoding = try reader.integer(kind)
            case 5: definitionSize = try reader.integer(kind)
            case 6: repetitionSize = try reader.integer(kind)
            case 7: isPacked = try reader.bool(kind)
            default: try reader.skip(kind)
            }
        }
    }
}

/// A page, unpacked. Its bytes hold until the next page of the same column is read.
struct ParquetPage {
    let header: ParquetPageHeader
    /// Of a page of version 2 without levels, else the whole page.
    let bytes: UnsafeRawBufferPointer
    let repetitions: UnsafeRawBufferPointer
    let definitions: UnsafeRawBufferPointer
}

/// The pages of one column chunk after another.
final class ParquetPages {
    private let file: MappedFile
    private let place: ParquetPlace
    private var codec = ParquetCodec.none
    private var rest = UnsafeRawBufferPointer(start: nil, count: 0)
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0

    init(_ file: MappedFile, _ place: ParquetPlace) {
        self.file = file
        self.place = place
    }

    deinit { free(memory) }

    func start(_ chunk: ParquetChunk) throws(UserError) {
        if chunk.isInOtherFile { throw place.refused("has its values in another file, which is not read") }
        if chunk.isEncrypted { throw place.refused("is encrypted; write the file again without encryption") }
        codec = try ParquetCodec.of(chunk.codec, place)
        rest = UnsafeRawBufferPointer(rebasing: file.bytes[chunk.range])
    }

    func next() throws(UserError) -> ParquetPage {
        guard !rest.isEmpty else { throw place.damaged("its pages hold fewer values than the footer says") }
        var reader = ThriftReader(rest, place)
        let header = try ParquetPageHeader(&reader, place)
        guard header.size <= rest.count - reader.offset else {
            throw place.damaged("a page of \(header.size) bytes ends beyond its column, of which \(rest.count - reader.offset) are left")
        }
        let body = UnsafeRawBufferPointer(rebasing: rest[reader.offset..<reader.offset + header.size])
        rest = UnsafeRawBufferPointer(rebasing: rest[(reader.offset + header.size)...])
        try check(header, body)
        guard header.type == 3 else {
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            return ParquetPage(header: header, bytes: try unpacked(body, header.unpackedSize, true), repetitions: none, definitions: none)
        }
        let (repetitionSize, definitionSize) = (header.repetitionSize, header.definitionSize)
        guard repetitionSize >= 0, definitionSize >= 0, repetitionSize <= body.count, definitionSize <= body.count - repetitionSize,
            repetitionSize + definitionSize <= header.unpackedSize
        else { throw place.damaged("the levels of a page take more bytes than the page has") }
        let values = repetitionSize + definitionSize
        return ParquetPage(
            header: header,
            bytes: try unpacked(UnsafeRawBufferPointer(rebasing: body[values...]), header.unpackedSize - values, header.isPacked),
            repetitions: UnsafeRawBufferPointer(rebasing: body[..<repetitionSize]),
            definitions: UnsafeRawBufferPointer(rebasing: body[repetitionSize..<values]))
    }

    /// The checksum is that of the page as it lies in the file (zlib's CRC-32). Most writers give none.
    private func check(_ header: ParquetPageHeader, _ body: UnsafeRawBufferPointer) throws(UserError) {
        if header.type == 2, header.unpackedSize > ParquetLimits.dictionary {
            throw place.refused(
                "has a dictionary of \(header.unpackedSize) bytes, more than is read; write the file with use_dictionary=False")
        }
        guard let checksum = header.checksum else { return }
        let found = crc32(0, body.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(body.count))
        guard UInt32(truncatingIfNeeded: found) == checksum || body.isEmpty else {
            throw place.damaged("a page does not have its checksum")
        }
    }

    private func unpacked(_ body: UnsafeRawBufferPointer, _ size: Int, _ isPacked: Bool) throws(UserError) -> UnsafeRawBufferPointer {
        guard size > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        if codec == .none || !isPacked {
            guard body.count == size else { throw place.damaged("a page has \(body.count) bytes where its header says \(size)") }
            return body
        }
        if size > capacity {
            free(memory)
            // Grown at least by half, so that pages of growing sizes do not move it each time.
            capacity = max(size, capacity + capacity / 2)
            memory = malloc(capacity)
            guard memory != nil else {
                capacity = 0
                throw UserError(.inputOutput, place.path, "a page of \(size) bytes does not fit into memory")
            }
        }
        let output = UnsafeMutableRawBufferPointer(start: memory, count: size)
        try codec.unpack(body, into: output, place)
        return UnsafeRawBufferPointer(output)
    }
}
