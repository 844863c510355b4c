// Pictures turned upright and laid on white, against Pillow and transformers: every orientation in every format, odd notes, every
// kind of transparency (Tests/Golden/images/views.py).

import Files
import Foundation
import Support
import Testing

@testable import Images

/// One picture of views.json and what the references make of it.
private struct GoldenView: CustomTestStringConvertible, Sendable {
    let group: String
    let name: String
    let bytes: [UInt8]
    private let entry: JSONValue

    var testDescription: String { "\(group): \(name)" }

    static let all = try! ["orientations", "notes", "transparent"].flatMap(read)

    private static func read(_ group: String) throws -> [GoldenView] {
        let file = try JSONValue.parse(file: PackagePath.golden("images/views.json"))
        return try #require(file[group]?.arrayValue).map { entry in
            let bytes = try #require(entry["bytes"]?.stringValue.flatMap { Data(base64Encoded: $0) })
            return GoldenView(group: group, name: try #require(entry["file"]?.stringValue), bytes: [UInt8](bytes), entry: entry)
        }
    }

    /// SHA-256 of the picture as the reference sees it.
    func sha256(_ view: PictureView) -> String? {
        let key =
            switch (view.orientation, view.background) {
            case (.ignore, .drop): "stored"
            case (.exif, .drop): "exif"
            case (.ignore, .white): "white"
            case (.exif, .white): "both"
            }
        return entry[key]?.stringValue
    }

    var stored: [Int] { ["width", "height"].compactMap { entry[$0]?.integerValue }.map { Int($0) } }
    var turned: [Int] { entry["turned"]?.arrayValue?.compactMap(\.integerValue).map { Int($0) } ?? [] }
    var isTransparent: Bool? { entry["transparent"]?.boolValue }

    func header() throws -> ImageHeader { try bytes.withUnsafeBytes { try ImageHeader($0, path: name) } }
    func decode(_ view: PictureView) throws -> RGBImage { try bytes.withUnsafeBytes { try RGBImage.decode($0, path: name, view) } }
}

@Suite struct PictureViewTests {
    private static let views = PictureView.Orientation.allCases.flatMap { orientation in
        PictureView.Background.allCases.map { PictureView(orientation: orientation, background: $0) }
    }

    @Test func everyViewHasTheReferencesPixels() throws {
        #expect(GoldenView.all.count > 140)
        for golden in GoldenView.all {
            for view in Self.views {
                let image = try golden.decode(view)
                let size = view.orientation == .exif ? golden.turned : golden.stored
                #expect([image.width, image.height] == size && image.sha256 == golden.sha256(view), "\(golden.testDescription), \(view)")
            }
        }
    }

    @Test func theHeaderKnowsSizeAndTransparency() throws {
        // Pillow takes a table without an entry for one, too.
        for golden in GoldenView.all where golden.name != "palette-empty.png" {
            let header = try golden.header()
            let turned = header.size(PictureView())
            #expect([header.width, header.height] == golden.stored && [turned.width, turned.height] == golden.turned, "\(golden.name)")
            #expect(header.hasTransparency == golden.isTransparent, "\(golden.testDescription)")
        }
    }

    @Test func theGridIsThatOfTheTurnedPicture() throws {
        let config = try ImageProcessorConfig().choosing(ImageOptions(minPixels: 784, maxPixels: 6 * 784))
        let stored = try config.choosing(ImageOptions(view: .stored))
        for number in 1...8 {
            let golden = try #require(GoldenView.all.first { $0.name == "exif-\(number).webp" })
            for config in [config, stored] {
                let processor = ImageProcessor(config)
                let folder = try TemporaryFolder()
                let file = try folder.write("picture", golden.bytes)
                let grid = try processor.grid(path: file)
                #expect(try processor.patches(path: file).grid == grid)
                // 13 × 9 pixels: three tokens in two rows of a picture that lies.
                #expect((grid.height > grid.width) == (config.view.orientation == .exif && number > 4), "\(number): \(grid)")
            }
        }
    }

    /// A page turned by its note is that page.
    @Test(arguments: [("orientation6.jpg", "upright.png"), ("rgba.png", "rgba-on-white.png"), ("ptrns.png", "ptrns-on-white.png")])
    func picturesOfTheFieldEqualTheirMendedCopies(_ file: String, _ mended: String) throws {
        func patches(_ name: String, _ view: PictureView) throws -> ImagePatches {
            try ImageProcessor(ImageProcessorConfig().choosing(ImageOptions(view: view))).patches(
                path: PackagePath.golden("images/turned/\(name)"))
        }
        let (seen, expected) = (try patches(file, PictureView()), try patches(mended, .stored))
        #expect(seen.grid == expected.grid)
        let difference = zip(seen.values.values, expected.values.values).map { abs($0 - $1) }.max()
        #expect(difference == 0, "\(file): \(String(describing: difference))")
        #expect(try patches(file, .stored).sha256 != expected.sha256)
    }

    @Test func everyTurnTakesEveryPixelOnce() {
        // Wider than the squares in which a picture is turned.
        let (width, height) = (131, 70)
        let image = RGBImage(
            (0..<3 * width * height).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }, width: width, height: height)
        func pixel(_ image: RGBImage, _ row: Int, _ column: Int) -> [UInt8] { (0..<3).map { image.row(row)[3 * column + $0] } }
        for orientation in ImageOrientation.allCases {
            let turned = image.turned(orientation)
            #expect((turned.width, turned.height) == (orientation.swapsSides ? (height, width) : (width, height)))
            for (row, column) in [(0, 0), (0, turned.width - 1), (turned.height - 1, 0), (69, 64), (64, 69), (33, 12)] {
                let (right, bottom) = (width - 1, height - 1)
                let place =
                    switch orientation {
                    case .upright: (row, column)
                    case .mirrored: (row, right - column)
                    case .halfTurn: (bottom - row, right - column)
                    case .flipped: (bottom - row, column)
                    case .transposed: (column, row)
                    case .clockwise: (bottom - column, row)
                    case .transversed: (bottom - column, right - row)
                    case .counterclockwise: (column, right - row)
                    }
                #expect(pixel(turned, row, column) == pixel(image, place.0, place.1), "\(orientation), \(row), \(column)")
            }
        }
    }

    /// Notes cut at every byte, with every byte changed, and with many: an orientation, and never a crash.
    @Test func hostileNotesAreReadWithinTheirBytes() {
        var (orientations, files, state) = (Set<Int>(), 0, UInt64(9))
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        func read(_ bytes: [UInt8]) {
            for format in ImageFormat.allCases { orientations.insert(ImageNotes(bytes.span.bytes, format).orientation.rawValue) }
        }
        for golden in GoldenView.all where golden.group == "notes" || golden.name.hasPrefix("exif-6") || golden.name.hasPrefix("xmp-6") {
            // What comes before the pixels of a JPEG, and the whole of a PNG or WebP.
            let bytes = golden.bytes.starts(with: [0xFF, 0xD8]) ? Array(golden.bytes.prefix(160)) : golden.bytes
            for count in 0..<bytes.count { read(Array(bytes.prefix(count))) }
            for place in bytes.indices {
                for value in [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x7F, 0x80, 0xFF] as [UInt8] {
                    var changed = bytes
                    changed[place] = value
                    read(changed)
                }
            }
            for _ in 0..<300 {
                var changed = bytes
                for _ in 0...next(12) { changed[next(changed.count)] = UInt8(next(256)) }
                read(changed)
            }
            files += 1
        }
        #expect(files > 60 && orientations == Set(1...8))
    }
}
