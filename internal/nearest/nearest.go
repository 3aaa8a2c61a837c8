// Package nearest finds the names that somebody may have meant.
package nearest

import (
	"cmp"
	"slices"
	"strings"
)

// most is how many names a message can list before it stops helping.
const most = 3

// Names returns up to three of known that are close to name, the closest first:
// at most a third of its letters differ, or one begins with the other.
func Names(name string, known []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var cs []candidate
	low := strings.ToLower(name)
	for _, k := range known {
		d := distance(low, strings.ToLower(k))
		prefix := len(low) >= 2 && (strings.HasPrefix(strings.ToLower(k), low) || strings.HasPrefix(low, strings.ToLower(k)))
		if d <= max(1, len(name)/3) || prefix {
			cs = append(cs, candidate{k, d})
		}
	}
	slices.SortFunc(cs, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	names := make([]string, 0, most)
	for _, c := range cs[:min(most, len(cs))] {
		names = append(names, c.name)
	}
	return names
}

// maxLength bounds the work on names that nobody would type.
const maxLength = 100

// distance is how many insertions, deletions, replacements and swaps of
// neighbouring bytes lead from a to b (optimal string alignment).
func distance(a, b string) int {
	if len(a) > maxLength || len(b) > maxLength {
		return maxLength
	}
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	next := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			replaced := row[j]
			if a[i] != b[j] {
				replaced++
			}
			next[j+1] = min(replaced, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}

// Hint says what to write instead of name: the nearest known names, or where
// none is near all of them. It is empty where nothing is known.
func Hint(name string, known []string) string {
	if near := Names(name, known); len(near) > 0 {
		return "did you mean " + strings.Join(near, " or ") + "?"
	}
	if len(known) == 0 {
		return ""
	}
	return "known: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}
