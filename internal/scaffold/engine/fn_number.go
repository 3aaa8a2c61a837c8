package engine

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// numberFunctions calculate. Where sprig takes a text that is no number for 0,
// and lets results wrap round, these stop; and "010" is ten, as in sprig's atoi, where
// its other functions make eight of it.
func numberFunctions(sprigs map[string]any) []function {
	w := weights{value: valueSize, text: 1}
	return []function{
		{Function{"add", "the sum of integers", `{{ add 1 2 3 }}`, "6"}, 0, many, fold(0, addInts), w},
		{Function{"add1", "an integer and 1", `{{ add1 1 }}`, "2"}, 1, 1, fold(1, addInts), w},
		{Function{"add1f", "a number and 1", `{{ add1f 1.5 }}`, "2.5"}, 1, 1, decimal(sprigs["add1f"]), w},
		{Function{"addf", "the sum of numbers", `{{ addf 1.5 2 }}`, "3.5"}, 0, many, decimal(sprigs["addf"]), w},
		{Function{"atoi", "the integer that a text is", `{{ atoi "12" }}`, "12"}, 1, 1, func(c *call) any { return c.integer(0) }, w},
		{Function{"ceil", "a number rounded up", `{{ ceil 1.2 }}`, "2"}, 1, 1, func(c *call) any { return math.Ceil(c.float(0)) }, w},
		{Function{"div", "the first integer divided by the second, without the rest", `{{ div 7 2 }}`, "3"}, 2, 2, divide, w},
		{Function{"divf", "the first number divided by the others", `{{ divf 7 2 }}`, "3.5"}, 1, many, decimal(sprigs["divf"]), w},
		{Function{"float64", "a value as a number", `{{ float64 "1.5" }}`, "1.5"}, 1, 1, func(c *call) any { return c.float(0) }, w},
		{Function{"floor", "a number rounded down", `{{ floor 1.8 }}`, "1"}, 1, 1, func(c *call) any { return math.Floor(c.float(0)) }, w},
		{Function{"int", "a value as an integer, without its fraction", `{{ int "12" }}`, "12"}, 1, 1, func(c *call) any { return c.integer(0) }, w},
		{Function{"int64", "the same as int", `{{ int64 1.9 }}`, "1"}, 1, 1, func(c *call) any { return c.integer(0) }, w},
		{Function{"max", "the greatest integer", `{{ max 1 3 2 }}`, "3"}, 1, many, extreme(func(a, b int64) int64 { return max(a, b) }), w},
		{Function{"maxf", "the greatest number", `{{ maxf 1 2.5 }}`, "2.5"}, 1, many, extremeFloat(math.Max), w},
		{Function{"min", "the least integer", `{{ min 3 1 2 }}`, "1"}, 1, many, extreme(func(a, b int64) int64 { return min(a, b) }), w},
		{Function{"minf", "the least number", `{{ minf 1 2.5 }}`, "1"}, 1, many, extremeFloat(math.Min), w},
		{Function{"mod", "the rest of a division", `{{ mod 7 2 }}`, "1"}, 2, 2, remainder, w},
		{Function{"mul", "the product of integers", `{{ mul 2 3 4 }}`, "24"}, 1, many, fold(1, multiply), w},
		{Function{"mulf", "the product of numbers", `{{ mulf 1.5 2 }}`, "3"}, 1, many, decimal(sprigs["mulf"]), w},
		{Function{"round", "a number rounded to so many digits after the point", `{{ round 1.2345 2 }}`, "1.23"}, 2, 3, round(sprigs["round"]), w},
		{Function{"sub", "the first integer without the second", `{{ sub 5 2 }}`, "3"}, 2, 2, subtract, w},
		{Function{"subf", "the first number without the others", `{{ subf 5 1.5 }}`, "3.5"}, 1, many, decimal(sprigs["subf"]), w},
		{Function{"toDecimal", "the integer that a text is in octal", `{{ toDecimal "755" }}`, "493"}, 1, 1, toDecimal, w},
	}
}

