package localhub

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

func getBlob(c *call) answer {
	if bad := c.waiting(); bad != nil {
		return *bad
	}
	id := plumbing.NewHash(c.vars["file_sha"])
	if c.repo.store.kind(id) != "blob" {
		return notFound()
	}
	if c.repo.store.blobSize(id) > blobLimit {
		return refuse(http.StatusForbidden, "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API, but you can always clone the repository via Git to obtain this blob.",
			flaw{Resource: "Blob", Field: "data", Code: "too_large"})
	}
	data, err := c.repo.store.blob(id)
	if err != nil {
		return broken(err)
	}
	if strings.Contains(c.r.Header.Get("Accept"), "raw") {
		return answer{status: http.StatusOK, raw: data, media: "application/vnd.github.raw; charset=utf-8"}
	}
	return ok(obj{
		"sha": id.String(), "node_id": nodeID("B", c.repo.id), "size": len(data), "url": c.hub.repoURL(c.repo) + "/git/blobs/" + id.String(),
		"content": base64Lines(data), "encoding": "base64",
	})
}

// base64Lines is base64 as GitHub sends it: lines of 60, each ended.
func base64Lines(data []byte) string {
	const width = 60
	text := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	for len(text) > 0 {
		n := min(width, len(text))
		b.WriteString(text[:n])
		b.WriteByte('\n')
		text = text[n:]
	}
	return b.String()
}

func createBlob(c *call) answer {
	var in struct {
		Content  *string `json:"content"`
		Encoding string  `json:"encoding"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	if bad := c.waiting(); bad != nil {
		return *bad
	}
	if in.Content == nil {
		return unprocessable("Invalid request.\n\n\"content\" wasn't supplied.")
	}
	data := []byte(*in.Content)
	if in.Encoding == "base64" {
		decoded, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(*in.Content))
		if err != nil {
			return unprocessable("content is not valid Base64")
		}
		data = decoded
	}
	if len(data) > blobIn {
		return unprocessable("input is too large to process. Consider making it smaller and try again.")
	}
	id, err := c.repo.store.putBlob(data)
	if err != nil {
		return broken(err)
	}
	url := c.hub.repoURL(c.repo) + "/git/blobs/" + id.String()
	return created(obj{"sha": id.String(), "url": url}).with("Location", url)
}
