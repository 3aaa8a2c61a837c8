// Package textmerge compares and merges texts line by line: [Diff] between two,
// [Merge] of two that come from a common base, [Markers] and [Unified] to show
// the outcome to people.
//
// Its results are those of git, byte for byte: what merges cleanly with git
// merge-file does so here, to the same text, so that nobody who knows git is
// surprised by what a sync did. To that end the diff takes git's steps:
//
//  1. Lines become numbers, equal lines equal numbers (text.go).
//  2. Lines that occur on one side only are set aside, and so are very frequent
//     ones among them (reduce.go).
//  3. Myers' search finds a longest common subsequence of the rest, and stops
//     looking for the longest where that would take too long (search.go).
//  4. Every group of changed lines that could be told in several places is put
//     into one (settle.go).
//
// A merge puts the edits of both sides next to each other. Those that overlap or
// touch form a region, and a region that both changed, to different texts, is a
// conflict (merge.go).
//
// All functions are pure. Their time grows with the size of the inputs and with
// the number of differences, the latter up to a limit; their memory is a few
// dozen bytes for each line.
package textmerge
