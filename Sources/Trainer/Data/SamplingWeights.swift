// How often an epoch passes over each data set: as the sets' weights say, or as a temperature evens out their sizes.

import Glibc

extension DataConfig {
    /// Passes over each data set in an epoch.                       [sets]
    ///
    /// With a temperature T each set's share of the epoch goes with n^(1/T), and the epoch keeps its length:
    ///
    ///     passes(i) = nᵢ^(1/T - 1) · Σ n / Σ n^(1/T)
    ///
    /// 1 leaves the sets in proportion to their rows, a very high T gives all of them the same number of rows.
    /// - Parameter rows: of each set
    /// Source: Arivazhagan et al. 2019, arXiv:1907.05019, section 3.
    package func passes(rows: [Int]) -> [Double] {
        guard samplingTemperature != 1 else { return train.map(\.weight) }
        let shares = rows.map { pow(Double($0), 1 / samplingTemperature) }
        let scale = Double(rows.reduce(0, +)) / shares.reduce(0, +)
        return zip(rows, shares).map { rows, share in rows == 0 ? 0 : scale * share / Double(rows) }
    }
}
