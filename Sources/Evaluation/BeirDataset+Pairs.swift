// An evaluation set made of pairs: anchors are the queries, their positives the corpus.

import Data
import Files

extension BeirDataset {
    /// Makes a dataset of pairs: the anchors are queries, the positives are the corpus.
    /// - Parameters:
    ///   - name: what results call the dataset
    ///   - pairs: rows in file order, with the folder of each one's images. Equal positives are one document; equal anchors one query
    ///     with all their positives
    /// - Throws: `UserError` of an image that cannot be read
    package init(name: String, pairs: [(row: TrainingRow, images: ImageFolder)]) throws(UserError) {
        var (documents, places): ([Document], [ContentHash: Int]) = ([], [:])
        var (anchors, grades, queryPlaces): ([(RowInput, ImageFolder)], [[Int: Int]], [ContentHash: Int]) = ([], [], [:])
        for (row, images) in pairs {
            let content = try row.positive.withContent(in: images) { ContentHash(of: $0) }
            let document = places[content] ?? documents.count
            if document == documents.count {
                places[content] = document
                documents.append(Document(id: "p\(document)", text: row.positive.text ?? [], image: row.positive.path(in: images)))
            }
            let anchor = try row.anchor.withContent(in: images) { ContentHash(of: $0) }
            let query = queryPlaces[anchor] ?? anchors.count
            if query == anchors.count {
                queryPlaces[anchor] = query
                anchors.append((row.anchor, images))
                grades.append([:])
            }
            grades[query][document] = 1
        }
        self.name = name
        self.documents = documents
        queries = anchors.enumerated().map { index, anchor in
            Query(
                id: "q\(index)", text: anchor.0.text ?? [], image: anchor.0.path(in: anchor.1), ownDocument: nil, grades: grades[index])
        }
    }
}

extension RowInput {
    /// Path of the image; nil for a text.
    fileprivate func path(in folder: ImageFolder) -> String? { imageName.map { folder.path(of: $0) } }
}
