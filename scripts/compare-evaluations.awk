# Prints two result files of `shoal evaluate --output` as one table: each metric before → after, a line per dimension.
# Reads the layout that shoal writes: one key a line, a result's "dimension" before its "metrics".

match($0, /"dimension" *: *[0-9]+/) {
    dimension = substr($0, RSTART, RLENGTH)
    sub(/.*: */, "", dimension)
    if (!(dimension in known)) {
        known[dimension] = 1
        dimensions[++count] = dimension
    }
}

match($0, /"(ndcg|recall|mrr)@[0-9]+" *: *[0-9.eE+-]+/) {
    split(substr($0, RSTART, RLENGTH), parts, /" *: */)
    score[FILENAME, dimension, substr(parts[1], 2)] = parts[2]
}

END {
    metrics = split("ndcg@10 recall@1 recall@5 recall@10 mrr@10", metric, " ")
    split("nDCG@10 Recall@1 Recall@5 Recall@10 MRR@10", title, " ")
    printf "%9s", "dimension"
    for (m = 1; m <= metrics; m++) printf "  %15s", title[m]
    printf "\n"
    for (d = count; d >= 1; d--) {
        printf "%9s", dimensions[d]
        # The arrow is three bytes and one column, so the width is given to the numbers.
        for (m = 1; m <= metrics; m++)
            printf "  %6.3f → %6.3f", score[ARGV[1], dimensions[d], metric[m]], score[ARGV[2], dimensions[d], metric[m]]
        printf "\n"
    }
}
