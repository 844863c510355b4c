// What an image file notes beside its pixels, as far as it concerns which way up the picture is: the EXIF of JPEG, PNG and WebP, and
// XMP where EXIF says nothing. Found as Pillow 12.3 finds it, except that packed notes of a PNG stay packed.
//
// The bytes come from anywhere: each is reached by a function that gives nil beyond the end, and a note that is cut short or says
// what cannot be is as good as none.

import Files

/// The notes of a file. Of several each replaces the one before, but in WebP, where the first counts.
struct ImageNotes {
    /// From the byte order on, without "Exif" before it.
    private(set) var exif: [UInt8] = []
    private(set) var xmp: [UInt8] = []

    /// More is passed over: no camera notes as much.
    private static let mostBytes = 1 << 24
    private static let exifMark = Array("Exif\0\0".utf8)

    /// What the notes say of the picture's orientation; upright where they say nothing.
    var orientation: ImageOrientation {
        let number = ExifNote(exif).orientation ?? XMPNote.orientation(xmp)
        return number.flatMap(ImageOrientation.init) ?? .upright
    }

    init(_ file: RawSpan, _ format: ImageFormat) {
        switch format {
        case .jpeg: readJPEG(file)
        case .png: readPNG(file)
        case .webP: readWebP(file)
        }
        while exif.starts(with: Self.exifMark) { exif.removeFirst(Self.exifMark.count) }
    }

    /// Segments up to the first scan.
    private mutating func readJPEG(_ file: RawSpan) {
        let xmpMark = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
        var place = 2
        while let byte = file.number(at: place, bytes: 1) {
            guard byte == 0xFF, let marker = file.number(at: place + 1, bytes: 1), marker != 0xFF else {
                place += 1
                continue
            }
            place += 2
            // Marks without a segment.
            if marker == 0 || marker == 1 || (0xD0...0xD8).contains(marker) { continue }
            guard marker != 0xD9, marker != 0xDA, let length = file.number(at: place, bytes: 2), length >= 2 else { return }
            defer { place += length }
            guard marker == 0xE1, let segment = file.note(place + 2..<place + length, most: Self.mostBytes) else { continue }
            if segment.starts(with: Self.exifMark) {
                // A note of more than a segment is shared out.
                if exif.count + segment.count <= Self.mostBytes { exif += segment.dropFirst(exif.isEmpty ? 0 : Self.exifMark.count) }
            } else if segment.starts(with: xmpMark) {
                xmp = Array(segment.dropFirst(xmpMark.count))
            }
        }
    }

    /// Chunks up to the end, since notes may follow the pixels.
    private mutating func readPNG(_ file: RawSpan) {
        var place = 8
        while let length = file.number(at: place, bytes: 4), let kind = file.note(place + 4..<place + 8, most: 4) {
            let data = place + 8..<place + 8 + length
            if kind == Array("IEND".utf8) { return }
            if kind == Array("eXIf".utf8), let note = file.note(data, most: Self.mostBytes) {
                exif = note
            } else if kind == Array("iTXt".utf8), let note = file.note(data, most: Self.mostBytes) {
                xmp = Self.xmp(ofText: note) ?? xmp
            }
            place = data.upperBound + 4
        }
    }

    /// The XMP in a PNG's international text: its keyword, two zeros for a text that is not packed, a language, a translated keyword.
    private static func xmp(ofText note: [UInt8]) -> [UInt8]? {
        let mark = Array("XML:com.adobe.xmp\0\0\0".utf8)
        guard note.starts(with: mark) else { return nil }
        let parts = note.dropFirst(mark.count).split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count == 3 ? Array(parts[2]) : nil
    }

