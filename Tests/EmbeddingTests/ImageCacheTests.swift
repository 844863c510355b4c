// Features on disk: the same bits come back, damage does not, and the folder stays within its limit.

import Foundation
import Images
import Model
import Support
import Synchronization
import Tensor
import Testing

@testable import Data
@testable import Embedding

@Suite struct ImageCacheTests {
    private let folder = try! TemporaryFolder()
    private let grid = TokenGrid(frames: 1, height: 3, width: 4)
    private static let width = 16
    /// Header and features.
    private static let fileBytes = 120 + 12 * 16 * 2

    private final class Notices: Sendable {
        private let sentences = Mutex<[String]>([])
        func add(_ sentence: String) { sentences.withLock { $0.append(sentence) } }
        var all: [String] { sentences.withLock { $0 } }
    }

    private let notices = Notices()

    private func cache(_ name: String = "images", limit: Int? = nil, key: [UInt8] = [1], writers: Int = 1) -> ImageCache {
        ImageCache(folder: folder.path(name), limit: limit, key: key, writers: writers) { [notices] in notices.add($0) }
    }

    private func content(_ number: Int) -> ContentHash { ContentHash(of: Array("image \(number)".utf8)) }

    private func features(_ number: Int) -> ImageFeatures {
        let random = RandomStream(UInt64(number))
        let values = (0..<grid.count * Self.width).map { Float(random.gaussian(at: $0)) }
        return ImageFeatures(
            grid: grid, rows: converted(Tensor(values, rows: grid.count, columns: Self.width), to: .bfloat16))
    }

    private func bytes(_ features: ImageFeatures?) -> [UInt8]? {
        features.map { features in
            features.rows.bytes.withUnsafeBytes { Array($0) }
        }
    }

    private func read(_ cache: ImageCache, _ number: Int) -> [UInt8]? {
        bytes(cache.features(of: content(number), grid: grid, width: Self.width, .bfloat16))
    }

    private var files: [String] {
        get throws {
            (FileManager.default.enumerator(atPath: folder.path("images"))?.compactMap { $0 as? String } ?? [])
                .filter { $0.contains(".features") }.sorted()
        }
    }

