package outline

import (
	"regexp"
	"strings"
)

var (
	sectionHead = regexp.MustCompile(`^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}`)
	setting     = regexp.MustCompile(`^\s*([^=:#;\s\[][^=:#]*?)\s*[=:]`)
	makeTarget  = regexp.MustCompile(`^([^\s#:=][^:=#]*?)\s*::?(?:[^=]|$)`)
	makeSet     = regexp.MustCompile(`^(?:export\s+|override\s+)?([A-Za-z_][\w.-]*)\s*[:?+!]*=`)
	stage       = regexp.MustCompile(`(?i)^FROM\s+\S+(?:\s+AS\s+(\S+))?`)
)

// readSections reads settings below headings in brackets.
func readSections(root *Node, lines []string) bool {
	at := root
	root.Kids = []*Node{}
	lead := 0
	ahead := 2 * len(lines)
	for i := 0; i < len(lines); {
		t := strings.TrimSpace(lines[i])
		if t == "" || t[0] == '#' || t[0] == ';' {
			i++
			continue
		}
		end := valueEnd(lines, i, &ahead)
		n := &Node{Lead: join(lines[lead:i]), Head: join(lines[i:end])}
		if m := sectionHead.FindStringSubmatch(lines[i]); m != nil && end == i+1 {
			n.Key, n.Kids = "["+m[1], []*Node{}
			at = n
			root.Kids = append(root.Kids, n)
		} else {
			if m := setting.FindStringSubmatch(lines[i]); m != nil {
				n.Key = m[1]
			}
			at.Kids = append(at.Kids, n)
		}
		i, lead = end, end
	}
	root.Tail = join(lines[lead:])
	return true
}

// valueEnd returns where the setting that begins at line i ends: where the
// brackets and strings that it opens are closed. Where they never are, it is the
// one line; ahead is how many lines may be looked at in vain.
func valueEnd(lines []string, i int, ahead *int) int {
	s := &scanner{style: style{line: "#", block: true}}
	for j := i; j < len(lines); j++ {
		s.feed(lines[j])
		s.bad = false
		if len(s.open) == 0 && s.quote == "" && !s.in {
			return j + 1
		}
		if *ahead--; *ahead < 0 {
			break
		}
	}
	return i + 1
}

// readSet reads a file of which each line is an entry, with those that it goes on
// in after a backslash. The key is what key makes of it.
func readSet(root *Node, lines []string, key func(string) string) bool {
	root.Kids = []*Node{}
	lead := 0
	for i := 0; i < len(lines); {
		t := strings.TrimSpace(lines[i])
		if t == "" || t[0] == '#' {
			i++
			continue
		}
		end := i + 1
		for end < len(lines) && strings.HasSuffix(strings.TrimRight(lines[end-1], "\r\n"), `\`) {
			end++
		}
		root.Kids = append(root.Kids, &Node{Key: key(t), Lead: join(lines[lead:i]), Head: join(lines[i:end])})
		i, lead = end, end
	}
	root.Tail = join(lines[lead:])
	return true
}

func firstWord(line string) string { return strings.Fields(line)[0] }

var required = regexp.MustCompile(`^["']?(?:[\w.-]+::)?([A-Za-z0-9][\w./-]*)(?:\[[^\]]*\])?\s*(?:[=<>!~]=?=?\s*["']?[\w*.-]|@\s|;|$)`)

// requirement returns the name of the package that a line requires, or the line.
func requirement(line string) string {
	if m := required.FindStringSubmatch(line); m != nil {
		return strings.ToLower(strings.ReplaceAll(m[1], "_", "-"))
	}
	return line
}

// readRules reads Makefiles by target and variable, and Dockerfiles by stage and
// instruction.
func readRules(root *Node, lines []string, format string) bool {
	root.Kids = []*Node{}
	at := root
	lead := 0
	for i := 0; i < len(lines); {
		t := strings.TrimSpace(lines[i])
		if t == "" || t[0] == '#' {
			i++
			continue
		}
		end := i + 1
		for end < len(lines) && (strings.HasSuffix(strings.TrimRight(lines[end-1], "\r\n"), `\`) || format == "makefile" && strings.HasPrefix(lines[end], "\t")) {
			end++
		}
		n := &Node{Lead: join(lines[lead:i]), Head: join(lines[i:end]), Key: ruleKey(lines[i], format)}
		if m := stage.FindStringSubmatch(t); m != nil && format == "dockerfile" {
			n.Key, n.Kids, at = "FROM "+m[1], []*Node{}, n
			root.Kids = append(root.Kids, n)
		} else {
			at.Kids = append(at.Kids, n)
		}
		i, lead = end, end
	}
	root.Tail = join(lines[lead:])
	return true
}

func ruleKey(line, format string) string {
	if format == "dockerfile" {
		f := strings.Fields(line)
		switch word := strings.ToUpper(f[0]); {
		case (word == "ARG" || word == "ENV" || word == "LABEL") && len(f) > 1:
			name, _, _ := strings.Cut(f[1], "=")
			return word + " " + name
		case word == "WORKDIR" || word == "USER" || word == "ENTRYPOINT" || word == "CMD" || word == "HEALTHCHECK":
			return word
		}
		return ""
	}
	if m := makeSet.FindStringSubmatch(line); m != nil {
		return "=" + m[1]
	}
	if m := makeTarget.FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return ""
}
