package jobs

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river/rivertype"
)

// later and personal are the kinds of errors that decide a job's fate: packages that
// must not know this one have error types of their own with these methods. later is
// one that waits and does not count as a failure: a rate limit is used up, a
// repository's files are not there yet.
type (
	later    interface{ TryAfter() time.Duration }
	personal interface{ PersonMustAct() bool }
)

// PersonError is what [PersonMustAct] returns.
type PersonError struct{ Err error }

// Error says what has to be done.
func (e *PersonError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *PersonError) Unwrap() error { return e.Err }

// PersonMustAct is true.
func (*PersonError) PersonMustAct() bool { return true }

// PersonMustAct says that trying again is of no use before a person has acted: a
// permission is missing, a file cannot be read. The job ends, is listed among the
// dead letters as waiting for a person, and can be replayed. Any error in the chain
// with a method PersonMustAct() bool that returns true does the same.
func PersonMustAct(err error) error { return &PersonError{Err: err} }

// Fate is what becomes of a job after it ran.
type Fate string

// The fates of a job.
const (
	Done       Fate = "done"
	Superseded Fate = "superseded" // newer work did it, or waits to do it
	Busy       Fate = "busy"       // another job is in its lane; it waits a moment
	Later      Fate = "later"      // the error says when to try again
	Person     Fate = "person"     // PersonMustAct
	Retry      Fate = "retry"      // failed; tried again
	Dead       Fate = "dead"       // failed for the last time
	GivenBack  Fate = "given back" // cancelled because the process stops
)

// Outcome is how one run of a job ended.
type Outcome struct {
	Job     int64
	Kind    string
	Lane    string
	Cause   string
	Attempt int
	Fate    Fate
	Err     error
	Took    time.Duration
}

const (
	soonest = time.Second
	latest  = 24 * time.Hour
	// patience bounds how long a job may be put off by its errors.
	patience = 7 * 24 * time.Hour
)

// judge returns what an error means for a job that is age old and has been tried
// attempt times of at most most, and how long to wait where the fate is Later.
func judge(err error, age time.Duration, attempt, most int) (Fate, time.Duration) {
	var wait later
	var who personal
	switch {
	case err == nil:
		return Done, 0
	case errors.As(err, &wait) && age < patience:
		return Later, min(max(wait.TryAfter(), soonest), latest)
	case errors.As(err, &who) && who.PersonMustAct():
		return Person, 0
	case wait != nil:
		return Person, 0 // it waited for a week: somebody has to look why
	case attempt >= most:
		return Dead, 0
	}
	return Retry, 0
}

const (
	firstRetry = 5 * time.Second
	lastRetry  = 30 * time.Minute
)

// retryPolicy doubles the distance from 5 seconds to half an hour, and shifts it by
// up to a tenth so that what failed together does not come back together.
type retryPolicy struct{ now func() time.Time }

// NextRetry implements River's interface of that name.
func (p retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	return p.now().Add(backoff(len(job.Errors), rand.Float64()))
}

// backoff returns the distance after so many failures; shift is from 0 to 1.
func backoff(failures int, shift float64) time.Duration {
	d := lastRetry
	if failures < 10 {
		d = min(firstRetry<<failures, lastRetry)
	}
	return d + time.Duration(shift*float64(d)/10)
}
