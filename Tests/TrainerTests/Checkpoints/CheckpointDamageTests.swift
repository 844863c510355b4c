// Whatever damage is done to the newest checkpoint, it is noticed, and an older whole one is found.

import Files
import Foundation
import Support
import Testing

@testable import Trainer

@Suite struct CheckpointDamageTests {
    let run: TinyRun
    private let manager = FileManager.default

    init() throws {
        run = try TinyRun()
        try run.save(3, 5)
    }

    enum Damage: CaseIterable {
        case noManifest, noState, noOptimizer, extraFile, swapped, zeroed, linkedFile, linkedFolder, emptyFolder, editedManifest
    }

    private func damage(_ kind: Damage) throws {
        let folder = run.path + "/checkpoints/step-5"
        let elsewhere = run.temporary.path("elsewhere")
        switch kind {
        case .noManifest: try manager.removeItem(atPath: folder + "/MANIFEST.json")
        case .noState: try manager.removeItem(atPath: folder + "/state.json")
        case .noOptimizer: try manager.removeItem(atPath: folder + "/optimizer.safetensors")
        case .extraFile: #expect(manager.createFile(atPath: folder + "/notes.txt", contents: nil))
        case .swapped:
            try manager.moveItem(atPath: folder + "/adapter_config.json", toPath: folder + "/x")
            try manager.moveItem(atPath: folder + "/state.json", toPath: folder + "/adapter_config.json")
            try manager.moveItem(atPath: folder + "/x", toPath: folder + "/state.json")
        case .zeroed:
            var bytes = try content("optimizer.safetensors")
            bytes.replaceSubrange(bytes.count - 512..<bytes.count, with: Data(count: 512))
            try write(bytes, "optimizer.safetensors")
        case .linkedFile:
            try manager.moveItem(atPath: folder + "/state.json", toPath: elsewhere)
            try manager.createSymbolicLink(atPath: folder + "/state.json", withDestinationPath: elsewhere)
        case .linkedFolder:
            try manager.moveItem(atPath: folder, toPath: elsewhere)
            try manager.createSymbolicLink(atPath: folder, withDestinationPath: elsewhere)
        case .emptyFolder:
            try manager.removeItem(atPath: folder)
            try manager.createDirectory(atPath: folder, withIntermediateDirectories: false)
        case .editedManifest:
            let text = String(decoding: try content("MANIFEST.json"), as: UTF8.self)
            try write(Data(text.replacingOccurrences(of: "\n  ", with: "\n   ").utf8), "MANIFEST.json")
        }
    }

    private func content(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: run.file(5, name))) }

    private func write(_ data: Data, _ name: String) throws { try data.write(to: URL(fileURLWithPath: run.file(5, name))) }

    @Test(arguments: Damage.allCases) func fallsBackToTheOlder(_ kind: Damage) throws {
        try damage(kind)
        let resumed = try #require(try run.resume())
        expectSame(resumed.state, run.state(step: 3))
        #expect(resumed.notices.count == 2 && resumed.notices[0].contains("step-5: is damaged"))
        #expect(try run.checkpoints.contains { $0.hasPrefix(".bad-step-5-") } && !run.checkpoints.contains("step-5"))
        let isLink = kind == .linkedFile || kind == .linkedFolder
        #expect(manager.fileExists(atPath: run.temporary.path("elsewhere")) == isLink, "what a link leads to stays")
    }

    /// Every file cut at many places, and with one bit flipped at as many.
    @Test(arguments: ["MANIFEST.json", "adapter_config.json", "adapter_model.safetensors", "optimizer.safetensors", "state.json"])
    func everyCutAndFlipIsNoticed(_ name: String) throws {
        let whole = try content(name)
        let store = try run.store()
        for place in stride(from: 0, to: whole.count, by: max(1, whole.count / 97)) {
            var flipped = whole
            flipped[place] ^= 1 << (place % 8)
            for damaged in [whole.prefix(place), flipped] {
                try write(damaged, name)
                #expect(try store.newestWhole()?.0.step == 3, "\(name) at \(place)")
            }
        }
        try write(whole, name)
        #expect(try store.newestWhole()?.0.step == 5)
    }

    /// Starting anew without a word would lose the run.
    @Test func refusesToStartAnewWhenAllAreDamaged() throws {
        for step in [3, 5] { try Data().write(to: URL(fileURLWithPath: run.file(step, "state.json"))) }
        for _ in 1...2 {
            let error = userError { _ = try run.resume() }
            #expect(error?.code == .content && error?.message.contains("step-5: state.json holds 0 bytes") == true)
        }
        #expect(try run.checkpoints == ["step-3", "step-5"])
    }

    @Test func namesAnUnknownFormat() throws {
        var manifest = try #require(try JSONValue.parse(file: run.file(5, "MANIFEST.json")).objectValue)
        manifest["format"] = 2
        manifest["manifest_sha256"] = nil
        manifest["manifest_sha256"] = .string(SHA256.hex(SHA256.hash(of: JSONValue.object(manifest).serialized())))
        try write(Data(JSONValue.object(manifest).serialized(pretty: true)), "MANIFEST.json")
        let error = userError { _ = try run.resume() }
        #expect(error?.code == .content && error?.message.contains("format 2") == true)
    }

    // MARK: - Whom it belongs to

    @Test func refusesWhatEverybodyMayWrite() throws {
        #expect(chmod(run.path + "/checkpoints/step-5", 0o777) == 0)
        #expect(try run.resume()?.name == "step-3")
        #expect(chmod(run.path + "/checkpoints", 0o777) == 0)
        #expect(userError { _ = try run.resume() }?.code == .output)
    }

    @Test(.enabled(if: getuid() == 0, "needs the right to give files away")) func refusesWhatBelongsToOthers() throws {
        #expect(chown(run.file(5, "optimizer.safetensors"), 12345, 12345) == 0)
        #expect(try run.resume()?.name == "step-3")
    }

    @Test func refusesALinkInPlaceOfTheCheckpoints() throws {
        try manager.moveItem(atPath: run.path + "/checkpoints", toPath: run.temporary.path("elsewhere"))
        try manager.createSymbolicLink(atPath: run.path + "/checkpoints", withDestinationPath: run.temporary.path("elsewhere"))
        #expect(userError { _ = try run.resume() }?.code == .output)
    }
}
