package engine

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// logicFunctions compare, choose and stop.
func logicFunctions() []function {
	deep := weights{value: valueSize, text: 1}
	return []function{
		{Function{"all", "whether none of the values is empty", `{{ all 1 "a" }}`, "true"}, 0, many, all, peeking()},
		{Function{"and", "the first empty argument, or the last one; those after it are not evaluated", `{{ and 1 0 }}`, "0"}, 1, many, nil, peeking()},
		{Function{"any", "whether one of the values is not empty", `{{ any 0 "a" }}`, "true"}, 0, many, anyOf, peeking()},
		{Function{"coalesce", "the first value that is not empty", `{{ coalesce "" "a" }}`, "a"}, 0, many, coalesce, peeking()},
		{Function{"deepEqual", "whether two values are equal in every part", `{{ deepEqual (list 1) (list 1) }}`, "true"}, 2, 2, deepEqual, deep},
		{Function{"default", "the second value, or the first one where the second is empty", `{{ "" | default "a" }}`, "a"}, 1, many, orDefault, peeking()},
		{Function{"empty", "whether a value is null, false, 0, or has nothing in it", `{{ empty "" }}`, "true"}, 1, 1, func(c *call) any { return !truth(c.argument(0)) }, peeking()},
		{Function{"eq", "whether the first value equals one of the others", `{{ eq 1 2 1 }}`, "true"}, 2, many, func(c *call) any { return equalsAny(c) }, peeking()},
		{Function{"fail", "nothing: it stops with a message", `{{ if false }}{{ fail "no" }}{{ end }}`, ""}, 1, 1, fail, peeking()},
		{Function{"ge", "whether the first value is greater than the second, or equal", `{{ ge 2 1 }}`, "true"}, 2, 2, ordered(func(n int) bool { return n >= 0 }), peeking()},
		{Function{"gt", "whether the first value is greater than the second", `{{ gt 2 1 }}`, "true"}, 2, 2, ordered(func(n int) bool { return n > 0 }), peeking()},
		{Function{"include", "what a template makes of a value, as a text", `{{ define "x" }}<{{ . }}>{{ end }}{{ include "x" 1 | upper }}`, "<1>"}, 2, 2, include, peeking()},
		{Function{"kindIs", "whether a value is of a kind: string, bool, int64, float64, slice, map, invalid", `{{ kindIs "string" "a" }}`, "true"}, 2, 2, kindIs, peeking()},
		{Function{"kindOf", "the kind of a value: string, bool, int64, float64, slice, map, invalid", `{{ kindOf "a" }}`, "string"}, 1, 1, func(c *call) any { return kindOf(c.argument(0)) }, peeking()},
		{Function{"le", "whether the first value is less than the second, or equal", `{{ le 1 2 }}`, "true"}, 2, 2, ordered(func(n int) bool { return n <= 0 }), peeking()},
		{Function{"lt", "whether the first value is less than the second", `{{ lt 1 2 }}`, "true"}, 2, 2, ordered(func(n int) bool { return n < 0 }), peeking()},
		{Function{"ne", "whether two values differ", `{{ ne 1 2 }}`, "true"}, 2, 2, func(c *call) any { return !equalsAny(c) }, peeking()},
		{Function{"not", "whether a value is empty", `{{ not false }}`, "true"}, 1, 1, func(c *call) any { return !truth(c.argument(0)) }, peeking()},
		{Function{"or", "the first argument that is not empty, or the last one; those after it are not evaluated", `{{ or 0 1 }}`, "1"}, 1, many, nil, peeking()},
		{Function{"required", "the second value; where it is null or an empty text, it stops with the first as message", `{{ required "name it" "a" }}`, "a"}, 2, 2, required, peeking()},
		{Function{"semver", "a version, with Major, Minor, Patch, Prerelease, Metadata and Compare", `{{ (semver "v1.2.3").Minor }}`, "2"}, 1, 1, version, deep},
		{Function{"semverCompare", "whether a version satisfies a constraint", `{{ semverCompare "^1.2" "1.3.0" }}`, "true"}, 2, 2, versionSatisfies, deep},
		{Function{"ternary", "the first value if the third is true, or else the second", `{{ ternary "a" "b" true }}`, "a"}, 3, 3, ternary, peeking()},
		{Function{"typeIs", "whether a value is of a Go type", `{{ typeIs "string" "a" }}`, "true"}, 2, 2, typeIs, peeking()},
		{Function{"typeIsLike", "the same as typeIs", `{{ typeIsLike "string" "a" }}`, "true"}, 2, 2, typeIs, peeking()},
		{Function{"typeOf", "the Go type of a value", `{{ typeOf "a" }}`, "string"}, 1, 1, func(c *call) any { return fmt.Sprintf("%T", c.argument(0)) }, peeking()},
	}
}

