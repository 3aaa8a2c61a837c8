package outline

// Repeated returns the keys that an outline has more than once in the same place,
// each with its place. What has a key only by its text is left out.
func (n *Node) Repeated() map[string]bool { return n.repeatedIn(nil) }

// repeatedIn returns the repeated keys in the parts of a YAML file that have one
// of the lines which count in sum (see [Essence]); nil means everywhere.
func (n *Node) repeatedIn(sum []int) map[string]bool {
	found := map[string]bool{}
	n.repeated("", found, sum)
	return found
}

func (n *Node) repeated(place string, found map[string]bool, sum []int) {
	n.open()
	seen := make(map[string]bool, len(n.Kids))
	for _, k := range n.Kids {
		at := ""
		if k.Key != "" && k.Key[0] != 0 {
			at = k.Key
			if seen[at] {
				found[place+"\x00"+at] = true
			}
			seen[at] = true
		}
		if sum == nil || sum[k.lo] < sum[k.hi] {
			k.repeated(place+"\x00"+at, found, sum)
		}
	}
}

// Balanced reports whether a text's brackets, strings and comments are closed, in
// a language whose comments begin with // (and # where hash is true).
func Balanced(text string, hash bool) bool {
	s := &scanner{style: style{line: "//", hash: hash, block: true}}
	for _, l := range split(text) {
		s.feed(l)
	}
	return !s.bad && len(s.open) == 0 && s.quote == "" && !s.in
}