    /// Chunks of a file that says in its first one that it has notes.
    private mutating func readWebP(_ file: RawSpan) {
        guard let size = file.number(at: 4, bytes: 4, bigEndian: false), let flags = file.number(at: 20, bytes: 1),
            file.note(12..<16, most: 4) == Array("VP8X".utf8)
        else { return }
        let end = min(file.byteCount, 8 + size)
        var place = 12
        while place + 8 <= end, let kind = file.note(place..<place + 4, most: 4),
            let length = file.number(at: place + 4, bytes: 4, bigEndian: false)
        {
            let data = place + 8..<place + 8 + length
            place = data.upperBound + length % 2
            guard data.upperBound <= end else { return }
            if kind == Array("EXIF".utf8), flags & 8 != 0, exif.isEmpty {
                exif = file.note(data, most: Self.mostBytes) ?? []
            } else if kind == Array("XMP ".utf8), flags & 4 != 0, xmp.isEmpty {
                xmp = file.note(data, most: Self.mostBytes) ?? []
            }
        }
    }
}

extension RawSpan {
    /// The number of up to four bytes at a place; nil where the bytes end before.
    fileprivate func number(at place: Int, bytes: Int, bigEndian: Bool = true) -> Int? {
        guard place >= 0, place <= byteCount - bytes else { return nil }
        var number = 0
        for digit in 0..<bytes { number = number << 8 | Int(integer(at: place + (bigEndian ? digit : bytes - 1 - digit), as: UInt8.self)) }
        return number
    }

    /// A copy of some bytes; nil where the file ends before, or they are too many.
    fileprivate func note(_ range: Range<Int>, most: Int) -> [UInt8]? {
        range.upperBound <= byteCount && range.count <= most ? copied(range) : nil
    }
}

/// The TIFF directory in an EXIF note.
private struct ExifNote {
    private let bytes: [UInt8]
    private let bigEndian: Bool

    /// Bytes of a number, by its type: 8, 16 or 32 bits, with and without sign. Others cannot be an orientation.
    private static let sizes = [3: 2, 4: 4, 6: 1, 8: 2, 9: 4, 13: 4]
    private static let orientationTag = 0x0112

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        bigEndian = bytes.first == UInt8(ascii: "M")
    }

    /// The number in the first directory; nil where there is none. The last of several counts, of a list its first.
    var orientation: Int? {
        guard bytes.starts(with: Array("II".utf8)) || bytes.starts(with: Array("MM".utf8)),
            // In either byte order, as some programs wrote it.
            [0x2A, 0x2A00].contains(number(at: 2, 2)), let directory = number(at: 4, 4), let count = number(at: directory, 2)
        else { return nil }
        var found: Int?
        for entry in 0..<count {
            let place = directory + 2 + 12 * entry
            guard let tag = number(at: place, 2), let type = number(at: place + 2, 2), let values = number(at: place + 4, 4),
                let own = number(at: place + 8, 4)
            else { break }
            guard tag == Self.orientationTag, let size = Self.sizes[type], values > 0 else { continue }
            let first = values * size > 4 ? own : place + 8
            guard first <= bytes.count - values * size, let value = number(at: first, size) else { continue }
            found = value
        }
        return found
    }

    private func number(at place: Int, _ count: Int) -> Int? {
        guard place >= 0, place <= bytes.count - count else { return nil }
        let digits = bytes[place..<place + count]
        return bigEndian ? digits.reduce(0) { $0 << 8 | Int($1) } : digits.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}

/// The XML of an XMP note, of which one attribute or element is looked for.
private enum XMPNote {
    /// The digit behind the first `tiff:Orientation="` or `tiff:Orientation>`; nil where there is none.
    static func orientation(_ xmp: [UInt8]) -> Int? {
        let name = Array("tiff:Orientation".utf8)
        var place = 0
        while let start = xmp[place...].firstRange(of: name) {
            for opening in [Array("=\"".utf8), Array(">".utf8)] where xmp[start.upperBound...].starts(with: opening) {
                let digit = xmp[start.upperBound...].dropFirst(opening.count).first
                if let digit, (0x30...0x39).contains(digit) { return Int(digit) - 0x30 }
            }
            place = start.upperBound
        }
        return nil
    }
}
