package localhub

import (
	"context"
	"net/http"
	"strconv"
	"sync"
)

// Impatient sends a client's requests, and gives one up at the moment in which a hub
// begins to hang on it, as if the client's patience were over: what is tested with
// [FaultHang] then depends neither on how long that is nor on how busy the machine is.
// Every fault has to go through [Impatient.Watch].
type Impatient struct {
	Next http.RoundTripper

	mu     sync.Mutex
	sent   int
	flying map[string]context.CancelCauseFunc
}

// flightHeader tells requests apart.
const flightHeader = "X-Localhub-Flight"

// RoundTrip implements [http.RoundTripper].
func (i *Impatient) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, giveUp := context.WithCancelCause(r.Context()) // which ends with the request's own
	out := r.Clone(ctx)
	i.mu.Lock()
	i.sent++
	flight := strconv.Itoa(i.sent)
	if i.flying == nil {
		i.flying = map[string]context.CancelCauseFunc{}
	}
	i.flying[flight] = giveUp
	i.mu.Unlock()
	out.Header.Set(flightHeader, flight)
	resp, err := i.Next.RoundTrip(out)
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.flying, flight)
	return resp, err
}

// Watch returns a fault with which the client gives up where it hangs.
func (i *Impatient) Watch(f Fault) Fault {
	f.hung = func(r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		if giveUp := i.flying[r.Header.Get(flightHeader)]; giveUp != nil {
			giveUp(context.DeadlineExceeded)
		}
	}
	return f
}
