package engine

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// allowed is every function that a template can call. A name that is added here
// has been checked to give the same bytes in every run, on every machine, in
// every locale and time zone.
const allowed = `
	abbrev abbrevboth add add1 add1f addf adler32sum all and any append atoi b32dec b32enc b64dec b64enc base
	biggest camelcase cat ceil chunk clean coalesce compact concat contains deepCopy deepEqual default dict dig dir
	div divf empty eq ext fail first float64 floor fromJson fromYaml ge get gt has hasKey hasPrefix hasSuffix html
	include indent index initial initials int int64 isAbs join js kebabcase keys kindIs kindOf last le len list
	lower lt max maxf merge mergeOverwrite min minf mod mul mulf mustAppend mustChunk mustCompact mustDeepCopy
	mustFirst mustFromJson mustHas mustInitial mustLast mustMerge mustMergeOverwrite mustPrepend mustPush
	mustRegexFind mustRegexFindAll mustRegexMatch mustRegexReplaceAll mustRegexReplaceAllLiteral mustRegexSplit
	mustRest mustReverse mustSlice mustToJson mustToPrettyJson mustToRawJson mustUniq mustWithout ne nindent
	nospace not omit or pick pluck plural prepend print printf println push quote regexFind regexFindAll
	regexMatch regexQuoteMeta regexReplaceAll regexReplaceAllLiteral regexSplit repeat replace required rest
	reverse round semver semverCompare seq set sha1sum sha256sum sha512sum slice snakecase sortAlpha split
	splitList splitn squote sub subf substr swapcase ternary title toDecimal toJson toPrettyJson toRawJson
	toString toStrings toYaml trim trimAll trimPrefix trimSuffix trimall trunc tuple typeIs typeIsLike typeOf
	uniq unset until untilStep untitle upper urlJoin urlParse urlquery values without wrap wrapWith`

