// Distillation, the loss of rows whose candidates a teacher has scored: the model's scores of a row's own candidates should lie to
// one another as the teacher's do. Alone, or with a weight beside a contrastive loss.
//
//     kl           L = Σ_heads weight · mean over rows of  KL(softmax(t/τ_t) ‖ softmax(s/τ))
//     margin_mse   L = Σ_heads weight · mean over rows of the mean over their negatives n of
//                      ((s(+) - s(n)) - (t(+) - t(n))/τ_t)²
//
// with s the model's scores, t the teacher's, + the row's positive (Hinton et al. 2015, arXiv:1503.02531; Hofstätter et al. 2020,
// arXiv:2010.02666). In Double, alike on every rank.

import Config
import Data
import Glibc
import Model

/// What of a teacher's scores is learnt.
package enum DistillObjective: String, Sendable {
    /// The distribution over the row's candidates.
    case kl
    /// How far each negative lies below the positive.
    case marginMSE = "margin_mse"
}

/// Distillation of a teacher's scores of each row's own candidates.
package struct DistillLoss: BatchLoss {
    /// What of the teacher's scores is learnt.
    package var objective = DistillObjective.kl
    /// What the model's scores are divided by in the divergence.
    package var temperature = ContrastiveLoss().temperature
    /// What the teacher's scores are divided by.
    package var teacherTemperature = 1.0
    /// Whether the rows' losses are averaged, else added.
    package var isMean = true
    /// What distillation counts beside the contrastive loss.
    package var weight = 1.0
    /// The loss that distillation is added to; nil: it stands alone.
    package var contrastive: ContrastiveLoss?

    /// Creates the loss with the usual settings.
    package init() {}

    /// A row that a teacher has scored, and the columns of its candidates, the positive first.
    private struct Lesson {
        let row: Int
        let columns: [Int]
        /// In the order of `columns`, divided by their temperature.
        let teacher: [Double]
    }

    private func lessons(_ plan: StepPlan) -> [Lesson] {
        zip(plan.ownColumns, plan.teacherScores).enumerated().filter { !$1.1.isEmpty }.map { row, own in
            Lesson(row: row, columns: own.0, teacher: own.1.map { Double($0) / teacherTemperature })
        }
    }

    /// What a row counts: one without a teacher counts as one of loss 0.
    private func rowScale(_ plan: StepPlan) -> Double { isMean ? 1 / Double(plan.anchors.count) : 1 }

    /// The value and the gradient over the rows with a teacher's scores; see `BatchLoss`.
    package func run(_ batch: LossBatch) throws -> LossResult {
        let lessons = lessons(batch.plan)
        let pairs = lessons.flatMap { lesson in lesson.columns.map { ScoredPair(row: lesson.row, column: $0) } }
        let beside = try contrastive?.run(batch)
        var agreeing = 0
        let own = try batch.sum(over: pairs, scale: weight * rowScale(batch.plan), addingTo: beside?.gradient) { head, scores in
            var loss = PairLoss(changes: [])
            var start = 0
            for lesson in lessons {
                let student = Array(scores[start..<start + lesson.columns.count])
                start += student.count
                let part = rowLoss(student, lesson.teacher)
                loss.value += part.value
                loss.changes += part.changes
                if head == batch.heads.reportedHead, lesson.teacher[student.firstMaximum] == lesson.teacher.max()! { agreeing += 1 }
            }
            return loss
        }
        let report = DistillationReport(
            loss: own.value / weight, rows: lessons.count, agreement: Double(agreeing) / Double(max(lessons.count, 1)))
        return LossResult(
            value: (beside?.value ?? 0) + own.value, gradient: own.gradient, maskedPairs: beside?.maskedPairs ?? 0, pool: beside?.pool,
            distillation: report)
    }

    /// The loss of one row by one head.
    ///
    /// - Parameters:
    ///   - student: the model's scores, the positive's first
    ///   - teacher: the teacher's, divided by their temperature
    func rowLoss(_ student: [Double], _ teacher: [Double]) -> PairLoss {
        switch objective {
        case .kl:
            let p = logarithms(teacher)
            let q = logarithms(student.map { $0 / temperature })
            let shares = p.map { exp($0) }
            return PairLoss(
                value: shares.indices.reduce(0) { $0 + shares[$1] * (p[$1] - q[$1]) },
                changes: shares.indices.map { (exp(q[$0]) - shares[$0]) / temperature })
        case .marginMSE:
            var loss = PairLoss(changes: Array(repeating: 0, count: student.count))
            let negatives = Double(student.count - 1)
            for negative in student.indices.dropFirst() {
                let gap = (student[0] - student[negative]) - (teacher[0] - teacher[negative])
                loss.value += gap * gap / negatives
                loss.changes[0] += 2 * gap / negatives
                loss.changes[negative] = -2 * gap / negatives
            }
            return loss
        }
    }

    /// The logarithms of softmax.
    private func logarithms(_ logits: [Double]) -> [Double] {
        let maximum = logits.max()!
        let sum = maximum + log(logits.reduce(0) { $0 + exp($1 - maximum) })
        return logits.map { $0 - sum }
    }

    /// A row's scores change the divergence by at most 2/τ together, as they do a contrastive loss of the usual temperature by
    /// 100; margins change their squares by four times how far they may lie from the teacher's.
    package func excess(_ plan: StepPlan) -> Float {
        let usual = 2 / ContrastiveLoss().temperature
        let change: Double
        switch objective {
        case .kl: change = 2 / temperature
        case .marginMSE: change = lessons(plan).reduce(8) { max($0, 4 * (2 + $1.teacher.max()! - $1.teacher.min()!)) }
        }
        let own = weight * max(1, change / usual) * (isMean ? 1 : Double(plan.anchors.count))
        return Float(min(own, 0x1p60)) + (contrastive?.excess(plan) ?? 0)
    }

    /// That of the contrastive loss beside it.
    package var comparesHeads: Bool { contrastive?.comparesHeads ?? false }
    /// That of the contrastive loss beside it.
    package var needsWholeVectors: Bool { contrastive?.needsWholeVectors ?? false }
    /// True where it stands alone: of a single candidate there is nothing to learn.
    package var needsNegatives: Bool { contrastive == nil }
    /// Every row where it stands alone; beside a contrastive loss rows without a teacher have that.
    package var needsTeacher: TeacherNeed { contrastive == nil ? .every : .some }

    // MARK: - Reference

    /// The value by its formula, over all rows and their candidates.
    package func inDouble(_ scores: ScoresInDouble, _ heads: WeightedHeads) -> Double {
        let plan = scores.plan
        let own = heads.weightedSum { head in
            plan.anchors.indices.filter { !plan.teacherScores[$0].isEmpty }.reduce(0) { sum, row in
                let columns = [row] + plan.rowsOfCandidates.indices.filter { $0 != row && plan.rowsOfCandidates[$0] == row }
                let student = columns.map { scores.score(head, row: row, column: $0) }
                let teacher = plan.teacherScores[row].map { Double($0) / teacherTemperature }
                return sum + (objective == .kl ? divergence(teacher, student.map { $0 / temperature }) : marginError(student, teacher))
            }
        }
        return weight * own * rowScale(plan) + (contrastive?.inDouble(scores, heads) ?? 0)
    }

    /// Σ p (t - s) - log Σ exp(t) + log Σ exp(s), p = softmax(t).
    private func divergence(_ teacher: [Double], _ student: [Double]) -> Double {
        let (t, s) = (teacher.max()!, student.max()!)
        let powers = teacher.map { exp($0 - t) }
        let (sum, studentSum) = (powers.reduce(0, +), student.reduce(0) { $0 + exp($1 - s) })
        let mean = powers.indices.reduce(0) { $0 + powers[$1] / sum * (teacher[$1] - student[$1]) }
        return mean - (t + log(sum)) + (s + log(studentSum))
    }

    private func marginError(_ student: [Double], _ teacher: [Double]) -> Double {
        let gaps = zip(student, teacher).dropFirst().map { s, t in (student[0] - s) - (teacher[0] - t) }
        return gaps.isEmpty ? 0 : gaps.reduce(0) { $0 + $1 * $1 } / Double(gaps.count)
    }
}