func all(c *call) any {
	for _, v := range c.args {
		if !truth(v) {
			return false
		}
	}
	return true
}

func anyOf(c *call) any {
	return slices.ContainsFunc(c.args, truth)
}

func coalesce(c *call) any {
	for _, v := range c.args {
		if truth(v) {
			return v
		}
	}
	return nil
}

func orDefault(c *call) any {
	if len(c.args) > 1 && truth(c.args[1]) {
		return c.args[1]
	}
	return c.args[0]
}

func ternary(c *call) any {
	b, ok := c.argument(2).(bool)
	if !ok {
		c.wrong(2, "a boolean", "")
	}
	if b {
		return c.args[0]
	}
	return c.args[1]
}

func fail(c *call) any {
	c.check(faultf("%s", clip(c.str(0))))
	return nil
}

func required(c *call) any {
	v := c.argument(1)
	if message := c.str(0); v == nil || v == "" {
		c.check(faultf("%s", clip(message)))
	}
	return v
}

func include(c *call) any {
	name := c.str(0)
	if c.err != nil {
		return nil
	}
	text, err := c.include(name, c.argument(1))
	c.check(err)
	return text
}

func deepEqual(c *call) any { return reflect.DeepEqual(c.args[0], c.args[1]) }

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "invalid"
	case *semver.Version:
		return "ptr"
	}
	return reflect.TypeOf(v).Kind().String()
}

// kindIs takes "int" and "float" for the one kind of each that there is.
func kindIs(c *call) any {
	want := c.str(0)
	switch want {
	case "int", "float":
		want += "64"
	}
	return want == kindOf(c.argument(1))
}

func typeIs(c *call) any {
	want := c.str(0)
	return want == fmt.Sprintf("%T", c.argument(1)) || want == "int" && kindOf(c.argument(1)) == "int64"
}

func equalsAny(c *call) bool {
	for i := 1; i < len(c.args); i++ {
		if c.equals(c.args[0], c.args[i]) {
			return true
		}
	}
	return false
}

// equals compares scalars. Integers equal numbers with a fraction of the same
// value, because JSON does not tell 8080 from 8080.0.
func (c *call) equals(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if n, ok := compareNumbers(a, b); ok {
		return n == 0
	}
	switch a.(type) {
	case list, dict, *semver.Version:
		c.failWith("use deepEqual", "it does not compare %s", describe(a))
		return false
	}
	if reflect.TypeOf(a) != reflect.TypeOf(b) {
		c.failWith("use toString or int on one of them", "%s cannot equal %s", describe(a), describe(b))
		return false
	}
	return a == b
}

// compareNumbers compares two numbers, whichever of both kinds they are. An
// integer beyond 2^53 has no exact float64; where the other one has a fraction
// that does not matter, and where it has none, it is compared as an integer.
func compareNumbers(a, b any) (int, bool) {
	switch a := a.(type) {
	case int64:
		switch b := b.(type) {
		case int64:
			return cmp.Compare(a, b), true
		case float64:
			return compareMixed(a, b), true
		}
	case float64:
		switch b := b.(type) {
		case int64:
			return -compareMixed(b, a), true
		case float64:
			return compareFloats(a, b), true
		}
	}
	return 0, false
}

