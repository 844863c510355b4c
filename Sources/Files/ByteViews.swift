// Bytes that something else holds, and what is read out of them: views that the compiler does not let outlive a file or an array.

extension MappedFile {
    /// The whole file, to be read as long as this object is held.
    package var contents: RawSpan {
        @_lifetime(borrow self)
        get {
            _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
        }
    }

    /// Numbers, or structures of them, that lie in the file from byte `offset` on, at their natural addresses; to be read as long
    /// as this object is held.                                      [count]
    @_lifetime(borrow self)
    package func table<Entry: BitwiseCopyable>(at offset: Int, count: Int, of _: Entry.Type = Entry.self) -> Span<Entry> {
        let size = count * MemoryLayout<Entry>.stride
        precondition(
            offset >= 0 && count >= 0 && offset + size <= bytes.count && offset % MemoryLayout<Entry>.alignment == 0,
            "table: \(count) of \(Entry.self) at \(offset) of \(bytes.count) bytes")
        guard let start = bytes.baseAddress else { return _overrideLifetime(Span(), borrowing: self) }
        let first = (start + offset).assumingMemoryBound(to: Entry.self)
        return _overrideLifetime(Span(_unsafeStart: first, count: count), borrowing: self)
    }
}

extension RawSpan {
    /// The number that lies at byte `offset`, at whatever address that is.
    package func integer<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as _: Number.Type = Number.self) -> Number {
        precondition(offset >= 0 && offset + MemoryLayout<Number>.size <= byteCount, "integer: at \(offset) of \(byteCount) bytes")
        return unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)
    }

    /// A copy of some of the bytes.
    package func copied(_ range: Range<Int>) -> [UInt8] { extracting(range).withUnsafeBytes { Array($0) } }

    /// Whether these are the bytes of `other`, all of them.
    package func equals(_ other: [UInt8]) -> Bool { withUnsafeBytes { $0.elementsEqual(other) } }
}

/// The bytes of numbers, or of structures of them, as they lie in memory.
package func memoryBytes<Element: BitwiseCopyable>(of elements: [Element]) -> [UInt8] { elements.withUnsafeBytes { Array($0) } }
