// metrics.jsonl: the lines themselves, what a resume cuts off, and what a crash or a full disk leaves.

import Comm
import Files
import Foundation
import Support
import Testing

@testable import Loss
@testable import Trainer

private func log(_ folder: TemporaryFolder, rank: Int = 0, after step: Int? = nil) throws -> RunLog {
    try RunLog(folder: folder.path, rank: rank, resumingAfter: step, now: { 1000.5 })
}

private func lines(_ folder: TemporaryFolder) throws -> [String] {
    String(decoding: try folder.bytes("metrics.jsonl"), as: UTF8.self).split(separator: "\n").map(String.init)
}

private let noTraffic = StepTraffic(bytes: 2048, seconds: 0.25, waitingSeconds: 0.125)

@Suite struct RunLogTests {
    @Test func everyEventIsALine() throws {
        let folder = try TemporaryFolder()
        let log = try log(folder)
        try log.configuration(["training": ["seed": 42]], step: 0, totalSteps: 100, worldSize: 2)
        try log.step(sampleStep(1), epoch: 0.25, traffic: noTraffic)
        try log.evaluation([sampleEvaluationBefore[0]], step: 1, seconds: 2.5)
        try log.checkpoint("step-1", step: 1, bytes: 1234, seconds: 0.5, isBest: true)
        try log.end(.stopped, step: 1, seconds: 12, losses: [("retrieval", 2.5), ("code", 0.5)])
        var written = try lines(folder)
        let end = try JSONValue.parse(Array(written.removeLast().utf8), path: "metrics.jsonl")
        #expect(end["event"]?.stringValue == "end" && end["status"]?.stringValue == "stopped" && end["seconds"]?.numberValue == 12)
        #expect(end["mean_loss_by_task"]?["retrieval"]?.numberValue == 2.5 && end["mean_loss_by_task"]?["code"]?.numberValue == 0.5)
        #expect(try #require(end["peak_resident_bytes"]?.integerValue) > 1_000_000)
        #expect(
            written == [
                #"{"event":"config","time":1000.5,"step":0,"total_steps":100,"world_size":2,"config":{"training":{"seed":42}}}"#,
                #"{"event":"step","time":1000.5,"step":1,"epoch":0.25,"task":"code","loss":2.134,"learning_rate":0.0006667,"#
                    + #""grad_norm":1.2345,"tokens":3000,"tokens_per_second":1500.0,"#
                    + #""seconds":{"embed":0.5,"gather":0.125,"loss":0.125,"backward":1.0,"reduce":0.125,"update":0.125},"#
                    + #""rows":64,"candidates":66,"inputs":120,"masked_pairs":4,"#
                    + #""communication":{"bytes":2048,"seconds":0.25,"waiting_seconds":0.125},"#
                    + #""pool":{"positive":0.75,"hardest_negative":0.5,"mean_negative":0.125,"position_of_positive":1.25,"#
                    + #""saturated_rows":0.5,"effective_negatives":8.0,"negatives":65.0}}"#,
                #"{"event":"evaluation","time":1000.5,"step":1,"seconds":2.5,"results":[{"dataset":"python-stdlib","task":"code","#
                    + #""mode":"dense","dimension":256,"queries":1200,"#
                    + #""metrics":{"ndcg@10":0.202,"recall@1":0.12,"recall@5":0.25,"recall@10":0.31,"mrr@10":0.17}}]}"#,
                #"{"event":"checkpoint","time":1000.5,"step":1,"name":"step-1","bytes":1234,"seconds":0.5,"best":true}"#,
            ])
    }

    @Test func aTeacherHasAnObjectOfItsOwn() throws {
        let folder = try TemporaryFolder()
        var metrics = sampleStep(1)
        metrics.distillation = DistillationReport(loss: 0.25, rows: 48, agreement: 0.75)
        try log(folder).step(metrics, epoch: 0.25, traffic: noTraffic)
        #expect(try lines(folder)[0].hasSuffix(#""negatives":65.0},"distillation":{"loss":0.25,"rows":48,"agreement":0.75}}"#))
    }

    @Test(arguments: [0.1 + 0.2, 1e-17 / 3, 5e-324, 1.7976931348623157e308, 123_456_789.123_456_78, 2])
    func numbersReadBackTheSame(_ loss: Double) throws {
        let folder = try TemporaryFolder()
        try log(folder).step(sampleStep(1, loss: loss), epoch: 1, traffic: noTraffic)
        let event = try JSONValue.parse(Array(try lines(folder)[0].utf8), path: nil)
        #expect(event["loss"]?.numberValue == loss)
    }

    @Test func onlyRankZeroWrites() throws {
        let folder = try TemporaryFolder()
        let log = try log(folder, rank: 1)
        try log.step(sampleStep(1), epoch: 1, traffic: noTraffic)
        #expect(try folder.names.isEmpty)
    }

    @Test func aNewRunStartsANewRecord() throws {
        let folder = try TemporaryFolder()
        try folder.write("metrics.jsonl", "something else")
        try log(folder).end(.finished, step: 3, seconds: 1)
        #expect(try lines(folder).count == 1)
    }

    @Test func trafficIsThatOfTheStepAlone() {
        var traffic: StepTraffic?
        _ = World.run { world in
            _ = try world.allGather(Int64(1))
            let before = world.statistics
            _ = try world.allGather(Int64(1))
            _ = try world.allGather(Int64(1))
            traffic = StepTraffic(from: before, to: world.statistics)
            return 0
        }
        #expect(traffic?.bytes == 16)
        #expect(traffic?.waitingSeconds == 0)
    }

    @Test func aFailureToWriteIsAnErrorOfOutput() throws {
        let file = try MetricsFile(appendingTo: "/dev/full")
        #expect { try file.append(["event": "end"], isDurable: false) } throws: { ($0 as? UserError)?.code == .output }
        #expect { try RunLog(folder: "/nowhere", rank: 0) } throws: { ($0 as? UserError)?.code == .output }
    }
}

