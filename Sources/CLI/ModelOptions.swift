// The flags that name a model, shared by the commands that embed with it.

import ArgumentParser
import Images
import Model
import Tensor

extension ComputeType: ExpressibleByArgument {}
extension PictureView.Orientation: ExpressibleByArgument {}
extension PictureView.Background: ExpressibleByArgument {}

extension Prompt {
    /// A prompt of the command line.
    /// - Throws: `ValidationError` with the rule, for a word that is none
    static func argument(_ text: String) throws -> Prompt {
        guard let prompt = Prompt(named: text) else { throw ValidationError("it must be \(nameRule)") }
        return prompt
    }
}

struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The backbone: a folder with config.json, tokenizer.json and safetensors files.", valueName: "folder"),
        completion: .directory)
    var model: String

    @Option(
        help: ArgumentHelp(
            "The adapters: a run's folder, peft/<task> in it, one of its checkpoints, or a published folder; none: the bare backbone. Default: those in MODEL/adapters, if there are any.",
            valueName: "folder"),
        completion: .directory)
    var adapter: String?

    @Option(
        help: ArgumentHelp(
            "Tokens of a text at most, prompt included; the rest is cut off and counted. Default: the model's limit.", valueName: "tokens"))
    var maxLength: Int?

    @Option(
        help: ArgumentHelp(
            "Pixels that an image is scaled down to at most: 28 × 28 are a token. Default: the model's (602112, 768 tokens).",
            valueName: "pixels"))
    var maxPixels: Int?

    @Option(help: ArgumentHelp("Pixels that an image is scaled up to at least. Default: the model's.", valueName: "pixels"))
    var minPixels: Int?

    @Option(help: ArgumentHelp("Turn pictures upright as their camera noted it (exif), or not (ignore).", valueName: "way"))
    var imageOrientation: PictureView.Orientation = .exif

    @Option(help: ArgumentHelp("Lay transparent pictures on white, or drop their transparency.", valueName: "way"))
    var imageBackground: PictureView.Background = .white

    @Option(help: ArgumentHelp("Arithmetic of products; auto is bfloat16 where the processor has it.", valueName: "type"))
    var computeDtype: ComputeType = .automatic

    @Option(
        help: ArgumentHelp(
            "Threads of each rank. Default: the cores it is bound to, shared among the ranks of the host.", valueName: "count"))
    var threads: Int?

    func validate() throws {
        if let maxLength, maxLength < 1 { throw ValidationError("--max-length is \(maxLength); a text has at least one token") }
        for (flag, pixels) in [("--min-pixels", minPixels), ("--max-pixels", maxPixels)] {
            if let pixels, pixels < 1 { throw ValidationError("\(flag) is \(pixels); an image has at least one pixel") }
        }
        if let minPixels, let maxPixels, minPixels > maxPixels {
            throw ValidationError("--min-pixels \(minPixels) is above --max-pixels \(maxPixels); lower one or raise the other")
        }
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads is \(threads); it must be 1 to 1024") }
    }

    var choice: ModelChoice {
        ModelChoice(
            folder: model, adapter: adapter, maximumTokens: maxLength, computeType: computeDtype, threads: threads,
            images: ImageOptions(
                minPixels: minPixels, maxPixels: maxPixels, view: PictureView(orientation: imageOrientation, background: imageBackground)))
    }
}
