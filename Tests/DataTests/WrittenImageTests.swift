// Images that stand in rows: as bytes of a table, data: URLs and base64, each read or refused in one sentence.

import Files
import Foundation
import Support
import Tables
import Testing

@testable import Data

@Suite struct WrittenImageTests {
    private let folder = try! TemporaryFolder()
    private static let picture = bytes("rgb-8.png")

    private static func bytes(_ name: String) -> [UInt8] {
        [UInt8](try! Data(contentsOf: URL(fileURLWithPath: PackagePath.golden("images/files/\(name)"))))
    }

    private static func base64(_ name: String) -> String { Data(bytes(name)).base64EncodedString() }

    private var store: ImageStore { ImageStore(setting: folder.path("cache"))! }

    private func images(store: Bool = true) throws -> ImageFolder {
        try ImageFolder(dataFile: folder.write("rows.jsonl", ""), base: nil, store: store ? self.store : nil)
    }

    private static func object(_ members: (String, JSONValue)...) -> JSONValue {
        .object(members.reduce(into: JSONObject()) { $0[$1.0] = $1.1 })
    }

    /// Every form of the same bytes is one file; a file that is named stays where it is.
    @Test func everyFormIsAFileLikeOthers() throws {
        let images = try images()
        let base64 = Self.base64("rgb-8.png")
        let lines = stride(from: 0, to: base64.count, by: 76).map { base64.dropFirst($0).prefix(76) }.joined(separator: "\r\n")
        let urlSafe = base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        let forms: [JSONValue] = [
            .string(base64), .string("data:image/png;base64," + base64), .string("data:;BASE64," + base64), .string(lines),
            .string(urlSafe),
            .string("data:image/jpeg;name=a.jpg;base64," + lines), Self.object(("bytes", .string(base64)), ("path", "a.png")),
            Self.object(("path", .null), ("bytes", .string("data:image/png;base64," + base64))),
        ]
        let paths = try forms.map { images.path(of: try images.name(of: $0)) }
        #expect(Set(paths).count == 1 && paths[0].hasPrefix(folder.path("cache/row-images/")) && paths[0].hasSuffix(".png"))
        #expect(try MappedFile(path: paths[0]).copied() == Self.picture)
        for (name, ending) in [("gray.jpg", ".jpg"), ("lossy.webp", ".webp"), ("420.jpg", ".jpg"), ("palette-1.png", ".png")] {
            let path = images.path(of: try images.name(of: .string(Self.base64(name))))
            #expect(try MappedFile(path: path).copied() == Self.bytes(name) && path.hasSuffix(ending))
        }
        let named: [JSONValue] = ["x//a.png", Self.object(("path", "x/a.png")), Self.object(("bytes", .null), ("path", "./x/a.png"))]
        for named in named {
            #expect(try images.name(of: named) == "x/a.png")
        }
    }

    @Test(
        arguments: [
            (.string("https://example.org/a.png"), "is a URL, and Shoal opens no network connection"),
            (.string("HTTP://example.org/a.png"), "is a URL, and"), (.string("s3://bucket/a.png"), "is a URL, and"),
            (.string("file:///tmp/a.png"), "write the path of the file by itself"),
            (object(("path", "https://example.org/a.png"), ("bytes", .null)), "is a URL, and"),
            (.string("data:image/svg+xml,<svg/>"), "without \";base64,\""), (.string("data:image/png"), "without \";base64,\""),
            (.string("data:image/png;base64,iVBOR?"), "whose base64 is cut short or damaged"),
            (.string("data:image/png;base64,iVBOR"), "whose base64 is cut short or damaged"),
            (.string("data:image/gif;base64,R0lGODlhAQABAAAAACw="), "holds 14 bytes that are neither JPEG nor PNG nor WebP"),
            (.string(String(base64("rgb-8.png").prefix(301))), "begins as an image in base64 does and is cut short or damaged"),
            (.string(base64("rgb-8.png").prefix(200) + "&" + base64("rgb-8.png").dropFirst(200)), "begins as an image in base64"),
            (.string(String(repeating: "R0lG", count: 100)), "is too long for a path"),
            (.string(String(repeating: "a/", count: 2048)), "is too long for a path"), (.string(""), "is empty"),
            (object(("bytes", "abc"), ("path", "a.png")), "has \"bytes\" that are no JPEG, PNG or WebP"),
            (object(("url", "a.png")), "is an object without \"bytes\" and \"path\""), (.object(JSONObject()), "is an object without"),
            (object(("bytes", .null), ("path", .null)), "is an object without"), (.integer(7), "is a number"),
            (.bool(true), "is true or false"),
            (object(("\0image", "/etc/passwd")), "is an object without"), (object(("bytes", object(("a", 1)))), "is an object without"),
            (.array(["a.png"]), "is an array"),
        ] as [(JSONValue, String)])
    func otherFormsAreRefused(_ value: JSONValue, _ words: String) throws {
        let images = try images()
        let error = #expect(throws: ImageFolder.Refusal.self) { try images.name(of: value) }
        #expect(error?.reason.contains(words) == true, "\(error?.reason ?? "")")
        #expect(ImageFolder.shown(value).count <= 83)
    }

