// Images that cannot be used: one sentence, the right code, on every number of ranks.

import Foundation
import Support
import Testing

extension RunTests {
    @Suite struct ImageRefusalTests {
        struct Fault: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let code: Int32
            let parts: [String]
            /// Makes the fault and gives further settings.
            let make: @Sendable (RunProject) throws -> [String]
        }

        private static func row(_ name: String, _ path: String, _ parts: String..., settings: [String] = []) -> Fault {
            Fault(testDescription: name, code: 65, parts: ["train.jsonl:4:"] + parts) { project in
                var rows = ImageRows.rows
                rows[3] = "{\"query\": \"a\", \"positive_image\": \"\(path)\"}"
                try project.folder.write("train.jsonl", rows.joined(separator: "\n"))
                return settings
            }
        }

        static let faults = [
            row("absolute path", "/etc/passwd", "is an absolute path"), row("path out of the folder", "../secret.png", "leads out of"),
            row("path out of the base", "train.jsonl", "leads out of", "pictures", settings: ["data.image_base_dir=pictures"]),
            row("absent file", "pictures/absent.png", "the image pictures/absent.png: no such file"),
            row("no image", "train.jsonl", "the image train.jsonl: is neither JPEG nor PNG nor WebP"),
            Fault(testDescription: "too many tokens", code: 65, parts: ["train.jsonl:", "the image pictures/", "lower data.max_pixels"]) {
                _ in
                ["data.min_pixels=100000"]
            },
            Fault(testDescription: "absent base", code: 66, parts: ["absent: ", "data.image_base_dir"]) { _ in
                ["data.image_base_dir=absent"]
            },
            Fault(testDescription: "image behind its header", code: 65, parts: ["pictures/9: is cut short or damaged"]) { project in
                let bytes = try project.folder.bytes("pictures/9")
                try project.folder.write("pictures/9", bytes.prefix(bytes.count / 2))
                try project.folder.write("pictures/10", bytes.prefix(bytes.count / 2))
                return []
            },
        ]

        @Test(arguments: faults, [nil, 2, 4]) func isRefused(fault: Fault, ranks: Int?) throws {
            let project = try RunProject.images()
            let settings = try fault.make(project)
            let result = try project.train(settings.flatMap { ["--set", $0] }, ranks: ranks, limit: refusalLimit)
            result.expectRefusal(fault.code, fault.parts)
        }

        @Test(arguments: smallWorlds) func aModelWithoutTowerRefusesRowsWithImages(ranks: Int?) throws {
            let project = try RunProject(.absent, rows: ImageRows.rows)
            try TinyCheckpoint(vocabulary: 8256).setting("vision_config", nil)
                .changing { $0.removeAll { $0.name.hasPrefix("visual.") } }.write(to: project.path("model"))
            try FileManager.default.copyItem(
                atPath: PackagePath.example("jina-tiny/tokenizer.json"), toPath: project.path("model/tokenizer.json"))
            let result = try project.train(ranks: ranks, limit: refusalLimit)
            result.expectRefusal(65, ["model/config.json: has no vision_config", "takes no images"], isAlone: ranks == nil)
        }
    }
}
