package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// How long GraphQL is left alone: after it was found absent, and after it failed
// to answer some times in a row. REST does its work then.
const (
	pauseAbsent  = time.Hour
	pauseFailing = 5 * time.Minute
	failures     = 4
)

// graphQL reports whether to try GraphQL.
func (c *Client) graphQL() bool {
	return !c.in.app.cfg.NoGraphQL && c.now().Unix() >= c.in.noGraphQL.Load()
}

func (in *Installation) pauseGraphQL(d time.Duration) {
	in.noGraphQL.Store(in.app.cfg.Now().Add(d).Unix())
}

// gqlError is one of the errors that come with a GraphQL answer.
type gqlError struct {
	Type       string `json:"type"`
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

// kind judges by type, which GitHub sets for what happened to the data, and by
// code, which it sets where the document itself is refused.
func (e gqlError) kind() Kind {
	switch e.Type {
	case "NOT_FOUND":
		return NotFound
	case "FORBIDDEN", "INSUFFICIENT_SCOPES":
		return kindOf(http.StatusForbidden, strings.ToLower(e.Message))
	case "RATE_LIMITED":
		return Limited
	case "SERVICE_UNAVAILABLE", "INTERNAL":
		return Unavailable
	case "UNPROCESSABLE", "STALE_DATA", "CONFLICT":
		return kindOf(http.StatusUnprocessableEntity, strings.ToLower(e.Message))
	}
	if e.Extensions.Code != "" {
		return Unsupported // undefinedField, undefinedType, argumentNotAccepted and others
	}
	text := strings.ToLower(e.Message)
	switch {
	case strings.Contains(text, "something went wrong"), strings.Contains(text, "timeout"):
		return Unavailable
	case strings.Contains(text, "doesn't exist on type"), strings.Contains(text, "isn't a defined input type"), strings.Contains(text, "cannot query field"):
		return Unsupported
	}
	return kindOf(http.StatusUnprocessableEntity, text)
}

func (e gqlError) failed(op string) *Error {
	k := e.kind()
	return &Error{Kind: k, Op: op, Message: bounded(e.Message), Hint: hints[k], Status: http.StatusOK}
}

// gqlAnswer is an answer's outer form.
type gqlAnswer struct {
	Data   json.RawMessage `json:"data"`
	Errors []gqlError      `json:"errors"`
}

// document is a GraphQL document under construction. Values go in as variables,
// so that no text of theirs is ever read as GraphQL.
type document struct {
	params []string
	values map[string]any
	body   strings.Builder
}

// arg declares a value of a type and returns its name.
func (d *document) arg(typ string, v any) string {
	if d.values == nil {
		d.values = map[string]any{}
	}
	name := "v" + strconv.Itoa(len(d.params))
	d.params = append(d.params, "$"+name+":"+typ)
	d.values[name] = v
	return "$" + name
}

func (d *document) printf(format string, args ...any) { fmt.Fprintf(&d.body, format, args...) }

func (d *document) text(operation string) string {
	params := ""
	if len(d.params) > 0 {
		params = "(" + strings.Join(d.params, ",") + ")"
	}
	return operation + params + "{" + d.body.String() + "}"
}

// post sends a document. The answer may have data and errors side by side. The
// error is [Unsupported] where there is no GraphQL.
func (c *Client) post(ctx context.Context, op, operation string, d *document) (gqlAnswer, error) {
	query := operation == "query"
	// For what may have been done, a query is a read.
	method := http.MethodPost
	if query {
		method = http.MethodGet
	}
	req, err := c.in.client.NewRequest(http.MethodPost, c.in.app.at.graphql.String(), map[string]any{
		"query": d.text(operation), "variables": d.values,
	})
	if err != nil {
		return gqlAnswer{}, fmt.Errorf("%s: %w", op, err)
	}
	var out gqlAnswer
	_, err = c.in.client.Do(c.with(ctx, query), req, &out)
	err = explain(op, method, err)
	if e, ok := errors.AsType[*Error](err); ok {
		switch e.Status {
		case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusGone:
			c.in.pauseGraphQL(pauseAbsent)
			return gqlAnswer{}, &Error{Kind: Unsupported, Op: op, Status: e.Status, Message: "this GitHub answers no GraphQL"}
		}
	}
	if err != nil {
		if KindOf(err) == Unavailable && c.in.failing.Add(1) >= failures {
			c.in.pauseGraphQL(pauseFailing)
		}
		return gqlAnswer{}, err
	}
	c.in.failing.Store(0)
	for _, e := range out.Errors {
		switch e.kind() {
		case Limited: // without the headers that the courier goes by
			return gqlAnswer{}, fmt.Errorf("%s: %w", op, &LimitError{Until: c.now().Add(time.Minute), Why: bounded(e.Message), Sent: true})
		case Unsupported:
			return gqlAnswer{}, &Error{Kind: Unsupported, Op: op, Message: bounded(e.Message)}
		}
	}
	return out, nil
}

// mutate sends a mutation; every error in its answer fails it.
func (c *Client) mutate(ctx context.Context, op string, d *document) error {
	out, err := c.post(ctx, op, "mutation", d)
	if err != nil || len(out.Errors) == 0 {
		return err
	}
	failed := out.Errors[0].failed(op)
	failed.Lost = failed.Kind == Unavailable
	return failed
}