extension [Double] {
    /// The index of the largest, of equals the first.
    fileprivate var firstMaximum: Int { indices.reduce(0) { self[$1] > self[$0] ? $1 : $0 } }
}

/// What a step says of its teacher.
package struct DistillationReport: Sendable, Equatable {
    /// Value of distillation, without its weight.
    package let loss: Double
    /// Number of rows with a teacher's scores.
    package let rows: Int
    /// Share of these rows whose best candidate by the reported head is the teacher's best, too.
    package let agreement: Double
}

// MARK: - Settings

extension LossSettings {
    package static let distillObjective = Setting<DistillObjective>(
        "loss.distill_objective", .choice([.kl, .marginMSE]), .value(DistillLoss().objective),
        "What is learnt of a teacher's scores: `kl`, their distribution over a row's candidates; `margin_mse`, how far each negative "
            + "lies below the positive.")
    package static let distillHeads = Setting<EmbeddingHeads>(
        "loss.distill_heads", .choice([.dense, .late, .both]), .value(.dense),
        "`distill`: the vectors that learn of the teacher: one a text, one a token, or both.")
    package static let distillWeight = Setting<Double>(
        "loss.distill_weight", .number(.atLeast(0)), .value(0.0),
        "`infonce` and `joint`: weight of distillation beside them, in the rows with a teacher's scores; `0`: none.")
    package static let teacherTemperature = Setting<Double>(
        "loss.teacher_temperature", .number(.above(0)), .value(DistillLoss().teacherTemperature),
        "Distillation divides a teacher's scores by it.")
}

extension DistillLoss {
    /// The settings that it reads, standing alone, and not every loss does.
    static let settings: [any AnySetting] = [
        LossSettings.temperature, LossSettings.reduction, LossSettings.distillObjective, LossSettings.distillHeads,
        LossSettings.teacherTemperature,
    ]

    /// Those that a contrastive loss reads for it.
    static let addedSettings: [any AnySetting] = [
        LossSettings.distillWeight, LossSettings.distillObjective, LossSettings.teacherTemperature,
    ]

    /// Takes its values from the section `loss`.
    ///
    /// - Parameter contrastive: the loss that it is added to; nil: it stands alone
    init(_ values: SettingValues, addedTo contrastive: ContrastiveLoss? = nil) {
        objective = values[LossSettings.distillObjective]
        temperature = values[LossSettings.temperature]
        teacherTemperature = values[LossSettings.teacherTemperature]
        isMean = values[LossSettings.reduction] == .mean
        weight = contrastive == nil ? 1 : values[LossSettings.distillWeight]
        self.contrastive = contrastive
    }
}
