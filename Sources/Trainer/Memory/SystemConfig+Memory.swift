// How much memory a run may take.

import Project

extension SystemConfig {
    /// The limit where none is set: nine tenths of what is free. Asked for before a run takes anything.
    static var freeMemory: Int { (Machine.availableBytes ?? 0) / 10 * 9 }
}
