// An evaluation set made of pairs: anchors are the queries, their positives the corpus.

import Tensor

extension BeirDataset {
    /// - Parameters:
    ///   - name: of the dataset
    ///   - pairs: rows in file order. Equal positives are one document; equal anchors one query with all their positives.
    init(name: String, pairs: [TrainingRow]) {
        var (documents, places): ([Document], [ContentHash: Int]) = ([], [:])
        var (texts, grades, queryPlaces): ([[UInt8]], [[Int: Int]], [ContentHash: Int]) = ([], [], [:])
        for pair in pairs {
            let document = places[ContentHash(of: pair.positive)] ?? documents.count
            if document == documents.count {
                places[ContentHash(of: pair.positive)] = document
                documents.append(Document(id: "p\(document)", text: pair.positive))
            }
            let query = queryPlaces[ContentHash(of: pair.anchor)] ?? texts.count
            if query == texts.count {
                queryPlaces[ContentHash(of: pair.anchor)] = query
                texts.append(pair.anchor)
                grades.append([:])
            }
            grades[query][document] = 1
        }
        self.name = name
        self.documents = documents
        queries = texts.indices.map { Query(id: "q\($0)", text: texts[$0], ownDocument: nil, grades: grades[$0]) }
    }
}
