// Which images a data file may name.

import Foundation
import Support
import Testing

@testable import Data

@Suite struct ImageFolderTests {
    private let folder = try! TemporaryFolder()

    private func images(base: String? = nil) throws -> ImageFolder {
        try FileManager.default.createDirectory(atPath: folder.path("data/rows"), withIntermediateDirectories: true)
        return try ImageFolder(
            dataFile: folder.write("data/rows/train.jsonl", ""), base: base.map { $0.hasPrefix("/") ? $0 : folder.path($0) })
    }

    @Test(arguments: [("a.png", "a.png"), ("./x/./a.png", "x/a.png"), ("x//y/../a.png", "x/a.png"), ("...", "...")])
    func namesInTheFolderAreTaken(_ written: String, _ name: String) throws {
        let images = try images()
        #expect(try images.name(written) == name)
        #expect(images.path(of: name) == folder.path("data/rows/\(name)"))
    }

    @Test(arguments: ["/etc/passwd", "../a.png", "x/../../a.png", "..", ".", "x/..", "", " ", "../rows2/a.png"])
    func othersAreRefused(_ written: String) throws {
        let images = try images()
        #expect(throws: ImageFolder.Refusal.self) { try images.name(written) }
    }

    @Test func aBaseFolderWidensOrNarrows() throws {
        #expect(try images(base: "data").name("../pages/./7.png") == "../pages/7.png")
        #expect(throws: ImageFolder.Refusal.self) { try images(base: "data").name("../../pages/7.png") }
        #expect(try images(base: "/").name("../../../a.png") == "../../../a.png")
        #expect(throws: ImageFolder.Refusal.self) { try images(base: "/").name(String(repeating: "../", count: 40) + "a.png") }
    }

    @Test func narrowerThanTheFileItself() throws {
        _ = try images()
        try FileManager.default.createDirectory(atPath: folder.path("data/rows/pages"), withIntermediateDirectories: true)
        let images = try images(base: "data/rows/pages")
        #expect(try images.name("pages/7.png") == "pages/7.png")
        #expect(throws: ImageFolder.Refusal.self) { try images.name("7.png") }
    }

    /// The folders' own links are followed, so that both ways of naming one place agree.
    @Test func linksToTheFoldersDoNotMatter() throws {
        _ = try images()
        try FileManager.default.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: folder.path("data"))
        let linked = try ImageFolder(dataFile: folder.path("link/rows/train.jsonl"), base: folder.path("data"))
        #expect(try linked.name("../pages/7.png") == "../pages/7.png")
        #expect(linked.path(of: "../pages/7.png") == folder.path("link/rows/../pages/7.png"))
    }

    @Test func anAbsentBaseIsNamed() throws {
        expectUserError(.missing, "absent", "data.image_base_dir") { _ = try images(base: "absent") }
    }

    @Test func filesOfTheCurrentFolderAndTheRoot() {
        #expect(ImageFolder.path(ofDataFile: "train.jsonl") == "." && ImageFolder.path(of: "a.png", in: ".") == "a.png")
        #expect(ImageFolder.path(ofDataFile: "/train.jsonl") == "/" && ImageFolder.path(of: "a.png", in: "/") == "/a.png")
        #expect(ImageFolder.path(ofDataFile: "a/b.jsonl") == "a")
    }
}