func TestFunctions(t *testing.T) {
	var names []string
	for _, f := range Functions() {
		names = append(names, f.Name)
		if f.Doc == "" {
			t.Errorf("%s has no documentation", f.Name)
		}
		if f.Example == "" && !strings.HasPrefix(f.Doc, "the same as ") {
			t.Errorf("%s has no example", f.Name)
		}
		if f.Example == "" {
			continue
		}
		if got, err := render(t, Limits{}, f.Example); err != nil || got != f.Result {
			t.Errorf("%s = %q, %v; want %q", f.Example, got, err, f.Result)
		}
	}
	if diff := cmp.Diff(strings.Fields(allowed), names); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// Every function of sprig and of text/template is either here or has a reason.
func TestEveryKnownFunctionIsDecided(t *testing.T) {
	names := slices.Sorted(maps.Keys(sprig.TxtFuncMap()))
	names = append(names, strings.Fields("and call html index slice js len not or print printf println urlquery eq ge gt le lt ne include tpl lookup required toYaml fromYaml")...)
	for _, name := range names {
		why := functions().unknown(name).Error()
		here := functions()[name] != nil
		if excused := strings.Contains(why, "is not available: "); here == excused {
			t.Errorf("%s: available %v, excused %v", name, here, excused)
		}
	}
}

// many keys show whatever order a map's iteration has.
func wide() map[string]any {
	d := map[string]any{}
	for i := range 60 {
		d[fmt.Sprintf("k%02d", i)] = int64(i % 7)
	}
	return d
}

func TestEveryFunctionIsRepeatable(t *testing.T) {
	calls := []string{
		`keys .d .d`, `values .d`, `pluck "k01" .d .d`, `pick .d "k01" "k02" "k03"`, `omit .d "k01"`, `toYaml .d`, `toJson .d`,
		`toPrettyJson .d`, `toRawJson .d`, `print .d`, `printf "%v" .d`, `println .d`, `toString .d`, `quote .d`, `squote .d`, `html .d`, `js .d`,
		`urlquery .d`, `cat .d .d`, `join "," (values .d)`, `toStrings (list .d)`, `uniq (list .d .d 1)`, `without (list .d 1) 1`, `has .d (list .d)`,
		`merge (dict "k01" 9) .d`, `mergeOverwrite (dict "k01" 9) .d`, `set (deepCopy .d) "x" 1`, `unset (deepCopy .d) "k01"`, `deepCopy .d`,
		`deepEqual .d .d`, `sortAlpha (keys .d)`, `index .d "k01"`, `fromYaml (toYaml .d)`, `fromJson (toJson .d)`, `split "," (join "," (values .d))`,
		`urlParse "https://u@h:1/p?q=1#f"`, `dict "a" .d "b" .d`, `list .d`, `append (list .d) .d`, `concat (list .d) (list .d)`, `include "p" .d`,
		`sha256sum (toJson .d)`, `compact (values .d)`, `chunk 7 (values .d)`, `reverse (keys .d)`, `first (keys .d)`, `coalesce .d`, `default .d ""`,
	}
	for _, f := range Functions() {
		if f.Example != "" {
			calls = append(calls, f.Example)
		}
	}
	for _, c := range calls {
		if !strings.Contains(c, "{{") {
			c = "{{ " + c + " }}"
		}
		var first string
		for i := range 20 {
			s := NewSet(Limits{})
			if err := s.AddPartial("p", "p", []byte(`{{ range $k, $v := . }}{{ $k }}{{ $v }}{{ end }}`), Delimiters{}); err != nil {
				t.Fatal(err)
			}
			tmpl, err := s.Parse("f", []byte(c), Delimiters{})
			if err != nil {
				t.Fatalf("%s: %v", c, err)
			}
			out, err := tmpl.Execute(map[string]any{"d": wide()})
			if err != nil {
				t.Fatalf("%s: %v", c, err)
			}
			if i == 0 {
				first = string(out)
			} else if string(out) != first {
				t.Fatalf("%s gives %q and %q", c, first, out)
			}
		}
	}
}

// sprigRender executes with text/template and sprig's own functions.
func sprigRender(text string, data map[string]any) (out string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	tmpl, err := template.New("f").Option("missingkey=error").Funcs(sprig.TxtFuncMap()).Parse(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = tmpl.Execute(&b, data)
	return b.String(), err
}

// TestLikeSprig compares with what is not replaced on purpose.
func TestLikeSprig(t *testing.T) {
	for _, text := range []string{
		`{{ cat "a" 1 nil " b " }}|{{ quote "a\n\x00é" 1 nil true }}|{{ squote 1 "x" }}`,
		`{{ indent 3 "a\nb\n" }}|{{ nindent 2 "a\n\nb" }}|{{ replace "" "-" "abc" }}|{{ repeat 0 "a" }}`,
		`{{ substr 1 -1 "abc" }}{{ substr -1 2 "abc" }}{{ substr 1 99 "abc" }}|{{ trunc -2 "abc" }}{{ trunc 9 "abc" }}`,
		`{{ wrap 7 "the quick brown fox jumps over" }}|{{ wrapWith 4 "--" "abcdefghij kl" }}`,
		`{{ print 1 2 "a" 3 4 "b" "c" 1.5 true false }}|{{ println "a" 1 2 }}|{{ printf "%5.2f|%-5d|%05d|%x|%q|%v|%t|%s|%[1]v|%c|%U|%%" 1.5 2 3 "hi" "q" .tags true "s" 65 66 }}`,
		`{{ printf "%*d|%.*f|%+d|% x|%#x|%8.3s|%T|%v" 5 1 2 1.234 3 "ab" "cd" "abcdef" "t" .app }}`,
		`{{ until 5 }}{{ until -3 }}{{ untilStep 3 9 3 }}{{ untilStep 9 3 -2 }}{{ untilStep 1 5 0 }}{{ untilStep 5 1 1 }}`,
		`{{ seq 5 }}|{{ seq -3 }}|{{ seq 0 }}|{{ seq 2 4 }}|{{ seq 4 2 }}|{{ seq 0 2 10 }}|{{ seq 10 -3 0 }}|{{ seq 1 2 6 }}|{{ seq 1 -2 5 }}|{{ seq 3 3 }}`,
		`{{ split "," "a,b" }}{{ splitList "" "abc" }}{{ splitn "," 2 "a,b,c" }}{{ splitn "," -1 "a,b" }}{{ splitn "," 0 "a" }}`,
		`{{ join "," (list 1 nil "a" 2.5) }}{{ join "," "x" }}{{ sortAlpha (list "b" 1 "a") }}{{ toStrings (list 1 nil true) }}`,
		`{{ first (list 1 2) }}{{ last (list 1 2) }}{{ rest (list 1 2 3) }}{{ initial (list 1 2 3) }}{{ reverse (list 1 2) }}{{ append (list) 1 }}{{ prepend (list 2) 1 }}{{ concat (list 1) (list) (list 2 3) }}`,
		`{{ uniq (list 1 "1" 1 nil nil (list 1) (list 1)) }}{{ without (list 1 2 3 "2") 2 }}{{ has 2 (list 1 2) }}{{ has "2" (list 1 2) }}{{ compact (list 0 1 "" "a" false nil) }}{{ chunk 2 (list 1 2 3) }}{{ slice (list 1 2 3) 1 2 }}{{ slice (list 1 2 3) }}`,
		`{{ dict "a" 1 2 "b" }}{{ get .app "no" }}{{ hasKey .app "db" }}{{ pick .app "host" "no" }}{{ omit .app "db" }}{{ pluck "a" (dict "a" 1) (dict) (dict "a" 2) }}{{ dig "db" "port" 0 .app }}{{ dig "db" "x" "y" 0 .app }}`,
		`{{ merge (dict "a" 1 "e" "" "n" (dict "x" 1)) (dict "a" 2 "e" "f" "n" (dict "x" 2 "y" 3) "l" (list 1)) (dict "b" 4 "z" nil) }}`,
		`{{ mergeOverwrite (dict "a" 1 "e" "f" "n" (dict "x" 1) "l" (list 1 2)) (dict "a" 2 "e" "" "n" (dict "x" 2 "y" 3) "l" (list)) (dict "a" nil "n" "s") }}`,
		`{{ merge (dict "a" "s") (dict "a" (dict "b" 1)) }}{{ merge (dict "a" (dict)) (dict "a" (dict "b" 1)) }}{{ merge (dict "a" (list)) (dict "a" (list 1)) }}{{ merge (dict "a" false "b" 0) (dict "a" true "b" 1) }}`,
		`{{ $d := dict "a" 1 }}{{ $e := set $d "b" 2 }}{{ $_ := unset $d "a" }}{{ $d }}{{ $e }}`,
		`{{ default "d" "" }}{{ default "d" 0 }}{{ default "d" false }}{{ default "d" "x" }}{{ default "d" nil }}{{ coalesce 0 "" "c" }}{{ all 1 0 }}{{ any 1 0 }}{{ all }}{{ any }}{{ empty nil }}{{ empty (list 1) }}{{ ternary 1 2 true }}`,
		`{{ add 1 2 3 }} {{ sub 5 3 }} {{ mul 2 3 }} {{ div 7 2 }} {{ div -7 2 }} {{ mod -7 3 }} {{ add1 4 }} {{ max 1 5 2 }} {{ min 4 2 }} {{ biggest 1 2 }} {{ add 1.9 1 }} {{ add "3" 4 }} {{ int 3.9 }} {{ int "7" }} {{ int64 true }} {{ atoi "12" }}`,
		`{{ addf 0.1 0.2 }} {{ subf 1 0.9 }} {{ mulf 1.1 1.1 }} {{ divf 1 3 }} {{ add1f 0.1 }} {{ maxf 1 2.5 }} {{ minf 1 2.5 }} {{ ceil 1.2 }} {{ floor -1.2 }} {{ round 2.345 2 }} {{ round 2.5 0 0.6 }} {{ float64 "1.25" }} {{ toDecimal "0755" }}`,
		`{{ b64dec (b64enc "é") }}{{ b32dec (b32enc "é") }}{{ sha1sum "x" }}{{ sha512sum "x" }}{{ adler32sum "x" }}`,
		`{{ toJson .app }}{{ toPrettyJson .app }}{{ toRawJson (dict "a" "<&>") }}{{ toJson "<&>" }}{{ (fromJson "{\"a\":[1,\"x\",null]}").a }}`,
		`{{ regexMatch "^a+$" "aaa" }}{{ regexFind "[0-9]+" "a12b34" }}{{ regexFindAll "[0-9]" "a1b2c3" 2 }}{{ regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W$0" }}{{ regexReplaceAll "a(x*)b" "-axb-" "$1W" }}{{ regexReplaceAllLiteral "a(x*)b" "-ab-axxb-" "${1}" }}{{ regexSplit "z+" "pizza" -1 }}{{ regexSplit "a" "banana" 2 }}{{ regexReplaceAll "x*" "abc" "-" }}{{ regexFindAll "x*" "axb" -1 }}`,
		`{{ semver "1.2.3-a+b" }}{{ semverCompare ">=1.2, <2" "1.5.0" }}{{ (semver "v1.2.3").Patch }}`,
		`{{ kindOf "a" }}{{ kindOf .tags }}{{ kindOf .app }}{{ kindOf nil }}{{ kindOf true }}{{ kindIs "int" 1 }}{{ typeOf .app }}{{ typeOf .tags }}{{ typeIs "string" "a" }}{{ deepEqual .tags (list "a" "b") }}`,
		`{{ html "<a href='x'>&" 1 2 }}{{ js "'\"<>&=\\" }}{{ urlquery "a b/é" 1 }}{{ len "abc" }}{{ len .tags }}{{ len .app }}{{ index .tags 1 }}{{ index .app "db" "port" }}`,
		`{{ eq 1 2 1 }}{{ ne "a" "b" }}{{ lt 1 2 }}{{ le 2 2 }}{{ gt "b" "a" }}{{ ge 1.5 1.5 }}{{ eq nil nil }}{{ eq .none nil }}{{ not 0 }}{{ and 1 "" 2 }}{{ or 0 "" "x" }}`,
		`{{ urlParse "https://u:p@h:1/p?q=1#f" }}{{ urlJoin (urlParse "https://u:p@h:1/p?q=1#f") }}`,
		`{{ abbrev 5 "hello world" }}{{ abbrevboth 5 10 "1234 5678 9123" }}{{ initials "a b c" }}{{ title "hello there" }}{{ untitle "Hello There" }}{{ swapcase "aBc" }}{{ camelcase "http_server_x" }}{{ snakecase "FirstName" }}{{ kebabcase "FirstName" }}{{ plural "a" "b" 1 }}{{ nospace " a b " }}`,
	} {
		want, err := sprigRender(text, sample())
		if err != nil {
			t.Errorf("%s: sprig says %v", text, err)
			continue
		}
		if got, err := render(t, Limits{}, text); err != nil || got != want {
			t.Errorf("%s: %v; mismatch (-want +got):\n%s", text, err, cmp.Diff(want, got))
		}
	}
}

// anyValue draws the values that templates see.
func anyValue(depth int) *rapid.Generator[any] {
	scalar := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), toAny[bool]), rapid.Map(rapid.Int64(), toAny[int64]),
		rapid.Map(rapid.Float64Range(0.001, 1e6), toAny[float64]), rapid.Map(rapid.String(), toAny[string]),
	)
	if depth == 0 {
		return scalar
	}
	return rapid.OneOf(scalar,
		rapid.Map(rapid.SliceOfN(anyValue(depth-1), 0, 4), toAny[[]any]),
		rapid.Map(rapid.MapOfN(rapid.String(), anyValue(depth-1), 0, 4), toAny[map[string]any]),
	)
}

