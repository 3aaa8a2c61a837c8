package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// The exit codes, which scripts rely on.
const (
	exitDone        = 0
	exitFailed      = 1
	exitDifferences = 2
	exitUsage       = 64 // EX_USAGE of sysexits.h
)

// errDifferences says that a verb found differences or conflicts, which it has
// told already.
var errDifferences = errors.New("differences or conflicts found")

// usageError is a mistake in how the command was called.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(cmd *cobra.Command, err error) error {
	return &usageError{fmt.Errorf("%w\nsee %s --help", err, cmd.CommandPath())}
}

// exactly and between are cobra's checks of the number of arguments, told as bad
// usage.
func between(least, most int, names string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usage(cmd, fmt.Errorf("%s takes %s; it has %d", cmd.CommandPath(), names, len(args)))
		}
		return nil
	}
}

// exit tells an error and returns the code for it.
func (a *app) exit(err error) int {
	var bad *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errDifferences):
		return exitDifferences
	case a.json && errors.Is(err, errConflicts): // the result says it
		return exitFailed
	case errors.Is(err, context.Canceled):
		a.tell(errors.New("interrupted; nothing is half done"))
		return exitFailed
	case errors.As(err, &bad):
		a.tell(err)
		return exitUsage
	}
	a.tell(err)
	return exitFailed
}

func (a *app) tell(err error) {
	if a.json {
		told := map[string]any{"error": err.Error()}
		if partial, ok := errors.AsType[*partialError](err); ok {
			told["done"] = partial.done
		}
		_ = a.report(told)
		return
	}
	fmt.Fprintln(a.err, "syncer: "+err.Error())
}

// encoder returns how texts are told in JSON, and what that is called: as they are,
// or, where one is no UTF-8 and would not come out as it went in, in base64.
func encoder(texts ...[]byte) (encode func([]byte) string, encoding string) {
	for _, text := range texts {
		if !utf8.Valid(text) {
			return base64.StdEncoding.EncodeToString, "base64"
		}
	}
	return func(text []byte) string { return string(text) }, ""
}

// report writes v as JSON.
func (a *app) report(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
