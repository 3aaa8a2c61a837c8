package textmerge

// LineStarts returns the offset at which each line of a text begins, and the end. An
// empty text has no line: its one offset is 0.
func LineStarts(data []byte) []int {
	t := text{data: data, start: make([]int, countLines(data)+1)}
	n := len(t.start) - 1
	t.cut(0, n, 0)
	t.start[n] = len(data)
	return t.start
}
