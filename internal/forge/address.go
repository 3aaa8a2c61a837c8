package forge

import (
	"fmt"
	"net/url"
	"strings"
)

// address is where the parts of a GitHub are.
type address struct {
	root    *url.URL // what people see: https://github.com/
	rest    *url.URL // ends in a slash
	graphql *url.URL
}

// parseAddress derives the API's addresses from the root that people see.
// github.com and the tenants of ghe.com have a host of their own for the API; an
// Enterprise Server has it below /api.
func parseAddress(root string) (address, error) {
	if root == "" {
		root = "https://github.com"
	}
	u, err := url.Parse(root)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return address{}, fmt.Errorf("github.url: %q is not the address of a GitHub; write https://github.com or https://github.example.com", root)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return address{}, fmt.Errorf("github.url: %q has more than scheme, host and path; remove user, query and fragment", u.Redacted())
	}
	base := *u
	base.Path = strings.TrimSuffix(base.Path, "/") + "/"
	// People paste the API's address too.
	base.Path = strings.TrimSuffix(base.Path, "api/v3/")
	a := address{root: &base}
	host := strings.ToLower(u.Hostname())
	switch {
	case host == "github.com" || host == "api.github.com" || host == "www.github.com":
		a.root = &url.URL{Scheme: "https", Host: "github.com", Path: "/"}
		a.rest = &url.URL{Scheme: "https", Host: "api.github.com", Path: "/"}
		a.graphql = a.rest.JoinPath("graphql")
	case strings.HasSuffix(host, ".ghe.com"):
		tenant := strings.TrimPrefix(host, "api.")
		a.root = &url.URL{Scheme: "https", Host: tenant, Path: "/"}
		a.rest = &url.URL{Scheme: "https", Host: "api." + tenant, Path: "/"}
		a.graphql = a.rest.JoinPath("graphql")
	default:
		a.rest = base.JoinPath("api", "v3/")
		a.graphql = base.JoinPath("api", "graphql")
	}
	return a, nil
}
