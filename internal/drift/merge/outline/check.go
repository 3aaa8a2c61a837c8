package outline

// Repeated returns the keys that an outline has more than once in the same place,
// each with its place. What has a key only by its text is left out.
func (n *Node) Repeated() map[string]bool {
	found := map[string]bool{}
	n.repeated("", found)
	return found
}

func (n *Node) repeated(place string, found map[string]bool) {
	n.open()
	seen := make(map[string]bool, len(n.Kids))
	for _, k := range n.Kids {
		at := k.repeatable()
		if at != "" {
			if seen[at] {
				found[place+"\x00"+at] = true
			}
			seen[at] = true
		}
		k.repeated(place+"\x00"+at, found)
	}
}

// repeatable returns the key of a node if no sibling may have the same.
func (n *Node) repeatable() string {
	if n.Key == "" || n.Key[0] == 0 {
		return ""
	}
	return n.Key
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
