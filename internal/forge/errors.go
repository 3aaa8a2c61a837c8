package forge

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what an error means for what to do next. A Kind is an error itself,
// so that errors.Is(err, forge.NotFound) asks for it.
type Kind string

// The kinds of error.
const (
	// NotFound: it is not there, or we may not see it. GitHub does not tell which.
	NotFound Kind = "not found"
	// Gone: it was there, and was switched off or removed for good.
	Gone Kind = "gone"
	// Denied: the installation lacks a permission; Error.Permission names it.
	Denied Kind = "permission missing"
	// Conflict: it is not in the state that the caller took it to be in.
	Conflict Kind = "conflict"
	// Invalid: GitHub understood the request and says that it is wrong.
	Invalid Kind = "invalid"
	// Refused: a rule, a protection or the repository's state forbids it.
	Refused Kind = "refused"
	// Queued: the branch takes changes through its merge queue only.
	Queued Kind = "merge queue"
	// Mergeable: a pull request waits for nothing, so that it can be merged at once.
	Mergeable Kind = "can be merged at once"
	// NotReady: it will be there soon: a repository without its first commit.
	NotReady Kind = "not ready"
	// Limited: GitHub's limits are used up; a LimitError says until when.
	Limited Kind = "limit reached"
	// Unavailable: GitHub did not answer, or answered that it cannot.
	Unavailable Kind = "unavailable"
	// Suspended: the owner has suspended the installation.
	Suspended Kind = "installation suspended"
	// Unauthorized: GitHub does not accept who we say we are.
	Unauthorized Kind = "not authorized"
	// Moved: the repository has another name now; read it by its id.
	Moved Kind = "moved"
	// Unsupported: this GitHub has no such function.
	Unsupported Kind = "unsupported"
)

// Error returns the kind in words.
func (k Kind) Error() string { return string(k) }

// Error is what went wrong with one call.
type Error struct {
	Kind Kind
	// Op is what was to be done, with the repository.
	Op string
	// Status is HTTP's, or 0 where there was no answer.
	Status int
	// Message is GitHub's own, cut at 500 bytes.
	Message string
	// Details are what GitHub lists under the message, at most ten.
	Details []string
	// Permission is what the call needs, as "contents=write", where GitHub says so.
	Permission string
	// Lost is set where a write may have been done although it failed here.
	Lost bool
	// Unclear is set where GitHub says that a request is wrong, and not in what way, or
	// misses what was made a moment ago: it may say otherwise the next time.
	Unclear bool
	// RequestID is what GitHub's support asks for.
	RequestID string
	// Hint is what to do, where there is more to say than the kind does.
	Hint string

	cause error
}

// Error says what failed, why, and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Op, e.Kind)
	if e.Permission != "" {
		fmt.Fprintf(&b, " (%s)", e.Permission)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	} else if e.cause != nil {
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	for _, d := range e.Details {
		fmt.Fprintf(&b, "; %s", d)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "; %s", e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is the error's kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.Kind
}

// LimitError says that a limit of GitHub's, or our own below it, leaves no room
// now. Nothing was sent, unless Sent is set.
type LimitError struct {
	// Until is when to try again.
	Until time.Time
	// Why names the limit.
	Why string
	// Secondary is set where GitHub found us too fast, as opposed to an hour's
	// allowance that is used up or a pace that we keep ourselves.
	Secondary bool
	// Sent is set where GitHub itself refused the request.
	Sent bool
}

// Error names the limit and the time.
func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: %s; try again at %s", Limited, e.Why, e.Until.UTC().Format(time.RFC3339))
}

// Is reports whether target is [Limited].
func (e *LimitError) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == Limited
}

// BranchMovedError says that a branch is not where the caller took it to be. It
// is a [Conflict].
type BranchMovedError struct {
	Repository Name
	Branch     string
	Expected   string // "" where it was to be created
	Found      string // "" where it does not exist
}

// Error says where the branch was expected and found.
func (e *BranchMovedError) Error() string {
	return fmt.Sprintf("moving branch %s of %s: it is at %s, expected %s; somebody else changed it, so read it again",
		e.Branch, e.Repository, commitOr(e.Found, "no commit"), commitOr(e.Expected, "no such branch"))
}

// Is reports whether target is [Conflict].
func (e *BranchMovedError) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == Conflict
}

func commitOr(id, none string) string {
	if id == "" {
		return none
	}
	return id
}

// KindOf returns the kind of err, or "" where it is not one of this package's.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if _, ok := errors.AsType[*LimitError](err); ok {
		return Limited
	}
	if _, ok := errors.AsType[*BranchMovedError](err); ok {
		return Conflict
	}
	return ""
}

// lost reports whether a write may have been done although err came back.
func lost(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Lost
}