func toAny[T any](v T) any { return v }

// execute runs text on a value called v.
func execute(t *rapid.T, text string, v any) (string, error) {
	tmpl, err := NewSet(Limits{}).Parse("f", []byte(text), Delimiters{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := tmpl.Execute(map[string]any{"v": v})
	return string(out), err
}

func TestPrintsLikeFmt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(3).Draw(t, "v")
		got, err := execute(t, `{{ list .v }}|{{ printf "%v" (list .v) }}`, v)
		if want := fmt.Sprintf("%v|%[1]v", []any{v}); err != nil || got != want {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	})
}

func TestFormatsThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(3).Draw(t, "v")
		for _, text := range []string{`{{ deepEqual .v (deepCopy .v) }}`, `{{ eq (len (uniq (list .v (deepCopy .v)))) 1 }}`, `{{ has .v (list .v) }}`} {
			if got, err := execute(t, text, v); err != nil || got != "true" {
				t.Fatalf("%s on %#v: %q, %v", text, v, got, err)
			}
		}
		for _, format := range []string{"Json", "Yaml"} {
			first, err := execute(t, `{{ to`+format+` .v }}`, v)
			if err != nil && (strings.Contains(err.Error(), "more than one line") || strings.Contains(err.Error(), "no fixed place") || strings.Contains(err.Error(), "a merge of mappings")) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			again, err := execute(t, `{{ to`+format+` (from`+format+` (print (to`+format+` .v) "\n")) }}`, v)
			if err != nil || again != first {
				t.Fatalf("%s of %#v: %q, then %q, %v", format, v, first, again, err)
			}
		}
	})
}

