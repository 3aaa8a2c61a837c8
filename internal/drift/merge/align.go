package merge

import (
	"strings"

	"github.com/goldenpaths/syncer/internal/drift/textmerge"
)

// align pairs the lines of a with those of b that they became: for each line of
// a the index in b, or -1 where it is gone. Pairs do not cross. Equal lines are
// paired first, and between them lines that are alike (see likeness).
func align(a, b []string) []int {
	to := make([]int, len(a))
	for i := range to {
		to[i] = -1
	}
	x, y := each(a, plain), each(b, plain)
	i, j := 0, 0
	for _, e := range append(textmerge.EditsOf(x, y), textmerge.Edit{ALo: len(a), AHi: len(a), BLo: len(b), BHi: len(b)}) {
		for ; i < e.ALo; i, j = i+1, j+1 {
			to[i] = j
		}
		alignAlike(a[e.ALo:e.AHi], b[e.BLo:e.BHi], to[e.ALo:e.AHi], e.BLo)
		i, j = e.AHi, e.BHi
	}
	return to
}

// alike is how like two lines must be to be taken for the same, changed.
const alike = 0.5

// alignAlike pairs lines none of which are equal so that the sum of the
// likenesses is greatest.
func alignAlike(a, b []string, to []int, shift int) {
	n, m := len(a), len(b)
	if n == 0 || m == 0 || n*m > maxPairs {
		return
	}
	as, bs := each(a, bagOf), each(b, bagOf)
	af, bf := each(a, versioned), each(b, versioned)
	best := make([]float32, (n+1)*(m+1))
	sim := make([]float32, n*m)
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			s := float32(as[i].likeness(bs[j]))
			if s < alike && af[i] != "" && af[i] == bf[j] {
				s = alike
			}
			sim[i*m+j] = s
			v := max(best[(i+1)*(m+1)+j], best[i*(m+1)+j+1])
			if s >= alike {
				v = max(v, s+best[(i+1)*(m+1)+j+1])
			}
			best[i*(m+1)+j] = v
		}
	}
	for i, j := 0, 0; i < n && j < m; {
		v := best[i*(m+1)+j]
		switch {
		case sim[i*m+j] >= alike && v == sim[i*m+j]+best[(i+1)*(m+1)+j+1]:
			to[i] = j + shift
			i, j = i+1, j+1
		case v == best[(i+1)*(m+1)+j]:
			i++
		default:
			j++
		}
	}
}

// bag is the words of a line, each with how often it occurs.
type bag struct {
	words map[string]int
	size  int
}

func bagOf(line string) bag {
	b := bag{words: map[string]int{}}
	for _, w := range words(line) {
		if !isSpace(w) {
			b.words[w] += weight(w)
			b.size += weight(w)
		}
	}
	return b
}

// has reports whether all words of c are in b, as often.
func (b bag) has(c bag) bool {
	for w, n := range c.words {
		if b.words[w] < n {
			return false
		}
	}
	return true
}

// weight is what a word counts.
func weight(word string) int {
	if isName(word) {
		return 2
	}
	return 1
}

// likeness is how much of two lines' words is the same, from 0 to 1: names count
// twice as much as signs. Blank lines are alike.
func (b bag) likeness(c bag) float64 {
	if b.size+c.size == 0 {
		return 1
	}
	same := 0
	for w, n := range b.words {
		same += min(n, c.words[w])
	}
	return 2 * float64(same) / float64(b.size+c.size)
}

// versioned returns what is around the versions of a line that has any: two lines in
// which it is the same are one line, whose version changed, however short it is.
func versioned(line string) string {
	if !strings.ContainsAny(line, "0123456789") || !versionWord.MatchString(line) {
		return ""
	}
	return plain(versionWord.ReplaceAllString(line, "\x00"))
}
