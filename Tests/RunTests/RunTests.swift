// The program as a user starts it: alone, and under mpirun on several ranks of this machine, with files as users have them.
// All suites hang on this one, so that they run one after the other: each job wants the processor for itself.

import Support
import Testing

@Suite(.serialized) enum RunTests {}

/// A world without mpirun, and one of two ranks.
let smallWorlds: [Int?] = [nil, 2]

/// Seconds in which a refusal must be there: a job that hangs takes longer.
let refusalLimit = 20.0
