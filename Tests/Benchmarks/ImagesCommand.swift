// Image files to patches a second, stage by stage.

import ArgumentParser
import Files
import Foundation
import Images
import Model
import Tensor
import Trainer

struct ImagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images", abstract: "Times decoding, scaling and normalising of image files, on one thread and on more.",
        discussion: """
            By default the pages, documents and photos of the folder of test data (SHOAL_TEST_DATA, or ../shared/data); else the \
            pictures of Tests/Golden. Files are read before the clock starts; every image is a task of a thread. \
            Tests/Benchmarks/peer/images.py times Pillow, torch and transformers over the same files.
            """)

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Folders of image files; files that cannot be decoded are left out.", valueName: "folder"))
    var folders: [String] = []

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Threads to time.", valueName: "count"))
    var threads = [1, 2]

    @Option(help: ArgumentHelp("Where the figures go, JSON.", valueName: "file"), completion: .file())
    var output: String?

    func validate() throws {
        if threads.contains(where: { $0 < 1 }) { throw ValidationError("--threads must be 1 at least") }
    }

    func run() throws {
        if let output { try AtomicWrite.requireWritable(output) }
        let files = try self.files()
        let pixels = files.reduce(0) { $0 + $1.header.width * $1.header.height }
        print(
            "\(Machine.summary)\n\(Figures.count(files.count, "image")), \(Figures.fixed(Double(pixels) * 1e-6, 1)) megapixels; images/s, best of five passes\n"
        )
        var table = TextTable([.right] + Stage.allCases.map { _ in .right })
        table.add(["threads"] + Stage.allCases.map(\.rawValue))
        var rates = JSONObject()
        for count in threads {
            Threads.count = count
            let stages = Stage.allCases.map { stage in (stage, stage.timed(files)) }
            table.add(["\(Threads.count)"] + stages.map { Figures.fixed(Double(files.count) / $0.1.best, 1) })
            rates["\(count)"] = .object(
                stages.reduce(into: JSONObject()) { rates, stage in
                    let (best, median) = (Double(files.count) / stage.1.best, Double(files.count) / stage.1.median)
                    rates[stage.0.rawValue] = ["best": .number(best), "median": .number(median)]
                })
        }
        print(table.text, terminator: "")
        guard let output else { return }
        var figures = Machine.json
        figures["images"] = .integer(Int64(files.count))
        figures["images_per_second"] = .object(rates)
        try AtomicWrite.write(JSONValue.object(figures).serialized(pretty: true), to: output)
    }

    private func files() throws -> [ImageFile] {
        let data = (ProcessInfo.processInfo.environment["SHOAL_TEST_DATA"] ?? "../shared/data") + "/images"
        let real = ["pages", "documents", "photos", "derived"].map { "\(data)/\($0)" }
        let usual = FileManager.default.fileExists(atPath: data) ? real : ["Tests/Golden/images/files"]
        let paths = try (folders.isEmpty ? usual : folders).flatMap { folder in
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { "\(folder)/\($0)" }
        }
        let files = paths.compactMap { try? ImageFile(path: $0) }
        guard !files.isEmpty else {
            throw UserError(.missing, "no image in \((folders.isEmpty ? usual : folders).joined(separator: ", "))")
        }
        return files
    }
}

/// A file in memory, with what each stage begins from.
private struct ImageFile {
    let path: String
    let bytes: [UInt8]
    let header: ImageHeader
    let image: RGBImage
    let scaled: RGBImage

    init(path: String) throws {
        self.path = path
        bytes = try MappedFile(path: path).copied()
        (header, image) = try bytes.withUnsafeBytes { (try ImageHeader($0, path: path), try RGBImage.decode($0, path: path, .stored)) }
        let config = ImageProcessorConfig()
        _ = try config.grid(of: header, path: path)
        let size = config.smartResize(height: header.height, width: header.width)!
        scaled = image.resized(height: size.height, width: size.width, backend: .torchvision)
    }

    func decoded() -> RGBImage {
        guard let image = try? bytes.withUnsafeBytes({ try RGBImage.decode($0, path: path, .stored) }) else {
            fatalError("\(path) was decoded before")
        }
        return image
    }
}

/// What is timed; the names are those of the peer's figures.
private enum Stage: String, CaseIterable {
    case decode
    case resize
    case resizePillow = "resize (pillow)"
    case normalise
    case all

    /// Five passes over all files, after one.
    func timed(_ files: [ImageFile]) -> Repetitions {
        Stopwatch.inTurns([{ Threads.run(files.count) { run(files[$0]) } }], rounds: 5, burstSeconds: 0)[0]
    }

    private func run(_ file: ImageFile) {
        let config = ImageProcessorConfig()
        switch self {
        case .decode: _ = file.decoded()
        case .resize: _ = file.image.resized(height: file.scaled.height, width: file.scaled.width, backend: .torchvision)
        case .resizePillow: _ = file.image.resized(height: file.scaled.height, width: file.scaled.width, backend: .pillow)
        case .normalise: _ = ImagePatches(file.scaled, config)
        case .all: _ = ImageProcessor(config).patches(file.decoded())
        }
    }
}