// unequal is what a comparison with NaN gives: neither less, nor equal, nor
// greater is meant, and greater does the least harm.
const unequal = 2

func compareFloats(a, b float64) int {
	if a != a || b != b {
		return unequal
	}
	return cmp.Compare(a, b)
}

func compareMixed(i int64, f float64) int {
	const two63 = 1 << 63
	switch {
	case f != f:
		return unequal
	case f >= two63:
		return -1
	case f < -two63:
		return 1
	}
	whole := int64(f)
	if n := cmp.Compare(i, whole); n != 0 {
		return n
	}
	return cmp.Compare(0, f-float64(whole))
}

// ordered makes lt, le, gt and ge.
func ordered(holds func(int) bool) func(c *call) any {
	return func(c *call) any {
		a, b := c.args[0], c.args[1]
		if n, ok := compareNumbers(a, b); ok {
			return n != unequal && n != -unequal && holds(n)
		}
		x, ok := a.(string)
		y, both := b.(string)
		if !ok || !both {
			return c.fail("%s and %s have no order; both must be numbers or both strings", describe(a), describe(b))
		}
		return holds(strings.Compare(x, y))
	}
}

// maxVersion is longer than a version or a constraint that means something; both
// are parsed with regular expressions.
const maxVersion = 512

func parseVersion(s string) (*semver.Version, error) {
	if len(s) > maxVersion {
		return nil, faultf("a version has %d bytes; at most %d are allowed", len(s), maxVersion)
	}
	v, err := semver.NewVersion(s)
	if err != nil {
		return nil, &fault{fmt.Sprintf("%q is not a version", s), "write it like 1.2.3"}
	}
	return v, nil
}

func version(c *call) any {
	v, err := parseVersion(c.str(0))
	if !c.check(err) {
		return nil
	}
	return v
}

func versionSatisfies(c *call) any {
	constraint := c.str(0)
	v, err := parseVersion(c.text(1))
	if !c.check(err) {
		return nil
	}
	if len(constraint) > maxVersion {
		return c.fail("the constraint has %d bytes; at most %d are allowed", len(constraint), maxVersion)
	}
	// Expressions read both, with several microseconds for each byte.
	if !c.check(c.step(2 * len(constraint))) {
		return nil
	}
	want, err := semver.NewConstraint(constraint)
	if err != nil {
		c.failWith(`write it like "^1.2" or ">= 1.2, < 2"`, "%q is not a constraint on versions", constraint)
		return nil
	}
	return want.Check(v)
}

// versionField returns what a template can ask of a version.
func versionField(v *semver.Version, name string) (any, error) {
	switch name {
	case "Major":
		return int64(v.Major()), nil //nolint:gosec // beyond 2^63 it is wrong in the text already
	case "Minor":
		return int64(v.Minor()), nil //nolint:gosec // as above
	case "Patch":
		return int64(v.Patch()), nil //nolint:gosec // as above
	case "Prerelease":
		return v.Prerelease(), nil
	case "Metadata":
		return v.Metadata(), nil
	case "Original":
		return v.Original(), nil
	case "String":
		return v.String(), nil
	}
	return nil, &fault{fmt.Sprintf("a version has no %q", name), "known: Major, Minor, Patch, Prerelease, Metadata, Original"}
}

// versionMethod compares v with the one argument.
func versionMethod(v *semver.Version, name string, args []any) (any, error) {
	if len(args) != 1 {
		return nil, faultf("%s of a version takes 1 argument, and has %d", name, len(args))
	}
	other, ok := args[0].(*semver.Version)
	if !ok {
		return nil, &fault{fmt.Sprintf("%s of a version takes a version, got %s", name, describe(args[0])), "use semver"}
	}
	switch n := v.Compare(other); name {
	case "Compare":
		return int64(n), nil
	case "Equal":
		return n == 0, nil
	case "LessThan":
		return n < 0, nil
	case "GreaterThan":
		return n > 0, nil
	}
	return nil, &fault{fmt.Sprintf("a version has no method %q", name), "known: Compare, Equal, LessThan, GreaterThan"}
}
