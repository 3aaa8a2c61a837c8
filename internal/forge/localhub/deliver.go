package localhub

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // X-Hub-Signature is SHA-1; GitHub still sends it beside SHA-256
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

// payloadLimit is the size from which GitHub does not deliver an event.
const payloadLimit = 25 << 20

// Delivery is one webhook request, sent or to be sent.
type Delivery struct {
	ID           int64
	GUID         string
	Event        string
	Action       string
	Redelivery   bool
	At           time.Time
	Payload      []byte
	Status       int // of the answer; 0: none came
	Installation int64
	Repository   int64

	app      *App
	status   string
	took     time.Duration
	headers  map[string]string
	answered http.Header
	answer   string
	done     bool
}

// sender sends deliveries, a few at a time and in no promised order.
type sender struct {
	hub    *Hub
	client *http.Client
	wake   *sync.Cond
	mu     sync.Mutex
	queue  []*Delivery
	busy   int
	paused bool
	closed bool
	cancel context.CancelFunc
	ctx    context.Context
	wait   sync.WaitGroup
}

func newSender(h *Hub) *sender {
	timeout, workers := h.options.DeliveryTimeout, h.options.Senders
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	if workers == 0 {
		workers = 4
	}
	s := &sender{hub: h, client: &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: workers, IdleConnTimeout: 5 * time.Second},
	}}
	s.wake = sync.NewCond(&s.mu)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for range workers {
		s.wait.Go(s.work)
	}
	return s
}

func (s *sender) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.wake.Broadcast()
	s.wait.Wait()
	s.client.CloseIdleConnections()
}

func (s *sender) add(d *Delivery) {
	s.mu.Lock()
	s.queue = append(s.queue, d)
	s.mu.Unlock()
	s.wake.Broadcast()
}

func (s *sender) work() {
	for {
		s.mu.Lock()
		for !s.closed && (s.paused || len(s.queue) == 0) {
			s.wake.Wait()
		}
		if s.closed {
			s.mu.Unlock()
			return
		}
		d := s.queue[0]
		s.queue = s.queue[1:]
		s.busy++
		s.mu.Unlock()
		s.send(d)
		s.mu.Lock()
		s.busy--
		s.mu.Unlock()
		s.wake.Broadcast()
	}
}

// Settle waits until every delivery so far has been answered or has failed, or ctx is
// done. What the answers set off is not waited for.
func (h *Hub) Settle(ctx context.Context) error {
	s := h.hooks
	stop := context.AfterFunc(ctx, s.wake.Broadcast)
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for (len(s.queue) > 0 || s.busy > 0) && !s.closed && ctx.Err() == nil {
		s.wake.Wait()
	}
	return ctx.Err()
}

// HoldDeliveries keeps deliveries back until ReleaseDeliveries.
func (h *Hub) HoldDeliveries() { h.hooks.hold(true) }

// ReleaseDeliveries sends what was kept back.
func (h *Hub) ReleaseDeliveries() { h.hooks.hold(false) }

func (s *sender) hold(paused bool) {
	s.mu.Lock()
	s.paused = paused
	s.mu.Unlock()
	s.wake.Broadcast()
}

// deliver logs a delivery of an event to an App and queues it. The hub is locked.
func (h *Hub) deliver(app *App, install *Installation, repo *repository, event string, payload obj) {
	payload = maps.Clone(payload)
	if install != nil && payload["installation"] == nil {
		payload["installation"] = obj{"id": install.id, "node_id": nodeID("IN", install.id)}
	}
	data, err := json.Marshal(payload)
	if err != nil || len(data) > payloadLimit {
		h.options.Log.Warn("event not delivered", "event", event, "bytes", len(data), "error", err)
		return
	}
	action, _ := payload["action"].(string)
	d := &Delivery{
		ID: h.state.id(), GUID: uuid.NewString(), Event: event, Action: action, At: h.now(), Payload: data, app: app,
	}
	if install != nil {
		d.Installation = install.id
	}
	if repo != nil {
		d.Repository = repo.id
	}
	h.queue(d)
}

