// Rows with images on every side, and a project that holds them.

import Files
import Foundation
import Support

enum ImageRows {
    /// Small pictures of Tests/Golden: 4 to 24 tokens each beside those of the prompt.
    static let pictures = [
        "gray.jpg", "lossless.webp", "lossy.webp", "palette-8.png", "rgb-16.png", "rgb-8.png", "shape-190x1.png", "shape-28x28.png",
        "shape-56x61.png", "shape-59x84.png",
    ]

    /// 18 rows: images as anchors, positives and negatives, one picture as anchor of one row and positive of another, one under two
    /// names.
    static let rows = (0..<18).map { i -> String in
        func picture(_ number: Int) -> JSONValue { .string("pictures/\(number)") }
        let text = JSONValue.string("picture \(i) shows " + (0..<i % 5).map { "thing \($0)" }.joined(separator: " and "))
        var row: [(String, JSONValue)] =
            switch i % 3 {
            case 0: [("query", text), ("positive_image", picture(i / 2))]
            case 1: [("query_image", picture(i / 2)), ("positive", text)]
            default: [("query_image", picture(i % 10)), ("positive_image", picture((i + 3) % 11))]
            }
        if i % 4 == 1 { row.append(("negative_images", [picture((i + 5) % 10), picture((i + 1) % 10)])) }
        if i % 4 == 2 { row.append(("negatives", ["no picture at all"])) }
        return String(decoding: JSONValue.object(row.reduce(into: JSONObject()) { $0[$1.0] = $1.1 }).serialized(), as: UTF8.self)
    }
}

extension RunProject {
    /// With the embedded model, `rows` of one task, and the pictures as `pictures/0` to `pictures/10`, the last as the one before.
    static func images(rows: [String] = ImageRows.rows) throws -> RunProject {
        let project = try RunProject(
            .embedded, rows: rows, configuration: configuration.replacing("max_steps: 20", with: "max_steps: 6"))
        try FileManager.default.createDirectory(atPath: project.path("pictures"), withIntermediateDirectories: false)
        for (number, name) in (ImageRows.pictures + ImageRows.pictures.suffix(1)).enumerated() {
            try project.folder.write("pictures/\(number)", Self.picture(name))
        }
        return project
    }

    static func picture(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: PackagePath.golden("images/files/\(name)"))))
    }
}
