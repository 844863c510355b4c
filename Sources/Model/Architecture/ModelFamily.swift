// Which models are read, and what to say of the others: config.json names its family and how its weights are packed, and a sentence
// about a missing key would not.

import Files

/// The families of models whose backbone is that of Qwen2.5-VL.
enum ModelFamily {
    /// Values of `model_type` that are read: of the whole model, of its text decoder alone, and of the published model.
    private static let types = ["qwen2_5_vl", "qwen2_5_vl_text", "jina_embeddings_v4"]

    /// What people bring instead, by `model_type`.
    private static let others = [
        "qwen2": "a Qwen2 or Qwen2.5 text model", "qwen2_moe": "a Qwen2 text model with experts", "qwen2_vl": "a Qwen2-VL model",
        "qwen2_vl_text": "the decoder of a Qwen2-VL model", "qwen2_5_omni": "a Qwen2.5-Omni model",
        "qwen3": "a Qwen3 text model", "qwen3_moe": "a Qwen3 text model with experts", "qwen3_vl": "a Qwen3-VL model",
        "qwen3_vl_text": "the decoder of a Qwen3-VL model", "qwen3_vl_moe": "a Qwen3-VL model with experts", "qwen3_5": "a Qwen3.5 model",
        "bert": "a BERT model", "modernbert": "a ModernBERT model", "roberta": "a RoBERTa model", "xlm-roberta": "an XLM-RoBERTa model",
        "distilbert": "a DistilBERT model", "mpnet": "an MPNet model", "t5": "a T5 model", "llama": "a Llama model",
        "mistral": "a Mistral model", "gemma3": "a Gemma 3 model", "gemma3_text": "a Gemma 3 text model",
        "paligemma": "a PaliGemma model", "colpali": "a ColPali model", "colqwen2": "a ColQwen2 model",
        "clip": "a CLIP model", "siglip": "a SigLIP model",
    ]

    private static let wanted = "a Qwen2.5-VL backbone is read, such as jina-embeddings-v4 or Qwen2.5-VL-3B-Instruct: name its folder"

    /// Holds a configuration against what is read, before any of its numbers is.
    ///
    /// - Throws: `UserError` `.content` naming the family or the quantisation
    static func check(_ root: ConfigObject) throws(UserError) {
        if let type = try root.optionalString("model_type") {
            guard types.contains(type) else {
                let family = others[type].map { "is \(quoted(type)), \($0)" } ?? "is \(quoted(type))"
                throw root.fault("model_type", "\(family), which is not read; \(wanted)")
            }
        } else if let names = try root.optionalStrings("architectures"),
            let other = names.first(where: { !$0.hasPrefix("Qwen2_5_VL") && !$0.hasPrefix("JinaEmbeddingsV4") })
        {
            throw root.fault("architectures", "names \(quoted(other)), which is not read; \(wanted)")
        }
        for config in [root, try root.section("text_config")].compactMap(\.self) {
            for key in ["quantization_config", "compression_config"] {
                if let section = try config.section(key) { throw config.fault(key, "says that the weights are \(words(section)); \(mend)") }
            }
        }
    }

    private static let mend = "quantised weights are not read: take the model's own weights in bfloat16, float16 or float32"

    /// `quantised by GPTQ to 4 bits`
    private static func words(_ section: ConfigObject) -> String {
        let names = [
            "gptq": "GPTQ", "awq": "AWQ", "fp8": "FP8", "fbgemm_fp8": "FP8", "bitsandbytes": "bitsandbytes", "modelopt": "ModelOpt",
            "compressed-tensors": "compressed-tensors", "mxfp4": "MXFP4", "hqq": "HQQ", "torchao": "torchao",
        ]
        let method = section.value("quant_method")?.stringValue ?? section.value("quantization_algo")?.stringValue
        let bits = section.value("bits")?.integerValue ?? section.value("w_bit")?.integerValue
        let by = method.map { " by \(names[$0.lowercased()] ?? quoted($0))" } ?? ""
        return "quantised\(by)\(bits.map { " to \($0) bits" } ?? "")"
    }
}
