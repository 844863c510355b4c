// The version of Shoal, in this one place, and those of what it was built with.

/// What wrote a run.
package struct Versions: Sendable, Equatable {
    /// Of this source.
    package static let shoal = "0.1.0"

    /// As the library describes itself; nil in a run without MPI.
    package let openMPI: String?

    package init(openMPI: String?) {
        self.openMPI = openMPI
    }

    /// Name and version, in the order in which they are listed.
    package var list: [(name: String, version: String)] {
        [("Shoal", Self.shoal), ("Swift", Self.swift)] + (openMPI.map { [("Open MPI", $0)] } ?? [])
    }

    /// Of the compiler, as far as the source can ask for it.
    #if compiler(>=6.4)
        package static let swift = "6.4 or newer"
    #elseif compiler(>=6.3)
        package static let swift = "6.3"
    #elseif compiler(>=6.2)
        package static let swift = "6.2"
    #else
        package static let swift = "6.0 or 6.1"
    #endif
}
