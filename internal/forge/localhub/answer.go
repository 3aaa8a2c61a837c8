package localhub

import (
	"encoding/json"
	"net/http"
)

// docs is where error messages point to.
const docs = "https://docs.github.com/rest"

// answer is what a handler says. Body is sent as JSON unless raw is set.
type answer struct {
	status int
	body   any
	raw    []byte
	media  string // of raw
	header http.Header
}

func ok(body any) answer      { return answer{status: http.StatusOK, body: body} }
func created(body any) answer { return answer{status: http.StatusCreated, body: body} }
func none() answer            { return answer{status: http.StatusNoContent} }

// with is a with one more header.
func (a answer) with(name, value string) answer {
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set(name, value)
	return a
}

func (a answer) failed() bool { return a.status >= 400 }

// flaw is one entry of a validation error.
type flaw struct {
	Resource string `json:"resource"`
	Code     string `json:"code"`
	Field    string `json:"field,omitempty"`
	Message  string `json:"message,omitempty"`
	Value    any    `json:"value,omitempty"`
}

// refuse is an error answer in GitHub's form; the documentation_url is filled in
// from the route when it is sent.
func refuse(status int, message string, flaws ...flaw) answer {
	body := obj{"message": message}
	if len(flaws) > 0 {
		body["errors"] = flaws
	}
	return answer{status: status, body: body}
}

// pointing is an error answer whose documentation is not the route's.
func pointing(status int, message, documentation string) answer {
	return answer{status: status, body: obj{"message": message, "documentation_url": documentation}}
}

func notFound() answer { return refuse(http.StatusNotFound, "Not Found") }

// invalid is GitHub's answer to a value it does not take.
func invalid(flaws ...flaw) answer {
	return refuse(http.StatusUnprocessableEntity, "Validation Failed", flaws...)
}

// unprocessable is a 422 that carries only its message.
func unprocessable(message string) answer {
	return refuse(http.StatusUnprocessableEntity, message)
}

// inaccessible is the answer where an App's token lacks a permission.
func inaccessible() answer {
	return refuse(http.StatusForbidden, "Resource not accessible by integration")
}

// broken answers what the hub itself could not do, such as reading its disk.
func broken(err error) answer {
	return refuse(http.StatusInternalServerError, "Server Error: "+err.Error())
}

// optional tells an absent member from null and from a value.
type optional[T any] struct {
	set, null bool
	value     T
}

// UnmarshalJSON is called only where the member is present.
func (o *optional[T]) UnmarshalJSON(data []byte) error {
	o.set = true
	if string(data) == "null" {
		o.null = true
		return nil
	}
	return json.Unmarshal(data, &o.value)
}

// into sets target if a value was given; null sets the zero value.
func (o optional[T]) into(target *T) {
	if o.set {
		*target = o.value
	}
}
