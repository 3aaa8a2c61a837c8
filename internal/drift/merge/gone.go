package merge

import "strings"

// byGone: the golden path did nothing but remove lines, and ours has none of them.
func byGone(h *hunk) (verdict, bool) {
	if !contains(h.b, h.t) || notBlank(extra(h.t, h.b)) == 0 {
		return verdict{}, false
	}
	mine, theirs := count(each(h.o, plain)), count(each(h.t, plain))
	for _, l := range extra(h.t, h.b) {
		if p := plain(l); p != "" && mine[p] > theirs[p] {
			return verdict{}, false
		}
	}
	return propose(h.o, "the golden path removed lines that your version does not have any more")
}

// byComments: the golden path changed nothing but comments.
func byComments(h *hunk) (verdict, bool) {
	sign := h.file.kind.Comment
	changed := append(extra(h.b, h.t), extra(h.t, h.b)...)
	if sign == "" || notBlank(changed) == 0 {
		return verdict{}, false
	}
	for _, l := range changed {
		if !blank(l) && !strings.HasPrefix(strings.TrimSpace(l), sign) {
			return verdict{}, false
		}
	}
	return propose(h.o, "the golden path changed comments only, where you have changed more; yours stays")
}

// extra returns the lines that x has more often than b, layout aside.
func extra(b, x []string) []string {
	left := count(each(b, plain))
	var more []string
	for _, l := range x {
		if p := plain(l); left[p] > 0 {
			left[p]--
		} else {
			more = append(more, l)
		}
	}
	return more
}

func notBlank(lines []string) int {
	n := 0
	for _, l := range lines {
		if !blank(l) {
			n++
		}
	}
	return n
}
