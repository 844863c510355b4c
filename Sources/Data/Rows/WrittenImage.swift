// What a row may write for an image: the path of a file, a `data:` URL, base64, or an object with `bytes` or `path`, as tables of the
// hub have it. And how bytes leave a table while it is read.

import Files
import Images
import Tables

extension ImageFolder {
    /// The name of an image, whatever form a row gives it in; `path(of:)` leads to its file. Bytes are written into the store.
    ///
    /// - Parameter value: what stands under the key of an image, one of a list
    /// - Throws: `Refusal` as `name(_:)`, and for a form that is not read
    package func name(of value: JSONValue) throws(Refusal) -> String {
        switch value {
        case .string(let text):
            if let bytes = try WrittenImage.bytes(of: text) { return try stored(bytes) }
            if let reason = WrittenImage.fault(ofPath: text) { throw Refusal(reason: reason) }
            return try name(text)
        case .object(let object):
            if let path = object[WrittenImage.path]?.stringValue, let store, store.names(path) { return path }
            if let reason = object[WrittenImage.fault]?.stringValue { throw Refusal(reason: reason) }
            if let bytes = object["bytes"], !bytes.isNull {
                if let text = bytes.stringValue, try WrittenImage.bytes(of: text) == nil {
                    throw Refusal(reason: "has \"bytes\" that are no JPEG, PNG or WebP in base64; write these, or the path of a file alone")
                }
                return try name(of: bytes)
            }
            if let path = object["path"]?.stringValue { return try name(of: .string(path)) }
            throw Refusal(reason: "is an object without \"bytes\" and \"path\"; write the path of an image file")
        default:
            throw Refusal(reason: "is \(value.kind.rawValue); write the path of an image file, or its bytes in base64")
        }
    }

    /// Whether an object is an image as tables of the hub have it, with `bytes` or `path`, whatever stands there.
    package static func isImage(_ object: JSONObject) -> Bool {
        ["bytes", "path", WrittenImage.path, WrittenImage.fault].contains { object[$0] != nil }
    }

    /// What a row wrote, as messages show it: at most 80 characters of it.
    package static func shown(_ value: JSONValue) -> String {
        if case .string(let text) = value { return "\"\(Figures.excerpt(text))\"" }
        return Figures.excerpt(String(decoding: value.serialized(pretty: false), as: UTF8.self))
    }

    private func stored(_ bytes: [UInt8]) throws(Refusal) -> String {
        guard let store else { throw Refusal(reason: WrittenImage.noStore) }
        do {
            guard let path = try store.path(ofImage: bytes) else { throw Refusal(reason: WrittenImage.foreign(bytes.count)) }
            return path
        } catch let refusal as Refusal { throw refusal } catch let error as UserError {
            throw Refusal(reason: error.message, failure: error)
        } catch { preconditionFailure("image store: \(error)") }
    }
}

