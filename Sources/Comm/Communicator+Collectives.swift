// The calls that move numbers between ranks. Each is collective: every rank calls it, in the same order.
// Section numbers are those of the MPI 3.1 standard. Long buffers go in pieces of `pieceBytes`.

import COpenMPI

// MARK: - Barrier and broadcast

extension Communicator {
    /// Returns when every rank has called it.
    ///
    /// Collective. Standard: section 5.3.
    package func barrier(file: StaticString = #fileID, line: UInt = #line) throws(CommError) {
        let call = CollectiveCall(.barrier, site: CallSite(file: file, line: line))
        try perform(call, bytes: 0) { comm throws(CommError) in
            try check(MPI_Barrier(comm), "MPI_Barrier", call.site)
        }
    }

    /// Replaces `values` on every rank by root's.
    ///
    /// Collective, with the same count and root. Standard: section 5.4.
    package func broadcast<T: MPIElement>(
        _ values: UnsafeMutableBufferPointer<T>, from root: Int = 0, file: StaticString = #fileID, line: UInt = #line
    ) throws(CommError) {
        precondition((0..<worldSize).contains(root), "broadcast from rank \(root) of \(worldSize)")
        let call = CollectiveCall(.broadcast, T.mpiType, values.count, detail: root, site: CallSite(file: file, line: line))
        try perform(call, bytes: values.count * MemoryLayout<T>.stride) { comm throws(CommError) in
            try send(values, from: root, over: comm, call.site)
        }
    }

    /// Root's bytes, on every rank. The others need not know how many there are; what they pass is not looked at.
    ///
    /// Collective, with the same root. Standard: section 5.4.
    package func broadcast(
        _ bytes: [UInt8], from root: Int = 0, file: StaticString = #fileID, line: UInt = #line
    ) throws(CommError) -> [UInt8] {
        var count = [bytes.count]
        try broadcast(&count, from: root, file: file, line: line)
        var result = rank == root ? bytes : [UInt8](repeating: 0, count: count[0])
        try broadcast(&result, from: root, file: file, line: line)
        return result
    }

    private func broadcast<T: MPIElement>(_ values: inout [T], from root: Int, file: StaticString, line: UInt) throws(CommError) {
        try values.withUnsafeMutableBufferPointer { buffer throws(CommError) in
            try broadcast(buffer, from: root, file: file, line: line)
        }
    }

    private func send<T: MPIElement>(
        _ values: UnsafeMutableBufferPointer<T>, from root: Int, over comm: MPI_Comm, _ site: CallSite
    ) throws(CommError) {
        for piece in pieces(of: values.count, T.self) {
            let part = values.baseAddress! + piece.lowerBound
            try check(MPI_Bcast(part, Int32(piece.count), T.mpiType.handle, Int32(root), comm), "MPI_Bcast", site)
        }
    }
}

// MARK: - Gathering

extension Communicator {
    /// Every rank's value, in rank order, [worldSize].
    ///
    /// Collective. Standard: section 5.7.
    package func allGather<T: MPIElement>(_ value: T, file: StaticString = #fileID, line: UInt = #line) throws(CommError) -> [T] {
        let call = CollectiveCall(.allGather, T.mpiType, 1, site: CallSite(file: file, line: line))
        var own = value
        var values = [T](repeating: value, count: worldSize)
        try perform(call, bytes: worldSize * MemoryLayout<T>.stride) { comm throws(CommError) in
            let type = T.mpiType.handle
            try check(MPI_Allgather(&own, 1, type, &values, 1, type, comm), "MPI_Allgather", call.site)
        }
        return values
    }

