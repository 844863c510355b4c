// Where this package lies, for tests that read what is committed with it.

import Foundation

let packageFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