/// The forms in which an image is written.
package enum WrittenImage {
    /// Keys of the object that takes the place of bytes in a table's row: the path to which they were written, or why they were not.
    /// No column has such a name.
    fileprivate static let (path, fault) = ("\0image", "\0no image")

    fileprivate static let noStore =
        "stands in the row itself, and there is no folder to write it to; set data.cache_dir to one, or write the path of a file"

    fileprivate static func foreign(_ count: Int) -> String {
        "holds \(Figures.count(count, "byte")) that are neither JPEG nor PNG nor WebP; convert the picture to one of these formats"
    }

    /// Why a text cannot be the path of an image file, in words that follow it in a message; nil when it may be one.
    package static func fault(ofPath text: String) -> String? {
        if let scheme = text.firstRange(of: "://"), text[..<scheme.lowerBound].allSatisfy({ $0.isLetter || $0.isNumber }) {
            switch text[..<scheme.lowerBound].lowercased() {
            case "": return nil
            case "file": return "is a URL; write the path of the file by itself"
            default: return "is a URL, and Shoal opens no network connection; download the picture and write the path of its file"
            }
        }
        if text.hasPrefix("data:") { return "is a data: URL; write the path of an image file" }
        // Of the system: no name is longer.
        guard text.utf8.count < 4096, text.utf8.split(separator: UInt8(ascii: "/")).allSatisfy({ $0.count <= 255 }) else {
            return "is too long for a path, and begins as no JPEG, PNG or WebP does in base64; write the path of an image file"
        }
        return nil
    }

    /// The bytes of an image that a text holds; nil when the text is none of these forms.
    fileprivate static func bytes(of text: String) throws(ImageFolder.Refusal) -> [UInt8]? {
        if text.hasPrefix("data:") {
            guard let comma = text.utf8.firstIndex(of: UInt8(ascii: ",")), text[..<comma].lowercased().hasSuffix(";base64") else {
                throw ImageFolder.Refusal(reason: "is a data: URL without \";base64,\"; write base64, or the path of an image file")
            }
            guard let bytes = Base64.decoded(text[comma...].utf8.dropFirst()) else {
                throw ImageFolder.Refusal(reason: "is a data: URL whose base64 is cut short or damaged; write it anew")
            }
            return bytes
        }
        // What JPEG, PNG and WebP begin with. No path has so many letters and digits and no point.
        let begins = ["/9j/", "iVBORw0KGgo", "UklGR"].contains { text.hasPrefix($0) }
        guard begins, text.utf8.count >= 64, !text.utf8.contains(UInt8(ascii: ".")) else { return nil }
        guard let bytes = Base64.decoded(text.utf8) else {
            throw ImageFolder.Refusal(reason: "begins as an image in base64 does and is cut short or damaged; write it anew")
        }
        return bytes
    }

    /// A table's value without bytes: those of images lie in the store, of others their number is kept.
    ///
    /// - Throws: `UserError` `.output` when an image cannot be written
    fileprivate static func replaced(_ value: TableValue, _ store: ImageStore?) throws(UserError) -> TableValue {
        switch value {
        case .bytes(let bytes):
            guard ImageFormat(beginOf: bytes) != nil else { return object(fault, foreign(bytes.count)) }
            guard let path = try store?.path(ofImage: bytes) else { return object(fault, noStore) }
            return object(Self.path, path)
        case .list(let values): return .list(try values.map { value throws(UserError) in try replaced(value, store) })
        case .record(let record): return .record(try replaced(record, store))
        default: return value
        }
    }

    fileprivate static func replaced(_ record: TableRecord, _ store: ImageStore?) throws(UserError) -> TableRecord {
        TableRecord(names: record.names, values: try record.values.map { value throws(UserError) in try replaced(value, store) })
    }

    private static func object(_ key: String, _ value: String) -> TableValue {
        .record(TableRecord(names: [key], values: [.text(value)]))
    }
}

extension TableRow {
    /// The row without the bytes of its cells, so that they leave memory while a table is read. Images among them are written into the
    /// store, where `ImageFolder.name(of:)` finds them.
    ///
    /// - Parameter store: nil: none is written, and a row that needs one is refused
    /// - Throws: `UserError` `.output` when an image cannot be written
    func withoutBytes(_ store: ImageStore?) throws(UserError) -> TableRow {
        TableRow(place: place, record: try WrittenImage.replaced(record, store))
    }
}

/// Base64 of RFC 4648.
private enum Base64 {
    /// Of each character its six bits; 64 for white space, which is passed over; 255 for what has no place in it.
    private static let digits: [UInt8] = {
        var digits = [UInt8](repeating: 255, count: 256)
        for (value, character) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() {
            digits[Int(character)] = UInt8(value)
        }
        // The alphabet for names of files and URLs.
        (digits[Int(UInt8(ascii: "-"))], digits[Int(UInt8(ascii: "_"))]) = (62, 63)
        for blank in " \t\r\n".utf8 { digits[Int(blank)] = 64 }
        return digits
    }()

    /// - Parameter text: with or without the marks at its end that fill up the last group
    /// - Returns: nil when there is another character, or the last group lacks some
    static func decoded(_ text: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var (bits, count, isEnded): (UInt32, Int, Bool) = (0, 0, false)
        for character in text {
            if character == UInt8(ascii: "=") {
                isEnded = true
                continue
            }
            let digit = digits[Int(character)]
            if digit == 64 { continue }
            guard digit < 64, !isEnded else { return nil }
            bits = bits << 6 | UInt32(digit)
            count += 1
            if count == 4 {
                bytes += [UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits)]
                (bits, count) = (0, 0)
            }
        }
        switch count {
        case 0: break
        case 2: bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
        case 3: bytes += [UInt8(truncatingIfNeeded: bits >> 10), UInt8(truncatingIfNeeded: bits >> 2)]
        default: return nil
        }
        return bytes
    }
}
