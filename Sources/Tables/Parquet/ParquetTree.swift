// From the lines of a schema to its tree. Lists are written in several ways; the rules are those of the format's specification
// ("Logical types: lists, backward-compatibility rules").

import Files

/// Builds the tree of a schema.
struct ParquetTree {
    private let elements: [ParquetSchemaElement]
    private let place: ParquetPlace
    private var next = 1
    /// Every leaf of the file in its order, those that are not read as well.
    private(set) var leafCount = 0
    /// The columns.
    private(set) var columns: [ParquetNode] = []

    /// - Parameter elements: the root first
    init(_ elements: [ParquetSchemaElement], _ place: ParquetPlace) throws(UserError) {
        self.elements = elements
        self.place = place
        guard let root = elements.first, root.children > 0, root.physical == nil else { throw place.damaged("its schema has no columns") }
        for _ in 0..<root.children { columns.append(try node(definition: 0, repetition: 0, path: "", depth: 0)) }
        guard next == elements.count else {
            throw place.damaged("its schema has \(elements.count) elements of which \(next) belong to columns")
        }
    }

    /// Reads the next element with everything under it.
    /// - Parameter isElement: its repetition was used by the list around it
    private mutating func node(
        definition: Int, repetition: Int, path: String, depth: Int, isElement: Bool = false
    ) throws(UserError) -> ParquetNode {
        guard next < elements.count else { throw place.damaged("its schema ends early") }
        guard depth < ParquetLimits.depth else { throw place.damaged("its schema lies deeper than \(ParquetLimits.depth) levels") }
        let element = elements[next]
        let start = leafCount
        let path = path.isEmpty ? element.name : "\(path).\(element.name)"
        if element.repetition == 2, !isElement {
            // Repeated outside a LIST: a list that is never null, of elements that are never null.
            let inner = try node(definition: definition + 1, repetition: repetition + 1, path: path, depth: depth + 1, isElement: true)
            let content = ParquetNode.Content.list(inner, present: definition + 1, repetition: repetition + 1)
            return ParquetNode(element.name, content, definition: definition, leaves: start..<leafCount)
        }
        next += 1
        let own = definition + (element.repetition == 1 && !isElement ? 1 : 0)
        let content: ParquetNode.Content
        if element.physical != nil {
            content = try leaf(element, path, definition: own, repetition: repetition)
        } else if element.isMap {
            try pass(element, depth)
            content = .refused("is a MAP, which is not read")
        } else if element.isList {
            content = try list(element, path, definition: own, repetition: repetition, depth)
        } else if element.children > 0, element.converted == nil, element.logical == nil {
            let fields = try fields(element, path, definition: own, repetition: repetition, depth)
            let isDistinct = Set(fields.map { ExactString($0.name) }).count == fields.count
            content = isDistinct ? .structure(fields) : .refused("is a struct with two fields of one name, which is not read")
        } else {
            try pass(element, depth)
            content = .refused(element.children == 0 ? "is a struct without fields, which is not read" : "is a group of an unknown kind")
        }
        return ParquetNode(element.name, content, definition: own, leaves: start..<leafCount)
    }

    private mutating func leaf(
        _ element: ParquetSchemaElement, _ path: String, definition: Int, repetition: Int
    ) throws(UserError) -> ParquetNode.Content {
        guard element.children == 0 else { throw place.damaged("the schema's \(quoted(path)) has both a type and fields") }
        defer { leafCount += 1 }
        let (kind, refusal) = ParquetLeaf.kind(element)
        guard let kind else { return .refused(refusal) }
        let isUnsigned = element.isUnsigned || (11...14).contains(element.converted ?? 0)
        return .leaf(
            ParquetLeaf(
                kind: kind, physical: element.physical!, isUnsigned: isUnsigned, path: path, index: leafCount,
                maximumDefinition: definition,
                maximumRepetition: repetition))
    }

    private mutating func fields(
        _ element: ParquetSchemaElement, _ path: String, definition: Int, repetition: Int, _ depth: Int
    ) throws(UserError) -> [ParquetNode] {
        guard element.children <= elements.count else { throw place.damaged("the schema's \(quoted(path)) has \(element.children) fields") }
        var fields: [ParquetNode] = []
        for _ in 0..<element.children {
            fields.append(try node(definition: definition, repetition: repetition, path: path, depth: depth + 1))
        }
        return fields
    }

    private mutating func list(
        _ element: ParquetSchemaElement, _ path: String, definition: Int, repetition: Int, _ depth: Int
    ) throws(UserError) -> ParquetNode.Content {
        guard element.children == 1, next < elements.count, elements[next].repetition == 2 else {
            throw place.damaged("the schema's list \(quoted(path)) has no repeated member")
        }
        let repeated = elements[next]
        let (present, level) = (definition + 1, repetition + 1)
        let isOldForm = repeated.name == "array" || repeated.name == element.name + "_tuple"
        let inner: ParquetNode
        if repeated.physical != nil || repeated.children != 1 || isOldForm {
            inner = try node(definition: present, repetition: level, path: path, depth: depth + 1, isElement: true)
        } else {
            next += 1
            inner = try node(definition: present, repetition: level, path: "\(path).\(repeated.name)", depth: depth + 1)
        }
        return .list(inner, present: present, repetition: level)
    }

    /// Passes over everything under an element, counting its leaves.
    private mutating func pass(_ element: ParquetSchemaElement, _ depth: Int) throws(UserError) {
        guard depth < ParquetLimits.depth else { throw place.damaged("its schema lies deeper than \(ParquetLimits.depth) levels") }
        guard (0...elements.count).contains(element.children) else { throw place.damaged("an element has \(element.children) fields") }
        for _ in 0..<element.children {
            guard next < elements.count else { throw place.damaged("its schema ends early") }
            let child = elements[next]
            next += 1
            if child.physical != nil { leafCount += 1 } else { try pass(child, depth + 1) }
        }
    }
}
