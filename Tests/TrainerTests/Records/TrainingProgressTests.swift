import Support
import Synchronization
import Testing

@testable import Loss
@testable import Trainer

/// A clock that the test moves.
private final class Clock: Sendable {
    private let time = Mutex(0.0)
    var now: Double { time.withLock { $0 } }
    func advance(_ seconds: Double) { time.withLock { $0 += seconds } }
}

@Suite struct TrainingProgressTests {
    private let text = ConsoleText()
    private let clock = Clock()

    private func run(_ progress: TrainingProgress, _ steps: ClosedRange<Int>) {
        for step in steps {
            clock.advance(2)
            progress.step(sampleStep(step, loss: 3 - Double(step) / 100, tokens: 3000 + step), epoch: Double(step) / 50)
        }
    }

    @Test func plainLinesAtTheFirstTheLastAndEveryTenthStep() {
        run(TrainingProgress(text.console(bar: false), totalSteps: 25, stepsDone: 0, loggingSteps: 10, now: { clock.now }), 1...25)
        #expect(
            text.lines == [
                "step  1/25 · epoch 0.02 · loss 2.9900 · positive at place 1.2 of 66 · lr 6.67e-04 · grad norm 1.234 · 1,501 tokens/s · 48 s left",
                "step 10/25 · epoch 0.20 · loss 2.9000 · positive at place 1.2 of 66 · lr 6.67e-04 · grad norm 1.234 · 1,503 tokens/s · 30 s left",
                "step 20/25 · epoch 0.40 · loss 2.8000 · positive at place 1.2 of 66 · lr 6.67e-04 · grad norm 1.234 · 1,508 tokens/s · 10 s left",
                "step 25/25 · epoch 0.50 · loss 2.7500 · positive at place 1.2 of 66 · lr 6.67e-04 · grad norm 1.234 · 1,512 tokens/s · 0 s left",
            ])
    }

    @Test func aTeacherIsSpokenOf() {
        var metrics = sampleStep(1)
        metrics.distillation = DistillationReport(loss: 0.25, rows: 48, agreement: 0.756)
        let progress = TrainingProgress(text.console(bar: false), totalSteps: 25, stepsDone: 0, loggingSteps: 10, now: { clock.now })
        progress.step(metrics, epoch: 1)
        #expect(text.lines[0].contains(" · positive at place 1.2 of 66 · distillation 0.2500, teacher's best first in 76 % · lr "))
    }

    /// Two steps of one task, then one of the other, over and over; the loss is the step's number.
    @Test func severalTasksShowTheirMeansSinceTheLineBefore() {
        let progress = TrainingProgress(
            text.console(bar: false), totalSteps: 25, stepsDone: 0, loggingSteps: 10, tasks: ["retrieval", "code"], now: { clock.now })
        for step in 1...25 {
            progress.step(sampleStep(step, task: step % 3 == 0 ? "retrieval" : "code", loss: Double(step)), epoch: 1)
        }
        let losses = text.lines.compactMap { $0.split(separator: " · ").first { $0.contains("loss") } }
        #expect(
            losses == [
                "mean loss code 1.0000", "mean loss retrieval 6.0000, code 6.0000", "mean loss retrieval 15.0000, code 15.7143",
                "mean loss retrieval 22.5000, code 23.3333",
            ])
        #expect(progress.losses.latest.map(\.task) == ["retrieval", "code"])
        progress.step(sampleStep(26, task: "code", loss: 100), epoch: 1)
        #expect(progress.losses.latest.map(\.mean) == [22.5, 100], "a task without steps keeps its last window")
    }

    @Test func aResumedRunEstimatesFromItsOwnSteps() {
        clock.advance(1000)
        run(TrainingProgress(text.console(bar: false), totalSteps: 100, stepsDone: 50, loggingSteps: 10, now: { clock.now }), 51...52)
        #expect(text.lines.count == 1)
        #expect(text.lines[0].hasSuffix("1 min 38 s left"))
    }

    @Test func theBarIsRedrawnInPlace() {
        let progress = TrainingProgress(
            text.console(bar: true, columns: 70), totalSteps: 4, stepsDone: 0, loggingSteps: 10, now: { clock.now })
        run(progress, 1...2)
        progress.finish()
        progress.finish()
        #expect(
            text.value
                == "\r1/4 ██████░░░░░░░░░░░░░░░░░░░ loss 2.9900 · 1,501 tokens/s · 6 s left\u{1B}[K"
                + "\r2/4 ████████████░░░░░░░░░░░░░ loss 2.9800 · 1,501 tokens/s · 4 s left\u{1B}[K\n")
    }

    @Test func theBarIsNotRedrawnMoreOftenThanEyesFollow() {
        let progress = TrainingProgress(text.console(bar: true), totalSteps: 1000, stepsDone: 0, loggingSteps: 10, now: { clock.now })
        for step in 1...1000 {
            clock.advance(0.001)
            progress.step(sampleStep(step), epoch: 1)
        }
        #expect((9...13).contains(text.value.split(separator: "\r").count))
        #expect(text.value.contains("1000/1000"))
    }

    @Test func aMessageTakesTheBarsLine() {
        let progress = TrainingProgress(text.console(bar: true), totalSteps: 4, stepsDone: 0, loggingSteps: 10, now: { clock.now })
        run(progress, 1...1)
        progress.checkpoint("out/checkpoints/step-1", step: 1, bytes: 3_932_160, seconds: 0.2)
        #expect(text.value.hasSuffix("\u{1B}[K\r\u{1B}[Kstep 1/4 · checkpoint out/checkpoints/step-1 · 3.9 MB · 0 s\n"))
    }

    @Test func evaluationsShowTheFullWidth() {
        let progress = TrainingProgress(text.console(bar: false), totalSteps: 100, stepsDone: 0, loggingSteps: 10, now: { clock.now })
        progress.evaluation(sampleEvaluationAfter, step: 50, seconds: 12, isBest: true)
        #expect(
            text.lines == [
                "step  50/100 · evaluation python-stdlib · nDCG@10 0.3060 · Recall@1 0.2100 · Recall@5 0.3500 · Recall@10 0.4200 · "
                    + "MRR@10 0.2700 · width 256 · 12 s · best"
            ])
    }

    @Test(arguments: [
        (30, "5/10 █████░░░░░ twelve chars"), (29, "5/10 █████░░░░░ twelve chars"), (27, "5/10 twelve chars"), (8, "5/10 twe"), (0, ""),
    ])
    func theBarFitsTheWidth(_ width: Int, _ line: String) {
        let bar = ProgressBar(done: 5, total: 10, before: "5/10", after: "twelve chars").text(width: width)
        #expect(bar.count <= width)
        #expect(bar.filter { $0 != "█" && $0 != "░" } == line.filter { $0 != "█" && $0 != "░" })
    }
}