// integer returns the i-th argument as an integer.
func (c *call) integer(i int) int64 {
	switch v := c.argument(i).(type) {
	case nil:
		c.wrong(i, "a number", "use default")
	case int64:
		return v
	case float64:
		// Beyond the range the result depends on the processor.
		if t := math.Trunc(v); t >= -(1<<63) && t < 1<<63 {
			return int64(t)
		}
		c.fail("%v does not fit into an integer", v)
	case bool:
		if v {
			return 1
		}
		return 0
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		if err != nil {
			c.fail("%.40q is not an integer, or too large", v)
		}
		return n
	default:
		c.wrong(i, "a number", "")
	}
	return 0
}

// float returns the i-th argument as a number.
func (c *call) float(i int) float64 {
	switch v := c.argument(i).(type) {
	case float64:
		return v
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			c.fail("%.40q is not a number, or too large", v)
		}
		return f
	}
	return float64(c.integer(i))
}

// fold makes functions of any number of integers.
func fold(start int64, op func(a, b int64) (int64, bool)) func(c *call) any {
	return func(c *call) any {
		sum := start
		for i := range c.args {
			var ok bool
			if sum, ok = op(sum, c.integer(i)); !ok {
				return c.fail("the result does not fit into an integer")
			}
		}
		return sum
	}
}

func addInts(a, b int64) (int64, bool) {
	sum := a + b
	return sum, (sum > a) == (b > 0)
}

func multiply(a, b int64) (int64, bool) {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	negative := a < 0 != (b < 0)
	fits := high == 0 && (low <= math.MaxInt64 || negative && low == 1<<63)
	return a * b, fits
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func subtract(c *call) any {
	a, b := c.integer(0), c.integer(1)
	if d := a - b; (d < a) == (b > 0) {
		return d
	}
	return c.fail("the result does not fit into an integer")
}

// divide and remainder stop a division by 0, and the one quotient that is too
// large.
func divide(c *call) any {
	a, b := c.integer(0), c.integer(1)
	if b == 0 || a == math.MinInt64 && b == -1 {
		return c.fail("%d cannot be divided by %d", a, b)
	}
	return a / b
}

func remainder(c *call) any {
	a, b := c.integer(0), c.integer(1)
	if b == 0 {
		return c.fail("%d cannot be divided by %d", a, b)
	}
	return a % b
}

func extreme(better func(a, b int64) int64) func(c *call) any {
	return func(c *call) any {
		best := c.integer(0)
		for i := range c.args {
			best = better(best, c.integer(i))
		}
		return best
	}
}

func extremeFloat(better func(a, b float64) float64) func(c *call) any {
	return func(c *call) any {
		best := c.float(0)
		for i := range c.args {
			best = better(best, c.float(i))
		}
		return best
	}
}

// decimal calls sprig's functions on numbers with a fraction, which calculate in
// decimal and therefore give the same on every processor.
func decimal(code any) func(c *call) any {
	return func(c *call) any {
		args := make([]any, len(c.args))
		digits := 0
		for i := range args {
			f := c.float(i)
			if c.name == "divf" && i > 0 && f == 0 {
				return c.fail("a number cannot be divided by 0")
			}
			digits += decimals(f)
			if !c.check(c.step(digits/3 + i/2)) { // each argument has to do with all digits so far
				return nil
			}
			args[i] = f
		}
		if c.err != nil {
			return nil
		}
		switch f := code.(type) {
		case func(any) float64:
			return f(args[0])
		case func(...any) float64:
			return f(args...)
		case func(any, ...any) float64:
			return f(args[0], args[1:]...)
		}
		return c.fail("it is not there")
	}
}

// decimals is about how many zeros a number has before or after the point, which
// calculating in decimal writes out: {{ addf 1e300 1e-300 }} has 600 digits.
func decimals(f float64) int {
	_, exponent := math.Frexp(f)
	return max(exponent, -exponent) * 3 / 10
}

// maxDigits is more than a float64 has.
const maxDigits = 300

func round(code any) func(c *call) any {
	toDigits, _ := code.(func(any, int, ...float64) float64)
	return func(c *call) any {
		f, digits, on := c.float(0), c.int(1), 0.5
		if len(c.args) > 2 {
			on = c.float(2)
		}
		if digits < -maxDigits || digits > maxDigits {
			return c.fail("%d digits are too many", digits)
		}
		return toDigits(f, digits, on)
	}
}

func toDecimal(c *call) any {
	text := fmt.Sprint(c.argument(0))
	n, err := strconv.ParseInt(text, 8, 64)
	if err != nil {
		return c.fail("%.40q is not an octal number", text)
	}
	return n
}
