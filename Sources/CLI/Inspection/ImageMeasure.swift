// The images of a data file, as `shoal inspect` tells of them: from their headers.

import Files
import Images
import Model

/// Images by the side of a row on which they stand.
struct ImageMeasure {
    private var sides: [(side: String, count: Int)] = []
    private var headers: [String: ImageHeader] = [:]

    /// Reads an image's header.
    ///
    /// - Throws: `UserError` when the file is missing or no image
    mutating func check(_ path: String) throws(UserError) {
        if headers[path] == nil { headers[path] = try ImageHeader.read(path: path) }
    }

    /// Reads an image's header and counts the image.
    /// - Throws: `UserError` when the file is missing or no image
    mutating func add(_ path: String, side: String) throws(UserError) {
        try check(path)
        if let place = sides.firstIndex(where: { $0.side == side }) { sides[place].count += 1 } else { sides.append((side, 1)) }
    }

    var isEmpty: Bool { headers.isEmpty }

    func addFacts(to inspection: inout Inspection) {
        guard !headers.isEmpty else { return }
        inspection.add("images", sides.map { "\(Figures.count($0.count)) \($0.side)" }.joined(separator: ", "))
        let formats = ImageFormat.allCases.map { format in (format.rawValue, headers.values.count { $0.format == format }) }.filter {
            $0.1 > 0
        }
        inspection.add(
            "image files", "\(Figures.count(headers.count)): \(formats.map { "\(Figures.count($1)) \($0)" }.joined(separator: ", "))")
        let turned = headers.values.count { $0.orientation != .upright }
        if turned > 0 { inspection.add("turned by EXIF", Figures.count(turned, "image file")) }
        let transparent = headers.values.count(where: \.hasTransparency)
        if transparent > 0 { inspection.add("with transparency", Figures.count(transparent, "image file")) }
        let pixels = headers.values.map { Double($0.width * $0.height) * 1e-6 }
        inspection.add("megapixels", "\(Figures.fixed(pixels.min()!, 2)) to \(Figures.fixed(pixels.max()!, 2))")
    }

    /// Number of tokens of every image, prompt included, each file once.
    ///
    /// - Throws: `UserError` for a shape that no model takes
    func tokens(_ reader: ImageReader) throws(UserError) -> [Int] {
        var tokens: [Int] = []
        for (path, header) in headers { tokens.append(reader.tokenCount(try reader.processor.config.grid(of: header, path: path))) }
        return tokens
    }
}