    /// A message holds 80 characters of a value.
    @Test func rowsNameTheFaultBriefly() throws {
        let long = String(repeating: "Q", count: 100_000)
        for written in ["https://example.org/\(long)", long, "data:image/png;base64,\(long)", "iVBORw0KGgo\(long)?", "/9j/\(long)=a"] {
            let path = try folder.write("rows.jsonl", #"{"query": "a", "positive_image": "\#(written)"}"# + "\n")
            let rows = try PairFile(path: path, task: "code", knownTasks: ["code"], store: store)
            let error = #expect(throws: UserError.self) { try rows.row(0) }
            let text = error?.description ?? ""
            #expect(
                text.contains("rows.jsonl:1:") && text.contains("\"positive_image\": \"\(written.prefix(80))…\"") && text.utf8.count < 400)
        }
    }

    @Test func withoutAFolderBytesAreRefused() throws {
        let images = try images(store: false)
        let error = #expect(throws: ImageFolder.Refusal.self) { try images.name(of: .string(Self.base64("rgb-8.png"))) }
        #expect(error?.reason.contains("set data.cache_dir") == true)
        #expect(ImageStore(setting: "none") == nil)
    }

    @Test func aFolderThatCannotBeWrittenIsAnErrorOfOutput() throws {
        try folder.write("cache", "a file")
        let path = try folder.write("rows.jsonl", #"{"query": "a", "positive_image": "\#(Self.base64("gray.jpg"))"}"# + "\n")
        let rows = try PairFile(path: path, task: "code", knownTasks: ["code"], store: store)
        expectUserError(.output, "cache/row-images", "set data.cache_dir") { _ = try rows.row(0) }
    }

    /// As the golden script wrote it: structs of bytes and path, bytes by themselves, bytes that are no image.
    private static let table = PackagePath.golden("images/rows/rows.parquet")

    @Test func aTablesBytesLeaveMemoryAndBecomeFiles() throws {
        let file = try RowFile(path: Self.table, store: store)
        #expect(file.count == 8)
        // Whatever remains of a row is short.
        #expect(file.rounds(ofBytes: 400).allSatisfy { $0.count > 1 } || file.rounds(ofBytes: 4000).count == 1)
        let folder = try ImageFolder(dataFile: Self.table, base: nil, store: store)
        let names = [
            "gray.jpg", "lossless.webp", "lossy.webp", "palette-8.png", "rgb-16.png", "rgb-8.png", "shape-190x1.png", "shape-28x28.png",
        ]
        for (number, name) in names.enumerated() {
            let row = try file.row(number)
            let path = folder.path(of: try folder.name(of: try #require(row["positive_image"])))
            if number == 2 {
                #expect(path == ImageFolder.path(ofDataFile: Self.table) + "/pictures/2")
            } else {
                #expect(try MappedFile(path: path).copied() == Self.bytes(name))
            }
            if number % 3 == 0 {
                let negative = folder.path(of: try folder.name(of: try #require(row["negative_image"])))
                #expect(try MappedFile(path: negative).copied() == Self.bytes(names[(number + 3) % 8]))
            }
            let clip = #expect(throws: ImageFolder.Refusal.self) { try folder.name(of: try #require(row["clip"])) }
            #expect(clip?.reason.contains("that are neither JPEG nor PNG nor WebP") == true)
            // Bytes are never taken for a text.
            expectUserError(.content, "\"clip\" is an object") { _ = try row.text("clip") }
        }
        let without = try RowFile(path: Self.table).row(0)
        let error = #expect(throws: ImageFolder.Refusal.self) { try folder.name(of: try #require(without["positive_image"])) }
        #expect(error?.reason.contains("set data.cache_dir") == true)
    }

    /// A second reading writes nothing; a file that a crash cut short is written anew.
    @Test func filesAreWrittenOnce() throws {
        let path = try #require(try store.path(ofImage: Self.picture))
        let first = try FileIdentity(path: path)
        #expect(try store.path(ofImage: Self.picture) == path)
        #expect(try FileIdentity(path: path) == first)
        try Data(Self.picture.prefix(20)).write(to: URL(fileURLWithPath: path))
        #expect(try store.path(ofImage: Self.picture) == path)
        #expect(try MappedFile(path: path).copied() == Self.picture)
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        #expect(try FileManager.default.contentsOfDirectory(atPath: parent).count == 1)
        #expect(store.names(path))
        for other in ["/etc/passwd", path + "x", store.folder + "/../a.png", store.folder + "/ab/cd.png", store.folder] {
            #expect(!store.names(other))
        }
    }
}
