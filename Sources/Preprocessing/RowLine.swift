// A row as Shoal's own form writes it: a line of JSON with the keys query, positive, negatives, prompt, task, score and
// scores.

import Data
import Files
import Foundation

/// Writes rows into a file of a certain folder; images are named from there.
struct RowLine {
    /// Folders from the root down to that of the file, without links.
    private let folder: [Substring]

    /// - Parameter file: the file that the lines go into
    init(file: String) { folder = Self.parts(ofFolder: ImageFolder.path(ofDataFile: file)) }

    /// The line of a row, with its end.
    func bytes(_ raw: RawRow) -> [UInt8] {
        let row = raw.row
        var object = JSONObject()
        func add(_ input: RowInput, _ key: String) {
            switch input {
            case .text(let text): object[key] = .string(String(decoding: text, as: UTF8.self))
            case .image(let name): object[key + "_image"] = .string(self.name(of: name, raw.images))
            }
        }
        add(row.anchor, "query")
        add(row.positive, "positive")
        let texts = row.negatives.compactMap(\.text).map { JSONValue.string(String(decoding: $0, as: UTF8.self)) }
        let images = row.negatives.compactMap(\.imageName).map { JSONValue.string(name(of: $0, raw.images)) }
        if !texts.isEmpty { object["negatives"] = .array(texts) }
        if !images.isEmpty { object["negative_images"] = .array(images) }
        if let prompt = row.prompt { object["prompt"] = .string(String(decoding: prompt, as: UTF8.self)) }
        if let task = raw.task { object["task"] = .string(task) }
        if let score = row.score { object["score"] = number(score) }
        if !row.teacherScores.isEmpty { object["scores"] = .array(row.teacherScores.map(number)) }
        return JSONValue.object(object).serialized() + [0x0A]
    }

    /// A score in the shortest digits that are read back as this Float.
    private func number(_ score: Float) -> JSONValue { .number(Double(String(describing: score))!) }

    /// The path of an image from the file's folder.
    private func name(of name: String, _ images: ImageFolder) -> String {
        var place = Self.parts(ofFolder: images.path)
        for part in name.split(separator: "/") {
            if part == ".." { _ = place.popLast() } else { place.append(part) }
        }
        let common = zip(folder, place).prefix { $0.utf8.elementsEqual($1.utf8) }.count
        return (Array(repeating: "..", count: folder.count - common) + place.dropFirst(common)).joined(separator: "/")
    }

    private static func parts(ofFolder path: String) -> [Substring] {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path.split(separator: "/")
    }
}
