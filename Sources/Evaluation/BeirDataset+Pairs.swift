// An evaluation set made of pairs: anchors are the queries, their positives the corpus.

import Data
import Files

extension BeirDataset {
    /// Makes a dataset of pairs: the anchors are queries, the positives are the corpus.
    /// - Parameters:
    ///   - name: what results call the dataset
    ///   - pairs: rows in file order, with the folder of each one's images. Equal positives are one document; equal anchors, of one
    ///     prompt, one query with all their positives. Of equal scores the order is that of the contents, so that it does not depend on that of the rows
    /// - Throws: `UserError` of an image that cannot be read
    package init(name: String, pairs: [(row: TrainingRow, images: ImageFolder)]) throws(UserError) {
        var (documents, places): ([(content: ContentHash, document: Document)], [ContentHash: Int]) = ([], [:])
        var (anchors, positives, queryPlaces): ([(TrainingRow, ImageFolder)], [Set<Int>], [PromptedContent: Int]) = ([], [], [:])
        for (row, images) in pairs {
            let content = try row.positive.withContent(in: images) { ContentHash(of: $0) }
            let document = places[content] ?? documents.count
            if document == documents.count {
                places[content] = document
                documents.append(
                    (content, Document(id: "p\(document)", text: row.positive.text ?? [], image: row.positive.path(in: images))))
            }
            let anchor = PromptedContent(prompt: row.prompt, content: try row.anchor.withContent(in: images) { ContentHash(of: $0) })
            let query = queryPlaces[anchor] ?? anchors.count
            if query == anchors.count {
                queryPlaces[anchor] = query
                anchors.append((row, images))
                positives.append([])
            }
            positives[query].insert(document)
        }
        let falling = documents.indices.sorted { documents[$1].content.bytes.lexicographicallyPrecedes(documents[$0].content.bytes) }
        var place = [Int](repeating: 0, count: falling.count)
        for (index, document) in falling.enumerated() { place[document] = index }
        let queries = anchors.enumerated().map { index, anchor in
            let grades = Dictionary(uniqueKeysWithValues: positives[index].map { (place[$0], 1) })
            return Query(
                id: "q\(index)", text: anchor.0.anchor.text ?? [], image: anchor.0.anchor.path(in: anchor.1),
                prompt: anchor.0.prompt.map { String(decoding: $0, as: UTF8.self) }, ownDocument: nil, judgements: Judgements(grades))
        }
        self.init(name: name, documents: falling.map { documents[$0].document }, queries: queries, notices: [])
    }

    /// Makes a dataset of the pairs of each task, in the order of its first row: a row's own task decides which adapter embeds it.
    ///
    /// - Throws: `UserError` of an image that cannot be read
    package static func byTask(
        name: String, pairs: [(row: TrainingRow, images: ImageFolder)]
    ) throws(UserError) -> [(task: String, dataset: BeirDataset)] {
        var sets: [(task: String, dataset: BeirDataset)] = []
        for (row, _) in pairs where !sets.contains(where: { $0.task == row.task }) {
            sets.append((row.task, try BeirDataset(name: name, pairs: pairs.filter { $0.row.task == row.task })))
        }
        return sets
    }
}

/// What makes a query what it is: its words or its image, and the prompt of its own before them.
private struct PromptedContent: Hashable {
    let prompt: [UInt8]?
    let content: ContentHash
}

extension RowInput {
    /// Path of the image; nil for a text.
    fileprivate func path(in folder: ImageFolder) -> String? { imageName.map { folder.path(of: $0) } }
}
