package engine

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// small limits, so that a guard that is missing shows as a result instead of as a
// machine without memory.
func small() Limits {
	return Limits{Source: 1 << 20, Steps: 20_000, Memory: 1 << 20, Output: 1 << 20, Depth: 50}
}

// eachOf formats the numbers from 0 to before n.
func eachOf(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// TestHostile executes what would hang, fill memory or overflow the stack in
// text/template with sprig's functions. Each must end in an *Error that names the
// bound, having allocated little.
func TestHostile(t *testing.T) {
	const (
		steps, memory, output = "steps", "bytes of values", "writes more than"
	)
	deep := func(left, right string, n int) string {
		return strings.Repeat(left, n) + "x" + strings.Repeat(right, n)
	}
	for _, test := range []struct{ name, text, want string }{
		{"range over a number", `{{ range 4000000000 }}{{ end }}`, steps},
		{"ranges in each other", `{{ range 100000 }}{{ range 100000 }}x{{ end }}{{ end }}`, steps},
		{"range that is continued", `{{ range 4000000000 }}{{ continue }}{{ end }}`, steps},
		{"output of text", `{{ range 5000 }}` + strings.Repeat("x", 1000) + `{{ end }}`, output},
		{"output of a value", `{{ $s := repeat 100000 "x" }}{{ range 50 }}{{ $s }}{{ end }}`, output},
		{"template that calls itself", `{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}`, "more than 50 deep"},
		{"include that calls itself", `{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}`, "more than 50 deep"},
		{"templates that call each other twice", `{{ define "x" }}{{ if . }}{{ template "x" (sub . 1) }}{{ template "x" (sub . 1) }}{{ end }}{{ end }}{{ template "x" 40 }}`, steps},
		{"set itself", `{{ $d := dict }}{{ $_ := set $d "a" $d }}{{ $d }}`, "contain itself"},
		{"set itself in a list", `{{ $d := dict }}{{ $_ := set $d "a" (list 1 (list $d)) }}{{ $d }}`, "contain itself"},
		{"set each other", `{{ $a := dict }}{{ $b := dict "a" $a }}{{ $_ := set $a "b" $b }}{{ $a }}`, "contain itself"},
		{"set the data", `{{ $_ := set . "a" $ }}{{ . }}`, "contain itself"},
		{"doubled list", `{{ $a := list 1 }}{{ range until 60 }}{{ $a = list $a $a }}{{ end }}{{ $a }}`, output},
		{"doubled list as YAML", `{{ $a := list 1 }}{{ range until 60 }}{{ $a = list $a $a }}{{ end }}{{ toYaml $a }}`, memory},
		{"doubled list, compared", `{{ $a := list 1 }}{{ $b := list 1 }}{{ range until 60 }}{{ $a = list $a $a }}{{ $b = list $b $b }}{{ end }}{{ deepEqual $a $b }}`, memory},
		{"doubled list, formatted", `{{ $a := list 1 }}{{ range until 60 }}{{ $a = list $a $a }}{{ end }}{{ printf "%v" $a }}`, memory},
		{"doubled dict", `{{ $d := dict "a" 1 }}{{ range until 60 }}{{ $d = dict "a" $d "b" $d }}{{ end }}{{ $d }}`, output},
		{"doubled dict, set", `{{ $d := dict "a" 1 }}{{ range until 60 }}{{ $e := dict "a" $d }}{{ $_ := set $e "b" $d }}{{ $d = $e }}{{ end }}{{ $d }}`, memory},
		{"doubled dict, merged", `{{ $d := dict "a" 1 }}{{ range until 60 }}{{ $d = merge (dict "x" $d "y" $d) (dict "z" $d) }}{{ end }}{{ $d }}`, memory},
		{"doubled dict, merged with what holds it", `{{ $d := dict "x" 1 }}{{ $_ := merge $d` + eachOf(40, ` (dict "a%d" $d)`) + ` }}{{ len $d }}`, memory},
		{"includes in each other that write much", `{{ define "x" }}` + strings.Repeat("x", 100_000) + `{{ include "x" . }}{{ end }}{{ include "x" . }}`, memory},
		{"versions, encoded", `{{ $l := list (semver (print "1.2.3-" (repeat 200 "a"))) }}{{ range 12 }}{{ $l = concat $l $l }}{{ end }}{{ toJson $l }}`, memory},
		{"doubled text", `{{ $s := "x" }}{{ range 60 }}{{ $s = print $s $s }}{{ end }}`, memory},
		{"doubled include", `{{ define "x" }}{{ . }}{{ . }}{{ end }}{{ $s := "xx" }}{{ range 60 }}{{ $s = include "x" $s }}{{ end }}`, memory},
		{"doubled concat", `{{ $l := list 1 }}{{ range 60 }}{{ $l = concat $l $l }}{{ end }}`, memory},
		{"appends", `{{ $l := list }}{{ range 4000 }}{{ $l = append $l 1 }}{{ end }}`, memory},
		{"list in a list", `{{ $a := list 1 }}{{ range 2000 }}{{ $a = list $a }}{{ end }}{{ $a }}`, "in each other"},
		{"list in a list as JSON", `{{ $a := list 1 }}{{ range 2000 }}{{ $a = list $a }}{{ end }}{{ toJson $a }}`, "in each other"},
		{"dict in a dict", `{{ $d := dict }}{{ range 2000 }}{{ $d = dict "a" $d }}{{ end }}{{ len (keys $d) }}`, "in each other"},
		{"printf with a width", `{{ printf "%1000000000d" 1 }}`, "width or precision"},
		{"printf with a precision", `{{ printf "%.999999d" 1 }}`, "width or precision"},
		{"printf with a star", `{{ printf "%*d" 1000000000 1 }}`, "width or precision"},
		{"printf with a negative star", `{{ printf "%.*d" -1000000000 1 }}`, "width or precision"},
		{"printf with a later star", `{{ printf "%[2]*[1]d" 1 1000000000 }}`, "width or precision"},
		{"printf again and again", `{{ $s := repeat 100000 "x" }}{{ printf (repeat 1000 "%[1]s") $s }}`, memory},
		{"printf of many wide values", `{{ printf "%1000d" (until 5000) }}`, memory},
		{"repeat", `{{ repeat 1000000000 "x" }}`, memory},
		{"repeat beyond integers", `{{ repeat 9223372036854775807 "xxxx" }}`, memory},
		{"replace", `{{ $s := repeat 50000 "x" }}{{ replace "x" $s $s }}`, memory},
		{"replace of nothing", `{{ $s := repeat 50000 "x" }}{{ replace "" $s $s }}`, memory},
		{"regexReplaceAll", `{{ $s := repeat 300 "x" }}{{ regexReplaceAll "x" $s (repeat 100000 "y") }}`, memory},
		{"regexReplaceAll with groups", `{{ $s := repeat 600 "x" }}{{ regexReplaceAll ".*" $s (repeat 20000 "$0") }}`, memory},
		{"regular expression that repeats", `{{ regexMatch "((((a{10}){10}){10}b){2}|c{1000}){1,2}" "a" }}`, "regexMatch"},
		{"regular expression that is long", `{{ regexMatch (repeat 2000 "a") "a" }}`, "at most 1000"},
		{"regular expression with a large program", `{{ regexMatch (repeat 20 "x{1000}") "a" }}`, "instructions"},
		{"regular expression on a long text", `{{ regexMatch "(x+x+)+y" (repeat 500000 "x") }}`, steps},
		{"regular expression that looks ahead", `{{ regexFindAll "(?:.*y)|." (repeat 20000 "x") -1 }}`, steps},
		{"regexReplaceAll with names of no groups", `{{ regexReplaceAll "` + strings.Repeat("()", 400) + `" (repeat 5 "x") (repeat 200000 "$z") }}`, steps},
		{"regular expressions of large classes", `{{ range $i := 50 }}{{ $_ := regexMatch (print "` + strings.Repeat(`\\PL`, 100) + `" $i) "a" }}{{ end }}`, memory},
		{"regexSplit", `{{ regexSplit "" (repeat 20000 "x") -1 }}`, steps},
		{"wrapWith", `{{ $s := repeat 50000 "x" }}{{ wrapWith 1 $s $s }}`, memory},
		{"indent", `{{ repeat 50000 "\n" | indent 50000 }}`, memory},
		{"nindent", `{{ nindent 1000000000 "" }}`, memory},
		{"join", `{{ join (repeat 50000 "x") (until 5000) }}`, memory},
		{"until", `{{ until 4000000000 }}`, memory},
		{"until the end", `{{ until 9223372036854775807 }}`, memory},
		{"untilStep", `{{ untilStep -9223372036854775807 9223372036854775807 1 }}`, memory},
		{"seq", `{{ seq 1 1 9223372036854775806 }}`, memory},
		{"split", `{{ split "" (repeat 50000 "x") }}`, memory},
		{"splitList", `{{ splitList "" (repeat 300000 "x") }}`, memory},
		{"quote", `{{ quote (repeat 300000 "\x00") }}`, memory},
		{"html", `{{ html (repeat 300000 "<") }}`, memory},
		{"YAML with aliases of aliases", `{{ fromYaml "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]" }}`, memory},
		{"YAML with an alias in itself", `{{ fromYaml "a: &a [*a]" }}`, ""},
		{"YAML that is deep", `{{ fromYaml (print (repeat 5000 "[") (repeat 5000 "]")) }}`, ""},
		{"YAML of many values", `{{ fromYaml (print "[" (repeat 50000 "1,") "]") }}`, memory},
		{"JSON that is deep", `{{ fromJson (print (repeat 5000 "[") (repeat 5000 "]")) }}`, "in each other"},
		{"JSON of many values", `{{ fromJson (print "[" (repeat 50000 "{},") "1]") }}`, memory},
		{"YAML of many values, far to the right", `{{ $a := until 500 }}{{ range 190 }}{{ $a = list $a }}{{ end }}{{ range 20 }}{{ $_ := toYaml $a }}{{ end }}`, memory},
		{"versions", `{{ semver (repeat 100000 "1") }}`, "at most 512"},
		{"versions' constraints", `{{ semverCompare (repeat 100000 ">1,") "1.0.0" }}`, "at most 512"},
		{"numbers with large exponents", `{{ addf "1e1000000000" 1 }}`, "too large"},
		{"numbers of many digits", `{{ range 1000 }}{{ $_ := addf 1e300 1e-300 }}{{ end }}`, steps},
		{"products of many numbers", `{{ mulf` + strings.Repeat(" 1.123456789012345", 5000) + ` }}`, steps},
		{"versions' constraints, again and again", `{{ range 1000 }}{{ $_ := semverCompare ">1,>2,>3,>4,>5,>6,>7,>8,>9" "1.2.3" }}{{ end }}`, steps},
		{"names of many variables", `{{ range 1 }}` + strings.Repeat(`{{ $x := 1 }}`, 2000) + `{{ end }}`, "variables"},
		{"comparisons of long texts", `{{ $a := repeat 400000 "x" }}{{ range 4000000 }}{{ if eq $a $a }}{{ end }}{{ end }}`, steps},
		{"blocks in each other", deep(`{{ if true }}`, `{{ end }}`, 20_000), "blocks in each other"},
		{"ifs after each other", `{{ if 1 }}` + strings.Repeat(`{{ else if 1 }}`, 50_000) + `{{ end }}`, "blocks in each other"},
		{"defines in each other", deep(`{{ define "x" }}`, `{{ end }}`, 20_000), "blocks in each other"},
		{"blocks with marks", deep("{{- \nif true -}}", "{{- end -}}", 20_000), "blocks in each other"},
		{"blocks with much space", deep(`{{`+strings.Repeat(" ", 70)+`if true }}`, `{{ end }}`, 5000), "blocks in each other"},
		{"ifs after each other with much space", `{{ if 1 }}` + strings.Repeat(`{{ else`+strings.Repeat(" ", 70)+`if 1 }}`, 5000) + `{{ end }}`, "blocks in each other"},
		{"parentheses in each other", `{{ ` + deep("(", ")", 100_000) + ` }}`, "parentheses"},
		{"many actions", strings.Repeat(`{{.}}`, 200_000), "actions in one file"},
		{"large source", strings.Repeat("x", 2<<20), "bytes; at most"},
		{"long pipeline", `{{ "x"` + strings.Repeat(` | print "xxxxxxxxxxxxxxxx"`, 30_000) + ` }}`, ""},
		{"long chain", `{{ .` + strings.Repeat("a.", 200_000) + `a }}`, steps},
		{"many arguments, again and again", `{{ range 10000 }}{{ $_ := or` + strings.Repeat(" 0", 300_000) + ` }}{{ end }}`, steps},
		{"long chain, again and again", `{{ range 10000 }}{{ $x := $` + strings.Repeat(".a", 300_000) + ` }}{{ end }}`, steps},
		{"many arguments", `{{ list` + strings.Repeat(" .", 300_000) + ` }}`, steps},
	} {
		t.Run(test.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			out, err := render(t, small(), test.text)
			runtime.ReadMemStats(&after)
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("got %d bytes and %v; want an *Error", len(out), err)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v; want %q", err, test.want)
			}
			if made := (after.TotalAlloc - before.TotalAlloc) >> 20; made > 100 {
				t.Errorf("allocated %d MiB", made)
			}
		})
	}
}

