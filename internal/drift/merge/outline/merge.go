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
func Merge(b, o, t *Node, leaf Leaf) (string, bool) {
	m := &merger{leaf: leaf}
	if len(b.Kids) != 1 || len(o.Kids) != 1 || len(t.Kids) != 1 {
		for _, n := range []*Node{b, o, t} {
			if len(n.Kids) == 1 && n.Kids[0].Key == document {
				n.Kids[0].Key = n.Kids[0].object() // one of several on another side
			}
		}
	}
	n := m.node(b, o, t)
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
	if b.read != "" && o.read != "" && t.read != "" {
		switch b.read {
		case t.read:
			return o
		case o.read:
			return t
		}
	}
	openTogether(b, o, t)
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
	side  side
}

type side int

const (
	base side = iota
	ours
	theirs
)

func name(kids []*Node, of side) named {
	l := named{at: make(map[string]*Node, len(kids)), side: of}
	seen := map[string]int{}
	for _, k := range kids {
		key := k.Key
		if key == "" {
			k.open()
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

// kids merges three lists of siblings. They stand in our order, or in that of
// theirs where only theirs was changed, and what the other side added stands
// behind the sibling that it stands behind there.
func (m *merger) kids(bs, os, ts []*Node) []*Node {
	if sameKeys(bs, os) && sameKeys(os, ts) {
		all := make([]*Node, len(os))
		for i, o := range os {
			all[i] = m.node(bs[i], o, ts[i])
		}
		return all
	}
	b, o, t := name(bs, base), name(os, ours), name(ts, theirs)
	lead, other := o, t
	if moved(b, t) {
		if moved(b, o) && moved(o, t) {
			m.failed = true
		}
		lead, other = t, o
	}
	p := &places{at: map[string]int{}}
	for _, key := range lead.names {
		if n := m.kid(b.at[key], o.at[key], t.at[key]); n != nil {
			p.at[key] = len(p.nodes)
			p.nodes = append(p.nodes, n)
			p.fresh = append(p.fresh, b.at[key] == nil && other.at[key] == nil)
		}
	}
	p.after = make([][]*Node, len(p.nodes)+1)
	at := 0
	for _, key := range other.names {
		if i, ok := p.at[key]; ok {
			at = i + 1
			continue
		}
		if lead.at[key] != nil {
			continue
		}
		if n := m.kid(b.at[key], o.at[key], t.at[key]); n != nil {
			p.after[at] = append(p.after[at], n)
		}
	}
	return p.list(other.side == ours)
}

// sameKeys reports whether two lists have the same keys in the same order.
func sameKeys(a, b []*Node) bool {
	if len(a) != len(b) {
		return false
	}
	for i, n := range a {
		if n.Key == "" || n.Key != b[i].Key {
			return false
		}
	}
	return true
}

// moved reports whether the siblings that both lists have stand in another order.
func moved(a, b named) bool {
	next := 0
	index := make(map[string]int, len(a.names))
	for i, key := range a.names {
		index[key] = i
	}
	for _, key := range b.names {
		if i, ok := index[key]; ok {
			if i < next {
				return true
			}
			next = i
		}
	}
	return false
}

// places are the siblings in order, with those that the other side added.
type places struct {
	nodes []*Node
	fresh []bool    // added by the side whose order this is
	after [][]*Node // what the other side added before all, and behind each
	at    map[string]int
}

// list puts all in order. Where both sides added behind the same sibling, ours
// comes first: what was added before (first), or behind what is fresh.
func (p *places) list(first bool) []*Node {
	var all []*Node
	for i := range p.after {
		if i > 0 {
			all = append(all, p.nodes[i-1])
		}
		if !first && i < len(p.nodes) && p.fresh[i] && len(p.after[i+1]) == 0 {
			p.after[i+1], p.after[i] = p.after[i], nil
		}
		all = append(all, p.after[i]...)
	}
	if all == nil {
		all = []*Node{}
	}
	return all
}

// kid decides about siblings of one name; nil where none stays.
func (m *merger) kid(b, o, t *Node) *Node {
	switch {
	case o != nil && t != nil && b != nil:
		return m.node(b, o, t)
	case o != nil && t != nil:
		return m.bothAdded(o, t)
	case b == nil && o != nil:
		return o
	case b == nil:
		return t
	case o != nil:
		return m.oneRemoved(b, o, o.Text(), "")
	case t != nil:
		return m.oneRemoved(b, t, "", t.Text())
	}
	return nil
}

func (m *merger) bothAdded(o, t *Node) *Node {
	switch {
	case o.Text() == t.Text():
		return o
	case o.leaf() || t.leaf():
		return m.flat(&Node{}, o, t)
	}
	return m.node(&Node{Kids: []*Node{}, Head: o.Head, Tail: o.Tail}, o, t)
}

// oneRemoved decides about a node that one side has and the other removed.
func (m *merger) oneRemoved(b, left *Node, ours, theirs string) *Node {
	if same(b, left) {
		return nil
	}
	text, _ := m.leaf(b.Text(), ours, theirs)
	if text == "" {
		return nil
	}
	return &Node{Key: left.Key, Head: text}
}

// same reports whether two nodes' texts are the same, white space aside.
func same(a, b *Node) bool {
	x, y := a.Text(), b.Text()
	return x == y || bare(x) == bare(y) && bare(a.open().Head) == bare(b.open().Head)
}

// bare returns a text without white space.
func bare(text string) string { return strings.Join(strings.Fields(text), "") }
