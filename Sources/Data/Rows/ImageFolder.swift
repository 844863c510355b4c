// Where the images of a data file lie: beside the file, and nowhere that the configuration does not allow. A data file may come
// from anywhere; it must not make a run read files that its user did not mean.

import Files
import Foundation

/// Names of images, as a data file writes them.
package struct ImageFolder: Sendable {
    /// Path of the data file's folder, as it was named.
    package let path: String
    /// Folders from the root down to the data file's, without links, and down to the one that images must lie in.
    private let (own, allowed): ([Substring], [Substring])
    /// Where images that stand in rows themselves are written; nil: nowhere.
    let store: ImageStore?

    /// Finds the folder that the images of a data file must lie in.
    ///
    /// - Parameters:
    ///   - dataFile: must exist
    ///   - base: the folder that images must lie in; nil: the data file's own
    ///   - store: where images that stand in rows themselves are written; nil: nowhere, and such a row is refused
    /// - Throws: `UserError` `.missing` when there is no such folder
    package init(dataFile: String, base: String?, store: ImageStore? = nil) throws(UserError) {
        self.store = store
        path = Self.path(ofDataFile: dataFile)
        own = Self.parts(TokenCache.resolved(path))
        allowed = base.map { Self.parts(TokenCache.resolved($0)) } ?? own
        if let base, !FileManager.default.fileExists(atPath: base) {
            throw UserError(.missing, base, "no such folder; check data.image_base_dir")
        }
    }

    /// A name that is refused, and why.
    package struct Refusal: Error {
        /// Why the name is refused, in words that follow the name in a message.
        package let reason: String
        /// What kept the image from being written, where that is the reason.
        package let failure: UserError?

        init(reason: String, failure: UserError? = nil) {
            self.reason = reason
            self.failure = failure
        }
    }

    /// Checks the name of an image, and takes detours out of it.
    ///
    /// - Parameter written: a path relative to the data file's folder
    /// - Returns: the same without detours
    /// - Throws: `Refusal` when it is empty, absolute, or leads out of the folder that images must lie in
    package func name(_ written: String) throws(Refusal) -> String {
        guard !written.isBlank else { throw Refusal(reason: "is empty; write the path of an image file") }
        guard !written.hasPrefix("/") else {
            throw Refusal(reason: "is an absolute path; images are named relative to the folder of the data file")
        }
        var (ups, parts): (Int, [Substring]) = (0, [])
        for part in Self.parts(written) where part != "." {
            if part != ".." {
                parts.append(part)
            } else if parts.popLast() == nil {
                ups += 1
            }
        }
        let place = own.dropLast(ups) + parts
        guard ups <= own.count, !parts.isEmpty, place.count > allowed.count,
            zip(place, allowed).allSatisfy({ $0.utf8.elementsEqual($1.utf8) })
        else {
            throw Refusal(
                reason: "leads out of /\(allowed.joined(separator: "/")), the only folder that images are read from; set "
                    + "data.image_base_dir to a folder that holds them all")
        }
        return (Array(repeating: "..", count: ups) + parts).joined(separator: "/")
    }

    /// The path of an image that `name` has allowed, or that lies in the store.
    package func path(of name: String) -> String { Self.path(of: name, in: path) }

    /// The path of an image, from its name relative to a folder. A name from the store is its path.
    package static func path(of name: String, in folder: String) -> String {
        name.hasPrefix("/") ? name : folder == "." ? name : folder == "/" ? "/\(name)" : "\(folder)/\(name)"
    }

    /// The folder of a data file.
    package static func path(ofDataFile file: String) -> String {
        guard let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }

    /// The folder that images must lie in, for the key of what was made with its images.
    package var rule: String { "/\(allowed.joined(separator: "/"))" }

    private static func parts(_ path: String) -> [Substring] { path.split(separator: "/") }
}
