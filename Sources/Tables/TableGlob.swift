// From what a user writes to the files that are meant: a file, a folder of shards, or a pattern with *, ? and [ ].

import Files
import Foundation

/// Patterns of paths.
package enum TableGlob {
    /// The files that a path or pattern means, in the order of the bytes of their paths.
    ///
    /// A path that is there is taken as it stands, whatever signs are in it. A folder means the tables in it, without those in
    /// folders below and without hidden files; they must be of one format. In a pattern `*` and `?` stand for no `/`, as in a shell.
    /// - Throws: `UserError` `.missing` when nothing is meant, `.content` when a folder holds tables of several formats
    package static func files(_ pattern: String) throws(UserError) -> [String] {
        var status = stat()
        if stat(pattern, &status) == 0 {
            return status.st_mode & S_IFMT == S_IFDIR ? try tablesOfOneFormat(in: pattern) : [pattern]
        }
        guard pattern.contains(where: { "*?[".contains($0) }) else {
            throw UserError(.missing, pattern, "no such file or folder; check the path")
        }
        guard !pattern.contains("**") else {
            throw UserError(.missing, pattern, "holds **, which is not read; write one * for each folder on the way")
        }
        var found = glob_t()
        defer { globfree(&found) }
        let code = glob(pattern, GLOB_NOSORT, nil, &found)
        guard code == 0 || code == GLOB_NOMATCH else {
            throw UserError(.inputOutput, pattern, "cannot be matched with the files of its folder; check that it may be read")
        }
        var paths: [String] = []
        for i in 0..<Int(found.gl_pathc) {
            guard let path = found.gl_pathv?[i].map({ String(cString: $0) }), isFile(path) else { continue }
            paths.append(path)
        }
        guard !paths.isEmpty else { throw UserError(.missing, pattern, "no file matches this pattern; check the path") }
        return sorted(paths)
    }

    /// The tables in a folder, of whatever formats, without those in folders below and without hidden files, in the order of the bytes
    /// of their names.
    ///
    /// - Throws: `UserError` `.missing` when the folder cannot be read or holds no table
    package static func tables(in folder: String) throws(UserError) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw UserError(.missing, folder, "this folder may not be read by this user; change its permissions or the path")
        }
        let tables = names.filter { !$0.hasPrefix(".") && TableFormat.isTable($0) }
        let start = folder.hasSuffix("/") ? folder : folder + "/"
        let paths = sorted(tables.map { start + $0 }.filter(isFile))
        guard !paths.isEmpty else {
            throw UserError(
                .missing, folder, "this folder holds no table; the names of tables end in \(TableFormat.endings.joined(separator: ", "))")
        }
        return paths
    }

    private static func tablesOfOneFormat(in folder: String) throws(UserError) -> [String] {
        let paths = try tables(in: folder)
        let start = folder.hasSuffix("/") ? folder : folder + "/"
        let endings = Set(paths.compactMap { path in TableFormat.endings.first { TablePacking.ofName(path).stem.hasSuffix($0) } })
        guard endings.count == 1 else {
            throw UserError(
                .content, folder,
                "this folder holds tables of several formats, \(endings.sorted().joined(separator: " and ")); name those that "
                    + "are meant, such as \(start)*\(endings.sorted()[0])")
        }
        return paths
    }

    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
    }

    private static func sorted(_ paths: [String]) -> [String] { paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
}
