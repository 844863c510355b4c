// What every table must say of where it was measured.

import COneDNN
import COpenBLAS
import Files
import Tensor
import Trainer

extension Machine {
    /// Names and versions of what the figures depend on.
    static var versions: [(name: String, version: String)] {
        let dnnl = dnnl_version().pointee
        let openBLAS = String(cString: openblas_get_config()).split(separator: " ").dropFirst().first.map(String.init) ?? "unknown"
        return Versions(openMPI: nil).list + [("oneDNN", "\(dnnl.major).\(dnnl.minor).\(dnnl.patch)"), ("OpenBLAS", openBLAS)]
    }

    /// One line: processor, cores, versions.
    static var summary: String {
        let versions = versions.map { "\($0.name) \($0.version)" }
        return ([Processor.model, Figures.count(cores, "core")] + versions).joined(separator: " · ")
    }

    /// The same for programs: members `processor`, `cores`, `versions`.
    static var json: JSONObject {
        var (machine, named) = (JSONObject(), JSONObject())
        for (name, version) in versions { named[name] = .string(version) }
        machine["processor"] = .string(Processor.model)
        machine["cores"] = .integer(Int64(cores))
        machine["versions"] = .object(named)
        return machine
    }
}
