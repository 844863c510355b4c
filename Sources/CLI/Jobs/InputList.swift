// What `embed` embeds, in the order of its output: texts of the command line, those of a file, images of the command line, those
// of a folder.

import Data
import Files
import Model

/// Texts and images with their tasks.
///
///     let list = try InputList(texts: ["a question"], file: "more.jsonl", task: "retrieval", prompt: .query, knownTasks: config.taskNames)
package struct InputList: Sendable {
    /// An input, and what it is embedded for.
    package struct Entry: Sendable {
        /// A text or an image.
        package enum Content: Sendable {
            /// A text in UTF-8, without prompt, never blank; and the prompt that it names: a side of a search, or the words themselves.
            case text([UInt8], Prompt)
            /// The path of an image file.
            case image(String)
        }

        /// The text or image itself.
        package let content: Content
        /// The task that the input is embedded for.
        package let task: String
        /// Where the input stands, for messages: `questions.txt:3`, `--texts: text 1`, or an image's path.
        package let place: String
    }

    /// All inputs, in the order of the output.
    package private(set) var entries: [Entry] = []

    /// Gathers the inputs: texts of the command line, those of a file, images.
    ///
    /// - Parameters:
    ///   - texts: from the command line
    ///   - file: JSON lines with `text` and optional `task` and `prompt` when its name ends in .jsonl or .jsonl.gz, else one text a
    ///     line; nil: none
    ///   - images: paths of image files
    ///   - task: of images, and of texts that name none
    ///   - prompt: of texts that name none
    ///   - knownTasks: the model's
    /// - Throws: `UserError` `.usage` for an empty text of the command line; `.missing`, or `.content` naming file and line
    package init(
        texts: [String], file: String?, images: [String] = [], task: String, prompt: Prompt, knownTasks: [String]
    ) throws(UserError) {
        for (index, text) in texts.enumerated() {
            guard !text.isBlank else { throw UserError(.usage, "--texts", "text \(index + 1) is empty; write its words or leave it out") }
            entries.append(Entry(content: .text(Array(text.utf8), prompt), task: task, place: "--texts: text \(index + 1)"))
        }
        if let file { try read(file, task, prompt, knownTasks) }
        for image in images {
            guard let reason = WrittenImage.fault(ofPath: image) else { continue }
            throw UserError(.usage, "--images", "\"\(Figures.excerpt(image))\" \(reason)")
        }
        entries += images.map { Entry(content: .image($0), task: task, place: $0) }
    }

    private mutating func read(_ file: String, _ task: String, _ prompt: Prompt, _ knownTasks: [String]) throws(UserError) {
        let count = entries.count
        if RowFile.isNamed(file) {
            let rows = try RowFile(path: file)
            for row in 0..<rows.count {
                entries.append(try Entry(rows.row(row), "\(file):\(rows.lineNumber(ofRow: row))", task, prompt, knownTasks))
            }
        } else {
            let lines = try TextFile(path: file)
            for line in lines.lines.indices {
                let text = try lines.string(line)
                guard !text.isBlank else {
                    throw UserError(.content, file, line: line + 1, "the line is empty; each line is one text: write it or remove the line")
                }
                entries.append(Entry(content: .text(Array(text.utf8), prompt), task: task, place: "\(file):\(line + 1)"))
            }
        }
        guard entries.count > count else { throw UserError(.content, file, "the file holds no texts; there is nothing to embed") }
    }

    /// SHA-256 of all texts, with what they are embedded for, and of the images' paths and sizes.
    var fingerprint: [UInt8] {
        var hash = SHA256()
        for entry in entries {
            switch entry.content {
            case .text(let text, let prompt):
                hash.update(Array("\(entry.task) \(prompt.name.utf8.count) \(prompt.name) \(text.count)\n".utf8))
                hash.update(text)
            case .image(let path): hash.update(Array("\(entry.task) \((try? FileIdentity(path: path).size) ?? -1) \(path)\n".utf8))
            }
        }
        return hash.finalize()
    }

    /// Paths of the images, in order.
    var images: [String] { entries.compactMap(\.image) }

    /// The number of texts and images in words: `3 texts and 1 image`.
    var countInWords: String {
        let (texts, images) = (entries.count - images.count, images.count)
        let parts = [texts > 0 ? Figures.count(texts, "text") : nil, images > 0 ? Figures.count(images, "image") : nil]
        return parts.compactMap(\.self).joined(separator: " and ")
    }
}

extension InputList.Entry {
    fileprivate init(
        _ line: RowObject, _ place: String, _ task: String, _ prompt: Prompt, _ knownTasks: [String]
    ) throws(UserError) {
        guard let text = try line.text("text") else { throw line.fault("the row has no \"text\"") }
        guard !text.isBlank else { throw line.fault(at: "text", "\"text\" is empty; write its words or remove the row") }
        self.place = place
        self.task = try line.text("task") ?? task
        guard knownTasks.contains(self.task) else {
            throw line.fault(at: "task", "\"task\" is \"\(self.task)\"; this model has the tasks \(knownTasks.joined(separator: ", "))")
        }
        guard let name = try line.text("prompt") else {
            content = .text(Array(text.utf8), prompt)
            return
        }
        guard let named = Prompt(named: name) else {
            throw line.fault(at: "prompt", "\"prompt\" is \"\(name)\"; it must be \(Prompt.nameRule)")
        }
        content = .text(Array(text.utf8), named)
    }

    var image: String? {
        if case .image(let path) = content { path } else { nil }
    }
}
