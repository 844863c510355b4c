// What people have in place of a table that is read: known by its first bytes, or by its name, and named with the way out.

import Files

/// A format that is not read.
struct ForeignFormat: Sendable {
    /// What it is, after "is".
    let name: String
    /// What mends it.
    let mend: String

    func refusal(_ path: String) -> UserError { UserError(.content, path, "is \(name), which is not read; \(mend)") }

    private static let arrow = ForeignFormat(
        name: "an Arrow or Feather file",
        mend: "write it as Parquet: in Python, datasets.Dataset.from_file(NAME).to_parquet(\"rows.parquet\"), "
            + "or pandas.read_feather(NAME).to_parquet(\"rows.parquet\")")
    private static let bzip2 = ForeignFormat(
        name: "packed with bzip2", mend: "unpack it with bunzip2, and pack it with gzip or zstd if need be")
    private static let xz = ForeignFormat(name: "packed with xz", mend: "unpack it with unxz, and pack it with gzip or zstd if need be")
    private static let lz4 = ForeignFormat(name: "packed with lz4", mend: "unpack it with lz4 -d, and pack it with gzip or zstd if need be")
    private static let zip = ForeignFormat(
        name: "a zip archive (so are .xlsx, .npz and .pt files)",
        mend: "unpack it with unzip and name the table in it; save a spreadsheet as CSV")
    private static let sevenZip = ForeignFormat(name: "a 7z archive", mend: "unpack it with 7z x and name the table in it")
    private static let tar = ForeignFormat(name: "a tar archive", mend: "unpack it with tar -xf and name the table in it")
    private static let pickle = ForeignFormat(
        name: "a Python pickle",
        mend: "write it as Parquet: in Python, pandas.read_pickle(NAME).to_parquet(\"rows.parquet\"), if you trust the file")
    private static let pointer = ForeignFormat(
        name: "a Git LFS pointer in place of the file", mend: "fetch the file itself: git lfs install, then git lfs pull")
    private static let html = ForeignFormat(
        name: "an HTML page, such as a server sends in place of a file",
        mend: "download the file itself, with a link that leads to its content")
    private static let utf16 = ForeignFormat(name: "UTF-16 text", mend: "save it as UTF-8: iconv -f UTF-16 -t UTF-8 NAME > rows.csv")
    private static let utf32 = ForeignFormat(name: "UTF-32 text", mend: "save it as UTF-8: iconv -f UTF-32 -t UTF-8 NAME > rows.csv")
    private static let encrypted = ForeignFormat(name: "an encrypted Parquet file", mend: "write it again without encryption")
    private static let orc = ForeignFormat(
        name: "an ORC file", mend: "write it as Parquet: in Python, pandas.read_orc(NAME).to_parquet(\"rows.parquet\")")
    private static let avro = ForeignFormat(name: "an Avro file", mend: "write it as Parquet, CSV or JSON lines")
    private static let numpy = ForeignFormat(name: "a NumPy array", mend: "write its rows as Parquet, CSV or JSON lines")
    private static let sqlite = ForeignFormat(
        name: "an SQLite database", mend: "export the table: sqlite3 -header -csv NAME 'SELECT * FROM rows' > rows.csv")
    private static let hdf5 = ForeignFormat(
        name: "an HDF5 file", mend: "write it as Parquet: in Python, pandas.read_hdf(NAME).to_parquet(\"rows.parquet\")")
    private static let pdf = ForeignFormat(name: "a PDF document", mend: "name a table")
    private static let excel = ForeignFormat(name: "an old Excel or other Office document", mend: "save its sheet as CSV")

    /// Known by the first bytes of a file, whatever its name.
    private static let starts: [(bytes: [UInt8], format: ForeignFormat)] = [
        (Array("ARROW1".utf8), arrow), (Array("FEA1".utf8), arrow), ([0xFF, 0xFF, 0xFF, 0xFF], arrow),
        (Array("PARE".utf8), encrypted), (Array("ORC".utf8), orc), (Array("Obj\u{1}".utf8), avro),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], xz), ([0x04, 0x22, 0x4D, 0x18], lz4),
        (Array("PK\u{3}\u{4}".utf8), zip), (Array("PK\u{5}\u{6}".utf8), zip), ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], sevenZip),
        ([0x80, 0x02], pickle), ([0x80, 0x03], pickle), ([0x80, 0x04], pickle), ([0x80, 0x05], pickle),
        (Array("version https://git-lfs".utf8), pointer), (Array("SQLite format 3".utf8), sqlite),
        ([0x93] + Array("NUMPY".utf8), numpy), ([0x89] + Array("HDF".utf8), hdf5), (Array("%PDF-".utf8), pdf),
        ([0xD0, 0xCF, 0x11, 0xE0], excel),
        ([0xFF, 0xFE, 0x00, 0x00], utf32), ([0x00, 0x00, 0xFE, 0xFF], utf32), ([0xFF, 0xFE], utf16), ([0xFE, 0xFF], utf16),
    ]

    /// Known by the name alone, where the first bytes say nothing.
    private static let endings: [(ending: String, format: ForeignFormat)] = [
        (".arrow", arrow), (".feather", arrow), (".ipc", arrow), (".bz2", bzip2), (".xz", xz), (".lz4", lz4), (".zip", zip),
        (".xlsx", zip), (".7z", sevenZip), (".tar", tar), (".tgz", tar), (".pkl", pickle), (".pickle", pickle), (".pt", pickle),
        (".html", html),
        (".htm", html), (".orc", orc), (".avro", avro), (".npy", numpy), (".npz", zip), (".db", sqlite), (".sqlite", sqlite), (".h5", hdf5),
    ]

    /// What a file is by its first bytes, or nil when they are none of a foreign format.
    static func recognised(_ bytes: UnsafeRawBufferPointer) -> ForeignFormat? {
        // A short word may also begin the header of a CSV file, such as ORCID; then no byte around it says that this is no text.
        let start = starts.first { bytes.starts(with: $0.bytes) && ($0.bytes.count > 4 || $0.bytes[0] > 0x7F || !isText(bytes)) }
        if let start { return start.format }
        // "BZh", the size of its blocks, and the first of the block's six marking bytes.
        if bytes.count > 5, bytes.starts(with: "BZh".utf8), bytes[4] == 0x31, bytes[5] == 0x41 { return bzip2 }
        if bytes.count >= 262, bytes[257..<262].elementsEqual("ustar".utf8) { return tar }
        if bytes.count >= 4, bytes[0] != 0, bytes[1] == 0, bytes[2] != 0, bytes[3] == 0 { return utf16 }
        if bytes.count >= 4, bytes[0] == 0, bytes[1] != 0, bytes[2] == 0, bytes[3] != 0 { return utf16 }
        return isHTML(bytes) ? html : nil
    }

    /// What a file is by its name in small letters.
    static func named(_ name: String) -> ForeignFormat? { endings.first { name.hasSuffix($0.ending) }?.format }

    /// Whether a file begins as text does: without control characters but for tabs and line ends.
    static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.prefix(256).allSatisfy { $0 >= 0x09 } }

    private static func isHTML(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        let start = text.prefix(256).drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }.prefix(16)
        let small = start.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        return ["<!doctype html", "<html", "<head", "<?xml"].contains { small.starts(with: $0.utf8) }
    }
}
