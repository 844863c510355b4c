// The images of a folder: which of its files are images, by their first bytes.

import Files
import Foundation
import Images
import Model

/// The files of a folder, in the order of their names' bytes; folders in it are passed over.
package struct ImageListing: Sendable {
    /// Paths of the files that begin as an image does.
    package private(set) var images: [String] = []
    /// Names of the files that are no images.
    package private(set) var others: [String] = []

    /// Looks at the first bytes of every file of a folder.
    ///
    /// - Throws: `UserError` `.missing` when there is no such folder or a file in it cannot be read; `.content` when it holds no image
    package init(folder: String) throws(UserError) {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
            throw UserError(.missing, folder, "no such folder of images; check --image-dir")
        }
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else { continue }
            if try ImageFormat.isImage(path: path) { images.append(path) } else { others.append(name) }
        }
        guard !images.isEmpty else { throw UserError(.content, folder, "holds no image, neither JPEG nor PNG nor WebP") }
    }

    /// A sentence on the files that were passed over; nil when there are none.
    var notice: String? {
        guard !others.isEmpty else { return nil }
        let shown = others.prefix(5).joined(separator: ", ") + (others.count > 5 ? ", ..." : "")
        return "\(Figures.count(others.count, "file")) of --image-dir \(others.count == 1 ? "is" : "are") no image: \(shown)"
    }
}