func (h *Hub) queue(d *Delivery) {
	d.headers = h.deliveryHeaders(d)
	d.app.deliveries = append(d.app.deliveries, d)
	if d.app.hookURL != "" {
		h.hooks.add(d)
	} else {
		d.done, d.status = true, "no webhook URL"
	}
}

func (h *Hub) deliveryHeaders(d *Delivery) map[string]string {
	headers := map[string]string{
		"Accept": "*/*", "Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/localhub",
		"X-GitHub-Delivery": d.GUID, "X-GitHub-Event": d.Event,
		"X-GitHub-Hook-ID":                       strconv.FormatInt(d.app.hookID, 10),
		"X-GitHub-Hook-Installation-Target-ID":   strconv.FormatInt(d.app.id, 10),
		"X-GitHub-Hook-Installation-Target-Type": "integration",
	}
	if d.app.hookSecret != "" {
		headers["X-Hub-Signature"] = "sha1=" + signature(sha1.New, d.app.hookSecret, d.Payload)
		headers["X-Hub-Signature-256"] = "sha256=" + signature(sha256.New, d.app.hookSecret, d.Payload)
	}
	return headers
}

func signature(algorithm func() hash.Hash, secret string, payload []byte) string {
	mac := hmac.New(algorithm, []byte(secret))
	mac.Write(payload)
	return hex.EncodeToString(mac.Sum(nil))
}

// send makes one request and notes what came of it.
func (s *sender) send(d *Delivery) {
	s.hub.mu.Lock()
	url := d.app.hookURL
	s.hub.mu.Unlock()
	start := time.Now()
	code, status, header, text := s.request(url, d)
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	d.Status, d.status, d.answered, d.answer, d.done = code, status, header, text, true
	d.took = time.Since(start)
	s.hub.options.Log.Debug("delivered", "event", d.Event, "action", d.Action, "delivery", d.GUID, "status", code)
}

func (s *sender) request(url string, d *Delivery) (int, string, http.Header, string) {
	r, err := http.NewRequestWithContext(s.ctx, http.MethodPost, url, bytes.NewReader(d.Payload))
	if err != nil {
		return 0, "invalid HTTP request", nil, ""
	}
	for name, value := range d.headers {
		r.Header.Set(name, value)
	}
	response, err := s.client.Do(r)
	if err != nil {
		return 0, "failed to connect to host", nil, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	if response.StatusCode/100 != 2 {
		return response.StatusCode, "Invalid HTTP Response: " + strconv.Itoa(response.StatusCode), response.Header, string(text)
	}
	return response.StatusCode, "OK", response.Header, string(text)
}

// Deliveries are an App's deliveries so far, oldest first.
func (a *App) Deliveries() []Delivery {
	a.hub.mu.Lock()
	defer a.hub.mu.Unlock()
	list := make([]Delivery, len(a.deliveries))
	for i, d := range a.deliveries {
		list[i] = *d
		list[i].Payload = slices.Clone(d.Payload)
	}
	return list
}

// Redeliver sends a delivery again under the same GUID, as the button does.
func (a *App) Redeliver(guid string) bool {
	a.hub.mu.Lock()
	defer a.hub.mu.Unlock()
	for _, d := range a.deliveries {
		if d.GUID == guid {
			a.hub.again(d)
			return true
		}
	}
	return false
}

// again queues a copy of a delivery with its GUID and a new id.
func (h *Hub) again(d *Delivery) {
	h.queue(&Delivery{
		ID: h.state.id(), GUID: d.GUID, Event: d.Event, Action: d.Action, At: h.now(), Payload: d.Payload,
		Installation: d.Installation, Repository: d.Repository, app: d.app, Redelivery: true,
	})
}