func TestComparisonsAgree(t *testing.T) {
	numbers := rapid.OneOf(rapid.Map(rapid.Int64(), toAny[int64]), rapid.Map(rapid.Float64(), toAny[float64]), rapid.Map(rapid.Int64Range(-3, 3), toAny[int64]), rapid.Map(rapid.Float64Range(-3, 3), toAny[float64]))
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers.Draw(t, "a"), numbers.Draw(t, "b")
		x, _ := compareNumbers(a, b)
		y, _ := compareNumbers(b, a)
		if x != -y {
			t.Fatalf("%v and %v compare as %d and %d", a, b, x, y)
		}
		if reflect.TypeOf(a) == reflect.TypeOf(b) && (x == 0) != (a == b) {
			t.Fatalf("%v and %v compare as %d", a, b, x)
		}
	})
}

func TestNoFunctionPanics(t *testing.T) {
	names := strings.Fields(allowed)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "name")
		f := functions()[name]
		if f.run == nil {
			return // and, or
		}
		n := rapid.IntRange(f.min, min(f.max, f.min+3)).Draw(t, "n")
		c := call{run: &run{template: &Template{}, limits: small().withDefaults()}, name: name}
		for range n {
			c.args = append(c.args, anyValue(2).Draw(t, "argument"))
		}
		// The same as function.call, but for its recover, which is for sprig only.
		if borrowed := sprig.TxtFuncMap()[name]; borrowed != nil {
			if _, err := f.call(c.run, c.args); err != nil {
				return
			}
			return
		}
		f.run(&c)
	})
}

