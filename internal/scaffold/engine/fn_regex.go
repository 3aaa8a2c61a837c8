package engine

import (
	"regexp"
	"regexp/syntax"
)

// regexFunctions match. Go's expressions need time in proportion to the text's
// length times the program's, which for (((x{10}){10}){10}) is a thousand times
// its source; and where all matches are wanted, each may look at the whole rest.
func regexFunctions() []function {
	deep := weights{value: valueSize, text: 1}
	return []function{
		{Function{"regexFind", "the first part of a text that matches, or an empty one", `{{ regexFind "[0-9]+" "a12b3" }}`, "12"}, 2, 2, regexFind, deep},
		{Function{"regexFindAll", "the parts of a text that match, at most so many, or all with -1", `{{ regexFindAll "[0-9]" "a1b2" -1 }}`, "[1 2]"}, 3, 3, regexFindAll, deep},
		{Function{"regexMatch", "whether a part of a text matches", `{{ regexMatch "^[a-z]+$" "go" }}`, "true"}, 2, 2, regexMatch, deep},
		{Function{"regexReplaceAll", "a text with all that matches replaced; $1 is what the first group matched", `{{ regexReplaceAll "a(b)" "xaby" "[${1}]" }}`, "x[b]y"}, 3, 3, func(c *call) any { return regexReplace(c, true) }, deep},
		{Function{"regexReplaceAllLiteral", "a text with all that matches replaced by a text", `{{ regexReplaceAllLiteral "b" "abc" "$1" }}`, "a$1c"}, 3, 3, func(c *call) any { return regexReplace(c, false) }, deep},
		{Function{"regexSplit", "the parts of a text between matches, at most so many, or all with -1", `{{ regexSplit "[,;]" "a,b;c" -1 }}`, "[a b c]"}, 3, 3, regexSplit, deep},
	}
}

const (
	maxPattern = 1000   // bytes of an expression
	maxProgram = 10_000 // instructions that it compiles to
)

// pattern is a compiled expression.
type pattern struct {
	*regexp.Regexp
	program int // instructions
	runes   int // in their classes: \pL alone has more than a thousand
}

// pattern compiles the first argument, once for each execution.
func (c *call) pattern() *pattern {
	s := c.str(0)
	if c.err != nil {
		return nil
	}
	if p := c.patterns[s]; p != nil {
		return p
	}
	if len(s) > maxPattern {
		c.fail("the expression has %d bytes; at most %d are allowed", len(s), maxPattern)
		return nil
	}
	p, err := compile(s)
	if err != nil {
		c.failWith("see pkg.go.dev/regexp/syntax", "%v", err)
		return nil
	}
	// An instruction takes some 100 bytes, with what the matcher keeps for it, and
	// a rune of a class four for each of two copies.
	if p.program > maxProgram || !c.grow(100*p.program+8*p.runes) {
		c.failWith("repeat less", "the expression %.40q compiles to %d instructions; at most %d are allowed", s, p.program, maxProgram)
		return nil
	}
	if c.patterns == nil {
		c.patterns = map[string]*pattern{}
	}
	c.patterns[s] = p
	return p
}

// compile counts the instructions before the matcher is made of them.
func compile(s string) (*pattern, error) {
	tree, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	p := &pattern{program: len(prog.Inst)}
	for _, inst := range prog.Inst {
		p.runes += len(inst.Rune)
	}
	if p.program <= maxProgram {
		p.Regexp, err = regexp.Compile(s)
	}
	return p, err
}

// How many visits of an instruction are one step.
const (
	visitsOnce = 32
	visitsAll  = 1024
)

// payOnce pays for one search: each byte may visit each instruction.
func (c *call) payOnce(p *pattern, s string) bool {
	return c.err == nil && p != nil && c.check(c.step(times(p.program, len(s))/visitsOnce))
}

// payAll pays for all searches: each may visit the rest of the text. It stops
// (?:.*x)|. on a long text, which is not even an unusual expression.
func (c *call) payAll(p *pattern, s string) bool {
	if c.err != nil || p == nil {
		return false
	}
	visits := times(times(p.program, len(s)), len(s))
	// Each match is at least a list of integers.
	return c.check(c.step(visits/visitsAll)) && c.grow(times(len(s)+1, 2*valueSize*(p.NumSubexp()+2)))
}

func regexMatch(c *call) any {
	p, s := c.pattern(), c.str(1)
	if !c.payOnce(p, s) {
		return nil
	}
	return p.MatchString(s)
}

func regexFind(c *call) any {
	p, s := c.pattern(), c.str(1)
	if !c.payOnce(p, s) {
		return nil
	}
	return p.FindString(s)
}

func regexFindAll(c *call) any {
	p, s, n := c.pattern(), c.str(1), c.int(2)
	if !c.payAll(p, s) {
		return nil
	}
	return stringList(p.FindAllString(s, n))
}

func regexSplit(c *call) any {
	p, s, n := c.pattern(), c.str(1), c.int(2)
	if !c.payAll(p, s) {
		return nil
	}
	return stringList(p.Split(s, n))
}

func stringList(ss []string) list {
	l := make(list, len(ss))
	for i, s := range ss {
		l[i] = s
	}
	return l
}

// regexReplace makes the result match by match and pays for each, because "$0$0$0"
// makes of one match as much as it likes. Of "$z$z$z" nothing is made, but each is
// looked for among the names of all groups.
func regexReplace(c *call, expand bool) any {
	p, s, with := c.pattern(), c.str(1), c.str(2)
	if !c.payAll(p, s) {
		return nil
	}
	var out []byte
	end := 0
	for _, m := range p.FindAllStringSubmatchIndex(s, -1) {
		before := len(out)
		out = append(out, s[end:m[0]]...)
		end = m[1]
		switch {
		case !expand:
			out = append(out, with...)
		case c.check(c.step(times(len(with), p.NumSubexp()+1)/visitsOnce)) && c.grow(times(len(with)/2, m[1]-m[0])): // "$0" is two bytes
			out = p.ExpandString(out, with, s, m)
		}
		if !c.grow(len(out) - before) {
			return nil
		}
	}
	return string(append(out, s[end:]...))
}
