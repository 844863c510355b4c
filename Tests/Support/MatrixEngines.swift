// Every engine that this machine can run: our own kernels under each of its instruction sets, and the libraries.

import Tensor
import Testing

/// The engines of this machine.
package enum MatrixEngines {
    /// Our own kernels, for each instruction set that the processor has; the lesser ones by force.
    package static let own: [MatrixEngine] = InstructionSet.available.flatMap { set in
        [MatrixEngine(.float32, .own, set), MatrixEngine(.bfloat16, .own, set)]
    }

    /// Our own kernels for one element type.
    package static func own(_ kind: MatrixEngine.Kind) -> [MatrixEngine] { own.filter { $0.kind == kind } }

    /// The libraries, as far as they serve this processor.
    package static let libraries: [MatrixEngine] =
        [MatrixEngine(.float32, .openBLAS)] + (OneDNN.isAvailable ? [MatrixEngine(.bfloat16, .oneDNN)] : [])
}

extension MatrixEngine: CustomTestStringConvertible {
    package var testDescription: String { "\(kind) by \(library == .own ? instructions.rawValue : library.rawValue)" }
}
