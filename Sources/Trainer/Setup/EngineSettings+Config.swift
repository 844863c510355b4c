// The engine that a configuration asks for.

import Embedding
import Project

extension EngineSettings {
    /// Takes the settings from `system`, and the cache folder from `data`.
    init(_ config: ProjectConfig) {
        self.init(
            config.system.computeType, library: config.system.matrixLibrary, isExact: config.system.isExact,
            cacheSetting: config.data.cacheFolder)
    }
}