    /// Every rank's elements, one rank's after the other's.
    ///
    /// Collective, with the same `counts`. Standard: section 5.7.
    ///
    /// - Parameters:
    ///   - local: this rank's part, [counts[rank]]
    ///   - counts: how many elements each rank has, zero included, [worldSize]
    ///   - result: [sum of counts]; must not overlap `local`
    ///
    /// MPI's displacements are 32-bit as its counts are. Where one message would not hold the result, each rank broadcasts its part
    /// instead: no displacement, and about the same bytes on every link.
    package func allGather<T: MPIElement>(
        _ local: UnsafeBufferPointer<T>, counts: [Int], into result: UnsafeMutableBufferPointer<T>,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(CommError) {
        let starts = checkedStarts(of: local.count, counts, result.count)
        let call = CollectiveCall(
            .allGather, T.mpiType, result.count, detail: CollectiveCall.hash(counts), site: CallSite(file: file, line: line))
        let own = UnsafeMutableBufferPointer(rebasing: result[starts[rank]..<(starts[rank] + local.count)])
        _ = own.update(from: local)
        try perform(call, bytes: result.count * MemoryLayout<T>.stride) { comm throws(CommError) in
            guard pieces(of: result.count, T.self).count > 1 else {
                try gatherAtOnce(counts, starts, result, over: comm, call.site)
                return
            }
            for (root, start) in starts.enumerated() {
                let part = UnsafeMutableBufferPointer(rebasing: result[start..<(start + counts[root])])
                try send(part, from: root, over: comm, call.site)
            }
        }
    }

    /// Every rank's elements when only the owner knows how many it has, [worldSize][count of that rank].
    ///
    /// Collective. Standard: section 5.7.
    package func allGatherVariable<T: MPIElement>(
        _ local: [T], file: StaticString = #fileID, line: UInt = #line
    ) throws(CommError) -> [[T]] {
        let counts = try allGather(local.count, file: file, line: line)
        var starts = [0]
        for count in counts { starts.append(starts.last! + count) }
        let flat = UnsafeMutableBufferPointer<T>.allocate(capacity: starts.last!)
        defer { flat.deallocate() }
        try local.withUnsafeBufferPointer { own throws(CommError) in
            try allGather(own, counts: counts, into: flat, file: file, line: line)
        }
        return zip(starts, starts.dropFirst()).map { Array(flat[$0..<$1]) }
    }

    /// The index of each rank's first element in the result, after a check of the caller's shapes.
    func checkedStarts(of local: Int, _ counts: [Int], _ total: Int) -> [Int] {
        precondition(counts.count == worldSize, "allGather: \(counts.count) counts for \(worldSize) ranks")
        precondition(counts.allSatisfy { $0 >= 0 } && counts[rank] == local, "allGather: \(local) elements, counts \(counts)")
        var starts: [Int] = []
        var start = 0
        for count in counts {
            starts.append(start)
            start += count
        }
        precondition(start == total, "allGather: counts \(counts) into \(total) elements")
        return starts
    }

    /// The own part lies in `result` already.
    private func gatherAtOnce<T: MPIElement>(
        _ counts: [Int], _ starts: [Int], _ result: UnsafeMutableBufferPointer<T>, over comm: MPI_Comm, _ site: CallSite
    ) throws(CommError) {
        guard !result.isEmpty else { return }
        let type = T.mpiType.handle
        let status = MPI_Allgatherv(
            shoal_in_place(), 0, type, result.baseAddress, counts.map(Int32.init), starts.map(Int32.init), type, comm)
        try check(status, "MPI_Allgatherv", site)
    }
}

// MARK: - Reducing

extension Communicator {
    /// Replaces `values` on every rank by their sum over all ranks.
    ///
    /// Collective, with the same count. Standard: section 5.9.6.
    ///
    /// Integers wrap around on overflow, and their sum does not depend on the order. Sums of Float and Double do, and with it on
    /// the number of ranks and on MPI's choice of algorithm. NaN and infinities stay visible in them.
    package func allReduceSum<T: MPIElement & Numeric>(
        _ values: UnsafeMutableBufferPointer<T>, file: StaticString = #fileID, line: UInt = #line
    ) throws(CommError) {
        try allReduce(values, .sum, CallSite(file: file, line: line))
    }

    /// Replaces the elements of an array on every rank by their sums over all ranks.
    ///
    /// Collective, with the same count. Sums behave as those of the same call for a buffer.
    package func allReduceSum<T: MPIElement & Numeric>(
        _ values: inout [T], file: StaticString = #fileID, line: UInt = #line
    ) throws(CommError) {
        let site = CallSite(file: file, line: line)
        try values.withUnsafeMutableBufferPointer { buffer throws(CommError) in try allReduce(buffer, .sum, site) }
    }

    /// Replaces `values` on every rank by their smallest over all ranks.
    ///
    /// Collective, with the same count. Standard: section 5.9.6.
    /// For integers only: MPI_MIN loses a NaN or keeps it, depending on the rank that holds it.
    package func allReduceMin<T: MPIElement & FixedWidthInteger>(
        _ values: inout [T], file: StaticString = #fileID, line: UInt = #line
    ) throws(CommError) {
        let site = CallSite(file: file, line: line)
        try values.withUnsafeMutableBufferPointer { buffer throws(CommError) in try allReduce(buffer, .min, site) }
    }

    private func allReduce<T: MPIElement>(
        _ values: UnsafeMutableBufferPointer<T>, _ reduction: Reduction, _ site: CallSite
    ) throws(CommError) {
        let call = CollectiveCall(.allReduce, T.mpiType, values.count, detail: reduction.rawValue, site: site)
        try perform(call, bytes: values.count * MemoryLayout<T>.stride) { comm throws(CommError) in
            for piece in pieces(of: values.count, T.self) {
                let part = values.baseAddress! + piece.lowerBound
                let status = MPI_Allreduce(shoal_in_place(), part, Int32(piece.count), T.mpiType.handle, reduction.handle, comm)
                try check(status, "MPI_Allreduce", site)
            }
        }
    }
}