// Messages are bounded too: whoever shows them did not ask for a gigabyte.
func TestLongMessages(t *testing.T) {
	for _, text := range []string{
		`{{ fail (repeat 60000000 "x") }}`,
		`{{ required (repeat 60000000 "é") nil }}`,
		`{{ index (dict "a" 1) (repeat 10000000 "x") }}`,
		`{{ template "` + strings.Repeat("x", 100_000) + `" . }}`,
		`{{ .` + strings.Repeat("x", 100_000) + ` }}`,
	} {
		_, err := render(t, Limits{}, text)
		if err == nil || len(err.Error()) > 3*maxMessage {
			t.Errorf("%.60s: the message has %d bytes", text, len(fmt.Sprint(err)))
		}
	}
}

// What is paid is paid for one execution, not for all of them.
func TestLimitsBoundOneExecution(t *testing.T) {
	tmpl, err := NewSet(small()).Parse("f", []byte(`{{ range 5000 }}x{{ end }}{{ repeat 500000 "x" | len }}`), Delimiters{})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := tmpl.Execute(nil); err != nil {
			t.Fatal(err)
		}
	}
}

// Items of a list pay for the data that each of them sees.
func TestItemsPayForTheirData(t *testing.T) {
	data := map[string]any{}
	for i := range 100 {
		data[fmt.Sprint("k", i)] = int64(i)
	}
	d := NewBudget(Limits{Steps: 100}).Data(data)
	tmpl, err := NewSet(Limits{}).Parse("f", []byte("{{ .item }}"), Delimiters{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		one, err := d.With("item", int64(i))
		if err != nil {
			if i < 10 || !strings.Contains(err.Error(), "the templates together take more") {
				t.Errorf("item %d: %v", i, err)
			}
			return
		}
		out, err := tmpl.ExecuteOn(one)
		if err == nil && string(out) != fmt.Sprint(i) || err != nil && i < 10 {
			t.Fatalf("item %d renders %q, %v", i, out, err)
		}
	}
	t.Error("a thousand copies were for nothing")
}

// Many characters are not looked through for each of many: 40 seconds, if they are.
func TestTrimAllIsLinear(t *testing.T) {
	start := time.Now()
	got, err := render(t, Limits{}, `{{ trimAll (print (repeat 999998 "a") "é") (repeat 500000 "é") }}|{{ trimAll "é\xff" "\xfeéxé\xff" }}|{{ trimAll "" " a" }}`)
	broken := string([]byte("é\xff")) // what is no UTF-8 is one character to both
	if want := "|" + strings.Trim("\xfeéxé\xff", broken) + "| a"; err != nil || got != want {
		t.Errorf("got %.100q, %v; want %q", got, err, want)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}

// A template that is large but sound stays within the defaults.
func TestDefaultsAreEnough(t *testing.T) {
	text := `{{ range $i := 10000 }}line {{ $i }}: {{ $.name | upper | quote }} {{ add $i 1 }} {{ if eq $i 7 }}seven{{ end }}
{{ end }}{{ $l := list }}{{ range 1000 }}{{ $l = append $l . }}{{ end }}{{ toYaml $l | indent 2 }}{{ range 200 }}{{ toYaml $.app }}{{ end }}`
	if _, err := render(t, Limits{}, text); err != nil {
		t.Error(err)
	}
}
