// The size to which pictures are scaled. Expected values: smart_resize of transformers 5.23 with the same limits.

import Images
import Support
import Testing

@Suite struct SmartResizeTests {
    @Test(arguments: [
        // height, width → scaled height, width
        [100, 200, 112, 196], [4000, 3000, 896, 672], [20, 20, 56, 56], [28, 4000, 28, 4004], [1, 1, 56, 56], [1, 200, 28, 812],
        [14, 14, 56, 56], [42, 42, 56, 56], [70, 70, 56, 56], [98, 98, 112, 112], [1100, 778, 896, 644], [682, 640, 672, 644],
        [65535, 400, 9912, 56], [200, 40000, 28, 10948], [776, 776, 756, 756], [777, 775, 756, 756], [790, 790, 756, 756],
    ]) func scaledSizes(_ sides: [Int]) throws {
        let size = try #require(ImageProcessorConfig().smartResize(height: sides[0], width: sides[1]))
        #expect([size.height, size.width] == [sides[2], sides[3]])
    }

    @Test("one side above 200 times the other is refused")
    func shape() throws {
        let config = ImageProcessorConfig()
        #expect(config.smartResize(height: 200, width: 1) != nil && config.smartResize(height: 201, width: 1) == nil)
        expectUserError(.content, "strip.png", "1 × 201", "200 times") { _ = try config.grid(height: 201, width: 1, path: "strip.png") }
    }

    @Test("other limits and factors")
    func limits() throws {
        let wide = try ImageProcessorConfig().choosing(ImageOptions(maxPixels: 37_788_800))
        let size = try #require(wide.smartResize(height: 4000, width: 3000))
        #expect([size.height, size.width] == [4004, 2996])
        let low = try ImageProcessorConfig().choosing(ImageOptions(minPixels: 100 * 784, maxPixels: 200 * 784))
        let shrunk = try #require(low.smartResize(height: 30, width: 50))
        #expect([shrunk.height, shrunk.width] == [224, 364])
        #expect(try low.grid(height: 30, width: 50, path: "").merged(by: low.mergeSize).count == 104)
    }

    @Test("patches and tokens, from the file's header")
    func grid() throws {
        let processor = ImageProcessor(ImageProcessorConfig())
        let grid = try processor.grid(path: PackagePath.golden("images/files/shape-190x1.png"))
        #expect((grid.height, grid.width, grid.count) == (56, 2, 112))
    }
}