@Suite struct RunLogResumeTests {
    private let history = [
        #"{"event":"config","step":0}"#, #"{"event":"evaluation","step":0}"#, #"{"event":"step","step":1,"loss":2.0}"#,
        #"{"event":"step","step":2,"loss":1.5}"#, #"{"event":"checkpoint","step":2}"#, #"{"event":"step","step":3,"loss":1.25}"#,
        #"{"event":"end","step":3}"#,
    ]

    private func resumed(_ text: String, after step: Int = 2) throws -> [String] {
        let folder = try TemporaryFolder()
        try folder.write("metrics.jsonl", text)
        try log(folder, after: step).checkpoint("new", step: 9, bytes: 1, seconds: 1, isBest: false)
        #expect(try lines(folder).last?.contains(#""name":"new""#) == true)
        #expect(try folder.names == ["metrics.jsonl"])
        return try lines(folder).dropLast()
    }

    @Test func whatCameAfterTheCheckpointIsCutOff() throws {
        #expect(try resumed(history.joined(separator: "\n") + "\n") == Array(history[..<5]))
    }

    @Test func theEventsThatStayAreGivenInOrder() throws {
        let folder = try TemporaryFolder()
        try folder.write("metrics.jsonl", history.joined(separator: "\n") + "\n")
        var kinds: [String] = []
        _ = try RunLog(folder: folder.path, rank: 0, resumingAfter: 2, history: { kinds.append($0["event"]?.stringValue ?? "") })
        #expect(kinds == ["config", "evaluation", "step", "step", "checkpoint"])
    }

    @Test func anEndIsCutOffEvenAtTheCheckpoint() throws {
        #expect(try resumed(history.joined(separator: "\n") + "\n", after: 3) == Array(history[..<6]))
    }

    @Test(arguments: ["", "\n", "{\"event\":\"st", "{\"event\":\"step\",\"step\":2,", "\0\0\0\0", "7\n", "  \n"])
    func aTornLastLineIsDropped(_ torn: String) throws {
        #expect(try resumed(history[..<3].joined(separator: "\n") + "\n" + torn) == Array(history[..<3]))
    }

    @Test func aWholeLastLineWithoutItsNewlineStays() throws {
        #expect(try resumed(history[..<3].joined(separator: "\n")) == Array(history[..<3]))
    }

    @Test func aMissingFileIsBegun() throws {
        let folder = try TemporaryFolder()
        try log(folder, after: 5).step(sampleStep(6), epoch: 1, traffic: noTraffic)
        #expect(try lines(folder).count == 1)
    }

    @Test func aDamagedLineInTheMiddleIsNamed() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("metrics.jsonl", history[0] + "\n{oops}\n" + history[2] + "\n")
        let error = #expect(throws: UserError.self) { try log(folder, after: 2) }
        #expect(error?.code == .content)
        #expect(error?.path == path)
        #expect(error?.line == 2)
        #expect(try lines(folder).count == 3)
    }
}
