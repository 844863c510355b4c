// How a picture is looked at: turned as its camera noted it or as its pixels are stored, on white where it is transparent or without
// regard to that.

/// The choices between a file's pixels and the picture that a model sees.
package struct PictureView: Sendable, Equatable {
    /// What becomes of the orientation that a camera noted.
    package enum Orientation: String, Sendable, CaseIterable {
        /// The picture is turned upright, as `load_image` of transformers does by Pillow's `exif_transpose`.
        case exif
        /// Pixels stay where they are stored, as in Pillow's `convert("RGB")`.
        case ignore
    }

    /// What becomes of transparency.
    package enum Background: String, Sendable, CaseIterable {
        /// The picture is laid on white, as `convert_to_rgb` of transformers' image processors does.
        case white
        /// Colours are taken as if they were opaque, as in Pillow's `convert("RGB")`.
        case drop
    }

    /// Whether the picture is turned upright.
    package var orientation: Orientation
    /// What a transparent place shows.
    package var background: Background

    /// Creates a view; by default that of transformers 5.23 and later.
    package init(orientation: Orientation = .exif, background: Background = .white) {
        self.orientation = orientation
        self.background = background
    }

    /// Pixels as Pillow's `convert("RGB")` gives them, which the published model's own code calls.
    package static let stored = PictureView(orientation: .ignore, background: .drop)
}

/// What a user may choose about images; the rest stands in the model's preprocessor_config.json.
package struct ImageOptions: Sendable, Equatable {
    /// Pixels of a scaled image at least; nil: the model's own limit.
    package var minPixels: Int?
    /// Pixels of a scaled image at most; nil: the model's own limit.
    package var maxPixels: Int?
    /// Orientation and background.
    package var view: PictureView

    /// Creates a choice; by default the model's limits.
    package init(minPixels: Int? = nil, maxPixels: Int? = nil, view: PictureView = PictureView()) {
        self.minPixels = minPixels
        self.maxPixels = maxPixels
        self.view = view
    }
}
