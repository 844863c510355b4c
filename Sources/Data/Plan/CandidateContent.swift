// Candidates by their content: what tells a duplicate from a negative, in this step and in later ones.

/// The content of a candidate, by which duplicates are told from negatives.
package struct CandidateContent: Equatable, Sendable {
    /// Hash of the candidate's own content.
    package let content: ContentHash
    /// Hash of the anchor of the row whose positive the candidate is; nil: it is a hard negative.
    package let anchor: ContentHash?

    /// Creates a candidate.
    package init(content: ContentHash, anchor: ContentHash?) {
        self.content = content
        self.anchor = anchor
    }
}
