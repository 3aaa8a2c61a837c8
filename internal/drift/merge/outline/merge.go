package outline

import (
	"fmt"
	"strings"
)

// Leaf merges three texts that have no structure. It returns false where it
// cannot, together with the text to go on with.
type Leaf func(base, ours, theirs string) (string, bool)

// Merge merges three outlines of one format and returns the merged text. What it
// cannot decide it leaves to leaf. It returns false where the outlines cannot be
// brought together, as where a key is repeated.
func Merge(base, ours, theirs *Node, leaf Leaf) (string, bool) {
	m := &merger{leaf: leaf}
	n := m.node(base, ours, theirs)
	return n.Text(), !m.failed
}

type merger struct {
	leaf   Leaf
	failed bool
}

func (m *merger) text(b, o, t string) string {
	switch {
	case o == t, b == t:
		return o
	case b == o:
		return t
	}
	text, _ := m.leaf(b, o, t)
	return text
}

// node merges three nodes of the same key.
func (m *merger) node(b, o, t *Node) *Node {
	if b.leaf() != o.leaf() || o.leaf() != t.leaf() {
		return m.flat(b, o, t)
	}
	n := &Node{Key: o.Key, Lead: m.text(b.Lead, o.Lead, t.Lead), Head: m.text(b.Head, o.Head, t.Head), Tail: m.text(b.Tail, o.Tail, t.Tail)}
	if o.leaf() {
		return n
	}
	n.Commas = o.Commas || t.Commas
	n.LastComma = o.LastComma
	if o.LastComma == b.LastComma {
		n.LastComma = t.LastComma
	}
	n.Kids = m.kids(b.Kids, o.Kids, t.Kids)
	return n
}

// flat merges nodes as texts.
func (m *merger) flat(b, o, t *Node) *Node {
	return &Node{Key: o.Key, Head: m.text(b.Text(), o.Text(), t.Text())}
}

// named is a list of siblings with a name for each that no other has.
type named struct {
	names []string
	at    map[string]*Node
}

func name(kids []*Node) named {
	l := named{at: make(map[string]*Node, len(kids))}
	seen := map[string]int{}
	for _, k := range kids {
		key := k.Key
		if key == "" {
			key = "\x01" + strings.Join(strings.Fields(k.Head+k.Tail), " ")
		}
		seen[key]++
		if n := seen[key]; n > 1 {
			key = fmt.Sprintf("%s\x02%d", key, n)
		}
		l.names = append(l.names, key)
		l.at[key] = k
	}
	return l
}

// kids merges three lists of siblings: ours in our order, with what theirs added
// behind the sibling that it stands behind in theirs.
func (m *merger) kids(bs, os, ts []*Node) []*Node {
	b, o, t := name(bs), name(os), name(ts)
	var out []*Node
	placed := map[string]int{} // name → index in order
	var order []string
	for _, key := range o.names {
		if n := m.ours(b.at[key], o.at[key], t.at[key]); n != nil {
			out = append(out, n)
			order = append(order, key)
		}
	}
	for i, key := range order {
		placed[key] = i
	}
	out = m.added(b, o, t, out, order, placed)
	if out == nil {
		out = []*Node{}
	}
	return out
}

// ours decides about a node that ours has.
func (m *merger) ours(b, o, t *Node) *Node {
	switch {
	case b == nil && t == nil:
		return o
	case b == nil:
		if o.Text() == t.Text() {
			return o
		}
		if o.leaf() || t.leaf() {
			return m.flat(&Node{}, o, t)
		}
		return m.node(&Node{Kids: []*Node{}, Head: o.Head, Tail: o.Tail}, o, t)
	case t != nil:
		return m.node(b, o, t)
	}
	if same(b, o) {
		return nil
	}
	text, ok := m.leaf(b.Text(), o.Text(), "")
	if !ok && text == "" {
		return nil
	}
	return &Node{Key: o.Key, Head: text}
}

// same reports whether two nodes' texts are the same, white space aside.
func same(a, b *Node) bool {
	return strings.Join(strings.Fields(a.Head), "") == strings.Join(strings.Fields(b.Head), "") && strings.Join(strings.Fields(a.Text()), "") == strings.Join(strings.Fields(b.Text()), "")
}

// added puts the nodes that only theirs has where they belong.
func (m *merger) added(b, o, t named, out []*Node, order []string, placed map[string]int) []*Node {
	after := map[int][]*Node{} // index in order, -1 for the beginning → what follows it
	at := -1
	for _, key := range t.names {
		if i, ok := placed[key]; ok {
			at = i
			continue
		}
		if o.at[key] != nil {
			continue
		}
		if was := b.at[key]; was != nil {
			if same(was, t.at[key]) {
				continue
			}
			text, ok := m.leaf(was.Text(), "", t.at[key].Text())
			if !ok && text == "" || text == "" {
				continue
			}
			after[at] = append(after[at], &Node{Key: key, Head: text})
			continue
		}
		after[at] = append(after[at], t.at[key])
	}
	if len(after) == 0 {
		return out
	}
	all := append([]*Node{}, after[-1]...)
	for i := range order {
		// What ours added behind the same sibling comes first.
		all = append(all, out[i])
		if len(after[i]) == 0 {
			continue
		}
		j := i
		for j+1 < len(order) && b.at[order[j+1]] == nil && t.at[order[j+1]] == nil && len(after[j+1]) == 0 {
			j++
		}
		if j > i {
			after[j] = append(after[j], after[i]...)
			after[i] = nil
			continue
		}
		all = append(all, after[i]...)
	}
	return all
}
