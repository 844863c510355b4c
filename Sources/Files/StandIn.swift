// What lies under a name in place of the file that was meant: a clone without Git LFS leaves a pointer, a failed download a web
// page. The readers of JSON and of text ask here first, since a fault of grammar would tell a user nothing.

/// Something that stands in for a file.
package enum StandIn {
    /// What the content of a file is, and what mends it, when it is a pointer of Git LFS. It can be no JSON, and is no text that
    /// anybody embeds.
    ///
    /// - Parameter bytes: of the whole file
    /// - Returns: a sentence without its subject; nil when it is none
    package static func pointer(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.starts(with: "version https://git-lfs".utf8) else { return nil }
        return
            "is a Git LFS pointer of \(bytes.count) bytes in place of the file; fetch the file itself: git lfs install, then git lfs pull"
    }

    /// The same for a file that should hold JSON: a pointer, a web page, something packed, or UTF-16.
    ///
    /// - Parameter bytes: of the whole file
    /// - Returns: a sentence without its subject; nil when it is none of these
    package static func insteadOfJSON(_ bytes: UnsafeRawBufferPointer) -> String? {
        if let pointer = pointer(bytes) { return pointer }
        if bytes.starts(with: [0x1F, 0x8B]) { return "is packed with gzip; unpack it with gunzip" }
        if bytes.starts(with: "PK\u{3}\u{4}".utf8) { return "is a zip archive; unpack it with unzip" }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { return "is UTF-16 text; save it as UTF-8" }
        let start = bytes.prefix(64).drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        guard start.first == UInt8(ascii: "<") else { return nil }
        return "is a web page, such as a server sends in place of a file; download the file itself, with a link that leads to its content"
    }
}
