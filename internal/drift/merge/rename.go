package merge

import "strings"

// renamed: one side did nothing here but give things another name, throughout the
// file. The other side's text gets the new names.
func renamed(h *hunk) (verdict, bool) {
	f := h.file
	if f.within != nil {
		f = f.within
	}
	if text, ok := carry(h.b, h.t, string(h.Ours), f.names(&f.baseNames, f.base), f.names(&f.theirNames, f.theirs)); ok {
		return h.says(text, "the golden path renamed what your change uses; your change is kept under the new name")
	}
	if text, ok := carry(h.b, h.o, string(h.Theirs), f.names(&f.baseNames, f.base), f.names(&f.ourNames, f.ours)); ok {
		return h.says(text, "you renamed what the golden path's change uses; its change is taken under your name")
	}
	return verdict{}, false
}

// names returns how often each word is in a version of the file, counted once.
func (f *file) names(kept *map[string]int, text []byte) func() map[string]int {
	return func() map[string]int {
		if *kept == nil {
			*kept = count(words(string(text)))
		}
		return *kept
	}
}

// carry applies to other the renames that x made of b. before and after are the
// names in the files that b and x are from.
func carry(b, x []string, other string, before, after func() map[string]int) (string, bool) {
	names, ok := substitutions(b, x)
	if !ok {
		return "", false
	}
	had, has := before(), after()
	for from, to := range names {
		if has[from] > 0 || had[to] > 0 || had[from] < 2 {
			return "", false // not a rename of something, everywhere
		}
	}
	ws := words(other)
	for _, w := range ws {
		for _, to := range names {
			if w == to {
				return "", false // it would stand for two things
			}
		}
	}
	done := false
	for i, w := range ws {
		if to, ok := names[w]; ok {
			ws[i], done = to, true
		}
	}
	return strings.Join(ws, ""), done
}

// substitutions returns which names of b became which in x, where that is all
// that changed, and always the same.
func substitutions(b, x []string) (map[string]string, bool) {
	from, to := words(strings.Join(b, "")), words(strings.Join(x, ""))
	if len(from) != len(to) || len(from) > maxWords {
		return nil, false
	}
	names, back := map[string]string{}, map[string]string{}
	for i, w := range from {
		v := to[i]
		if w == v || isSpace(w) && isSpace(v) {
			continue
		}
		if !isName(w) || !isName(v) || isNumber(w) || isNumber(v) {
			return nil, false
		}
		if was, ok := names[w]; ok && was != v {
			return nil, false
		}
		if was, ok := back[v]; ok && was != w {
			return nil, false
		}
		names[w], back[v] = v, w
	}
	return names, len(names) > 0
}
