// How often an epoch passes over each data set: as the sets' weights say, or as a temperature evens out their sizes.

import Glibc

/// Passes over data sets.
package enum SamplingWeights {
    /// Passes over each data set in an epoch.                       [sets]
    ///
    /// With a temperature T each set's share of the epoch goes with n^(1/T), and the epoch keeps its length:
    ///
    ///     passes(i) = nᵢ^(1/T - 1) · Σ n / Σ n^(1/T)
    ///
    /// 1 leaves the sets in proportion to their rows, a very high T gives all of them the same number of rows.
    /// - Parameters:
    ///   - rows: of each set
    ///   - weights: passes that the user asks for, where the temperature is 1
    /// Source: Arivazhagan et al. 2019, arXiv:1907.05019, section 3.
    package static func passes(rows: [Int], weights: [Double], temperature: Double) -> [Double] {
        guard temperature != 1 else { return weights }
        let shares = rows.map { pow(Double($0), 1 / temperature) }
        let scale = Double(rows.reduce(0, +)) / shares.reduce(0, +)
        return zip(rows, shares).map { rows, share in rows == 0 ? 0 : scale * share / Double(rows) }
    }
}
