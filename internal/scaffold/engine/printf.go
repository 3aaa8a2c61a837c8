package engine

import (
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// maxWidth bounds widths and precisions. It stops {{ printf "%1000000000d" 1 }},
// also where the width is an argument. fmt's own bound is a million for each.
const maxWidth = 1000

// printf is fmt.Sprintf, except that whatever makes it write "%!" is an error.
func printf(c *call) any {
	format := c.str(0)
	p := formatter{call: c, args: c.args[1:]}
	for rest := format; rest != "" && c.err == nil; {
		i := strings.IndexByte(rest, '%')
		if i < 0 {
			break
		}
		rest = p.directive(rest[i+1:])
	}
	if p.next < len(p.args) && !p.indexed {
		c.failWith("remove them, or add to the format", "the format has no use for value %d of %d", p.next+1, len(p.args))
	}
	if !c.grow(len(format)) {
		return nil
	}
	return fmt.Sprintf(format, p.args...)
}

// formatter checks a format against its arguments, and pays for each directive.
type formatter struct {
	*call
	args    []any
	next    int // the argument that the next directive uses
	indexed bool
}

// directive checks one directive, whose percent sign is past, and returns what
// follows it.
func (p *formatter) directive(s string) string {
	whole := s
	s = strings.TrimLeft(s, "+-# 0")
	sharp := strings.Contains(whole[:len(whole)-len(s)], "#")
	width, s := p.size(s)
	precision := 0
	if strings.HasPrefix(s, ".") {
		precision, s = p.size(s[1:])
	}
	s = p.index(s)
	if s == "" {
		p.fail("the format ends in the middle of %q", "%"+whole)
		return ""
	}
	verb := []rune(s[:min(len(s), 4)])[0]
	rest := s[len(string(verb)):]
	if verb == '%' {
		return rest
	}
	v := p.take(verb)
	if p.err == nil && !fits(verb, v, 0) {
		hint := "use %v"
		if v == nil {
			hint = "use default"
		}
		p.failWith(hint, "%%%c cannot write %s", verb, describe(v))
	}
	if p.err == nil {
		// Width and precision hold for each value in a list; a byte becomes at most
		// ten, as in "\U0010ffff".
		p.check(p.walk(v, weights{value: width + precision + 4*valueSize, text: 10}, 0))
	}
	if p.err == nil && sharp {
		// Of a pointer in a list, %#v writes the address.
		p.args[p.next-1] = plain(p.args[p.next-1])
	}
	return rest
}

// size reads a width or a precision: a number, or * for an argument.
func (p *formatter) size(s string) (int, string) {
	s = p.index(s)
	if strings.HasPrefix(s, "*") {
		n, ok := p.take('*').(int64)
		if !ok {
			p.fail("the width or precision * is not an integer")
		}
		// fmt wants an int there.
		if i := p.next - 1; p.err == nil && i >= 0 && i < len(p.args) {
			p.args[i] = int(n)
		}
		return p.bounded(n), s[1:]
	}
	n := int64(0)
	for s != "" && s[0] >= '0' && s[0] <= '9' {
		n = min(n*10+int64(s[0]-'0'), 2*maxWidth)
		s = s[1:]
	}
	return p.bounded(n), s
}

func (p *formatter) bounded(n int64) int {
	if n > maxWidth || n < -maxWidth {
		p.fail("a width or precision is over %d", maxWidth)
		return 0
	}
	return int(max(n, -n))
}

// index reads [n], which says which argument is next.
func (p *formatter) index(s string) string {
	if !strings.HasPrefix(s, "[") {
		return s
	}
	number, rest, ok := strings.Cut(s[1:], "]")
	n := 0
	if _, err := fmt.Sscanf(number, "%d", &n); err != nil || !ok || n < 1 || n > len(p.args) || number != fmt.Sprint(n) {
		p.fail("[%.20s] is not the number of a value", number)
		return ""
	}
	p.next, p.indexed = n-1, true
	return rest
}

// take returns the next argument.
func (p *formatter) take(verb rune) any {
	if p.next >= len(p.args) {
		p.fail("there is no value for %%%c", verb)
		return nil
	}
	p.next++
	switch v := p.args[p.next-1].(type) {
	case int: // made by size, and asked for again by index
		return int64(v)
	default:
		return v
	}
}

// fits reports whether fmt can write v, and all that is in it, with verb.
func fits(verb rune, v any, depth int) bool {
	if depth > maxNesting {
		return true // walk says so
	}
	if verb == 'T' {
		return v != nil
	}
	switch v := v.(type) {
	case nil:
		return depth > 0 && verb == 'v'
	case bool:
		return strings.ContainsRune("vt", verb)
	case string:
		return strings.ContainsRune("vsqxX", verb)
	case int64:
		return strings.ContainsRune("vbcdoOqxXU", verb)
	case float64:
		return strings.ContainsRune("vbeEfFgGxX", verb)
	case *semver.Version:
		return strings.ContainsRune("vs", verb)
	case list:
		return allFit(verb, v, depth)
	case dict:
		return verb == 'v' || verb == 's' && allFit(verb, dictValues(v), depth)
	}
	return false
}

func allFit(verb rune, l list, depth int) bool {
	if verb == 'v' {
		return true
	}
	for _, item := range l {
		if !fits(verb, item, depth+1) {
			return false
		}
	}
	return true
}

func dictValues(d dict) list {
	l := make(list, 0, len(d))
	for _, k := range sortedKeys(d) {
		l = append(l, d[k])
	}
	return l
}