// What a template makes depends on nothing but its values: not on where they are
// in memory, and not on the order in which a map gives its keys.
func TestRepeats(t *testing.T) {
	for _, text := range []string{
		`{{ printf "%#v" (semver "1.2.3") }}`,
		`{{ printf "%#v" (list (semver "1.2.3")) }}`,
		`{{ printf "%[1]*[2]d %#[3]v" 3 4 (dict "v" (semver "1.2.3")) }}`,
		`{{ toYaml (dict "\xff" 1 "\xfe" 2 "\xfd" 3) }}`,
		`{{ toYaml (dict "921" 1 "92100129922900922920" 2 "1" 3) }}`,
		`{{ toYaml (dict "11٣٣" 1 "٣11" 2 "٣٣-" 3) }}`,
		`{{ toYaml (dict "a9" 1 "a10" 2 "a" 3 "-" 4 "123456789012345678" 5) }}`,
	} {
		first, err := render(t, Limits{}, text)
		for range 50 {
			again, err2 := render(t, Limits{}, text)
			if again != first || (err == nil) != (err2 == nil) {
				t.Fatalf("%s makes %q, %v and then %q, %v", text, first, err, again, err2)
			}
		}
	}
}

// What toYaml writes is read as the same, wherever a file puts it.
func TestYAMLIsReadAsItself(t *testing.T) {
	for _, v := range []string{"<<", "=", "a\n\u2028b", "a\n\u0085b\n", "\u2028", "a\r\nb", "a\n b\n", "a\n\n", "\n", "yes", "010", "- a\n- b\n", "a\n---\nb"} {
		for _, text := range []string{
			`{{ eq .v (fromYaml (print "x:\n  y:" (nindent 4 (toYaml (dict "k" .v))) "\n")).x.y.k }}`,
			`{{ eq .v (index (fromYaml (print (toYaml (list (list .v 1))) "\n")) 0 0) }}`,
		} {
			tmpl, err := NewSet(Limits{}).Parse("f", []byte(text), Delimiters{})
			if err != nil {
				t.Fatal(err)
			}
			if out, err := tmpl.Execute(map[string]any{"v": v}); err != nil || string(out) != "true" {
				t.Errorf("%q in %s: %s, %v", v, text, out, err)
			}
		}
	}
	if _, err := render(t, Limits{}, `{{ toYaml (dict "<<" 1) }}`); err == nil || !strings.Contains(err.Error(), "read as a merge") {
		t.Errorf("a key <<: %v", err)
	}
	if out, err := render(t, Limits{}, `{{ toYaml (dict "a" "<<" "b" "=") }}`); err != nil || out != "a: \"<<\"\nb: \"=\"" {
		t.Errorf("got %q, %v", out, err)
	}
}
