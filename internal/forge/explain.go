package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/go-github/v60/github"
)

// Bounds of what an error repeats from an answer.
const (
	maxMessage = 500
	maxDetails = 10
)

// wireError is a request that failed without an answer.
type wireError struct {
	lost  bool // the request may have arrived
	cause error
}

func (e *wireError) Error() string { return e.cause.Error() }
func (e *wireError) Unwrap() error { return e.cause }

// explain turns what go-github returns into this package's errors. A nil err
// stays nil, and so does "accepted", which go-github calls an error.
func explain(op, method string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*github.AcceptedError](err); ok {
		return nil
	}
	if l, ok := errors.AsType[*LimitError](err); ok {
		return fmt.Errorf("%s: %w", op, l)
	}
	if e, ok := errors.AsType[*Error](err); ok { // from the token's request
		c := *e
		c.Op = op + ": " + e.Op
		return &c
	}
	if r, ok := errors.AsType[*github.ErrorResponse](err); ok {
		return answered(op, method, r)
	}
	if w, ok := errors.AsType[*wireError](err); ok {
		return &Error{Kind: Unavailable, Op: op, Lost: w.lost && mutates(method), cause: w.cause}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Kind: Unavailable, Op: op, Lost: mutates(method), cause: err}
	}
	// The answer came, and cannot be read.
	return &Error{Kind: Unavailable, Op: op, Lost: mutates(method), Message: "the answer is not what GitHub documents", cause: err}
}

// mutates reports whether a method changes something.
func mutates(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// answered explains an answer that is not a success.
func answered(op, method string, r *github.ErrorResponse) error {
	e := &Error{Op: op, Message: bounded(r.Message)}
	for _, d := range r.Errors {
		if s := detail(d); s != "" && len(e.Details) < maxDetails {
			e.Details = append(e.Details, s)
		}
	}
	if r.Response != nil {
		e.Status = r.Response.StatusCode
		e.RequestID = r.Response.Header.Get("X-GitHub-Request-Id")
	}
	e.Kind = kindOf(e.Status, e.text())
	if e.Kind == Denied {
		e.Permission = permission(r.Response, e.text())
	}
	e.Unclear = e.Kind == Invalid && unclear(e)
	if e.Kind == Unavailable || e.Unclear {
		e.Lost = mutates(method)
	}
	e.Hint = hints[e.Kind]
	return e
}

// hints say what to do where the kind alone leaves it open.
var hints = map[Kind]string{
	Denied:    "an owner must grant the App this permission, or accept the new permissions",
	Suspended: "an owner must unsuspend the App's installation",
	Moved:     "read the repository by its id",
}

func (e *Error) text() string {
	return strings.ToLower(e.Message + "\n" + strings.Join(e.Details, "\n"))
}

func detail(d github.Error) string {
	switch {
	case d.Message != "":
		return bounded(d.Message)
	case d.Field != "":
		return bounded(fmt.Sprintf("%s of %s is %s", d.Field, d.Resource, strings.ReplaceAll(d.Code, "_", " ")))
	}
	return bounded(d.Code)
}

// bounded cuts s on a rune's edge and leaves out control characters.
func bounded(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	if len(s) <= maxMessage {
		return s
	}
	cut := maxMessage
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// Words of GitHub's messages, in lower case. The first four are in the text that
// rulesets and protections answer with; GitHub documents no codes for them.
var (
	wordsOfRules     = []string{"rule violation", "protected branch", "creations being restricted", "branch is protected", "required status check", "must have verified signatures"}
	wordsOfQueue     = []string{"through the merge queue"} // as in https://github.com/georust/proj/pull/178
	wordsOfState     = []string{"archived", "read-only", "is disabled", "is locked"}
	wordsOfSuspended = []string{"installation has been suspended", "installation is suspended"}
	wordsOfEmpty     = []string{"repository is empty", "not ready"}
	wordsOfWorkflows = []string{"`workflows` permission", "`workflow` scope", "'workflows' permission", "without workflows permission"}
)

// Messages of a 422, in lower case, that name no mistake. Of the third GitHub's own
// description of the API says that it is either a mistake or too much at once.
var wordsOfNothing = []string{"", "unprocessable entity", "validation failed", "validation failed, or the endpoint has been spammed."}

// Parts of a 422's message, in lower case, that miss what was made a moment ago, or do
// not say why: seen to pass within seconds
// (https://github.com/home-assistant/service-hub/pull/394,
// https://github.com/fullsend-ai/fullsend/issues/5774,
// https://github.com/github/rest-api-description/issues/4887).
var wordsOfLag = []string{"no commit found for sha", "tree sha does not exist", "reference update failed"}

// unclear reports whether a 422 may be otherwise the next time. Where GitHub lists what
// is wrong, it is.
func unclear(e *Error) bool {
	if e.Status != http.StatusUnprocessableEntity || len(e.Details) > 0 {
		return false
	}
	message := strings.ToLower(strings.TrimSpace(e.Message))
	return slices.Contains(wordsOfNothing, message) || has(message, wordsOfLag)
}

func has(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// kindOf judges an answer by its status and its text in lower case.
func kindOf(status int, text string) Kind {
	switch {
	case status >= 500:
		return Unavailable
	case status >= 300 && status < 400:
		return Moved
	case has(text, wordsOfSuspended):
		return Suspended
	case has(text, wordsOfWorkflows):
		return Denied
	case has(text, wordsOfQueue):
		return Queued
	case has(text, wordsOfRules):
		return Refused
	}
	switch status {
	case http.StatusUnauthorized:
		return Unauthorized
	case http.StatusForbidden:
		if has(text, wordsOfState) {
			return Refused
		}
		return Denied
	case http.StatusNotFound:
		return NotFound
	case http.StatusGone, http.StatusUnavailableForLegalReasons:
		return Gone
	case http.StatusConflict:
		if has(text, wordsOfEmpty) {
			return NotReady
		}
		return Conflict
	case http.StatusMethodNotAllowed:
		return Refused
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return Unavailable
	case http.StatusLocked:
		return NotReady
	case http.StatusTooManyRequests:
		return Limited // unreachable: the courier returns a LimitError
	}
	return Invalid
}

// permission finds what an answer says is missing: GitHub lists what would have
// been enough in a header, alternatives after a semicolon.
func permission(r *http.Response, text string) string {
	if has(text, wordsOfWorkflows) {
		return "workflows=write"
	}
	if r == nil {
		return ""
	}
	return bounded(r.Header.Get("X-Accepted-GitHub-Permissions"))
}
