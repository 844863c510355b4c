// The prompts of a task, and how the command line and files of texts name one.

import Model
import Testing

@Suite struct PromptPairTests {
    @Test func theTasksOwn() {
        #expect(PromptPair.usual(task: "retrieval") == PromptPair(query: "Query: ", passage: "Passage: "))
        #expect(PromptPair.usual(task: "text-matching") == PromptPair(query: "Query: ", passage: "Query: "))
        #expect(PromptPair.usual(task: "poetry").inWords == "\"Query: \" before a query and \"Passage: \" before a passage")
        #expect(PromptPair(query: "Frage: ", passage: "").inWords == "\"Frage: \" before a query and nothing before a passage")
    }

    @Test(
        arguments: [
            ("query", "Frage: "), ("passage", "Text: "), ("none", ""), ("", ""), ("Question: ", "Question: "), ("?", "?"),
            ("Instruct: find it\nQuery: ", "Instruct: find it\nQuery: "), ("查询", "查询"), ("task2:", "task2:"),
        ])
    func names(_ text: String, _ prefix: String) throws {
        let prompt = try #require(Prompt(named: text))
        #expect(PromptPair(query: "Frage: ", passage: "Text: ").prefix(prompt) == prefix)
        #expect(Prompt(named: prompt.name) == prompt)
    }

    /// A word of letters would stand directly before the words of a text.
    @Test(arguments: ["pasage", "Query", "document", "NONE", "querys", "q", "passages"])
    func misspeltNamesAreNone(_ text: String) {
        #expect(Prompt(named: text) == nil)
    }
}
