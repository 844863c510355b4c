// Worlds within the world: ranks that have something in common, such as the files that they see, and share work on it.

import COpenMPI

extension Communicator {
    /// The ranks that pass the same bytes as this one, in their order, as a world of their own: ranks count from 0 in it.
    ///
    /// Collective; calls in the new world are collective among its ranks alone. It lives as long as the process, so split once
    /// and not in a loop. Where all pass the same bytes it is this world itself. `pieceBytes` and `checksAgreement` hold in both
    /// worlds, and `statistics` counts the collectives of both. Standard: section 6.4.2.
    package func split(by key: [UInt8], file: StaticString = #fileID, line: UInt = #line) throws(CommError) -> Communicator {
        let keys = try allGatherVariable(key, file: file, line: line)
        let members = keys.indices.filter { keys[$0] == key }
        guard let handle = state.handle, Set(keys).count > 1 else { return self }
        var group: MPI_Comm?
        let site = CallSite(file: file, line: line)
        try check(shoal_split_by_group(handle, Int32(members[0]), Int32(rank), &group), "MPI_Comm_split", site)
        let own = members.firstIndex(of: rank)!
        return Communicator(
            rank: own, worldSize: members.count, hosts: Hosts(hosts, among: members, rank: own), state: State(group, state.shared))
    }
}
