// What a linear's factors are multiplied by, and how wide they are, as PEFT reads it from adapter_config.json: `r` and `lora_alpha`,
// `rank_pattern` and `alpha_pattern`, which say others for some linears, and `use_rslora`. All of it is plain LoRA: narrow factors are
// filled up with zeros, and other scales go into B.

import Files
import Foundation

/// Ranks and scales of the linears of an adapter.
struct AdapterScaling {
    /// `r`
    let rank: Int
    /// `lora_alpha`
    let alpha: Double
    /// Whether alpha is divided by the square root of the rank in place of the rank (`use_rslora`).
    let isRankStabilised: Bool
    private let ranks: [Pattern]
    private let alphas: [Pattern]

    /// A key of `rank_pattern` or `alpha_pattern`, which ends the path of the linears that it means.
    private struct Pattern {
        let expression: NSRegularExpression
        let value: Double

        func matches(_ path: String) -> Bool {
            expression.firstMatch(in: path, options: .anchored, range: NSRange(path.startIndex..., in: path)) != nil
        }
    }

    /// - Throws: `UserError` `.content` for a value out of range, or a key that is no regular expression
    init(_ config: ConfigObject) throws(UserError) {
        rank = try config.integer("r", in: 1...65536)
        alpha = try config.number("lora_alpha", in: 1e-6...1e6)
        isRankStabilised = try config.optionalBool("use_rslora") ?? false
        ranks = try Self.patterns("rank_pattern", config) { (section, key) throws(UserError) in
            Double(try section.integer(key, in: 1...65536))
        }
        alphas = try Self.patterns("alpha_pattern", config) { (section, key) throws(UserError) in try section.number(key, in: 1e-6...1e6) }
    }

    private static func patterns(
        _ name: String, _ config: ConfigObject, _ value: (ConfigObject, String) throws(UserError) -> Double
    ) throws(UserError) -> [Pattern] {
        guard let section = try config.section(name) else { return [] }
        var patterns: [Pattern] = []
        for (key, _) in section.entries {
            // The first key that matches wins, as in PEFT.
            guard key.utf8.count <= 1000, let expression = try? NSRegularExpression(pattern: "(.*\\.)?(\(key))$") else {
                throw section.fault(key, "is no regular expression; save the adapter again")
            }
            patterns.append(Pattern(expression: expression, value: try value(section, key)))
        }
        return patterns
    }

    /// Keys that are switched on, for people who look: `use_rslora`, `rank_pattern`.
    var extras: [String] {
        (isRankStabilised ? ["use_rslora"] : []) + (ranks.isEmpty ? [] : ["rank_pattern"]) + (alphas.isEmpty ? [] : ["alpha_pattern"])
    }

    /// - Parameter path: of a linear in the model that PEFT wrapped
    func rank(of path: String) -> Int { ranks.first { $0.matches(path) }.map { Int($0.value) } ?? rank }

    /// - Parameter path: of a linear in the model that PEFT wrapped
    func scale(of path: String) -> Double {
        let (rank, alpha) = (Double(rank(of: path)), alphas.first { $0.matches(path) }?.value ?? alpha)
        return alpha / (isRankStabilised ? rank.squareRoot() : rank)
    }

    /// One rank and alpha for all linears of an adapter.
    ///
    /// - Parameter paths: of the linears in the model that PEFT wrapped, at least one
    /// - Returns: the widest rank, and the alpha that gives most linears their own scale without a change of B
    func common(_ paths: [String]) -> (rank: Int, alpha: Double) {
        let widest = paths.map(rank).max() ?? rank
        guard !extras.isEmpty else { return (rank, alpha) }
        var counts: [Double: Int] = [:]
        for path in paths { counts[scale(of: path), default: 0] += 1 }
        let most = counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }
        return (widest, (most?.key ?? 1) * Double(widest))
    }
}
