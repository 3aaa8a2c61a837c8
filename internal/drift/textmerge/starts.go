package textmerge

// LineStarts returns the offset at which each line of a text begins, and the end. An
// empty text has no line: its one offset is 0.
func LineStarts(text []byte) []int {
	starts := []int{0}
	for i, c := range text {
		if c == '\n' && i+1 < len(text) {
			starts = append(starts, i+1)
		}
	}
	if len(text) > 0 {
		starts = append(starts, len(text))
	}
	return starts
}
