// Files that are cut, damaged, or made to exhaust a decoder: an error in a sentence, or the pixels that Pillow gives.

import Files
import Images
import Support
import Tensor
import Testing

@Suite struct DamagedImageTests {
    @Test("cut at twenty places: an error, or Pillow's pixels where it decodes the rest")
    func cut() throws {
        for image in try GoldenImage.small() { try expectErrorOrPillowsPixels(cuts: image) }
    }

    @Test("real pictures, cut", .enabled(if: TestData.available, "set SHOAL_TEST_DATA"))
    func realCut() throws {
        let images = try GoldenImage.real()
        #expect(images.contains { !$0.cuts.isEmpty })
        for image in images { try expectErrorOrPillowsPixels(cuts: image) }
    }

    private func expectErrorOrPillowsPixels(cuts image: GoldenImage) throws {
        for (length, rgb) in image.cuts {
            do {
                let decoded = try image.decode(first: length)
                #expect(decoded.sha256 == rgb, "\(image.name), first \(length) bytes: Pillow \(rgb == nil ? "refuses" : "differs")")
            } catch let error as UserError {
                #expect(error.code == .content && error.path == image.name && !error.description.contains("\n"), "\(error)")
            }
        }
    }

    /// Pillow inflates notes and refuses this file for their size; here they are skipped.
    private static let decodedHereOnly = ["malformed/png_decompression_dos.png"]

    @Test("the malformed files: an error wherever Pillow has one", .enabled(if: TestData.available, "set SHOAL_TEST_DATA"))
    func malformed() throws {
        let images = try GoldenImage.real().filter { $0.name.hasPrefix("malformed/") }
        #expect(images.count == 20)
        for image in images where image.reference == nil && !Self.decodedHereOnly.contains(image.name) {
            expectUserError(.content, image.name) { _ = try image.decode() }
        }
    }

    @Test("changed bytes: an error or pixels, never a crash")
    func mutated() throws {
        let random = RandomStream(77).stream("mutated images")
        var (next, decoded, refused) = (0, 0, 0)
        func integer(below bound: Int) -> Int {
            next += 1
            return random.integer(below: bound, at: next)
        }
        for image in try GoldenImage.small() {
            for _ in 0..<40 {
                var bytes = image.bytes
                for _ in 0...integer(below: 8) { bytes[integer(below: bytes.count)] = UInt8(integer(below: 256)) }
                if integer(below: 4) == 0 { bytes.removeLast(integer(below: bytes.count)) }
                if image.name.hasSuffix(".png") && integer(below: 4) > 0 { Self.repairChecksums(&bytes) }
                do {
                    // A header may now name a large picture; it need not be filled to see that nothing breaks.
                    _ = try bytes.withUnsafeBytes { try RGBImage.decode($0, path: image.name, .stored, maximumPixels: 1 << 22) }
                    decoded += 1
                } catch let error as UserError {
                    #expect(error.code == .content && !error.description.contains("\n"), "\(error)")
                    refused += 1
                }
            }
        }
        #expect(decoded > 100 && refused > 100, "\(decoded) decoded, \(refused) refused")
    }

    /// Gives every whole chunk the checksum of what it holds, so that what was changed in it reaches the decoder.
    private static func repairChecksums(_ bytes: inout [UInt8]) {
        var start = 8
        while start + 12 <= bytes.count {
            let length = bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
            guard start + 12 + length <= bytes.count else { return }
            let checksum = PNGFile.checksum(bytes[start + 4..<start + 8 + length])
            for place in 0..<4 { bytes[start + 8 + length + place] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * UInt32(place))) }
            start += 12 + length
        }
    }
}