    @Test func theSameBitsComeBack() throws {
        let first = cache()
        #expect(read(first, 1) == nil)
        for number in 1...3 { first.keep(features(number), of: content(number)) }
        for number in 1...3 { #expect(read(cache(), number) == bytes(features(number))) }
        #expect(read(cache(), 4) == nil && read(cache(key: [2]), 1) == nil)
        #expect(cache().features(of: content(1), grid: TokenGrid(frames: 1, height: 4, width: 3), width: Self.width, .bfloat16) == nil)
        #expect(cache().features(of: content(1), grid: grid, width: 8, .bfloat16) == nil)
        #expect(try files.count == 3 && notices.all.isEmpty)
        for file in try files {
            let parts = file.split(separator: "/")
            #expect(parts.count == 3 && parts[2].hasPrefix("\(parts[0])\(parts[1])") && parts[2].utf8.count == 64 + 9)
        }
    }

    /// Of the mark, the grid, the name, the hash, the features; cut short, longer, empty.
    @Test(arguments: [0, 16, 50, 60, 98, 120, 503, -1, -2, -3]) func damageIsNotReadAndMadeAnew(_ place: Int) throws {
        let cache = cache()
        cache.keep(features(7), of: content(7))
        let path = try folder.path("images/\(#require(files.first))")
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(whole.count == Self.fileBytes)
        var damaged = whole
        switch place {
        case -1: damaged.removeLast()
        case -2: damaged.append(0)
        case -3: damaged = []
        default: damaged[place] ^= 1
        }
        try Data(damaged).write(to: URL(fileURLWithPath: path))
        #expect(read(cache, 7) == nil)
        cache.keep(features(7), of: content(7))
        #expect(read(cache, 7) == bytes(features(7)))
        try expectSameBytes(Data(contentsOf: URL(fileURLWithPath: path)), whole, "features")
    }

    @Test func whatWasReadLongestAgoMakesRoom() throws {
        let cache = cache(limit: 10 * Self.fileBytes)
        for number in 0..<10 { cache.keep(features(number), of: content(number)) }
        #expect(try files.count == 10)
        for (age, file) in try files.enumerated() {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000 + Double(age))],
                ofItemAtPath: folder.path("images/\(file)"))
        }
        let old = try files
        // Reading makes the oldest of them the youngest.
        let saved = (0..<10).first { number in
            _ = read(cache, number)
            let path = folder.path("images/\(old[0])")
            let date = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
            return (date ?? .distantPast).timeIntervalSince1970 > 1_500_000_000
        }
        #expect(saved != nil)
        for (age, file) in old.enumerated().dropFirst() {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000 + Double(age))],
                ofItemAtPath: folder.path("images/\(file)"))
        }
        cache.keep(features(20), of: content(20))
        let left = try files
        #expect(left.contains(old[0]) && !left.contains(old[1]))
        #expect(read(cache, 20) != nil && left.count <= 10)
        for number in 21..<60 {
            cache.keep(features(number), of: content(number))
            #expect(try files.count <= 10)
        }
        #expect(notices.all.isEmpty)
    }

    /// Features of one type are none of another's, whose products need others.
    @Test func eachElementTypeIsKeptAsItIs() throws {
        let rows = Tensor((0..<grid.count * Self.width).map { Float($0) / 3 }, rows: grid.count, columns: Self.width)
        let cache = cache()
        cache.keep(ImageFeatures(grid: grid, rows: rows), of: content(1))
        let found = cache.features(of: content(1), grid: grid, width: Self.width, .float32)
        #expect(bytes(found) == bytes(ImageFeatures(grid: grid, rows: rows)) && found?.rows.element == .float32)
        #expect(cache.features(of: content(1), grid: grid, width: Self.width, .bfloat16) == nil)
        #expect(cache.features(of: content(1), grid: grid, width: 2 * Self.width, .bfloat16) == nil)
    }

    @Test func anImageLargerThanTheLimitIsNotKept() throws {
        let cache = cache(limit: Self.fileBytes - 1)
        cache.keep(features(1), of: content(1))
        #expect(try files.isEmpty && notices.all.isEmpty)
    }

    @Test func leftoversOfCrashesGo() throws {
        let cache = cache(limit: 5 * Self.fileBytes)
        cache.keep(features(1), of: content(1))
        let path = try folder.path("images/\(#require(files.first)).tmp-1")
        try Data([1]).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: path)
        for number in 2..<9 { cache.keep(features(number), of: content(number)) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func whatCannotBeWrittenIsSaidOnce() throws {
        try folder.write("file", "")
        let cache = cache("file/images")
        for number in 0..<3 { cache.keep(features(number), of: content(number)) }
        #expect(notices.all.count == 1 && notices.all[0].contains("set data.image_cache to a folder with room"))
        #expect(read(cache, 0) == nil)
        let probed = self.cache("file/images")
        #expect(try #require(probed.prepare()).contains("file/images"))
        probed.keep(features(1), of: content(1))
        #expect(notices.all.count == 1 && self.cache().prepare() == nil)
    }

    /// Every reader finds whole features or none.
    @Test func manyUseOneFolderAtOnce() {
        let caches = (0..<4).map { _ in cache(limit: 6 * Self.fileBytes, writers: 4) }
        let wrong = Atomic(0)
        withThreads(4) {
            Threads.run(200) { task in
                let (cache, number) = (caches[task % 4], task * 7 % 12)
                if let found = read(cache, number) {
                    if found != bytes(features(number)) { wrong.wrappingAdd(1, ordering: .relaxed) }
                } else {
                    cache.keep(features(number), of: content(number))
                }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0 && notices.all.isEmpty)
    }
}
