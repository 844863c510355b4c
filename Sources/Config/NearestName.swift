// "Did you mean": the known name that a mistyped one is nearest to.

/// Guesses what was meant.
package enum NearestName {
    /// The name among `known` with the fewest edits from `name`; nil when more than a third of its characters differ.
    ///
    /// Of equally near names the first wins. Upper and lower case, `-` and `_` are taken as equal.
    package static func of(_ name: String, among known: [String]) -> String? {
        let given = folded(name)
        var best: (name: String, edits: Int)?
        for candidate in known {
            let edits = editDistance(given, folded(candidate))
            if edits <= max(1, max(given.count, candidate.utf8.count) / 3), edits < best?.edits ?? .max {
                best = (candidate, edits)
            }
        }
        return best?.name
    }

    /// The sentence for a key that none of `known` equals; `place` as in "in loss".
    package static func unknownKey(_ name: String, _ place: String, known: [String]) -> String {
        let hint = of(name, among: known).map { "did you mean \"\($0)\"?" } ?? "known are " + known.joined(separator: ", ")
        return "unknown key \(YAMLScalar.quoted(name)) \(place); \(hint)"
    }

    /// Insertions, deletions, replacements and swaps of neighbours between two names, upper and lower case taken as equal.
    package static func edits(_ a: String, _ b: String) -> Int { editDistance(folded(a), folded(b)) }

    private static func folded(_ name: String) -> [UInt8] {
        name.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment).
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            row.reserveCapacity(b.count + 1)
            for j in b.indices {
                var edits = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { edits = min(edits, beforePrevious[j - 1] + 1) }
                row.append(edits)
            }
            (beforePrevious, previous) = (previous, row)
        }
        return previous[b.count]
    }
}
