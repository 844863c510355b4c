// Jobs that must end in a certain way: each is started by its own test, which looks at exit code and words.

import Comm
import Glibc
import Synchronization
import Tensor

private struct Broken: ExitCoded, CustomStringConvertible {
    let exitCode: Int32
    let description: String
}

let faults: [String: @Sendable (Communicator) throws -> Int32] = [
    "return-75": { _ in 75 },
    "throw": { world in
        world.phase = "reading"
        try lastFails(world, Broken(exitCode: 65, description: "rows.jsonl:3: \"positive\" is empty\nsecond line"))
        return 0
    },
    "throw-unnamed": { world in
        try lastFails(world, CheckFailed(description: "no code"))
        return 0
    },
    "throw-zero": { world in
        try lastFails(world, Broken(exitCode: 0, description: "zero is success"))
        return 0
    },
    "throw-300": { world in
        try lastFails(world, Broken(exitCode: 300, description: "300 is 44 to a shell"))
        return 0
    },
    "codes-differ": { world in world.rank == 0 ? 0 : 75 },
    "leave-early": { world in
        if world.rank == 0 { try world.barrier() }
        return 0
    },
    "killed": { world in
        if world.rank == world.worldSize - 1 { kill(getpid(), SIGKILL) }
        try world.barrier()
        return 0
    },
    "stop-request": stopRequest,
    "tasks-meet": tasksMeet,
]

/// Ends only where two tasks of a loop run at a time: each waits until the other has begun.
private func tasksMeet(_ world: Communicator) -> Int32 {
    let begun = Atomic(0)
    Threads.count = 2
    Threads.run(2) { _ in
        begun.wrappingAdd(1, ordering: .releasing)
        while begun.load(ordering: .acquiring) < 2 { sched_yield() }
    }
    return 0
}

/// One rank fails while the others wait for it.
private func lastFails(_ world: Communicator, _ error: any Error) throws {
    if world.rank == world.worldSize - 1 { throw error }
    try world.barrier()
}

/// Works until asked to stop, at most a minute, and says when it listens and when it has been asked. With `stay` it works on.
private func stopRequest(_ world: Communicator) throws -> Int32 {
    say("listening", world)
    var isAsked = false
    for _ in 0..<6000 {
        if try !isAsked && world.allTrue(StopRequest.isRequested) {
            isAsked = true
            say("asked", world)
            if CommandLine.arguments.last != "stay" { return 75 }
        }
        usleep(10_000)
    }
    return 3
}

/// A word on rank 0's standard output, at once.
private func say(_ word: String, _ world: Communicator) {
    let line = Array("\(word)\n".utf8)
    if world.rank == 0 { _ = write(STDOUT_FILENO, line, line.count) }
}
