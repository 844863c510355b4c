// Small files that ask for much: refused by their header, before memory is taken or time is spent.

import Images
import Support
import Testing

@Suite struct DecompressionBombTests {
    private func decode(_ bytes: [UInt8], maximumPixels: Int = ImageHeader.maximumPixels) throws -> RGBImage {
        try bytes.withUnsafeBytes { try RGBImage.decode($0, path: "bomb", .stored, maximumPixels: maximumPixels) }
    }

    private func file(_ name: String) throws -> [UInt8] { try #require(try GoldenImage.small().first { $0.name == name }).bytes }

    @Test("more pixels than are read")
    func pixels() throws {
        var huge = PNGFile(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF)
        huge.add("IDAT", [])
        // Room for so many pixels there is nowhere: whoever asked for it would end here.
        expectUserError(.content, "bomb", "2147483647 × 2147483647 pixels", "178956970") { _ = try decode(huge.bytes) }
        for name in ["420.jpg", "lossless.webp"] {  // 61 × 45
            expectUserError(.content, "61 × 45 pixels", "2744") { _ = try decode(file(name), maximumPixels: 61 * 45 - 1) }
            #expect(try decode(file(name), maximumPixels: 61 * 45).height == 45)
        }
    }

    @Test("fewer bytes than any file of that many pixels has")
    func tooFewBytes() throws {
        var blank = PNGFile(width: 12_000, height: 12_000)
        blank.add("IDAT", [0x78, 0x9C])
        expectUserError(.content, "cannot hold the 12000 × 12000 pixels") { _ = try decode(blank.bytes) }
        expectUserError(.content, "cannot hold the 12000 × 12000 pixels") { _ = try decode(jpeg(height: 12_000, width: 12_000)) }
    }

    @Test("a JPEG whose height stands behind its picture is refused, as in Pillow")
    func noHeight() throws {
        expectUserError(.content, "bomb") { _ = try decode(jpeg(height: 0, width: 61)) }
    }

    /// The progressive picture with another size in its header.
    private func jpeg(height: UInt16, width: UInt16) throws -> [UInt8] {
        var bytes = try file("422-progressive.jpg")
        let frame = try #require(bytes.indices.dropLast(9).first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC2 })
        bytes.replaceSubrange(frame + 5..<frame + 9, with: [height, width].flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })
        return bytes
    }

    @Test("hundreds of empty scans, each of them allowed")
    func scans() throws {
        let gray = try decode(Self.progressive(scans: 100))
        #expect(gray.bytes.allSatisfy { $0 == 128 })
        expectUserError(.content, "bomb", "more than 100 scans") { _ = try decode(Self.progressive(scans: 101)) }
        expectUserError(.content, "more than 100 scans") { _ = try decode(Self.progressive(scans: 800)) }
    }

    @Test("nothing behind the first scan too many is read")
    func scansBehindTheLimit() throws {
        // A scan of a component that the picture does not have.
        let broken: [UInt8] = [0xFF, 0xDA, 0, 8, 1, 9, 0, 1, 1, 0x0D, 0]
        func decoded(behind scans: Int) throws -> RGBImage {
            try decode(Array(Self.progressive(scans: scans).dropLast(2)) + broken + [0xFF, 0xD9])
        }
        expectUserError(.content, "component") { _ = try decoded(behind: 98) }
        expectUserError(.content, "more than 100 scans") { _ = try decoded(behind: 101) }
    }

    /// 64 × 48 gray pixels. After the scan of the means, every coefficient comes by itself, bit by bit, and is always 0.
    private static func progressive(scans: Int) -> [UInt8] {
        let (blocks, oneCode): ([UInt8], [UInt8]) = ([0, 0, 0, 0, 0, 0], [1] + [UInt8](repeating: 0, count: 16))
        func scan(_ coefficient: UInt8, _ bits: UInt8) -> [UInt8] {
            [0xFF, 0xDA, 0, 8, 1, 1, 0, coefficient, coefficient, bits] + blocks
        }
        // Before and after each step: the bits still missing.
        let steps: [UInt8] = [0x0D, 0xDC, 0xCB, 0xBA, 0xA9, 0x98, 0x87, 0x76, 0x65, 0x54, 0x43, 0x32, 0x21, 0x10]
        let refinements = (UInt8(1)...63).flatMap { coefficient in steps.map { scan(coefficient, $0) } }
        var file: [UInt8] = [0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 1, count: 64)
        file += [0xFF, 0xC2, 0, 11, 8, 0, 48, 0, 64, 1, 1, 0x11, 0]
        for table: UInt8 in [0x00, 0x10] { file += [0xFF, 0xC4, 0, 20, table] + oneCode }
        return file + scan(0, 0) + refinements.prefix(scans - 1).joined() + [0xFF, 0xD9]
    }

    @Test("notes of a PNG are skipped, however large they claim to be or are")
    func notes() throws {
        let small = try file("rgb-8.png")
        let header = 8 + 25
        for (kind, data) in [("iCCP", [UInt8](repeating: 0x61, count: 1 << 24)), ("zTXt", Array("note\0\0".utf8) + [0x78, 0x9C, 1, 2, 3])] {
            var note = PNGFile(width: 1, height: 1)
            let before = note.bytes.count
            note.add(kind, data)
            let bytes = Array(small[..<header]) + note.bytes[before...] + small[header...]
            #expect(try decode(bytes).sha256 == decode(small).sha256)
        }
        // A length of nearly 2 GiB that nothing follows.
        let cut = Array(small[..<header]) + [0x7F, 0xFF, 0xFF, 0xF0] + Array("tEXt".utf8) + small[header...]
        expectUserError(.content, "ends early") { _ = try decode(cut) }
    }
}
