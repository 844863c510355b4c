// From an entry of `data.train` to the files that it means: a file, a folder of shards, or a pattern.

import Files
import Tables

extension DataFile {
    /// The files that the entry means, in the order of their paths, each with the entry's rules.
    ///
    /// - Throws: `UserError` `.missing` when a pattern or folder holds no file, `.content` when a folder holds several formats
    package func shards() throws(UserError) -> [DataFile] {
        let isPattern = path.contains { "*?[".contains($0) }
        guard isPattern || path.hasSuffix("/") || !RowFile.isNamed(path) else { return [self] }
        let paths = try TableGlob.files(path)
        return paths.map(shard)
    }
}
