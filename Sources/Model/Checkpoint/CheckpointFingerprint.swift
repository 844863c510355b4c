// A cheap hash of a backbone, by which hosts find out whether they hold the same one. Reading all weights would take
// seconds per host; headers and pages spread over each file show any difference but a deliberate one.

import Files
import Foundation

extension Checkpoint {
    /// SHA-256 over config.json, tokenizer.json where there is one, and of each weight file its name, size, header and 256 pages
    /// spread evenly. The same on every host with the same files; no proof of equality.
    package func fingerprint() -> [UInt8] {
        var hash = SHA256()
        for name in ["config.json", "tokenizer.json"] {
            if let content = try? Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)) {
                hash.update(Array("\(name) \(content.count)\n".utf8))
                hash.update(content)
            }
        }
        for file in files { file.addSample(to: &hash) }
        return hash.finalize()
    }
}

extension SafetensorsFile {
    fileprivate func addSample(to hash: inout SHA256) {
        let (pages, pageSize) = (256, 4096)
        let bytes = file.contents
        let header = entries.first?.bytes.lowerBound ?? bytes.byteCount
        hash.update(Array("\(path.split(separator: "/").last ?? "") \(bytes.byteCount)\n".utf8))
        hash.update(bytes.extracting(0..<header))
        let data = bytes.byteCount - header
        guard data > pages * pageSize else { return hash.update(bytes.extracting(droppingFirst: header)) }
        for page in 0..<pages {
            let start = header + (data - pageSize) / (pages - 1) * page
            hash.update(bytes.extracting(start..<start + pageSize))
        }
    }
}
