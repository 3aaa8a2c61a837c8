package forge

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// cache keeps answers of one installation: another's must never be served from
// it. An answer is used again when GitHub says that it is still right (304, which
// does not count against the hourly limit), or without asking where it is named
// by its own hash.
type cache struct {
	mu    sync.Mutex
	lru   *simplelru.LRU[string, *kept]
	bytes int
	limit int
}

// kept is an answer with status 200.
type kept struct {
	etag   string
	header http.Header
	body   []byte
}

// overhead is what an entry costs beside its body: headers, key, list. An
// estimate, so that many small answers are bounded too.
const overhead = 2 << 10

func (k *kept) size() int { return len(k.body) + overhead }

func newCache(limit int) *cache {
	c := &cache{limit: limit}
	// The count is bounded by the bytes, so the list's own bound is never met.
	lru, err := simplelru.NewLRU(limit/overhead+1, func(_ string, k *kept) { c.bytes -= k.size() })
	if err != nil {
		lru = nil // unreachable: the size is positive
	}
	c.lru = lru
	return c
}

// object matches addresses of git's objects by their full hash: what they hold
// never changes.
var object = regexp.MustCompile(`/git/(blobs|trees|commits)/[0-9a-f]{40}$`)

func cacheKey(req *http.Request) string {
	return req.Header.Get("Accept") + " " + req.URL.String()
}

// find returns what is kept for req. fresh says that GitHub need not be asked.
func (c *cache) find(req *http.Request) (k *kept, fresh bool) {
	if req.Method != http.MethodGet {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.lru.Get(cacheKey(req))
	if !ok {
		return nil, false
	}
	return k, object.MatchString(req.URL.Path)
}

// keep remembers an answer if it can be used again.
func (c *cache) keep(req *http.Request, resp *http.Response, body []byte) {
	if req.Method != http.MethodGet || resp.StatusCode != http.StatusOK {
		return
	}
	etag := resp.Header.Get("ETag")
	if etag == "" && !object.MatchString(req.URL.Path) {
		return
	}
	k := &kept{etag: etag, header: resp.Header.Clone(), body: body}
	// One answer must not push out all others.
	if k.size() > c.limit/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cacheKey(req)
	c.lru.Remove(key)
	c.lru.Add(key, k)
	for c.bytes += k.size(); c.bytes > c.limit; {
		c.lru.RemoveOldest()
	}
}

// response makes an answer to req from what is kept.
func (k *kept) response(req *http.Request) *http.Response {
	h := k.header.Clone()
	h.Set("Content-Length", strconv.Itoa(len(k.body)))
	h.Set("X-From-Cache", "1") // see ownLimits
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(bytes.NewReader(k.body)), ContentLength: int64(len(k.body)), Request: req,
	}
}
