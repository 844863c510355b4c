// A leaf of the schema as a sequence of entries, over all its pages and row groups: two levels, and a value where one is there.

import Files

/// The entries of one leaf. An entry is a value, a null, or an empty list somewhere above it.
final class ParquetColumn {
    let leaf: ParquetLeaf
    let place: ParquetPlace
    private let pages: ParquetPages
    private var leftOfChunk = 0
    private var leftOfPage = 0
    private var repetitions: ParquetRuns
    private var definitions: ParquetRuns
    private var values: ParquetValues?
    private var dictionary: [TableValue] = []
    private var hasDictionary = false
    /// Whether the levels below are those of an entry not yet taken.
    private var hasEntry = false
    private(set) var definition = 0
    private(set) var repetition = 0

    init(_ leaf: ParquetLeaf, _ file: MappedFile) throws(UserError) {
        self.leaf = leaf
        place = ParquetPlace(file.path, column: leaf.path)
        pages = ParquetPages(file, place)
        repetitions = try ParquetRuns(UnsafeRawBufferPointer(start: nil, count: 0), width: 0, place)
        definitions = repetitions
    }

    /// Goes on to a column chunk. What is left of the one before is damage.
    func start(_ chunk: ParquetChunk) throws(UserError) {
        guard chunk.physical == leaf.physical || chunk.physical < 0 else {
            throw place.damaged("it is stored as type \(chunk.physical) where the schema says \(leaf.physical)")
        }
        try pages.start(chunk)
        leftOfChunk = chunk.entryCount
        (leftOfPage, hasEntry, hasDictionary, dictionary, values) = (0, false, false, [], nil)
    }

    /// Whether all entries of the chunk were taken.
    var isAtEnd: Bool { !hasEntry && leftOfPage == 0 && leftOfChunk == 0 }

    /// Makes `definition` and `repetition` those of the next entry.
    /// - Returns: false at the end of the chunk
    @inline(__always)
    func look() throws(UserError) -> Bool {
        if hasEntry { return true }
        while leftOfPage == 0 {
            guard leftOfChunk > 0 else { return false }
            try nextPage()
        }
        leftOfPage &-= 1
        if leaf.maximumRepetition > 0 { repetition = try repetitions.next() }
        if leaf.maximumDefinition > 0 { definition = try definitions.next() }
        guard definition <= leaf.maximumDefinition, repetition <= leaf.maximumRepetition else {
            throw place.damaged("an entry has levels that the schema does not have")
        }
        hasEntry = true
        return true
    }

    /// The next entry, null where its value is not there.
    @inline(__always)
    func take() throws(UserError) -> TableValue {
        guard try look() else { throw endOfChunk() }
        hasEntry = false
        guard definition == leaf.maximumDefinition else { return .null }
        return try values!.next(dictionary)
    }

    func endOfChunk() -> UserError { place.damaged("it has fewer values than its row group has rows") }

    // MARK: Pages

    private func nextPage() throws(UserError) {
        let page = try pages.next()
        switch page.header.type {
        case 0, 3: try startData(page)
        case 1: break
        case 2: try readDictionary(page)
        default: throw place.refused("has a page of type \(page.header.type), which is not read")
        }
    }

    private func startData(_ page: ParquetPage) throws(UserError) {
        let header = page.header
        guard (0...leftOfChunk).contains(header.entryCount) else {
            throw place.damaged("a page has \(header.entryCount) values where \(leftOfChunk) are left")
        }
        var cursor = ParquetCursor(page.bytes, place)
        repetitions = try levels(&cursor, leaf.maximumRepetition, page.repetitions, header, header.repetitionEncoding)
        definitions = try levels(&cursor, leaf.maximumDefinition, page.definitions, header, header.definitionEncoding)
        guard hasDictionary || (header.encoding != 2 && header.encoding != 8) else {
            throw place.damaged("a page needs a dictionary and none stands before it")
        }
        values = try ParquetValues(try cursor.take(cursor.left), encoding: header.encoding, leaf, place)
        leftOfChunk -= header.entryCount
        leftOfPage = header.entryCount
    }

    /// The levels of a page: in version 1 at the front of its bytes, with their length; in version 2 by themselves.
    private func levels(
        _ cursor: inout ParquetCursor, _ maximum: Int, _ own: UnsafeRawBufferPointer, _ header: ParquetPageHeader, _ encoding: Int
    ) throws(UserError) -> ParquetRuns {
        guard maximum > 0 else { return try ParquetRuns(own, width: 0, place) }
        let width = Int.bitWidth - maximum.leadingZeroBitCount
        if header.type == 3 { return try ParquetRuns(own, width: width, place) }
        guard encoding == 3 else {
            let name = encoding == 4 ? "BIT_PACKED" : "encoding \(encoding)"
            throw place.refused("has levels in the encoding \(name), which is not read; write the file again with pyarrow's defaults")
        }
        let size = Int(try cursor.number(UInt32.self))
        return try ParquetRuns(try cursor.take(size), width: width, place)
    }

    private func readDictionary(_ page: ParquetPage) throws(UserError) {
        let count = page.header.entryCount
        guard !hasDictionary else { throw place.damaged("it has two dictionaries") }
        guard page.header.encoding == 0 || page.header.encoding == 2, leaf.physical != 0 else {
            throw place.refused("has a dictionary in encoding \(page.header.encoding), which is not read")
        }
        // A value takes four bytes or more.
        guard count >= 0, count <= page.bytes.count / 4 else {
            throw place.damaged("a dictionary of \(page.bytes.count) bytes is said to have \(count) values")
        }
        var values = try ParquetValues(page.bytes, encoding: 0, leaf, place)
        dictionary.reserveCapacity(count)
        for _ in 0..<count { dictionary.append(try values.next([])) }
        hasDictionary = true
    }
}
