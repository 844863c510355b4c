// Ties each Swift number that crosses the wire to its MPI datatype, so that buffer, count and datatype cannot disagree.

import COpenMPI

/// A number that MPI can carry. bf16 values travel as their `UInt16` bit patterns.
package protocol MPIElement: BitwiseCopyable, Sendable {
    /// The MPI datatype of this type.
    static var mpiType: MPIType { get }
}

/// The datatypes of MPI 3.1, section 3.2.2, that Shoal sends.
package enum MPIType: Int64, Sendable {
    case uint8 = 1
    case uint16, uint64, int32, int64, float, double

    var handle: MPI_Datatype {
        switch self {
        case .uint8: shoal_type_uint8()
        case .uint16: shoal_type_uint16()
        case .uint64: shoal_type_uint64()
        case .int32: shoal_type_int32()
        case .int64: shoal_type_int64()
        case .float: shoal_type_float()
        case .double: shoal_type_double()
        }
    }
}

extension UInt8: MPIElement { package static var mpiType: MPIType { .uint8 } }
extension UInt16: MPIElement { package static var mpiType: MPIType { .uint16 } }
extension UInt64: MPIElement { package static var mpiType: MPIType { .uint64 } }
extension Int32: MPIElement { package static var mpiType: MPIType { .int32 } }
extension Int64: MPIElement { package static var mpiType: MPIType { .int64 } }
/// Shoal runs on 64-bit processors only.
extension Int: MPIElement { package static var mpiType: MPIType { .int64 } }
extension Float: MPIElement { package static var mpiType: MPIType { .float } }
extension Double: MPIElement { package static var mpiType: MPIType { .double } }

/// The reductions of MPI 3.1, section 5.9.2, that Shoal uses.
enum Reduction: Int {
    case sum = 1
    case max, min

    var handle: MPI_Op {
        switch self {
        case .sum: shoal_op_sum()
        case .max: shoal_op_max()
        case .min: shoal_op_min()
        }
    }
}
